#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# MCP over HTTP, both eras, every refusal: tests/mcp/http_test.py against a service without backends.
set -u
command -v python3 > /dev/null || { echo "python3 is missing"; exit 77; }
exec python3 "${top_srcdir:-.}/tests/mcp/http_test.py" "${top_builddir:-.}/tests/mcp/fake_http"
