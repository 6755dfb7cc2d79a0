/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "base/clock.h"
#include "base/json.h"

#define START (INT64_C(1773140400) * NS_PER_S)
#define MAX_SERIES 400

static uint64_t seed = 7;

static double uniform(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 11) / 9007199254740992.0;
}

static size_t below(size_t n)
{
    return (size_t)(uniform() * (double)n);
}

/* A set of series with what they need. */
struct set {
    struct arena arena;
    struct series series[MAX_SERIES];
    struct answer_series rows[MAX_SERIES];
    size_t count;
};

static void set_label(struct set *set, struct sonde_label *label, const char *name,
                      const char *value)
{
    label->name = arena_strdup(&set->arena, name);
    label->name_size = strlen(name);
    label->value = arena_strdup(&set->arena, value);
    label->value_size = strlen(value);
}

static double *add_series(struct set *set, size_t points, const char *job, const char *pod)
{
    struct series *series = &set->series[set->count];
    struct sonde_label *labels = arena_alloc_array(&set->arena, 3, sizeof *labels);
    double *values = arena_alloc_array(&set->arena, points ? points : 1, sizeof *values);
    assert_non_null(labels);
    assert_non_null(values);
    set_label(set, &labels[0], "__name__", "http_request_duration_seconds");
    set_label(set, &labels[1], "job", job);
    set_label(set, &labels[2], "pod", pod);
    *series = (struct series){.labels = labels,
                              .label_count = 3,
                              .unit = "s",
                              .start_ns = START,
                              .step_ns = 15 * NS_PER_S,
                              .sample_count = points,
                              .values = values};
    set->rows[set->count].series = series;
    set->rows[set->count].connection = NULL;
    set->count++;
    return values;
}

static struct set *set_new(void)
{
    struct set *set = calloc(1, sizeof *set);
    assert_non_null(set);
    arena_init(&set->arena, 64u << 20, NULL);
    return set;
}

static void set_free(struct set *set)
{
    arena_finish(&set->arena);
    free(set);
}

static size_t fixed_cursor(void *user, size_t next_skip, char out[65])
{
    *(size_t *)user = next_skip;
    memcpy(out, "abcdefghijklmnopqrstuv", 23);
    return 22;
}

static struct time_window window(void)
{
    return (struct time_window){START, START + NS_PER_HOUR, START + NS_PER_HOUR, ""};
}

static struct json_object *parse(const struct answer *answer)
{
    struct json_object *object = NULL;
    struct err err = {0};
    assert_int_equal(strlen(answer->json), answer->json_size);
    assert_int_equal(strlen(answer->text), answer->text_size);
    if (json_parse(answer->json, answer->json_size, 32, &object, &err))
        fail_msg("%s in %s", err.text, answer->json);
    return object;
}

static int64_t member_int(struct json_object *object, const char *key)
{
    struct json_object *member = json_member(object, key);
    return member ? json_object_get_int64(member) : -1;
}

