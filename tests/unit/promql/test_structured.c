/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_host.h"

#include "promql/metadata.h"
#include "promql/name.h"
#include "promql/structured.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static const struct promql_dialect dialect = {.product = "Prometheus"};
static const char *const value_prod[] = {"prod"};
static const struct sonde_filter ns_prod = {.struct_size = sizeof ns_prod,
                                            .op = SONDE_OP_EQ,
                                            .logical = "namespace",
                                            .native = "namespace",
                                            .values = value_prod,
                                            .value_count = 1};
static const char *const value_500[] = {"5.."};
static const struct sonde_filter code_5xx = {.struct_size = sizeof code_5xx,
                                             .op = SONDE_OP_REGEX,
                                             .logical = "status",
                                             .native = "code",
                                             .values = value_500,
                                             .value_count = 1};
static const struct sonde_filter *const prod[] = {&ns_prod};
static const struct sonde_filter *const errors[] = {&code_5xx};

/* One case: what is set in operands and query, and the text that must come out. */
struct built {
    const char *want; /* NULL: refused */
    struct sonde_operand operands[2];
    size_t operand_count; /* 0: as many as have a metric */
    struct sonde_query query;
    const char *by[3];
    const char *histogram;
};

static const struct built cases[] = {
    {.want = "up", .operands = {{.metric = "up"}}},
    {.want = "{__name__=\"http.requests\"}", .operands = {{.metric = "http.requests"}}},
    {.want = "up{namespace=\"prod\"}",
     .operands = {{.metric = "up"}},
     .query = {.filters = prod, .filter_count = 1}},
    {.want = "{__name__=\"a.b\",namespace=\"prod\"}",
     .operands = {{.metric = "a.b"}},
     .query = {.filters = prod, .filter_count = 1}},
    {.want = "{namespace=\"prod\"}",
     .operands = {{.metric = ""}},
     .operand_count = 1,
     .query = {.filters = prod, .filter_count = 1}},
    {.want = "up{namespace=\"prod\",code=~\"5..\"}",
     .operands = {{.metric = "up", .filters = errors, .filter_count = 1}},
     .query = {.filters = prod, .filter_count = 1}},
    {.want = "rate(x_total[5m])", .operands = {{.metric = "x_total", .function = SONDE_FN_RATE}}},
    {.want = "rate(x_total[2m])",
     .operands = {{.metric = "x_total", .function = SONDE_FN_RATE}},
     .query = {.step_ns = 15 * SECOND, .end_ns = 3600 * SECOND}},
    {.want = "rate(x_total[10m])",
     .operands = {{.metric = "x_total", .function = SONDE_FN_RATE}},
     .query = {.step_ns = 600 * SECOND, .end_ns = 3600 * SECOND}},
    {.want = "increase(x_total[1h30m] offset 1d)",
     .operands = {{.metric = "x_total",
                   .function = SONDE_FN_INCREASE,
                   .window_ns = 5400 * SECOND,
                   .offset_ns = 86400 * SECOND}}},
    {.want = "up offset -5m", .operands = {{.metric = "up", .offset_ns = -300 * SECOND}}},
    {.want = "quantile_over_time(0.99, x[5m])",
     .operands = {{.metric = "x", .function = SONDE_FN_QUANTILE_OVER_TIME, .quantile = 0.99}}},
    {.want = "last_over_time(x[5m])", .operands = {{.metric = "x", .function = SONDE_FN_LAST}}},
    {.want = "sum by (pod, \"http.route\") (rate(x_total[5m]))",
     .operands = {{.metric = "x_total",
                   .function = SONDE_FN_RATE,
                   .aggregate = SONDE_AGGREGATE_SUM}},
     .by = {"pod", "http.route"}},
    {.want = "max(x)", .operands = {{.metric = "x", .aggregate = SONDE_AGGREGATE_MAX}}},
    {.want = "quantile by (pod) (0.5, x)",
     .operands = {{.metric = "x", .aggregate = SONDE_AGGREGATE_QUANTILE, .quantile = 0.5}},
     .by = {"pod"}},
    {.want = "histogram_quantile(0.95, sum by (le) (rate(d_bucket[5m])))",
     .operands = {{.metric = "d_bucket",
                   .function = SONDE_FN_QUANTILE,
                   .quantile = 0.95,
                   .aggregate = SONDE_AGGREGATE_SUM}}},
    {.want = "histogram_quantile(0.95, rate(d_bucket[5m]))",
     .operands = {{.metric = "d_bucket", .function = SONDE_FN_QUANTILE, .quantile = 0.95}}},
    {.want = "histogram_quantile(0.95, sum by (le, job) (rate(d_bucket[5m])))",
     .operands = {{.metric = "d_bucket", .function = SONDE_FN_QUANTILE, .quantile = 0.95}},
     .by = {"job"}},
    {.want = "histogram_quantile(0.95, sum by (job) (rate(d[5m])))",
     .operands = {{.metric = "d", .function = SONDE_FN_QUANTILE, .quantile = 0.95}},
     .by = {"job"},
     .histogram = "native"},
    {.want = "histogram_quantile(0.95, sum by (le, job) (rate(d_bucket[5m])))",
     .operands = {{.metric = "d", .function = SONDE_FN_QUANTILE, .quantile = 0.95}},
     .by = {"job"},
     .histogram = "classic"},
    {.want = "histogram_quantile(0.5, sum by (le) (rate(d_bucket[5m]))) or "
             "histogram_quantile(0.5, sum(rate(d[5m])))",
     .operands = {{.metric = "d",
                   .function = SONDE_FN_QUANTILE,
                   .quantile = 0.5,
                   .aggregate = SONDE_AGGREGATE_SUM}}},
    {.want = "max by (job) (histogram_quantile(0.5, rate(d_bucket[5m])))",
     .operands = {{.metric = "d_bucket",
                   .function = SONDE_FN_QUANTILE,
                   .quantile = 0.5,
                   .aggregate = SONDE_AGGREGATE_MAX}},
     .by = {"job"}},
    {.want = "(sum(rate(x_total{code=~\"5..\"}[5m]))) / (sum(rate(x_total[5m])))",
     .operands = {{.metric = "x_total",
                   .function = SONDE_FN_RATE,
                   .aggregate = SONDE_AGGREGATE_SUM,
                   .filters = errors,
                   .filter_count = 1},
                  {.metric = "x_total",
                   .function = SONDE_FN_RATE,
                   .aggregate = SONDE_AGGREGATE_SUM}},
     .query = {.combine = SONDE_COMBINE_RATIO}},
    {.want = "(a) - (b)",
     .operands = {{.metric = "a"}, {.metric = "b"}},
     .query = {.combine = SONDE_COMBINE_DIFFERENCE}},
    {.want = "(a) / on (pod) group_left () (sum by (pod) (b))",
     .operands = {{.metric = "a"}, {.metric = "b", .aggregate = SONDE_AGGREGATE_SUM}},
     .query = {.combine = SONDE_COMBINE_RATIO},
     .by = {"pod"}},
    {.want = "(sum by (pod) (a)) / on (pod) group_right () (b)",
     .operands = {{.metric = "a", .aggregate = SONDE_AGGREGATE_SUM}, {.metric = "b"}},
     .query = {.combine = SONDE_COMBINE_RATIO},
     .by = {"pod"}},
    {.want = "avg by (job) ((a) - (b))",
     .operands = {{.metric = "a"}, {.metric = "b"}},
     .query = {.combine = SONDE_COMBINE_DIFFERENCE, .aggregate = SONDE_AGGREGATE_AVG},
     .by = {"job"}},
    {.want = "topk(3, up)", .operands = {{.metric = "up"}}, .query = {.top_k = 3}},
    {.want = "topk(3, up) or bottomk(2, up)",
     .operands = {{.metric = "up"}},
     .query = {.top_k = 3, .bottom_k = 2}},
    {.want = "(up) and topk(3, avg_over_time((up)[1h:1m] @ end()))",
     .operands = {{.metric = "up"}},
     .query = {.top_k = 3, .step_ns = 60 * SECOND, .end_ns = 3600 * SECOND}},
    {.operands = {{.metric = "a"}, {.metric = "b"}}},
    {.operands = {{.metric = "a"}}, .query = {.combine = SONDE_COMBINE_RATIO}},
    {.operands = {{.metric = ""}}, .operand_count = 1},
    {.operand_count = 0},
    {.operands = {{.metric = "d", .function = SONDE_FN_QUANTILE, .quantile = 1.5}}},
    {.operands = {{.metric = "d", .function = SONDE_FN_QUANTILE, .quantile = (double)NAN}}},
    {.operands = {{.metric = "d", .function = 99}}},
    {.operands = {{.metric = "d", .aggregate = 99}}},
    {.operands = {{.metric = "a"}, {.metric = "b"}}, .query = {.combine = 99}},
};

