#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs into a prefix of its own, then builds the template there against nothing but what was installed,
# runs its fixtures and looks at what it exports.
set -eu
: "${top_srcdir:?}" "${top_builddir:?}"
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
if [ "${SANITIZED:-no}" != no ]; then
    echo "a build with sanitizers installs archives that need their runtime: skipped"
    exit 77
fi
command -v "$PKG_CONFIG" > /dev/null || { echo "pkg-config is missing: skipped"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/usr
# The outer make's flags and targets are none of the inner ones' business.
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR || true
(cd "$top_builddir" && make -s prefix="$prefix" exec_prefix="$prefix" install-sdk) > "$work/install.log" 2>&1 ||
    { cat "$work/install.log"; exit 1; }
cp -R "$prefix/share/sonde/template" "$work/tally"
chmod -R u+w "$work/tally"
cd "$work/tally"
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
[ "$("$PKG_CONFIG" --variable=plugindir sonde)" = "$prefix/lib/sonde/plugins" ]
make CC="${CC:-cc}" CFLAGS="-O2 -g -Werror" DESTDIR="$work/root" all check install
test -f "$work/root$prefix/lib/sonde/plugins/tally.so"
symbols=$(nm -D --defined-only tally.so | awk '{ print $3 }')
[ "$symbols" = sonde_plugin_entry_v1 ] || { echo "tally.so exports: $symbols"; exit 1; }

# The runner must be able to fail: one value changed in what is wanted has to be found and named.
sed 's/0\.95/0.96/' fixtures/range/want.json > fixtures/range/want.new
! cmp -s fixtures/range/want.json fixtures/range/want.new
mv fixtures/range/want.new fixtures/range/want.json
if ./run-fixtures fixtures > out.log 2>&1; then
    echo "a wrong value went through"
    exit 1
fi
grep -q 'rows\[0\]\.points\[1\]\[1\]' out.log || { cat out.log; exit 1; }
