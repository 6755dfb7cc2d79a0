#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec python3 "$top_srcdir/tests/serve/health.py"
