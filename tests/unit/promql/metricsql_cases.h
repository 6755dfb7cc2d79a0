/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MetricsQL as people write it, with the marks of cases.h where the matcher ns="a" belongs.
 *
 * Ownership: static data. Threads: constant.
 */
#ifndef SONDE_TEST_METRICSQL_CASES_H
#define SONDE_TEST_METRICSQL_CASES_H

#include <stddef.h>

static const char *const metricsql_cases[] = {
    /* what PromQL has too */
    "up<B>",
    "up{<P>}",
    "up{job=\"api\",<P>}",
    "{__name__=~\"http_.*\",job!=\"x\"<C>}",
    "{\"http.requests\"<C>}",
    "up<B> # trailing comment with foo and {bar=\"x\"}",
    "# a line of a file from Windows\r\nup<B>",
    "sum by (job) (rate(x<B>[5m])) / on (job) group_left (a) sum(y<B>) without (pod)",
    "a<B> and b<B> or c<B> unless on () d<B> atan2 e<B>",
    "a<B> == bool 1",
    "x<B> offset -5m @ 1700000000",
    "x<B>[1h:5m] @ end() offset 1d",
    "sum<B> + offset<B> - by<B>",
    "inf + NaN - infinity<B>",
    "'a' + `b` + \"c\\\"{\"",
    "time() - 1",
    "a<B> + fill(0) b<B> + fill_left<B>",
    /* selectors of its own */
    "{a=\"b\"<C> or c=\"d\"<C>}",
    "m{a=\"b\",c=\"d\"<C> or e=~\"f\"<C> or g!=\"h\"<C>}",
    "m{or=\"x\"<C>}",
    "a.b.c<B> + foo\\-bar{x\\-y=\"z\"<C>}",
    "m{a=\"b\"+\"c\"<C>}",
    /* windows, or none */
    "rate(m<B>)",
    "rate(m<B>[5i]) + rate(m<B>[1h30m]) + rate(m<B>[1.5h:])",
    "max_over_time(rate(m<B>[5m])[1h:])",
    "m<B>[$__interval]",
    "sum(m<B>)[5m:1m] offset 1i",
    "m<B> @ (scalar(n<B>) + 1)",
    /* numbers */
    "m<B> > 1Ki + 2.5MiB - 1_000 * 1e-3 / 0x1f + .5GB",
    /* operators and what follows functions */
    "a<B> default 0",
    "a<B> if b<B> > 1 ifnot c<B>",
    "rate(m<B>[5m]) keep_metric_names + 1",
    "(a<B> / b<B>) keep_metric_names",
    "a<B> / b<B> keep_metric_names",
    "a<B> + on (x) group_left (*) prefix \"p_\" b<B>",
    "sum(m<B>) by (a) limit 5",
    "sum by (a) (m<B>) limit 5 > 1",
    "topk_avg(3, m<B>, \"other=sum\")",
    "union(a<B>, b<B>,)",
    "(a<B>, b<B>)",
    "label_set(label_replace(m<B>, \"a\", \"$1\", \"b\", \"(.*)\"), \"c\", \"d\")",
    "rollup_candlestick(m<B>[1h])",
    "alias(m<B>, \"x\") + ru(a<B>, b<B>) + range_median(c<B>)",
    "group_left<B> + 1",
    /* templates */
    "WITH (x = m{a=\"b\"<C>}) x + n<B>",
    "WITH (x = m<B>) x{c=\"d\"<C>}",
    "WITH (f = {a=\"b\"<C>}) m{f<C>}",
    "WITH (f = {a=\"b\"<C>}) m{f, c=\"d\"<C>}",
    "with (d = 5m, f(q) = rate(q[d])) f(m<B>)",
    "WITH (f(a, b) = a / b) f(x<B>, y<B>)",
    "WITH (v = \"x\") m{a=\"p\"+v<C>}",
    "WITH (x = a<B>, y = x + b<B>) y",
    /* a name is a template only where it is known, and only without arguments */
    "WITH (x = x<B>) x",
    "WITH (f(q) = q) f(m<B>) + q<B>",
    "WITH (f(q) = q + f<B>) f<B>",
    "WITH (x = WITH (y = a<B>) y + z<B>) x + y<B>",
    "(WITH (x = a<B>) x) + x<B>",
    "WITH (a = b<B>, b = a) b + a",
    "with<B>",
    /* no selector at all */
    "1",
    "now() - step()",
    "\"a string with up{}\"",
};

static const struct {
    const char *text;
    size_t position;
} metricsql_refusals[] = {
    {"", 0},
    {"sum(", 4},
    {"sum(up", 6},
    {"up)", 2},
    {"up up", 3},
    {"up{", 3},
    {"up{job}", 6},
    {"up{f, a=\"b\"}", 4},
    {"up{a=\"b\" or}", 11},
    {"up{a=\"b\", or c=\"d\"}", 13},
    {"up[5m", 5},
    {"up[{a=\"b\"}]", 3},
    {"up[5m #]\n]", 6},
    {"x offset", 8},
    {"x offset y", 9},
    {"sum(x) limit y", 13},
    {"WITH (x) x", 7},
    {"WITH (x = y", 11},
    {"WITH (f(1) = y) x", 8},
    {"WITH (x = y)", 12},
    {"caf\xc3\xa9", 3},
    {"a\\x2db", 1},
    {"a + \\ ", 4},
    {"5q + a", 0},
    {"1e+ + a", 0},
    {"rate(x) + $y", 10},
    {"a # comment\r + b", 11},
    {"label_replace(a, `\\`, `b`)", 17},
    {"`unfinished", 0},
    {"\"two\nlines\"", 0},
    {"a;b", 1},
};

#endif
