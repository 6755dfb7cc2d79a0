#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every public header compiles alone, as pedantic C99 without hidden padding, and as C++.
set -eu
: "${top_srcdir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cxx=
for name in ${CXX:-} c++ g++ clang++; do
    if command -v "$name" > /dev/null; then
        cxx=$name
        break
    fi
done
for path in "$top_srcdir"/sdk/include/sonde/*.h; do
    header=${path##*/}
    printf '#include <sonde/%s>\n#include <sonde/%s>\nint sonde_header_test(void);\nint sonde_header_test(void)\n{\n    return 0;\n}\n' \
        "$header" "$header" > "$work/test.c"
    cp "$work/test.c" "$work/test.cc"
    ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Wpadded -Wstrict-prototypes -Werror -fsyntax-only \
        -I"$top_srcdir/sdk/include" "$work/test.c"
    [ -z "$cxx" ] || "$cxx" -std=c++11 -pedantic -Wall -Wextra -Wpadded -Werror -fsyntax-only -I"$top_srcdir/sdk/include" "$work/test.cc"
    echo "ok: $header"
done
[ -n "$cxx" ] || echo "no C++ compiler: looked at as C only"

# A compiler may look for padding only where it needs a layout, so one file that needs all of them.
${CC:-cc} -std=gnu17 -Wpadded -Werror -fsyntax-only -I"$top_srcdir/sdk/include" "$top_srcdir/tests/abi/frozen_check.c"

# Hidden padding must be found, or the test proves nothing.
printf '#include <stdint.h>\nstruct hole {\n    uint32_t a;\n    uint64_t b;\n};\nextern struct hole h;\nint size[sizeof(struct hole)];\n' > "$work/hole.c"
if ${CC:-cc} -std=c99 -Wpadded -Werror -fsyntax-only "$work/hole.c" 2> /dev/null; then
    echo "the compiler does not see padding"
    exit 1
fi
