#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
command -v python3 > /dev/null && command -v curl > /dev/null || { echo "python3 or curl is missing"; exit 77; }
exec python3 "$top_srcdir/tests/rest/walk.py" postgresql
