#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the incident and checks it against its own truth; the same seed gives the same bytes, and a
# bad argument one clear message.
set -eu
command -v python3 >/dev/null || exit 77
program=$top_builddir/sonde-incident
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$program" --seed 7 --end 2026-03-01T12:10:00+02:00 --out "$dir/a" --format all
"$program" --seed 7 --t0 2026-03-01T10:00:00Z --out "$dir/b" --format all
"$program" --seed 8 --end 1772359800 --out "$dir/c"
for file in metrics.jsonl logs.jsonl traces.jsonl truth.json metrics.om; do
    cmp "$dir/a/$file" "$dir/b/$file"
done
for file in metrics.jsonl logs.jsonl traces.jsonl; do
    ! cmp -s "$dir/a/$file" "$dir/c/$file" || { echo "$file does not depend on the seed"; exit 1; }
done
python3 "$top_srcdir/tests/incident/check.py" "$dir/a" 1772359800000000000
python3 "$top_srcdir/tests/incident/check.py" "$dir/c" 1772359800000000000
if command -v promtool >/dev/null; then
    promtool tsdb create-blocks-from openmetrics "$dir/a/metrics.om" "$dir/tsdb" >/dev/null
else
    echo "not checked: metrics.om (no promtool)"
fi

refused() {
    want=$1
    shift
    if "$program" "$@" 2>"$dir/err"; then
        echo "accepted: $*"
        exit 1
    fi
    grep -q "$want" "$dir/err" || { cat "$dir/err"; exit 1; }
}
refused "bad time 'tomorrow'" --out "$dir/x" --end tomorrow
refused "bad time '2026-13-01T00:00:00Z'" --out "$dir/x" --end 2026-13-01T00:00:00Z
refused "bad seed '1x'" --out "$dir/x" --seed 1x
refused "missing '--out'" --seed 1
refused "unknown option '--ot'" --ot "$dir/x"
refused "cannot make the folder" --out /dev/null/x
