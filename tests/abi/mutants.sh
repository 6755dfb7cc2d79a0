#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The negative control of the frozen layout: changed copies of the headers must be refused, an appended member not.
set -eu
: "${top_srcdir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# try NAME WANTED FILE SED-SCRIPT: the copy with the change must compile (0) or not (1).
try() {
    rm -rf "$work/include"
    cp -R "$top_srcdir/sdk/include" "$work/include"
    chmod -R u+w "$work/include"
    sed "$4" "$top_srcdir/sdk/include/sonde/$3" > "$work/include/sonde/$3"
    if [ -n "$4" ] && cmp -s "$top_srcdir/sdk/include/sonde/$3" "$work/include/sonde/$3"; then
        echo "$1: the change did not change anything"
        exit 1
    fi
    got=0
    ${CC:-cc} -std=gnu17 -fsyntax-only -I"$work/include" "$top_srcdir/tests/abi/frozen_check.c" 2> "$work/log" || got=1
    if [ "$got" != "$2" ]; then
        echo "$1: compiled with $got instead of $2"
        cat "$work/log"
        exit 1
    fi
    echo "ok: $1"
}

try "nothing changed" 0 table.h ""
try "member appended" 0 http.h 's/^    const char \*rate_key;.*/&\n    const char *added;/'
try "member inserted" 1 http.h 's/^    const char \*method;/    const char *added;\n&/'
try "members swapped" 1 sink.h 's/^    uint64_t calls;/    uint64_t swap;/; s/^    uint64_t errors;/    uint64_t calls;/; s/    uint64_t swap;/    uint64_t errors;/'
try "member retyped" 1 query.h 's/^    int64_t start_ns;/    uint64_t start_ns;/'
try "member removed" 1 param.h '/^    const char \*help;/d'
try "signature changed" 1 sink.h 's/uint64_t total, uint32_t kind)/uint64_t total, uint64_t kind)/'
try "callback gets an argument" 1 table.h 's/(\*sonde_close_fn)(void \*instance)/(*sonde_close_fn)(void *instance, int32_t why)/'
try "constant changed" 1 types.h 's/^#define SONDE_E_BUSY (-6)/#define SONDE_E_BUSY (-60)/'
try "frozen struct grown" 1 types.h 's/^    size_t value_size;/&\n    size_t added;/'