static void test_small(void **state)
{
    (void)state;
    struct set *set = set_new();
    double *values = add_series(set, 4, "api", "a\n1");
    for (int i = 0; i < 4; i++)
        values[i] = i == 2 ? NAN : 0.125 * (i + 1);
    add_series(set, 1, "api", "b")[0] = 3;
    struct time_window w = window();
    struct answer_connection connections[] = {
        {.name = "prom", .returned = 2, .newest_sample_ns = START + 3590 * NS_PER_S},
        {.name = "prom-eu", .error = "connection refused", .error_class = "unreachable"}};
    const char *not_asked[] = {"prom-us"};
    const char *notes[] = {"something to know"};
    struct answer_metrics input = {
        .envelope = {.window = &w,
                     .connections = connections,
                     .connection_count = 2,
                     .not_asked = not_asked,
                     .not_asked_count = 1,
                     .query_executed = "up",
                     .query_time_ns = 12345678,
                     .notes = notes,
                     .note_count = 1,
                     .url = "http://localhost/graph",
                     .next = {{"list_metrics", "{\"match\":\"http\"}", "others like it"}},
                     .next_count = 1},
        .series = set->rows,
        .series_count = set->count,
    };
    struct answer answer;
    size_t shown = 0;
    assert_int_equal(answer_metrics(&input, &answer, &shown), 0);
    assert_int_equal(shown, 2);
    assert_string_equal(
        answer.json,
        "{\"time_range\":{\"start\":\"2026-03-10T11:00:00Z\",\"end\":\"2026-03-10T12:00:00Z\","
        "\"timezone\":\"UTC\",\"now\":\"2026-03-10T12:00:00Z\"},"
        "\"connections\":[{\"name\":\"prom-eu\",\"error\":\"connection refused\","
        "\"error_class\":\"unreachable\"},{\"name\":\"prom\",\"returned\":2}],"
        "\"not_asked\":[\"prom-us\"],\"query_executed\":\"up\",\"results\":["
        "{\"metric\":{\"__name__\":\"http_request_duration_seconds\",\"job\":\"api\",\"pod\":"
        "\"a\\n1\"},"
        "\"values\":[[1773140400,\"0.125\"],[1773140415,\"0.25\"],[1773140430,\"NaN\"],"
        "[1773140445,\"0.5\"]],\"unit\":\"s\",\"summary\":{\"min\":0.125,\"max\":0.5,"
        "\"avg\":0.29167,\"p95\":0.5,\"last\":0.5,\"trend\":\"rising\",\"ended_at\":1773140445}},"
        "{\"metric\":{\"__name__\":\"http_request_duration_seconds\",\"job\":\"api\",\"pod\":\"b\"}"
        ","
        "\"values\":[[1773140400,\"3\"]],\"unit\":\"s\"}],"
        "\"total\":2,\"returned\":2,\"query_time_ms\":12.3,\"newest_sample_age_s\":10,"
        "\"notes\":[\"something to know\"],\"url\":\"http://localhost/graph\","
        "\"next\":[{\"tool\":\"list_metrics\",\"arguments\":{\"match\":\"http\"},"
        "\"why\":\"others like it\"}]}");
    assert_string_equal(
        answer.text,
        "FAILED prom-eu (unreachable): connection refused\n"
        "2 of 2 shown\n"
        "query: up\n"
        "time: 2026-03-10T11:00:00Z to 2026-03-10T12:00:00Z (UTC), now 2026-03-10T12:00:00Z\n"
        "connections: prom (2)\n"
        "not asked: prom-us\n"
        "note: something to know\n"
        "http_request_duration_seconds{job=\"api\",pod=\"a\\n1\"} (s): min 0.125 max 0.5 avg "
        "0.29167 "
        "p95 0.5 last 0.5 rising, ended 11:00:45\n"
        "  11:00:00=0.125 11:00:15=0.25 11:00:30=NaN 11:00:45=0.5\n"
        "http_request_duration_seconds{job=\"api\",pod=\"b\"} (s): 11:00=3\n"
        "took 12.3 ms, newest sample 10 s old\n"
        "url: http://localhost/graph\n"
        "next: list_metrics {\"match\":\"http\"} - others like it\n");
    answer_finish(&answer);
    set_free(set);
}

static void test_empty(void **state)
{
    (void)state;
    struct time_window w = window();
    struct answer_metrics input = {.envelope = {.window = &w, .query_executed = "nothing"}};
    struct answer answer;
    assert_int_equal(answer_metrics(&input, &answer, NULL), 0);
    assert_non_null(strstr(answer.json, "\"results\":[],\"total\":0"));
    assert_null(strstr(answer.json, "others"));
    assert_non_null(strstr(answer.text, "no series\n"));
    answer_finish(&answer);
}

static void test_instant_keeps_order(void **state)
{
    (void)state;
    struct set *set = set_new();
    for (int i = 0; i < 300; i++) {
        char pod[32];
        snprintf(pod, sizeof pod, "pod-%03d", i);
        add_series(set, 1, "api", pod)[0] = (i * 7) % 300;
    }
    size_t next = 0;
    struct answer_metrics input = {.envelope = {.budget = 2000},
                                   .series = set->rows,
                                   .series_count = set->count,
                                   .instant = true,
                                   .make_cursor = fixed_cursor,
                                   .user = &next};
    struct answer answer;
    size_t shown = 0;
    assert_int_equal(answer_metrics(&input, &answer, &shown), 0);
    assert_true(shown > 40 && shown < 300);
    assert_int_equal(next, shown);
    CLEANUP(json_putp) struct json_object *object = parse(&answer);
    struct json_object *results = json_member(object, "results");
    assert_int_equal(json_object_array_length(results), shown);
    for (size_t i = 0; i < shown; i++) {
        char want[32];
        snprintf(want, sizeof want, "pod-%03zu", i);
        struct json_object *row = json_object_array_get_idx(results, i);
        assert_string_equal(json_string_of(json_member(row, "metric"), "pod"), want);
        assert_int_equal(json_object_array_length(json_member(row, "values")), 1);
        assert_null(json_member(row, "summary"));
    }
    assert_non_null(strstr(answer.json, "\"common_labels\":{\"__name__\":"));
    assert_non_null(strstr(answer.json, "\"next_cursor\":\"abcdefghijklmnopqrstuv\""));
    answer_finish(&answer);
    /* The next page goes on where this one ended. */
    input.skip = shown;
    assert_int_equal(answer_metrics(&input, &answer, NULL), 0);
    char first[64];
    snprintf(first, sizeof first, "\"results\":[{\"metric\":{\"pod\":\"pod-%03zu\"}", shown);
    assert_non_null(strstr(answer.json, first));
    answer_finish(&answer);
    set_free(set);
}

