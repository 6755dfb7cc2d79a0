#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rules of the tree: a folder of host/ includes only folders above it; third-party headers stay in their one place; files and
# functions stay short; banned functions stay out.
set -u
cd "${top_srcdir:-.}" || exit 99
bad=0
complain() {
    echo "$*"
    bad=1
}

# The order is the architecture: each folder may include those before it (and sdk/).
layers="base model selfstats config secrets store plugin io query catalogue analysis nlq answer render auth service http mcp rest cli"
rank() {
    i=0
    for layer in $layers; do
        i=$((i + 1))
        [ "$layer" = "$1" ] && { echo $i; return; }
    done
    echo 0
}
for dir in host/*/; do
    layer=$(basename "$dir")
    own=$(rank "$layer")
    [ "$own" -gt 0 ] || complain "host/$layer is no known layer: add it to tests/lint/layers.sh"
    for included in $(grep -hoE '^#include "[a-z]+/' "$dir"*.[ch] 2>/dev/null | sed 's/.*"//; s|/||' | sort -u); do
        other=$(rank "$included")
        [ "$other" -gt 0 ] || continue
        [ "$other" -le "$own" ] || complain "host/$layer includes $included/, which is below it"
    done
done
for front in mcp rest cli http; do
    for below in query plugin io store; do
        grep -nE "^#include \"$below/" host/$front/*.[ch] 2>/dev/null && complain "host/$front must ask service/, not $below/"
    done
done

only() { # HEADER-REGEX PLACE-REGEX WHAT
    grep -rlE "^#include <($1)" host sdk plugins etc --include='*.[ch]' | grep -vE "^($2)$" |
        while read -r file; do echo "$file includes $3, which belongs into $2"; done
}
found=$(
    only 'dlfcn\.h' 'host/plugin/loader\.c' dlfcn.h
    only 'curl/' 'host/io/.*' curl
    only 'event2/' 'host/io/.*|host/http/.*' libevent
    only 'yaml\.h' 'host/config/node\.c' libyaml
    only 'sqlite3\.h' 'host/store/sqlite/.*' SQLite
    only 'libpq-fe\.h' 'host/store/postgres/.*' libpq
    only 'openssl/' 'host/base/crypto\.c|host/auth/.*|host/http/tls\.c' OpenSSL
)
[ -z "$found" ] || complain "$found"

sources=$(find host sdk plugins etc tests bench -name '*.[ch]' | sort)
for file in $sources; do
    lines=$(wc -l < "$file")
    [ "$lines" -le 800 ] || complain "$file has $lines lines (800 at most)"
done

# Functions up to 80 lines: from the `{` in the first column to the `}` there.
long=$(for file in $sources; do
    awk -v file="$file" '/^\{/ { start = NR } /^\}/ { if (start && NR - start > 81) print file ":" start ": a function of " NR - start - 1 " lines (80 at most)"; start = 0 }' "$file"
done)
[ -z "$long" ] || complain "$long"

banned='\<(sprintf|vsprintf|strcat|strncat|strcpy|strtok|atoi|atol|atof|strtol|strtoul|sscanf|gets|gmtime|localtime|mktime|system|popen|fork|alloca)\('
hits=$(grep -nE "$banned" $(find host sdk plugins etc -name '*.[ch]') | grep -vE ':\s*(/\*|\*|//)')
[ -z "$hits" ] || complain "banned functions:
$hits"
hits=$(grep -nE '\<(malloc|calloc|realloc|free|strdup|strndup)\(' $(find host -name '*.[ch]' ! -path 'host/base/mem.*') | grep -vE 'tests/|base/arena.c|base/buf.c|:\s*(/\*|\*)')
[ -z "$hits" ] || complain "raw allocation outside host/base/mem.c:
$hits"
hits=$(grep -rnE 'TODO|FIXME|XXX' host sdk plugins etc man README.md --include='*' | grep -v 'XXXXXX' | grep -v 'layers.sh')
[ -z "$hits" ] || complain "unfinished places:
$hits"

# Every header says what it is for, who owns what, which threads.
for header in $(find host sdk/include -name '*.h'); do
    head -30 "$header" | grep -q 'Ownership:' || complain "$header does not say who owns what"
    grep -q 'Threads:' "$header" || complain "$header does not speak of threads"
done
for file in $sources; do
    head -1 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || complain "$file lacks its licence line"
done
exit $bad
