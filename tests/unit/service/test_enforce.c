/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend of two teams behind a connection that is held to one of them: whatever is asked, nothing of the other team comes out, and
 * where the backend cannot be held to the filter it is not asked at all.
 */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "people.h"

#define HELD                                                   \
    "connections:\n  - name: c\n    backend: toy\n    url: \"" \
    "http://127.0.0.1:1\"\n    enforce: {namespace: team-a}\n"
#define FREE "connections:\n  - {name: c, backend: toy, url: \"http://127.0.0.1:1\"}\n"

/* What the backend holds: a metric with the labels namespace (or another name for it) and pod. */
static const struct row {
    const char *metric, *namespace, *pod;
} rows[] = {{"up", "team-a", "a-pod"},
            {"up", "team-b", "b-pod"},
            {"a_only", "team-a", "a-pod"},
            {"b_secret", "team-b", "b-pod"}};

static const char *namespace_label;
static const char *other_label; /* a second candidate, whose values are all "else"; NULL none */
static atomic_uint asked;       /* queries for rows */

static const char *label_of(const struct row *row, const char *label)
{
    if (str_eq(label, namespace_label))
        return row->namespace;
    if (other_label && str_eq(label, other_label))
        return "else";
    return str_eq(label, "pod") ? row->pod : str_eq(label, "__name__") ? row->metric : "";
}

static bool passes(const struct row *row, const struct sonde_query *query)
{
    for (size_t i = 0; i < query->filter_count; i++) {
        const struct sonde_filter *filter = query->filters[i];
        bool found = false;
        for (size_t k = 0; k < filter->value_count; k++)
            found |= str_eq(label_of(row, filter->native), filter->values[k]);
        if (filter->op == SONDE_OP_NE || filter->op == SONDE_OP_NOT_IN)
            found = !found;
        if (filter->op == SONDE_OP_EXISTS || filter->op == SONDE_OP_REGEX)
            found = true; /* of the callers': they could widen nothing more */
        if (!found)
            return false;
    }
    return true;
}

static void emit_name(struct toy_op *op, const char *name)
{
    struct sonde_name row = {.struct_size = sizeof row, .name = name, .name_size = strlen(name)};
    op->sink->name(op->ctx, &row);
}

static void emit_series(struct toy_op *op, const struct row *row, uint64_t id)
{
    const char *const names[] = {"__name__", namespace_label, "pod"};
    struct sonde_label labels[3];
    for (size_t i = 0; i < 3; i++) {
        const char *value = label_of(row, names[i]);
        labels[i] = (struct sonde_label){.name = names[i],
                                         .name_size = strlen(names[i]),
                                         .value = value,
                                         .value_size = strlen(value)};
    }
    struct sonde_series series = {
        .struct_size = sizeof series, .id = id, .labels = labels, .label_count = 3};
    double value = 1;
    int64_t t = op->query->end_ns;
    op->sink->series(op->ctx, &series);
    op->sink->points(op->ctx, id, 1, &t, &value);
}

static int32_t answer(struct toy_op *op, struct sonde_request *request)
{
    (void)request;
    const struct sonde_query *query = op->query;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!passes(&rows[i], query))
            continue;
        if (query->kind == SONDE_KIND_METRICS && strstr(query->native, rows[i].metric))
            emit_series(op, &rows[i], i);
        else if (query->kind == SONDE_KIND_METRIC_NAMES)
            emit_name(op, rows[i].metric);
        else if (query->kind == SONDE_KIND_LABEL_VALUES && *label_of(&rows[i], query->name))
            emit_name(op, label_of(&rows[i], query->name));
    }
    if (query->kind == SONDE_KIND_METRICS)
        atomic_fetch_add(&asked, 1);
    if (query->kind == SONDE_KIND_LABEL_NAMES) {
        emit_name(op, namespace_label);
        emit_name(op, "pod");
        emit_name(op, "__name__");
        if (other_label)
            emit_name(op, other_label);
    }
    return SONDE_DONE;
}

static const char *const candidates[] = {"namespace", "kubernetes_namespace"};
static const struct sonde_alias alias = {.struct_size = sizeof alias,
                                         .logical = "namespace",
                                         .candidates = candidates,
                                         .candidate_count = 2};
static const struct sonde_alias *const aliases[] = {&alias};

