#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Eight processes on one file, two of them killed. STORE_SECONDS: how long (6).
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/sonde-store.XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
"${top_builddir:-.}/tests/store/processes" "$folder/sonde.db" "${STORE_SECONDS:-6}"
