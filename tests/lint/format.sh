#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One format for all: clang-format 14, the version of Debian 12; others differ in small things, so they are not asked.
set -u
cd "${top_srcdir:-.}" || exit 99
command -v clang-format > /dev/null || { echo "clang-format is missing"; exit 77; }
clang-format --version | grep -q 'version 14\.' || { echo "clang-format is not version 14"; exit 77; }
bad=$(find host sdk plugins etc tests bench -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run 2>&1 | grep -E 'warning|error' | cut -d: -f1 | sort -u)
[ -z "$bad" ] || { printf 'not formatted (clang-format -i FILE):\n%s\n' "$bad"; exit 1; }
