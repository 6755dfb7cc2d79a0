#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The paper adapters on their fixtures.
set -eu
: "${top_srcdir:?}" "${top_builddir:?}"
for name in pages pit poll gateway vendor; do
    "$top_builddir/tests/modules/run_paper_$name" "$top_srcdir/tests/modules/paper_$name/fixtures"
done