static void test_histograms_and_exemplars(void **state)
{
    (void)state;
    static const double lower[] = {0.1, 0.2};
    static const double upper[] = {0.2, 0.4};
    static const double counts[] = {50, 50};
    struct histogram_point points[3];
    for (int i = 0; i < 3; i++)
        points[i] =
            (struct histogram_point){START + i * NS_PER_MIN, 100, 21.5, 2, lower, upper, counts};
    struct exemplar exemplars[3] = {{START, 0.1, "aa", "", NULL, 0},
                                    {START, 0.4, "cc", "", NULL, 0},
                                    {START + 1, 0.3, "bb", "", NULL, 0}};
    struct series series = {.unit = "",
                            .histograms = points,
                            .histogram_count = 3,
                            .exemplars = exemplars,
                            .exemplar_count = 3};
    struct answer_series row = {&series, "prom"};
    struct answer_metrics input = {.series = &row, .series_count = 1};
    struct answer answer;
    assert_int_equal(answer_metrics(&input, &answer, NULL), 0);
    assert_non_null(strstr(
        answer.json,
        "{\"connection\":\"prom\",\"metric\":{},\"values\":[],\"histogram\":{\"columns\":[\"time\","
        "\"count\",\"sum\",\"p50\",\"p95\",\"p99\"],\"rows\":[[1773140400,100,21.5,0.2,0.37321,0."
        "39449],"));
    assert_non_null(strstr(answer.json, "\"summary\":{\"of\":\"p95\",\"min\":0.37321,"));
    assert_non_null(strstr(answer.json, "\"exemplars\":[{\"time\":1773140400,\"value\":0.4,"
                                        "\"trace_id\":\"cc\"},{\"time\":1773140400.000000001,"
                                        "\"value\":0.3,\"trace_id\":\"bb\"}]"));
    assert_non_null(strstr(answer.text, "exemplar 2026-03-10T11:00:00=0.4 trace cc\n"));
    answer_finish(&answer);
}

static void fill_random(struct set *set)
{
    size_t count = below(MAX_SERIES);
    if (below(4) == 0)
        count = below(8);
    size_t points = below(500);
    for (size_t i = 0; i < count; i++) {
        char pod[700];
        size_t wide = below(20) == 0 ? below(600) : below(20);
        snprintf(pod, sizeof pod, "pod-%zu-%.*s", i, (int)wide,
                 below(2)
                     ? "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n\x01\"\\xxxxxxxxxxxxxxxxxxxxxx"
                     : "\xc3\xa4\xe6\xbc\xa2\xe5\xad\x97\xc3\xa4\xe6\xbc\xa2\xe5\xad\x97");
        double *values = add_series(set, points, below(2) ? "a" : "b", pod);
        double scale = pow(10, uniform() * 24 - 12);
        for (size_t k = 0; k < points; k++)
            values[k] = below(50) == 0   ? NAN
                        : below(50) == 0 ? sample_missing()
                                         : scale * (uniform() - 0.3);
        if (below(3) == 0)
            set->rows[set->count - 1].connection = "some-connection";
    }
}

