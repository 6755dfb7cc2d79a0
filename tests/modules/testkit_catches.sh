#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The testkit must refuse what a host refuses: the zoo's actor plays every breach, each has to be named.
set -eu
: "${top_builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run=$top_builddir/tests/modules/run_zoo_actor

fixture() { # ACT
    printf '{"query": {"kind": "METRICS", "native": "%s"}, "answers": [{"match": "/zoo/", "body": "0123456789", "times": 0}]}\n' "$1" \
        > "$work/query.json"
    echo '{"result": "nothing like this"}' > "$work/want.json"
}

catches() { # ACT WORDS
    fixture "$1"
    if "$run" "$work" > "$work/log" 2>&1; then
        echo "$1 went through"
        exit 1
    fi
    if ! grep -q -- "$2" "$work/log"; then
        echo "$1: no \"$2\" in:"
        cat "$work/log"
        exit 1
    fi
    echo "ok: $1"
}

passes() { # ACT RESULT
    fixture "$1"
    "$run" --update "$work" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    "$run" "$work" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    grep -q "\"result\": \"$2\"" "$work/want.json" || { cat "$work/want.json"; exit 1; }
    echo "ok: $1 ends in $2"
}

catches wait_forever 'WAIT with nothing in flight'
catches wait_after 'WAIT with nothing in flight'
catches bad_code 'op_next returned 42'
catches data_bad_code 'op_response_data returned 42'
catches fail_silently 'gave no reason'
catches endless_requests 'more than 1000 requests'
catches endless_more 'more than 1000 requests'
catches same_tag 'in flight already'
catches undeclared_path 'not among the allowed'
catches undeclared_method 'not among the allowed'
catches dot_path 'dot segment'
catches double_slash "does not begin with one '/'"
catches path_injection 'not percent-encoded'
catches null_path 'no method or no path'
catches unknown_endpoint 'not declared in open'
catches forbidden_header 'belongs to the host'
catches host_header 'belongs to the host'
catches proxy_header 'belongs to the host'
catches header_injection 'control character'
catches bad_header_name 'no name of a header'
catches bad_utf8 'no valid UTF-8'
catches unannounced 'before it was announced'
catches small_rows 'struct_size of a series'
catches many_facts 'more than 32 facts'
catches at_end_undeclared 'not among the allowed'
catches at_end_slot 'slots 0 to 7'
catches throttled_in_head 'nothing like this'
passes well DONE
passes enough DONE
passes begin_error BAD_QUERY
passes throttled THROTTLED
passes rows_then_throttled THROTTLED
passes busy BUSY
passes busy_once_only BUSY
passes stale_forever STALE_FACTS
passes alloc_forever TOO_MUCH
passes odd_values DONE
passes null_strings DONE
[ "$(grep -c attempt "$work/want.json" || true)" = 0 ]
fixture throttled
"$run" --update "$work" > /dev/null
[ "$(grep -c '"attempt": 3' "$work/want.json")" = 1 ]
fixture busy_once_only
"$run" --update "$work" > /dev/null
! grep -q attempt "$work/want.json"

# Fixtures with mistakes: named, not run.
broken() { # JSON WORDS
    printf '%s\n' "$1" > "$work/query.json"
    if "$run" "$work" > "$work/log" 2>&1 || ! grep -q -- "$2" "$work/log"; then
        echo "$1: no \"$2\" in:"
        cat "$work/log"
        exit 1
    fi
    echo "ok: $2"
}
broken '{"query": {"kind": "METRIX"}}' 'kind.*must be one of PROBE'
broken '{"query": {"kind": "TRACE"}}' 'caps lack TRACE'
broken '{"query": {"kind": "METRICS", "start": "tomorrow"}}' 'must be a time'
broken '{"query": {"kind": "METRICS"}, "params": {"mood": "x"}}' 'no parameter "mood"'
broken '{"query": {"kind": "METRICS"}, "answers": [{"body_file": "absent"}]}' 'absent: No such file'
broken '{"query": {"kind": "METRICS"}, "answers": []}' 'no answer for GET /zoo/data'
broken '{"query": ' 'ends too early'
broken '{"query": {"kind": "METRICS", "native": "x", "filters": [{"enforced": true}]}}' 'does not understand enforced'
