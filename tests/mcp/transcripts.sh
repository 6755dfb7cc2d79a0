#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All transcripts against `sonde mcp` over a service without backends. Those named fake_* need what it answers; the
# others hold for every server: transcript.py --command "sonde mcp" FILE...
set -u
command -v python3 > /dev/null || { echo "python3 is missing"; exit 77; }
exec python3 "${top_srcdir:-.}/tests/mcp/transcript.py" --command "${top_builddir:-.}/tests/mcp/fake_mcp" \
    "${top_srcdir:-.}"/tests/mcp/transcripts/*.txt
