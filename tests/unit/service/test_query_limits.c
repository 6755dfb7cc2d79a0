/* SPDX-License-Identifier: Apache-2.0 */
/* query_limits of a connection: its longest window, and how many samples one query may fetch. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "people.h"

#define SERIES 10
#define LIMITED(limits)                                                                             \
    "connections:\n  - {name: c, backend: toy, url: \"http://127.0.0.1:1\", query_limits: {" limits \
    "}}\n"

static int64_t last_step_ns;
static atomic_uint asked;

static int32_t answer(struct toy_op *op, struct sonde_request *request)
{
    (void)request;
    const struct sonde_query *query = op->query;
    if (query->kind != SONDE_KIND_METRICS)
        return SONDE_DONE;
    atomic_fetch_add(&asked, 1);
    last_step_ns = query->step_ns;
    for (uint64_t id = 0; id < SERIES; id++) {
        struct sonde_label label = {
            .name = "id", .name_size = 2, .value = &"0123456789"[id], .value_size = 1};
        struct sonde_series series = {
            .struct_size = sizeof series, .id = id, .labels = &label, .label_count = 1};
        op->sink->series(op->ctx, &series);
        double value = 1;
        int64_t t = query->step_ns ? query->start_ns : query->end_ns;
        do {
            op->sink->points(op->ctx, id, 1, &t, &value);
            t += query->step_ns;
        } while (query->step_ns && t <= query->end_ns);
    }
    return SONDE_DONE;
}

struct asking {
    const char *tool;
    const char *arguments;
    bool is_error;
    char json[1 << 15];
};

static void ask(struct call *call, void *argument)
{
    struct asking *asking = argument;
    struct json_object *arguments = NULL;
    struct answer made = {0};
    assert_int_equal(json_parse(asking->arguments, strlen(asking->arguments), 16, &arguments, &err),
                     0);
    assert_int_equal(service_call(service, call, asking->tool, arguments, &made, &err), 0);
    snprintf(asking->json, sizeof asking->json, "%s", made.json);
    asking->is_error = made.is_error;
    answer_finish(&made);
    json_object_put(arguments);
}

static const struct asking *run(const char *tool, const char *arguments)
{
    static struct asking asking;
    asking = (struct asking){.tool = tool, .arguments = arguments};
    assert_int_equal(call_run(service_io(service), service_budget(service), &ann,
                              clock_mono_ns() + 60 * NS_PER_S, ask, &asking, &err),
                     0);
    return &asking;
}

static void begin(const char *yaml)
{
    people_start(yaml);
    plan.next = answer;
    atomic_store(&asked, 0);
}

static void expect(const struct asking *asking, bool is_error, const char *part)
{
    if (asking->is_error != is_error || !strstr(asking->json, part))
        fail_msg("%s: %s", asking->arguments, asking->json);
}

static void test_range(void **state)
{
    (void)state;
    begin(LIMITED("max_time_range_hours: 24"));
    const struct asking *asking =
        run("query_metrics", "{\"query\":\"up\",\"time_range\":{\"start\":\"now-25h\"}}");
    expect(asking, true, "query_limits.max_time_range_hours (24)");
    expect(asking, true, "start: now-1440m");
    assert_int_equal(atomic_load(&asked), 0);
    expect(run("query_metrics", "{\"query\":\"up\",\"time_range\":{\"start\":\"now-24h\"}}"), false,
           "\"id\"");
    /* One value at the end of the window looks at no window. */
    expect(run("query_metrics",
               "{\"query\":\"up\",\"step\":\"0\",\"time_range\":{\"start\":\"now-48h\"}}"),
           false, "\"id\"");
}

static void test_samples(void **state)
{
    (void)state;
    begin(LIMITED("max_samples: 1000"));
    /* 10 series of 61 points. */
    expect(run("query_metrics",
               "{\"query\":\"up\",\"step\":\"60s\",\"time_range\":{\"start\":\"now-1h\"}}"),
           false, "\"id\"");
    assert_int_equal(last_step_ns, 60 * NS_PER_S);
    /* 10 of 361: refused, with a step that fits, which then does. */
    expect(run("query_metrics",
               "{\"query\":\"up\",\"step\":\"10s\",\"time_range\":{\"start\":\"now-1h\"}}"),
           true, "3610 samples are more than query_limits.max_samples (1000)");
    expect(run("query_metrics",
               "{\"query\":\"up\",\"step\":\"10s\",\"time_range\":{\"start\":\"now-1h\"}}"),
           true, "a step of 60 s fits");
    /* More points than samples are allowed in one series: the step is raised before anything is asked, and that is said. */
    const struct asking *asking =
        run("query_metrics",
            "{\"query\":\"up\",\"step\":\"1s\",\"time_range\":{\"start\":\"now-1h\"}}");
    assert_int_equal(last_step_ns, 5 * NS_PER_S);
    expect(asking, true, "a step of 60 s fits");
    assert_int_equal(people_reload(LIMITED("max_samples: 5")), 0);
    expect(run("query_metrics", "{\"query\":\"up\",\"step\":\"0\"}"), true,
           "aggregate, for example sum by (...), below 5 series");
    assert_int_equal(people_reload(LIMITED("max_samples: 610")), 0);
    asking = run("query_metrics",
                 "{\"query\":\"up\",\"step\":\"1s\",\"time_range\":{\"start\":\"now-1h\"}}");
    assert_int_equal(last_step_ns, 10 * NS_PER_S);
    expect(asking, true, "step raised to 10 s");
}

#define TEST(function) cmocka_unit_test_teardown(function, people_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_range), TEST(test_samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
