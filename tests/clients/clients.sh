#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The clients that people use, where tests/clients/build has fetched them.
set -eu
case ${SANITIZED:-no} in *thread*) echo "skipped: the clients are not driven in builds with the thread sanitizer"; exit 77 ;; esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sonde-clients
for part in installed.json python1/installed.txt python2/installed.txt; do
    [ -e "$cache/$part" ] || { echo "skipped: TypeScript SDK, Python SDK and MCP Inspector are not in $cache (tests/clients/build fetches them)"; exit 77; }
done
exec python3 "$top_srcdir/tests/clients/clients.py" "$cache"
