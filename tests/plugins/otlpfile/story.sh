#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The incident, asked through the adapter: what it answers is what truth.json says.
set -eu
command -v python3 >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$top_builddir/sonde-incident" --seed 3 --t0 2026-01-01T00:00:00Z --out "$dir/data"
python3 "$top_srcdir/tests/plugins/otlpfile/story.py" "$top_builddir/tests/plugins/otlpfile/fixtures" "$dir"
