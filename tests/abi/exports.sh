#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every plugin that was built exports one symbol and no other.
set -eu
: "${top_builddir:?}"
seen=0
for module in "$top_builddir"/plugins.d/*.so "$top_builddir"/zoo.d/paper_*.so; do
    [ -f "$module" ] || continue
    symbols=$(nm -D --defined-only "$module" | awk '{ print $NF }' | tr '\n' ' ')
    if [ "$symbols" != "sonde_plugin_entry_v1 " ]; then
        echo "${module##*/} exports: $symbols"
        exit 1
    fi
    echo "ok: ${module##*/}"
    seen=$((seen + 1))
done
[ "$seen" -gt 0 ] || { echo "no module was built"; exit 1; }
