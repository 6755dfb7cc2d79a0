#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
command -v python3 > /dev/null || { echo "skipped: no python3"; exit 77; }
exec python3 "$top_srcdir/tests/store/postgres.py"