static void check_case(const struct built *built)
{
    const struct sonde_operand *operands[2] = {&built->operands[0], &built->operands[1]};
    struct sonde_ctx ctx = {0};
    struct sonde_text text;
    struct promql_context context = {.host = &fake_host, .ctx = &ctx, .dialect = &dialect};
    struct sonde_pair option = {"histogram", built->histogram};
    struct sonde_query query = built->query;
    query.operands = operands;
    query.operand_count = built->operand_count;
    for (size_t i = 0; built->operand_count == 0 && i < 2; i++)
        query.operand_count += built->operands[i].metric != NULL ? 1u : 0u;
    query.by = built->by;
    while (query.by_count < 3 && built->by[query.by_count] != NULL)
        query.by_count++;
    query.options = &option;
    query.option_count = built->histogram != NULL ? 1 : 0;
    sonde_text_init(&text, &fake_host, &ctx, 4096);
    int32_t result = promql_add_structured(&context, &query, 30 * SECOND, &text);
    if (built->want == NULL) {
        assert_int_equal(result, SONDE_E_BAD_QUERY);
        assert_true(ctx.text[0] != '\0');
    } else {
        assert_int_equal(result, 0);
        assert_string_equal(sonde_text_string(&text), built->want);
    }
    fake_free(&ctx);
}