/* Every series is shown or counted, the page goes on behind what was shown, extremes survive. */
static void check_accounting(const struct answer_metrics *input, const struct answer *answer,
                             size_t shown, size_t next)
{
    CLEANUP(json_putp) struct json_object *object = parse(answer);
    struct json_object *results = json_member(object, "results");
    struct json_object *others = json_member(object, "others");
    size_t count = json_object_array_length(results);
    size_t left = input->series_count -
                  (input->skip < input->series_count ? input->skip : input->series_count);
    assert_int_equal(count, shown);
    assert_int_equal(member_int(object, "returned"), shown);
    assert_int_equal(member_int(object, "total"), input->series_count);
    assert_int_equal(shown + (others ? (size_t)member_int(others, "count") : 0), left);
    assert_int_equal(json_member(object, "truncated") != NULL, others != NULL);
    if (others && shown)
        assert_int_equal(next, input->skip + shown);
    if (input->max_series)
        assert_true(shown <= input->max_series);
    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(results, i);
        struct json_object *values = json_member(row, "values");
        struct json_object *summary = json_member(row, "summary");
        assert_non_null(values);
        size_t n = json_object_array_length(values);
        assert_true(n > 0 || summary != NULL);
        struct json_object *min = summary ? json_member(summary, "min") : NULL;
        if (n < 4 || !min)
            continue;
        double low = INFINITY;
        double high = -INFINITY;
        for (size_t k = 0; k < n; k++) {
            const char *text = json_object_get_string(
                json_object_array_get_idx(json_object_array_get_idx(values, k), 1));
            double value = strtod(text, NULL);
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
        double want_low = json_object_get_double(min);
        double want_high = json_object_get_double(json_member(summary, "max"));
        assert_true(fabs(low - want_low) <= 1e-4 * fabs(want_low));
        assert_true(fabs(high - want_high) <= 1e-4 * fabs(want_high));
    }
}

static void test_budget_holds(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        struct set *set = set_new();
        fill_random(set);
        struct time_window w = window();
        snprintf(w.note, sizeof w.note, "%s", below(2) ? "" : "end lies in the future: cut to now");
        struct answer_connection connections[40] = {0};
        size_t connection_count = below(3) ? below(4) : below(40);
        static char long_text[3000];
        memset(long_text, 'q', sizeof long_text - 1);
        for (size_t i = 0; i < connection_count; i++)
            connections[i] =
                (struct answer_connection){.name = "a-connection",
                                           .error = below(3) ? NULL : long_text + below(2999),
                                           .error_class = "unreachable",
                                           .returned = below(1000),
                                           .executed = below(4) ? NULL : long_text + below(2999)};
        const char *names[30];
        for (size_t i = 0; i < 30; i++)
            names[i] = "one-more-connection";
        size_t next = 0;
        struct answer_metrics input = {
            .envelope = {.window = &w,
                         .connections = connections,
                         .connection_count = connection_count,
                         .not_asked = names,
                         .not_asked_count = below(30),
                         .query_executed = long_text + below(2999),
                         .query_time_ns = 123456789,
                         .notes = names,
                         .note_count = below(10),
                         .url = long_text + 2000 + below(999),
                         .next = {{"query_metrics", "{\"query\":\"up\",\"step\":\"1m\"}", "wider"},
                                  {"list_metrics", "{}", "names"},
                                  {"query_metrics", "{\"query\":\"up\"}", "narrower"}},
                         .next_count = below(4)},
            .series = set->rows,
            .series_count = set->count,
            .skip = below(3) ? 0 : below(MAX_SERIES),
            .max_series = below(3) ? 0 : 1 + below(40),
            .instant = below(4) == 0,
            .make_cursor = below(4) ? fixed_cursor : NULL,
            .user = &next};
        input.envelope.budget = (size_t)(200 * pow(125, uniform()));
        struct answer answer;
        size_t shown = 0;
        assert_int_equal(answer_metrics(&input, &answer, &shown), 0);
        if (tokens_json(answer.json, answer.json_size) > input.envelope.budget ||
            tokens_text(answer.text, answer.text_size) > input.envelope.budget)
            fail_msg("round %d: budget %zu, json %zu, text %zu", round, input.envelope.budget,
                     tokens_json(answer.json, answer.json_size),
                     tokens_text(answer.text, answer.text_size));
        check_accounting(&input, &answer, shown, input.make_cursor ? next : input.skip + shown);
        for (const char *p = answer.text; *p; p++)
            assert_true((unsigned char)*p >= 0x20 || *p == '\n');
        answer_finish(&answer);
        set_free(set);
    }
}

