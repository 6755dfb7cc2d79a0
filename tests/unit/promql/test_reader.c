/* SPDX-License-Identifier: Apache-2.0 */
/* The points of a matrix are read by a short way and by the events of the JSON reader: both must come to the same, however it is cut. */
#include "fake_host.h"

#include "promql/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAX_POINTS 64

struct rows {
    int result;
    uint64_t offset;
    size_t count;
    int64_t times[MAX_POINTS];
    double values[MAX_POINTS];
};

static struct rows *into;

static int32_t on_series(struct sonde_ctx *ctx, const struct sonde_series *row)
{
    (void)ctx;
    (void)row;
    return 0;
}

static int32_t on_points(struct sonde_ctx *ctx, uint64_t id, size_t n, const int64_t *times,
                         const double *values)
{
    (void)ctx;
    (void)id;
    for (size_t i = 0; i < n && into->count < MAX_POINTS; i++) {
        into->times[into->count] = times[i];
        into->values[into->count++] = values[i];
    }
    return 0;
}

static const struct sonde_sink sink = {
    .struct_size = sizeof sink, .series = on_series, .points = on_points};

/* How many bytes the short way took. */
static size_t short_way_bytes;
static sonde_json_elements_fn short_way;

static size_t count_short_way(void *user, const char *text, size_t size, int *ret_stop)
{
    size_t n = short_way(user, text, size, ret_stop);
    short_way_bytes += n;
    return n;
}

static void read_all(const char *points, bool by_events, size_t chunk, struct rows *ret)
{
    char body[4096];
    struct sonde_ctx ctx = {0};
    struct promql_reader_events events = {0};
    struct promql_reader reader;
    int n = snprintf(body, sizeof body,
                     "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{"
                     "\"metric\":{\"a\":\"b\"},\"values\":[%s]}]}}",
                     points);
    memset(ret, 0, sizeof *ret);
    into = ret;
    assert_true(n > 0 && (size_t)n < sizeof body);
    assert_int_equal(promql_reader_init(&reader, &fake_host, &ctx, &sink, &events), 0);
    promql_reader_start(&reader, PROMQL_SHAPE_RESULT, 0);
    short_way = reader.json.elements;
    reader.json.elements = by_events ? NULL : count_short_way;
    for (size_t at = 0; at < (size_t)n && !ret->result; at += chunk)
        ret->result =
            promql_reader_feed(&reader, body + at, (size_t)n - at < chunk ? (size_t)n - at : chunk);
    if (!ret->result)
        ret->result = promql_reader_end(&reader);
    ret->offset = reader.json.offset;
    promql_reader_free(&reader);
    fake_free(&ctx);
}

static void check(const char *points)
{
    struct rows events;
    struct rows both;
    read_all(points, true, 4096, &events);
    for (size_t chunk = 1; chunk < 300; chunk++) {
        read_all(points, false, chunk, &both);
        assert_int_equal(both.result, events.result);
        assert_int_equal(both.count, events.count);
        assert_memory_equal(both.times, events.times, sizeof both.times);
        assert_memory_equal(both.values, events.values, sizeof both.values);
        if (events.result == 0)
            assert_int_equal(both.offset, events.offset);
    }
}

static void test_same(void **state)
{
    static const char *const cases[] = {
        "",
        "[1795549248,\"1\"]",
        "[1795549248,\"1\"],[1795549263,\"-2.5\"],[1795549278,\"0.523809523809523\"]",
        "[1795549248.123,\"0\"],[1795549248.1234567,\"-0\"],[1.5,\"00012\"],[0,\"1\"]",
        "[1795549248,\"9007199254740993\"],[1795549249,\"0.1234567890123456789\"],[1795549250,\"1\"]",
        "[1795549248,\"123456789012345678901234567890\"],[1,\"0.00000000000000000000000000012\"]",
        "[1795549248,\"0.172757217426062276\"],[1795549249,\"0.342061413842535958\"],"
        "[1795549250,\"0.902240676187735462\"],[1795549251,\"1\"]",
        "[1795549248,\"1e3\"],[1795549249,\"1.5E-7\"],[1795549250,\"NaN\"],[1795549251,\"+Inf\"],"
        "[1795549252,\"-Inf\"],[1795549253,\"7\"]",
        "[1795549248,\".5\"],[1795549249,\"5.\"],[1795549250,\"+5\"]",
        " [ 1795549248 , \"1\" ] , [ 1795549249 , \"2\" ] ",
        "[1795549248,\"1\"], [1795549249,\"2\"],\n[1795549250,\"3\"]",
        "[1.7955e9,\"1\"],[9999999999,\"1\"],[12345678901,\"1\"]",
        "[1795549248,1],[1795549249,2.5]",
        "[1795549248,\"1\\u0032\"],[1795549249,\"2\"]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i]);
}

static void test_same_mistakes(void **state)
{
    static const char *const cases[] = {
        "[1795549248,\"1\"],",
        "[1795549248,\"1\"],[1795549249,\"2\"],]",
        "[1795549248,\"\"],[1795549249,\"2\"]",
        "[1795549248,\"1\",3],[1795549249,\"2\"]",
        "[01,\"1\"],[2,\"2\"]",
        "[1.,\"1\"],[2,\"2\"]",
        "[-,\"1\"],[2,\"2\"]",
        "[1795549248,\"1x\"],[2,\"2\"]",
        "[1795549248,\"-\"],[2,\"2\"]",
        "[1795549248],[2,\"2\"]",
        "[1,\"1\"],7",
        "[1,\"1\"],{\"a\":1}",
        "[1,\"1\"]][2,\"2\"]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i]);
}

/* Otherwise the tests above compare one way with itself. */
static void test_is_taken(void **state)
{
    struct rows rows;
    (void)state;
    short_way_bytes = 0;
    read_all("[1795549248,\"1\"],[1795549263,\"2\"],[1795549278,\"3\"]", false, 4096, &rows);
    assert_int_equal(rows.count, 3);
    assert_int_equal(short_way_bytes, 2 * strlen("[1795549248,\"1\"],"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_same_mistakes),
        cmocka_unit_test(test_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