static void builds_each_structure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(&cases[i]);
}

static void asks_exemplars_of_buckets_too(void **state)
{
    (void)state;
    struct sonde_ctx ctx = {0};
    struct sonde_text text;
    struct promql_context context = {.host = &fake_host, .ctx = &ctx, .dialect = &dialect};
    struct sonde_operand operand = {.metric = "d", .function = SONDE_FN_QUANTILE};
    const struct sonde_operand *operands[] = {&operand};
    struct sonde_query query = {
        .operands = operands, .operand_count = 1, .filters = prod, .filter_count = 1};
    sonde_text_init(&text, &fake_host, &ctx, 4096);
    assert_int_equal(promql_add_exemplar_selectors(&context, &query, &text), 0);
    assert_string_equal(sonde_text_string(&text),
                        "d{namespace=\"prod\"} or d_bucket{namespace=\"prod\"}");
    fake_free(&ctx);
}

static void check_duration(int64_t ns, const char *want)
{
    struct sonde_ctx ctx = {0};
    struct sonde_text text;
    sonde_text_init(&text, &fake_host, &ctx, 64);
    promql_add_duration(&text, ns);
    assert_string_equal(sonde_text_string(&text), want);
    fake_free(&ctx);
}

static void writes_durations(void **state)
{
    (void)state;
    check_duration(0, "1ms");
    check_duration(250000000, "250ms");
    check_duration(90 * SECOND, "1m30s");
    check_duration(86400 * SECOND, "1d");
    check_duration(90061 * SECOND + 5000000, "1d1h1m1s5ms");
}

static void check_path_name(const char *name, const char *want)
{
    struct sonde_ctx ctx = {0};
    struct sonde_text text;
    sonde_text_init(&text, &fake_host, &ctx, 256);
    promql_add_path_name(&text, name);
    assert_string_equal(sonde_text_string(&text), want);
    fake_free(&ctx);
}

static void escapes_names_in_paths(void **state)
{
    (void)state;
    check_path_name("pod", "pod");
    check_path_name("_x9", "_x9");
    check_path_name("k8s.pod_name", "U__k8s_2e_pod__name");
    check_path_name("9a/b", "U___39_a_2f_b");
    check_path_name("gr\xc3\xb6\xc3\x9f"
                    "e",
                    "U__gr_f6__df_e");
    check_path_name("\xe6\x97\xa5", "U___65e5_");
    check_path_name("\xf0\x9f\x98\x80", "U___1f600_");
    check_path_name("a\xff", "U__a_fffd_");
}

