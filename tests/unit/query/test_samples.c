/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "plugin/host.h"
#include "query/sink.h"

#define S INT64_C(1000000000)

static struct facts facts;
static struct sonde_plugin table = {.name = "toy"};
static struct adapter adapter;
static struct sink_settings settings;
static struct sonde_query query;
static struct sonde_ctx ctx;
static struct sink sink;
static struct budget budget;
static const struct sonde_sink *rows;

static void start(int64_t step_ns, size_t points)
{
    budget_init(&budget, (size_t)256 << 20);
    settings = (struct sink_settings){.table = &table,
                                      .facts = &facts,
                                      .budget = &budget,
                                      .max_points = 1000000,
                                      .max_series = 1000,
                                      .max_bytes = (size_t)64 << 20};
    query = (struct sonde_query){.kind = SONDE_KIND_METRICS,
                                 .start_ns = 1000 * S,
                                 .end_ns = 1000 * S + (int64_t)(points ? points - 1 : 0) * step_ns,
                                 .step_ns = step_ns};
    adapter.table = table;
    ctx_init(&ctx, &adapter, "c", 1 << 20, NULL, &sink);
    assert_int_equal(sink_init(&sink, &settings, &query), 0);
    rows = sink_table();
}

static struct result *done(void)
{
    struct result *result = NULL;
    assert_int_equal(sink_seal(&sink, &result), 0);
    sink_finish(&sink);
    ctx_finish(&ctx);
    return result;
}

