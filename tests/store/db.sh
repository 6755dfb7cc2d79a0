#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `sonde db`: what it prints and how it ends.
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/sonde-store.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
sonde=${top_builddir:-.}/sonde
db=$folder/state/sonde.db
echo "store: $db" > "$folder/sonde.yaml"
chmod 600 "$folder/sonde.yaml"
bad=0
want() { # STATUS REGEX ARGUMENT...
    status=$1
    words=$2
    shift 2
    "$sonde" db "$@" --config "$folder/sonde.yaml" > "$folder/out" 2>&1
    got=$?
    if [ $got -ne "$status" ] || ! grep -qE -- "$words" "$folder/out"; then
        echo "sonde db $*: status $got, not $status, or without \"$words\":"
        cat "$folder/out"
        bad=1
    fi
}
want 0 'not there yet' status
want 0 'would apply 0001_init' migrate --dry-run
[ ! -e "$folder/state" ] || { echo "looking made something"; bad=1; }
want 0 '1 applied to .*sonde\.db' migrate
want 0 'is up to date' migrate
want 0 '1 of 1 applied' status
want 0 '^  users +3 +20' status
want 0 '"name":"0001_init","applied_at":"20' status --json
want 0 'SQLite 3' # status is what is meant without a word
want 2 'usage: sonde db' upgrade
want 2 'usage: sonde db' status more
echo 'store: none' > "$folder/sonde.yaml"
want 1 'nothing is stored' status
echo "this is no database, whatever it is called, and long enough to look at" > "$folder/no.db"
echo "store: $folder/no.db" > "$folder/sonde.yaml"
want 1 'no database' status
want 1 'no database' migrate
exit $bad
