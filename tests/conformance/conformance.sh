#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The scenarios of the MCP conformance suite that the host's HTTP front must pass, of both eras on one URL, against
# tests/conformance/fixture. Skipped unless tests/conformance/build has installed the suite.
set -u
suite=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/sonde-conformance
main=$suite/node_modules/@modelcontextprotocol/conformance/dist/index.js
[ -x "$suite/bin/node" ] && [ -f "$main" ] || {
    echo "the MCP conformance suite is not in $suite: run tests/conformance/build"
    exit 77
}
work=$(mktemp -d) || exit 99
mkfifo "$work/in"
"${top_builddir:-.}/tests/conformance/fixture" < "$work/in" > "$work/port" &
fixture=$!
exec 3> "$work/in"
trap 'exec 3>&-; kill $fixture 2> /dev/null; rm -rf "$work"' EXIT
tries=0
until [ -s "$work/port" ]; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] && kill -0 $fixture 2> /dev/null || { echo "the fixture does not start"; exit 1; }
    sleep 0.1
done
url=http://127.0.0.1:$(cat "$work/port")/mcp

both="tools-list tools-call-simple-text tools-call-image tools-call-audio tools-call-embedded-resource
    tools-call-mixed-content tools-call-error tools-call-with-progress dns-rebinding-protection json-schema-2020-12"
bad=0
scenarios() { # REVISION NAME...
    revision=$1
    shift
    for name in "$@"; do
        if "$suite/bin/node" "$main" server --url "$url" --scenario "$name" --spec-version "$revision" \
            --output-dir "$work/out" > "$work/log" 2>&1; then
            echo "ok $revision $name"
        else
            echo "FAILED $revision $name"
            sed 's/^/    /' "$work/log" | tail -n 40
            bad=1
        fi
    done
}
scenarios 2025-11-25 server-initialize ping server-session-lifecycle server-sse-multiple-streams $both
scenarios 2026-07-28 http-header-validation http-custom-header-server-validation $both

exec 3>&-
wait $fixture || { echo "the fixture ended with status $?"; bad=1; }
exit $bad
