#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$top_builddir/tests/plugins/otlpfile/fixtures" "$top_srcdir/plugins/otlpfile/fixtures"
