#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every corpus through its fuzz target: tests/fuzz/corpus/NAME/* to fuzz_NAME.
set -u
bad=0
for corpus in "${top_srcdir:-.}"/tests/fuzz/corpus/*/; do
    name=$(basename "$corpus")
    echo "fuzz_$name"
    "${top_builddir:-.}/tests/fuzz/fuzz_$name" "$corpus"* || bad=1
done
exit $bad