static void begin(const char *yaml)
{
    people_start(yaml);
    plan.next = answer;
    namespace_label = "namespace";
    other_label = NULL;
    atomic_store(&asked, 0);
    toy.table.caps = SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP(SONDE_KIND_METRIC_NAMES) |
                     SONDE_CAP(SONDE_KIND_LABEL_NAMES) | SONDE_CAP(SONDE_KIND_LABEL_VALUES);
    toy.table.understands = SONDE_MUST_ENFORCED_FILTERS;
    toy.table.aliases = aliases;
    toy.table.alias_count = 1;
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
    snprintf(asking->json, sizeof asking->json, "%s\n%s", made.json, made.text);
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

/* What anybody might try. */
static const struct {
    const char *tool, *arguments;
} tries[] = {
    {"query_metrics", "{\"query\":\"up\"}"},
    {"query_metrics", "{\"query\":\"up\",\"step\":\"0\"}"},
    {"query_metrics", "{\"query\":\"up or b_secret\"}"},
    {"query_metrics", "{\"query\":\"b_secret\"}"},
    {"query_metrics", "{\"query\":\"b_secre\"}"},
    {"query_metrics", "{\"query\":\"up\",\"filters\":{\"namespace\":\"team-b\"}}"},
    {"query_metrics", "{\"query\":\"up\",\"filters\":{\"namespace\":\"!team-a\"}}"},
    {"query_metrics", "{\"query\":\"up\",\"filters\":{\"namespace\":\"*\"}}"},
    {"query_metrics", "{\"query\":\"up\",\"filters\":{\"namespace\":\"/.*/\"}}"},
    {"query_metrics", "{\"query\":\"up\",\"filters\":{\"pod\":\"b-pod\"}}"},
    {"query_metrics", "{\"query\":\"up\",\"connection_id\":\"all\"}"},
    {"query_metrics", "{\"query\":\"up\",\"filters\":{\"nothing\":\"x\"}}"},
    {"list_metrics", "{}"},
    {"list_metrics", "{\"match\":\"b_\"}"},
    {"list_metrics", "{\"filters\":{\"pod\":\"b-pod\"}}"},
    {"list_metrics", "{\"label\":\"namespace\"}"},
    {"list_metrics", "{\"label\":\"pod\"}"},
    {"list_metrics", "{\"label\":\"__name__\"}"},
};

static void test_held(void **state)
{
    (void)state;
    begin(HELD);
    for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
        const struct asking *asking = run(tries[i].tool, tries[i].arguments);
        /* Words of the call itself may come back, those of the other team's rows may not. */
        bool own_words = strstr(tries[i].arguments, "b_secret") ||
                         strstr(tries[i].arguments, "b-pod") ||
                         strstr(tries[i].arguments, "team-b");
        if (!own_words && (strstr(asking->json, "team-b") || strstr(asking->json, "b-pod") ||
                           strstr(asking->json, "b_secret")))
            fail_msg("%s: %s", tries[i].arguments, asking->json);
        if (strstr(asking->json, "\"namespace\":\"team-b\"") ||
            strstr(asking->json, "\"pod\":\"b-pod\""))
            fail_msg("%s: %s", tries[i].arguments, asking->json);
    }
    assert_non_null(strstr(run("query_metrics", "{\"query\":\"up\"}")->json, "a-pod"));
    assert_non_null(strstr(run("list_metrics", "{}")->json, "a_only"));
    assert_true(atomic_load(&asked) > 0);
}

/* That the cases above can tell. */
static void test_without(void **state)
{
    (void)state;
    begin(FREE);
    assert_non_null(strstr(run("query_metrics", "{\"query\":\"up\"}")->json, "b-pod"));
    assert_non_null(strstr(run("list_metrics", "{}")->json, "b_secret"));
    assert_non_null(strstr(run("list_metrics", "{\"label\":\"pod\"}")->json, "b-pod"));
}

/* The key is a logical one: the label that holds the value is meant, whatever the question names. */
static void test_label_chosen(void **state)
{
    (void)state;
    begin(HELD);
    namespace_label = "kubernetes_namespace";
    other_label = "namespace";
    const struct asking *asking = run("query_metrics", "{\"query\":\"up\"}");
    assert_non_null(strstr(asking->json, "a-pod"));
    assert_null(strstr(asking->json, "b-pod"));
}

static void expect_refused(const char *part)
{
    static const char *const tools[][2] = {{"query_metrics", "{\"query\":\"up\"}"},
                                           {"list_metrics", "{}"},
                                           {"list_metrics", "{\"label\":\"pod\"}"}};
    for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
        const struct asking *asking = run(tools[i][0], tools[i][1]);
        assert_true(asking->is_error);
        if (!strstr(asking->json, part))
            fail_msg("%s: %s", tools[i][0], asking->json);
        assert_null(strstr(asking->json, "pod\":"));
    }
    assert_int_equal(atomic_load(&asked), 0);
}

static void test_no_label(void **state)
{
    (void)state;
    begin(HELD);
    namespace_label = "space";
    expect_refused("enforce.namespace: this connection has no label for it");
}

static void test_not_understood(void **state)
{
    (void)state;
    begin(HELD);
    toy.table.understands = 0;
    expect_refused("cannot hold a query to the filters of enforce");
}

/* Even a tool that forgets them does not get through. */
static void test_engine(void **state)
{
    (void)state;
    begin(HELD);
    struct connection_set *set;
    struct sonde_filter filter = {.struct_size = sizeof filter, .native = "namespace"};
    const struct sonde_filter *filters[] = {&filter};
    struct sonde_query query = {.struct_size = sizeof query,
                                .kind = SONDE_KIND_METRICS,
                                .scope = "",
                                .name = "",
                                .native = "up",
                                .native_size = 2,
                                .filters = filters,
                                .filter_count = 1,
                                .must_understand = SONDE_MUST_ENFORCED_FILTERS};
    struct engine_item item = {.backend = people_slot(&ann, "c", &set)->backend, .query = &query};
    struct arena arena;
    arena_init(&arena, 1 << 20, NULL);
    struct call call = {.arena = arena, .deadline_ns = clock_mono_ns() + 60 * NS_PER_S};
    assert_int_equal(mailbox_create(service->io, &call.mailbox), 0);
    assert_int_equal(engine_run(service->engine, &call, &item, 1), 0);
    assert_int_equal(item.err.code, SONDE_E_REFUSED);
    assert_int_equal(atomic_load(&asked), 0);
    mailbox_destroy(call.mailbox);
    arena_finish(&call.arena);
    set_unref(set);
}

static int finish(void **state)
{
    toy.table.understands = 0;
    toy.table.aliases = NULL;
    toy.table.alias_count = 0;
    return people_finish(state);
}

#define TEST(function) cmocka_unit_test_teardown(function, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_held),           TEST(test_without),
                                       TEST(test_label_chosen),   TEST(test_no_label),
                                       TEST(test_not_understood), TEST(test_engine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