static void check_guess(const char *name, uint32_t type, const char *unit)
{
    struct promql_guess guess = promql_guess_name(name, strlen(name));
    assert_int_equal(guess.type, type);
    if (unit == NULL)
        assert_null(guess.unit);
    else
        assert_string_equal(guess.unit, unit);
}

static void guesses_from_the_suffix(void **state)
{
    (void)state;
    check_guess("http_requests_total", SONDE_TYPE_COUNTER, "{request}");
    check_guess("process_cpu_seconds_total", SONDE_TYPE_COUNTER, "s");
    check_guess("http_request_duration_seconds_bucket", SONDE_TYPE_HISTOGRAM, NULL);
    check_guess("http_request_duration_seconds_sum", SONDE_TYPE_COUNTER, "s");
    check_guess("http_request_duration_seconds_count", SONDE_TYPE_COUNTER, NULL);
    check_guess("node_memory_MemFree_bytes", SONDE_TYPE_GAUGE, "By");
    check_guess("go_info", SONDE_TYPE_INFO, NULL);
    check_guess("rpc.duration_bucket", SONDE_TYPE_HISTOGRAM, NULL);
    check_guess("up", SONDE_TYPE_UNKNOWN, NULL);
    check_guess("_total", SONDE_TYPE_UNKNOWN, NULL);
    check_guess("total", SONDE_TYPE_UNKNOWN, NULL);
}

static void check_described(const struct promql_metadata *metadata, const char *name, uint32_t type,
                            uint32_t guessed, const char *help)
{
    struct sonde_name row = {.name = name, .name_size = strlen(name)};
    promql_metadata_describe(metadata, &row);
    assert_int_equal(row.type, type);
    assert_int_equal(row.guessed, guessed);
    if (help == NULL)
        assert_null(row.help);
    else
        assert_string_equal(row.help, help);
}

static void joins_metadata_by_family(void **state)
{
    (void)state;
    struct sonde_ctx ctx = {0};
    struct promql_metadata metadata;
    char name[32];
    promql_metadata_init(&metadata, &fake_host, &ctx);
    check_described(&metadata, "rpc_total", SONDE_TYPE_COUNTER, 1, NULL);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "filler_%d", i);
        promql_metadata_add(&metadata, name, strlen(name), "gauge", "", "");
    }
    promql_metadata_add(&metadata, "rpc", 3, "counter", "", "Calls");
    promql_metadata_add(&metadata, "rpc", 3, "gauge", "", "Another opinion");
    promql_metadata_add(&metadata, "lat", 3, "histogram", "seconds", "Latency");
    promql_metadata_add(&metadata, "old_total", 9, "unknown", "", "Text");
    check_described(&metadata, "rpc_total", SONDE_TYPE_COUNTER, 0, "Calls");
    check_described(&metadata, "lat_bucket", SONDE_TYPE_HISTOGRAM, 0, "Latency");
    check_described(&metadata, "lat_count", SONDE_TYPE_COUNTER, 0, "Latency");
    check_described(&metadata, "lat", SONDE_TYPE_HISTOGRAM, 0, "Latency");
    check_described(&metadata, "old_total", SONDE_TYPE_COUNTER, 1, "Text");
    check_described(&metadata, "filler_999", SONDE_TYPE_GAUGE, 0, NULL);
    check_described(&metadata, "other", SONDE_TYPE_UNKNOWN, 0, NULL);
    struct sonde_name row = {.name = "lat_sum", .name_size = 7};
    promql_metadata_describe(&metadata, &row);
    assert_string_equal(row.unit, "s");
    row = (struct sonde_name){.name = "lat_count", .name_size = 9};
    promql_metadata_describe(&metadata, &row);
    assert_null(row.unit);
    row = (struct sonde_name){.name = "lat", .name_size = 3};
    promql_metadata_describe(&metadata, &row);
    assert_string_equal(row.unit, "s");
    fake_free(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_each_structure),   cmocka_unit_test(asks_exemplars_of_buckets_too),
        cmocka_unit_test(writes_durations),        cmocka_unit_test(escapes_names_in_paths),
        cmocka_unit_test(guesses_from_the_suffix), cmocka_unit_test(joins_metadata_by_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