static void release(struct result *result)
{
    result_unref(result);
    /* Everything charged was given back. */
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void announce(uint64_t id)
{
    struct sonde_series row = {.struct_size = sizeof row, .id = id};
    assert_int_equal(rows->series(&ctx, &row), SONDE_GO_ON);
}

static void point(uint64_t id, int64_t t, double v)
{
    assert_int_equal(rows->points(&ctx, id, 1, &t, &v), SONDE_GO_ON);
}

static void test_grid(void **state)
{
    (void)state;
    start(15 * S, 100);
    announce(7);
    for (int64_t i = 0; i < 100; i++)
        point(7, 1000 * S + i * 15 * S, (double)i);
    struct result *result = done();
    const struct series *series = result->series;
    assert_int_equal(result->series_count, 1);
    assert_int_equal(series->sample_count, 100);
    assert_null(series->times);
    assert_true(series->step_ns == 15 * S);
    assert_true(series_time(series, 99) == 1000 * S + 99 * 15 * S);
    assert_true(series->values[99] == 99);
    assert_true(result->newest_sample_ns == 1000 * S + 99 * 15 * S);
    assert_int_equal(result->samples_read, 100);
    release(result);
}

static void test_holes_and_nan(void **state)
{
    (void)state;
    start(10 * S, 10);
    announce(1);
    point(1, 1000 * S, 1);
    point(1, 1010 * S, (double)NAN);
    point(1, 1050 * S, INFINITY);
    struct result *result = done();
    const struct series *series = result->series;
    assert_null(series->times);
    assert_int_equal(series->sample_count, 6);
    assert_true(isnan(series->values[1]) && !sample_is_missing(series->values[1]));
    for (size_t i = 2; i < 5; i++)
        assert_true(sample_is_missing(series->values[i]));
    assert_true(isinf(series->values[5]));
    release(result);
}

static void test_out_of_order_pages(void **state)
{
    (void)state;
    start(0, 0);
    announce(1);
    announce(2);
    /* The newer page first, in turns with another series, the two pages sharing a sample. */
    for (int64_t i = 50; i < 100; i++) {
        point(1, i * S, (double)i);
        point(2, i * S, (double)-i);
    }
    for (int64_t i = 0; i <= 50; i++) {
        point(1, i * S, i == 50 ? 5000 : (double)i);
        point(2, i * S, (double)-i);
    }
    struct result *result = done();
    for (size_t k = 0; k < 2; k++) {
        const struct series *series = &result->series[k];
        assert_int_equal(series->sample_count, 100);
        assert_null(series->times);
        assert_true(series->start_ns == 0 && series->step_ns == S);
    }
    assert_true(result->series[0].values[50] == 5000);
    assert_true(result->series[0].values[49] == 49);
    assert_true(result->series[1].values[99] == -99);
    release(result);
}

static void test_irregular(void **state)
{
    (void)state;
    start(0, 0);
    announce(1);
    int64_t t[] = {5 * S, 1 * S + 3, 9 * S, 9 * S, 2 * S};
    double v[] = {5, 1, 8, 9, 2};
    assert_int_equal(rows->points(&ctx, 1, 5, t, v), SONDE_GO_ON);
    struct result *result = done();
    const struct series *series = result->series;
    assert_int_equal(series->sample_count, 4);
    assert_non_null(series->times);
    assert_true(series_time(series, 0) == S + 3 && series->values[0] == 1);
    assert_true(series_time(series, 3) == 9 * S && series->values[3] == 9);
    release(result);
}

static void test_far_apart_is_no_grid(void **state)
{
    (void)state;
    start(0, 0);
    announce(1);
    point(1, 0, 1);
    point(1, 1 * S, 2);
    point(1, 1000000000 * S, 3); /* a grid would take a billion slots */
    point(1, INT64_MAX, 4);
    point(1, INT64_MIN, 0);
    struct result *result = done();
    const struct series *series = result->series;
    assert_int_equal(series->sample_count, 5);
    assert_true(series_time(series, 0) == INT64_MIN && series->values[0] == 0);
    assert_true(series_time(series, 4) == INT64_MAX && series->values[4] == 4);
    release(result);
}

static void test_instant(void **state)
{
    (void)state;
    start(0, 0);
    for (uint64_t i = 0; i < 500; i++) {
        announce(i * 8);
        point(i * 8, 1000 * S, (double)i);
    }
    struct result *result = done();
    assert_int_equal(result->series_count, 500);
    for (size_t i = 0; i < 500; i++) {
        assert_int_equal(result->series[i].sample_count, 1);
        assert_true(series_time(&result->series[i], 0) == 1000 * S);
        assert_true(result->series[i].values[0] == (double)i);
    }
    release(result);
}

/* Beyond max_points samples are reduced while they come, and a spike of one sample survives with its time. */
static void reduce_case(int64_t step_ns, int64_t jitter_ns)
{
    start(step_ns, 0);
    sink.samples.max_points = 10000;
    const size_t n = 100000;
    announce(1);
    for (size_t i = 0; i < n; i++) {
        double v = i == 77777 ? 1e9 : i == 33333 ? -1e9 : sin((double)i / 500);
        int64_t t = (int64_t)i * 15 * S + (jitter_ns ? (int64_t)(i * 7919 % (size_t)jitter_ns) : 0);
        point(1, t, v);
    }
    struct result *result = done();
    const struct series *series = result->series;
    assert_true(result->reduced);
    assert_int_equal(result->samples_read, n);
    assert_true(series->sample_count <= 5000 && series->sample_count >= 500);
    bool up = false;
    bool down = false;
    for (size_t i = 0; i < series->sample_count; i++) {
        assert_true(i == 0 || series_time(series, i) > series_time(series, i - 1));
        up = up || (series->values[i] == 1e9 && series_time(series, i) / S / 15 == 77777);
        down = down || (series->values[i] == -1e9 && series_time(series, i) / S / 15 == 33333);
    }
    assert_true(up && down);
    assert_true(series_time(series, 0) / S / 15 == 0);
    assert_true(series_time(series, series->sample_count - 1) / S / 15 == (int64_t)n - 1);
    release(result);
}

static void test_reduction(void **state)
{
    (void)state;
    reduce_case(15 * S, 0);
    reduce_case(0, 0);
    reduce_case(0, 9 * S);
}

static void test_reduction_many_series(void **state)
{
    (void)state;
    start(15 * S, 2000);
    settings.max_points = 20000;
    sink.samples.max_points = 20000;
    for (uint64_t id = 0; id < 100; id++) {
        announce(id);
        for (int64_t i = 0; i < 2000; i++)
            point(id, 1000 * S + i * 15 * S, i == 1234 ? 100 : 1);
    }
    struct result *result = done();
    uint64_t kept = 0;
    for (size_t k = 0; k < result->series_count; k++) {
        const struct series *series = &result->series[k];
        double most = 0;
        for (size_t i = 0; i < series->sample_count; i++)
            most = series->values[i] > most ? series->values[i] : most;
        assert_true(most == 100);
        kept += series->sample_count;
    }
    assert_true(result->reduced && kept <= 20000);
    assert_null(result->partial_reason ? result : NULL);
    release(result);
}

static void test_too_many_series(void **state)
{
    (void)state;
    start(15 * S, 10);
    settings.max_series = 3;
    sink.samples.max_series = 3;
    for (uint64_t id = 0; id < 3; id++)
        announce(id);
    struct sonde_series row = {.struct_size = sizeof row, .id = 99};
    assert_int_equal(rows->series(&ctx, &row), SONDE_STOP);
    int64_t t = 0;
    double v = 1;
    assert_int_equal(rows->points(&ctx, 99, 1, &t, &v), SONDE_STOP);
    assert_int_equal(sink.error.code, 0);
    assert_true(sink.full);
    struct result *result = done();
    assert_int_equal(result->series_count, 3);
    assert_int_equal(result->partial_reason, SONDE_PARTIAL_LIMIT);
    assert_non_null(strstr(result->partial_text, "more than 3 series"));
    release(result);
}

static void test_memory_bound(void **state)
{
    (void)state;
    start(0, 0);
    settings.max_bytes = 256 * 1024;
    sink.result->max_bytes = 256 * 1024;
    announce(1);
    int32_t r = SONDE_GO_ON;
    for (int64_t i = 0; i < 1000000 && r == SONDE_GO_ON; i++) {
        double v = 1;
        r = rows->points(&ctx, 1, 1, &i, &v);
    }
    assert_int_equal(r, SONDE_STOP);
    struct result *result = done();
    assert_int_equal(result->partial_reason, SONDE_PARTIAL_LIMIT);
    assert_true(result->series[0].sample_count > 10000);
    release(result);
}

static void test_unknown_series(void **state)
{
    (void)state;
    start(15 * S, 10);
    int64_t t = 0;
    double v = 1;
    assert_int_equal(rows->points(&ctx, 5, 1, &t, &v), SONDE_STOP);
    assert_int_equal(sink.error.code, SONDE_E_INTERNAL);
    assert_string_equal(sink.error.text,
                        "plugin toy emitted points of series 5 before the series itself");
    release(done());
}

static void test_labels(void **state)
{
    (void)state;
    start(15 * S, 10);
    struct sonde_label labels[] = {
        {"zone", 4, "b\0c", 3}, {"job", 3, "\xff\xfe", 2}, {"a", 1, "x", 1}, {"a", 1, "y", 1}};
    struct sonde_series row = {
        .struct_size = sizeof row, .id = 1, .labels = labels, .label_count = 4, .unit = "s"};
    rows->series(&ctx, &row);
    row.id = 2;
    rows->series(&ctx, &row);
    struct result *result = done();
    const struct series *series = result->series;
    assert_int_equal(series->label_count, 3);
    assert_string_equal(series->labels[0].name, "a");
    assert_string_equal(series->labels[1].name, "job");
    assert_string_equal(series->labels[1].value, "\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(series->labels[2].value, "b\xef\xbf\xbd"
                                                 "c");
    assert_int_equal(series->labels[2].value_size, 5);
    assert_string_equal(series->unit, "s");
    /* One text for both. */
    assert_ptr_equal(series->labels[2].value, result->series[1].labels[2].value);
    release(result);
}

static void test_histograms_and_exemplars(void **state)
{
    (void)state;
    start(15 * S, 10);
    announce(1);
    double lower[] = {0, 1};
    double upper[] = {1, 2};
    double counts[] = {3, 4};
    struct sonde_histogram_point point_row = {.struct_size = sizeof point_row,
                                              .bucket_count = 2,
                                              .series_id = 1,
                                              .time_ns = 20 * S,
                                              .count = 7,
                                              .sum = 9,
                                              .lower = lower,
                                              .upper = upper,
                                              .counts = counts};
    rows->histogram(&ctx, &point_row);
    point_row.time_ns = 10 * S;
    rows->histogram(&ctx, &point_row);
    struct sonde_exemplar exemplar = {.struct_size = sizeof exemplar,
                                      .series_id = 1,
                                      .time_ns = 5,
                                      .value = 2,
                                      .trace_id = "ABCDEF",
                                      .span_id = "12"};
    rows->exemplar(&ctx, &exemplar);
    struct result *result = done();
    const struct series *series = result->series;
    assert_int_equal(series->histogram_count, 2);
    assert_true(series->histograms[0].time_ns == 10 * S);
    assert_true(series->histograms[1].counts[1] == 4 && series->histograms[1].upper[1] == 2);
    assert_string_equal(series->exemplars[0].trace_id, "00000000000000000000000000abcdef");
    assert_string_equal(series->exemplars[0].span_id, "0000000000000012");
    release(result);
}

static void test_rows_about_the_answer(void **state)
{
    (void)state;
    start(15 * S, 10);
    rows->note(&ctx, "a", "same");
    rows->note(&ctx, "a", "same");
    rows->note(&ctx, "b", "other");
    rows->executed(&ctx, "up{}", 4);
    rows->resume(&ctx, "one", 3);
    rows->resume(&ctx, "two", 3);
    rows->total(&ctx, 42, SONDE_TOTAL_AT_LEAST);
    rows->partial(&ctx, SONDE_PARTIAL_SHARDS, "2 of 3 shards");
    rows->partial(&ctx, SONDE_PARTIAL_LIMIT, "later");
    const char *features[] = {"a", "b"};
    struct sonde_backend backend = {.struct_size = sizeof backend,
                                    .product = "P",
                                    .version = "1",
                                    .features = features,
                                    .feature_count = 2};
    rows->backend(&ctx, &backend);
    struct sonde_pair header = {"X-A", "1"};
    struct sonde_scope scope = {.struct_size = sizeof scope,
                                .id = "7",
                                .name = "n",
                                .sort = "datasource",
                                .backend = "prometheus",
                                .path_prefix = "/p",
                                .headers = &header,
                                .header_count = 1};
    rows->scope(&ctx, &scope);
    struct sonde_name name = {
        .struct_size = sizeof name, .name = "up", .name_size = 2, .help = "h", .count = 3};
    rows->name(&ctx, &name);
    struct result *result = done();
    assert_int_equal(result->note_count, 2);
    assert_string_equal(result->executed, "up{}");
    assert_memory_equal(result->resume, "two", 3);
    assert_int_equal(result->total, 42);
    assert_string_equal(result->partial_text, "2 of 3 shards");
    assert_string_equal(result->product, "P");
    assert_string_equal(result->features[1], "b");
    assert_string_equal(result->scopes[0].headers[0].value, "1");
    assert_string_equal(result->names[0].name, "up");
    assert_string_equal(result->names[0].unit, "");
    release(result);
}

static void test_rows_not_held(void **state)
{
    (void)state;
    start(15 * S, 10);
    struct sonde_log row = {.struct_size = sizeof row};
    assert_int_equal(rows->log(&ctx, &row), SONDE_STOP);
    assert_int_equal(sink.error.code, SONDE_E_INTERNAL);
    assert_non_null(strstr(sink.error.text, "plugin toy emitted a row of the kind log"));
    release(done());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_grid),
                                       cmocka_unit_test(test_holes_and_nan),
                                       cmocka_unit_test(test_out_of_order_pages),
                                       cmocka_unit_test(test_irregular),
                                       cmocka_unit_test(test_far_apart_is_no_grid),
                                       cmocka_unit_test(test_instant),
                                       cmocka_unit_test(test_reduction),
                                       cmocka_unit_test(test_reduction_many_series),
                                       cmocka_unit_test(test_too_many_series),
                                       cmocka_unit_test(test_memory_bound),
                                       cmocka_unit_test(test_unknown_series),
                                       cmocka_unit_test(test_labels),
                                       cmocka_unit_test(test_histograms_and_exemplars),
                                       cmocka_unit_test(test_rows_about_the_answer),
                                       cmocka_unit_test(test_rows_not_held)};
    facts_init(&facts);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    facts_finish(&facts);
    return r;
}
