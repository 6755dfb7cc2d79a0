#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same questions to otlpfile and to a real Prometheus over the same incident: the same numbers.
set -eu
command -v python3 >/dev/null && command -v promtool >/dev/null && command -v prometheus >/dev/null || {
    echo "skipped: no prometheus"
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$top_builddir/sonde-incident" --seed 5 --t0 2026-01-01T00:00:00Z --out "$dir/data" --format all
promtool tsdb create-blocks-from openmetrics "$dir/data/metrics.om" "$dir/tsdb" >/dev/null
python3 "$top_srcdir/tests/plugins/otlpfile/prometheus.py" \
    "$top_builddir/tests/plugins/otlpfile/fixtures" "$dir" "$top_srcdir/tests/plugins/otlpfile"
