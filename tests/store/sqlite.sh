#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SQLite alone: modes, refusals, several that migrate at once, a lock that is held, a full disk.
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/sonde-store.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
"${top_builddir:-.}/tests/store/test_sqlite" "$folder"
