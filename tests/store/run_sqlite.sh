#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The contract suite on a fresh SQLite database.
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/sonde-store.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
"${top_builddir:-.}/tests/store/contract" "$folder/a/b/sonde.db"
