#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh SQL-FOLDER NAME...: prints the C source that holds the migrations NAME (0001_init ...), each with its text for both databases.
# Fails where one text is missing, a number is left out, or a file stands in the folder that is not among the names.
set -u
folder=$1
shift
fail() {
    echo "embed.sh: $*" >&2
    exit 1
}
for file in "$folder"/sqlite/*.sql "$folder"/postgres/*.sql; do
    name=$(basename "$file" .sql)
    case " $* " in
    *" $name "*) ;;
    *) fail "$file is not among the migrations of host/store/store.mk" ;;
    esac
done
echo "/* SPDX-License-Identifier: Apache-2.0 */"
echo "/* Made by host/store/embed.sh from sql/. */"
echo '#include "store/driver.h"'
# As bytes: a string literal of this length is beyond what the standard promises.
number=0
for name; do
    number=$((number + 1))
    case $name in
    "$(printf %04d $number)"_?*) ;;
    *) fail "$name stands where number $number is due" ;;
    esac
    for engine in sqlite postgres; do
        file=$folder/$engine/$name.sql
        [ -s "$file" ] || fail "$file is missing: every migration has a text for both databases"
        echo "static const char ${engine}_$number[] = {"
        od -An -v -tu1 "$file" | sed 's/[0-9][0-9]*/&,/g' | tr -d '\n'
        echo "0};"
    done
done
echo "const struct migration migrations[] = {"
number=0
for name; do
    number=$((number + 1))
    echo "    {$number, \"$name\", sqlite_$number, postgres_$number},"
done
echo "};"
echo "const size_t migration_count = $number;"
