#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every input of the corpus once, without finding new ones.
set -eu
set -- "${top_srcdir:-.}"/tests/fuzz/corpus/promql/*
exec "${top_builddir:-.}/tests/fuzz/fuzz_promql" "$@"
