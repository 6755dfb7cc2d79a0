#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The second gate: the types as debug information shows them, against the stored baseline, without suppressions.
# After a change of the draft: tests/abi/abidiff.sh --update, in the same commit as the headers.
set -eu
: "${top_srcdir:=.}"
baseline=$top_srcdir/sdk/abi/sonde-1.0-draft.abi
CC=${CC:-cc}
skip() {
    echo "$1: skipped"
    exit 77
}
command -v abidiff > /dev/null && command -v abidw > /dev/null || skip "abidiff and abidw (libabigail) are missing"
[ "${SANITIZED:-no}" = no ] || skip "the sanitizers are on"
case $($CC --version) in *clang*) skip "the baseline is made with gcc" ;; esac
[ "$(uname -m)" = x86_64 ] || skip "the baseline is for x86_64"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # INCLUDE-FOLDER OUTPUT
    $CC -std=gnu17 -g -fPIC -shared -I"$1" "$top_srcdir/tests/abi/probe.c" -o "$2"
}
build "$top_srcdir/sdk/include" "$work/probe.so"
# Without debug information abidiff finds everything equal.
readelf -S "$work/probe.so" | grep -q '\.debug_info' || { echo "the probe has no debug information"; exit 1; }
if [ "${1:-}" = --update ]; then
    abidw --no-comp-dir-path --no-corpus-path --no-show-locs "$work/probe.so" > "$baseline"
    exit 0
fi
abidiff --no-show-locs "$baseline" "$work/probe.so" || { echo "the ABI differs from $baseline"; exit 1; }

control() { # NAME FILE SED-SCRIPT
    cp -R "$top_srcdir/sdk/include" "$work/include"
    chmod -R u+w "$work/include"
    sed "$3" "$top_srcdir/sdk/include/sonde/$2" > "$work/include/sonde/$2"
    build "$work/include" "$work/mutant.so"
    if abidiff --no-show-locs "$baseline" "$work/mutant.so" > /dev/null; then
        echo "$1: not noticed"
        exit 1
    fi
    rm -rf "$work/include"
    echo "ok: noticed: $1"
}
control "member inserted" http.h 's/^    const char \*method;/    const char *added;\n&/'
control "signature changed" sink.h 's/uint64_t total, uint32_t kind)/uint64_t total, uint64_t kind)/'
