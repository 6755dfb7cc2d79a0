#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages are correct mdoc, and sonde(1) names every command and option of the program.
set -u
cd "${top_srcdir:-.}" || exit 99
command -v mandoc > /dev/null || { echo "mandoc is missing"; exit 77; }
bad=0
for page in man/*.[1-8]; do
    mandoc -T lint -W warning "$page" || bad=1
done
for option in $(grep -oE '(TEXT|FLAG|REPEATED)\("[a-z-]+"' host/cli/options.c | sed 's/.*("//; s/"//'); do
    grep -qE "Fl -$option( |\$)|Fl Fl $option( |\$)" man/sonde.1 || { echo "man/sonde.1 does not explain --$option"; bad=1; }
done
exit $bad