/* However much there is to say beside rows, query, errors and next: 200 tokens. */
static void test_fixed_part(void **state)
{
    (void)state;
    struct time_window w = window();
    snprintf(w.note, sizeof w.note, "end 2026-03-10T13:00:00Z lies in the future: cut to now");
    struct answer_connection connections[60];
    const char *names[60];
    for (size_t i = 0; i < 60; i++) {
        connections[i] =
            (struct answer_connection){.name = "prometheus-of-a-cluster", .returned = 3};
        names[i] = "another-prometheus-that-nobody-asked";
    }
    struct answer_metrics input = {
        .envelope = {
            .window = &w,
            .connections = connections,
            .connection_count = 60,
            .not_asked = names,
            .not_asked_count = 60,
            .notes = names,
            .note_count = 60,
            .query_time_ns = NS_PER_S,
            .budget = 25000,
            .url = "https://grafana.example.org/explore?left=%7B%22datasource%22%3A%22x%22%7D"}};
    struct answer answer;
    assert_int_equal(answer_metrics(&input, &answer, NULL), 0);
    assert_true(tokens_json(answer.json, answer.json_size) <= 210);
    assert_true(tokens_text(answer.text, answer.text_size) <= 210);
    assert_non_null(strstr(answer.json, "\"not_listed\":"));
    assert_non_null(strstr(answer.json, " more\"]"));
    assert_non_null(
        strstr(answer.json, "\"notes\":[\"end 2026-03-10T13:00:00Z lies in the future"));
    answer_finish(&answer);
}

/* The size that answers.md speaks of: 100 series of 241 points in 6,000 tokens. */
static void test_scale(void **state)
{
    (void)state;
    struct set *set = set_new();
    for (int i = 0; i < 100; i++) {
        char pod[32];
        snprintf(pod, sizeof pod, "checkout-%d", i);
        double *values = add_series(set, 241, "checkout", pod);
        for (int k = 0; k < 241; k++) {
            values[k] = 0.2 + 0.02 * uniform();
            if (i % 10 == 3 && k > 160)
                values[k] += 0.75;
        }
    }
    struct time_window w = window();
    struct answer_connection connection = {.name = "prom", .returned = 100};
    size_t next = 0;
    struct answer_metrics input = {
        .envelope = {.window = &w,
                     .connections = &connection,
                     .connection_count = 1,
                     .query_executed = "sum by (pod) (rate(http_request_duration_seconds_sum[5m]))",
                     .query_time_ns = 12 * NS_PER_MS,
                     .budget = 6000},
        .series = set->rows,
        .series_count = 100,
        .make_cursor = fixed_cursor,
        .user = &next};
    struct answer answer;
    size_t shown = 0;
    int64_t took = INT64_MAX;
    assert_int_equal(answer_metrics(&input, &answer, &shown), 0);
    for (int i = 0; i < 20; i++) {
        answer_finish(&answer);
        int64_t began = clock_mono_ns();
        assert_int_equal(answer_metrics(&input, &answer, &shown), 0);
        int64_t round = clock_mono_ns() - began;
        took = round < took ? round : took;
    }
    CLEANUP(json_putp) struct json_object *object = parse(&answer);
    struct json_object *results = json_member(object, "results");
    size_t with_points = 0;
    size_t points = 0;
    for (size_t i = 0; i < shown; i++) {
        struct json_object *row = json_object_array_get_idx(results, i);
        size_t n = json_object_array_length(json_member(row, "values"));
        with_points += n > 0;
        points = n > points ? n : points;
        const char *trend = json_string_of(json_member(row, "summary"), "trend");
        if (i < 10)
            assert_string_equal(trend, "step up");
    }
    printf("100 series of 241: %zu shown, %zu with up to %zu samples; JSON %zu tokens, text %zu; "
           "%.2f ms\n",
           shown, with_points, points, tokens_json(answer.json, answer.json_size),
           tokens_text(answer.text, answer.text_size), (double)took / 1e6);
    assert_true(shown >= 50);
    assert_true(with_points >= 10);
    assert_true(points >= 12);
    const char *dump = getenv("SONDE_TEST_DUMP");
    FILE *file = dump ? fopen(dump, "w") : NULL;
    if (file) {
        fprintf(file, "%s\n%s", answer.json, answer.text);
        fclose(file);
    }
    answer_finish(&answer);
    set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_instant_keeps_order),
        cmocka_unit_test(test_histograms_and_exemplars),
        cmocka_unit_test(test_budget_holds),
        cmocka_unit_test(test_fixed_part),
        cmocka_unit_test(test_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
