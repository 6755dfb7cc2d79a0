#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec python3 "$top_srcdir/tests/http/faults.py" "$top_builddir/tests/http/http_server"
