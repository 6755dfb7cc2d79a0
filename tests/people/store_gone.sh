#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
command -v python3 > /dev/null || { echo "python3 is missing"; exit 77; }
exec python3 "$top_srcdir/tests/people/store_gone.py"
