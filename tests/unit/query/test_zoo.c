/* SPDX-License-Identifier: Apache-2.0 */
/* Modules that misbehave, and the paper adapters: really loaded, driven against scripted answers. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "fake_io.h"
#include "plugin/registry.h"
#include "query/engine.h"

static const char *const names[] = {
    "zoo_no_entry",      "zoo_v2_only",       "zoo_short_table", "zoo_null_slot",
    "zoo_no_caps",       "zoo_required_caps", "zoo_bad_name",    "zoo_duplicate",
    "zoo_null_identity", "zoo_needs_minor",   "zoo_other_major", "zoo_entry_error",
    "zoo_entry_silent",  "zoo_bad_allowed",   "zoo_good",        "zoo_future_table",
    "zoo_unknown_caps",  "zoo_actor",         "paper_pages",     "paper_pit",
    "paper_poll",        "paper_gateway",     "paper_vendor",    "zoo_absent"};

static struct registry *registry;
static struct engine *engine;
static struct budget budget;

static int setup_all(void **state)
{
    (void)state;
    static char folder[4096];
    const char *top = getenv("top_builddir");
    snprintf(folder, sizeof folder, "%s/zoo.d", top ? top : ".");
    const char *paths[] = {folder};
    struct err err = {0};
    int r = registry_load(paths, 1, names, sizeof names / sizeof names[0], &registry, &err);
    if (r)
        return r;
    budget_init(&budget, (size_t)256 << 20);
    struct engine_settings settings = {.registry = registry, .budget = &budget};
    return engine_create(&settings, &engine, &err);
}

static int teardown_all(void **state)
{
    (void)state;
    engine_destroy(engine);
    registry_free(registry);
    return atomic_load(&budget.used) || fake_io_alive() ? -1 : 0;
}

static int reset(void **state)
{
    (void)state;
    fake_io_reset();
    return 0;
}

static void refused(const char *name, const char *reason)
{
    size_t n;
    const struct plugin_refusal *rows = registry_refusals(registry, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        if (!strstr(rows[i].reason, reason))
            assert_string_equal(rows[i].reason, reason);
        assert_null(registry_find(registry, name));
        return;
    }
    fail_msg("%s was not refused", name);
}

static void test_refused(void **state)
{
    (void)state;
    refused("zoo_no_entry", "exports no sonde_plugin_entry_v1");
    refused("zoo_v2_only", "built for plugin ABI 2, this host speaks 1");
    refused("zoo_short_table", "struct_size");
    refused("zoo_null_slot", "op_next is NULL");
    refused("zoo_no_caps", "no kind of query");
    refused("zoo_required_caps", "required_caps bits 0x8000000000000000");
    refused("zoo_bad_name", "malformed");
    refused("zoo_duplicate", "calls itself \"zoo_good\"");
    refused("zoo_null_identity", "lacks license");
    refused("zoo_needs_minor", "needs plugin ABI 1.99, this host offers 1.0");
    refused("zoo_other_major", "built for plugin ABI 2.0, this host speaks 1.0");
    refused("zoo_entry_error", "its entry failed: no licence file: eee");
    refused("zoo_entry_silent", "its entry failed: no reason given");
    refused("zoo_bad_allowed", "begins with /");
    refused("zoo_absent", "no zoo_absent.so in");
    size_t n;
    registry_adapters(registry, &n);
    assert_int_equal(n, 9);
    assert_non_null(registry_find(registry, "zoo_future_table"));
    assert_non_null(registry_find(registry, "zoo_unknown_caps"));
}

static struct connection *connection_to(const char *backend, const char *url)
{
    struct connection *connection = connection_new();
    connection->name = backend;
    connection->backend = backend;
    connection->url = url;
    connection->timeout_ns = 20 * NS_PER_S;
    return connection;
}

static struct backend *open_backend(const char *name)
{
    struct connection *connection = connection_to(name, "http://zoo");
    struct backend *backend = NULL;
    struct err err = {0};
    int r = backend_open(engine, connection, &backend, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(r, 0);
    connection_unref(connection);
    return backend;
}

static void run(struct call *call, void *argument)
{
    assert_int_equal(engine_run(engine, call, argument, 1), 0);
}

static struct engine_item ask(struct backend *backend, uint32_t kind, const char *native,
                              const char *scope, int64_t deadline_ns)
{
    struct sonde_query query = {.struct_size = sizeof query,
                                .kind = kind,
                                .start_ns = 0,
                                .end_ns = 1000 * NS_PER_S,
                                .scope = scope,
                                .name = "",
                                .native = native,
                                .native_size = strlen(native)};
    struct engine_item item = {.backend = backend, .query = &query};
    assert_int_equal(
        call_run(NULL, &budget, &PRINCIPAL_LOCAL, clock_mono_ns() + deadline_ns, run, &item, NULL),
        0);
    item.query = NULL;
    return item;
}

static struct backend *actor;

static void act_sent(const char *native, int code, const char *text, size_t sent)
{
    fake_io_reset();
    fake_io_add(&(struct fake_rule){.status = 200, .body = "some body", .chunk = 3});
    struct engine_item item = ask(actor, SONDE_KIND_METRICS, native, "", 15 * NS_PER_S);
    if (!strstr(item.err.text, text))
        assert_string_equal(item.err.text, text);
    assert_int_equal(item.err.code, code);
    result_unref(item.result);
    if (sent != SIZE_MAX)
        assert_int_equal(fake_io_count(), sent);
    /* Whatever it did, the next call works. */
    fake_io_reset();
    fake_io_add(&(struct fake_rule){.status = 200, .body = "x"});
    item = ask(actor, SONDE_KIND_METRICS, "behave", "", 15 * NS_PER_S);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->series[0].sample_count, 3);
    assert_string_equal(item.result->series[0].labels[0].value, "well");
    result_unref(item.result);
}

static void test_misbehaviour(void **state)
{
    (void)state;
    actor = open_backend("zoo_actor");
    act_sent("begin_error", SONDE_E_BAD_QUERY, "does not begin", 0);
    act_sent("wait_forever", SONDE_E_INTERNAL, "plugin zoo_actor waits for nothing", 0);
    act_sent("wait_after", SONDE_E_INTERNAL, "waits for nothing", 1);
    act_sent("bad_code", SONDE_E_INTERNAL, "returned 42 from op_next", 0);
    act_sent("unknown_error", SONDE_E_INTERNAL, "returned -99 from op_next", 0);
    act_sent("data_bad_code", SONDE_E_INTERNAL, "returned 42 from op_response_data", 1);
    act_sent("fail_silently", SONDE_E_INTERNAL, "gave no reason", 0);
    act_sent("endless_requests", 0, "", 200);
    act_sent("endless_more", 0, "", 200);
    act_sent("same_tag", SONDE_E_INTERNAL, "with the tag 7", SIZE_MAX);
    static const char *const unsent[] = {
        "undeclared_path", "undeclared_method", "dot_path",         "double_slash",
        "path_injection",  "null_path",         "unknown_endpoint", "forbidden_header",
        "host_header",     "proxy_header",      "header_injection", "bad_header_name"};
    for (size_t i = 0; i < sizeof unsent / sizeof unsent[0]; i++)
        act_sent(unsent[i], SONDE_E_REFUSED, "not sent", 0);
    act_sent("throttled", SONDE_E_THROTTLED, "come back later", 3);
    act_sent("throttled_in_head", SONDE_E_THROTTLED, "gave no reason", 3);
    act_sent("busy", SONDE_E_BUSY, "too much to do", 3);
    act_sent("busy_once_only", SONDE_E_BUSY, "too much to do", 1);
    act_sent("rows_then_throttled", SONDE_E_THROTTLED, "come back later", 1);
    act_sent("stale_forever", SONDE_E_INTERNAL, "stale twice", 2);
    act_sent("enough", 0, "", 1);
    act_sent("endless_rows", 0, "", 1);
    act_sent("deaf_rows", 0, "", 1);
    act_sent("huge_row", SONDE_E_INTERNAL, "row of the kind log", 1);
    act_sent("odd_values", 0, "", 1);
    act_sent("null_strings", SONDE_E_INTERNAL, "row of the kind log", 1);
    act_sent("bad_utf8", SONDE_E_INTERNAL, "row of the kind log", 1);
    act_sent("unannounced", SONDE_E_INTERNAL, "points of series 77", 1);
    act_sent("small_rows", 0, "", 1);
    act_sent("many_facts", 0, "", 1);
    act_sent("alloc_forever", SONDE_E_TOO_MUCH, "the host gave 15 MiB", 1);
    act_sent("slow", 0, "", 1);
    act_sent("late_rows", 0, "", 1);
    act_sent("at_end_undeclared", SONDE_E_INTERNAL, "left a request for the end that is not sent",
             0);
    act_sent("at_end_slot", SONDE_E_INTERNAL, "slot 99", 0);
    assert_true(atomic_load(&backend_adapter(actor)->callbacks) > 100);
    assert_true(atomic_load(&backend_adapter(actor)->slow_callbacks) >= 2);
    backend_unref(actor);
}

static void test_open_misbehaves(void **state)
{
    (void)state;
    struct connection *connection = connection_to("zoo_actor", "http://zoo");
    struct connection_param param = {.key = "mode", .value = "open_error"};
    connection->params = &param;
    connection->param_count = 1;
    struct backend *backend = NULL;
    struct err err = {0};
    assert_int_equal(backend_open(engine, connection, &backend, &err), SONDE_E_UNSUPPORTED);
    assert_string_equal(err.text, "this one does not open");
    connection->param_count = 0;
    connection_unref(connection);
}

static void test_pages(void **state)
{
    (void)state;
    struct backend *backend = open_backend("paper_pages");
    /* Two batches together, two pages each, the pages of one series in the wrong order. */
    fake_io_add(&(struct fake_rule){
        .path = "/data",
        .times = 2,
        .status = 200,
        .body = "{\"results\":[{\"id\":\"a\",\"values\":[[20,2],[30,3]]}],\"next\":\"t2\"}",
        .chunk = 5});
    fake_io_add(&(struct fake_rule){.path = "/data",
                                    .status = 200,
                                    .body = "{\"results\":[{\"id\":\"a\",\"values\":[[10,1]]}]}",
                                    .chunk = 7});
    struct engine_item item = ask(backend, SONDE_KIND_METRICS, "a,b;c", "", 10 * NS_PER_S);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(fake_io_count(), 4);
    assert_int_equal(fake_io_peak(), 2);
    assert_int_equal(item.result->series_count, 1);
    const struct series *series = &item.result->series[0];
    assert_int_equal(series->sample_count, 3);
    assert_true(series_time(series, 0) == 10 * NS_PER_S && series->values[2] == 3);
    result_unref(item.result);
    backend_unref(backend);
}

static void test_pit_cut_in_a_page(void **state)
{
    (void)state;
    struct backend *backend = open_backend("paper_pit");
    fake_io_add(&(struct fake_rule){.path = "/pit", .status = 200, .body = "{\"id\":\"p1\"}"});
    fake_io_add(&(struct fake_rule){.path = "/search", .hang = true});
    struct engine_item item = ask(backend, SONDE_KIND_LOGS, "x", "", 100 * NS_PER_MS);
    assert_int_equal(item.err.code, SONDE_E_DEADLINE);
    result_unref(item.result);
    assert_int_equal(fake_io_count(), 3);
    assert_string_equal(fake_io_sent(2).method, "DELETE");
    assert_string_equal(fake_io_sent(2).path, "/pit/p1");
    assert_true(fake_io_sent(2).detached);
    backend_unref(backend);
}

static void test_poll_throttled_then_cut(void **state)
{
    (void)state;
    struct backend *backend = open_backend("paper_poll");
    fake_io_add(&(struct fake_rule){.path = "/start", .status = 429, .times = 1});
    fake_io_add(&(struct fake_rule){.path = "/start", .status = 200, .body = "{\"id\":\"q1\"}"});
    fake_io_add(
        &(struct fake_rule){.path = "/result", .status = 200, .body = "{\"state\":\"running\"}"});
    struct engine_item item = ask(backend, SONDE_KIND_LOGS, "x", "", 1200 * NS_PER_MS);
    assert_int_equal(item.err.code, SONDE_E_DEADLINE);
    result_unref(item.result);
    size_t n = fake_io_count();
    assert_true(n >= 4);
    assert_string_equal(fake_io_sent(1).path, "/start");
    assert_true(fake_io_sent(1).at_ns - fake_io_sent(0).at_ns >= 250 * NS_PER_MS);
    assert_string_equal(fake_io_sent(n - 1).path, "/stop?id=q1");
    assert_true(fake_io_sent(n - 1).detached);
    backend_unref(backend);
}

static void test_gateway(void **state)
{
    (void)state;
    struct backend *backend = open_backend("paper_gateway");
    fake_io_add(&(struct fake_rule){
        .path = "/sources",
        .status = 200,
        .body = "[{\"uid\":\"n1\",\"name\":\"Own\",\"type\":\"native\"},{\"uid\":\"p "
                "1\",\"name\":\"Pages\",\"type\":\"paper_pages\",\"default\":true}]"});
    fake_io_add(
        &(struct fake_rule){.path = "/native/n1/value", .status = 200, .body = "{\"value\":7}"});
    fake_io_add(&(struct fake_rule){.path = "http://zoo/proxy/p%201/data",
                                    .status = 200,
                                    .body = "{\"results\":[{\"id\":\"a\",\"values\":[[1,2]]}]}"});
    struct engine_item item = ask(backend, SONDE_KIND_METRICS, "x", "n1", 10 * NS_PER_S);
    assert_int_equal(item.err.code, SONDE_E_NOT_FOUND);
    item = ask(backend, SONDE_KIND_SCOPES, "", "", 10 * NS_PER_S);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->scope_count, 2);
    struct result *scopes = item.result;
    /* Its own scope, known by the fact it left. */
    item = ask(backend, SONDE_KIND_METRICS, "x", "n1", 10 * NS_PER_S);
    assert_int_equal(item.err.code, 0);
    assert_true(item.result->series[0].values[0] == 7);
    result_unref(item.result);
    /* One of another adapter, at the same origin. */
    const struct scope_row *scope = &scopes->scopes[1];
    assert_true(scope->is_default);
    struct backend *child = NULL;
    struct err err = {0};
    assert_int_equal(backend_open_scope(backend, scope, &child, &err), 0);
    assert_string_equal(backend_adapter(child)->table.name, "paper_pages");
    item = ask(child, SONDE_KIND_METRICS, "a", "", 10 * NS_PER_S);
    assert_int_equal(item.err.code, 0);
    assert_true(item.result->series[0].values[0] == 2);
    assert_non_null(strstr(fake_io_sent(fake_io_count() - 1).headers, "X-Org-Id: 1"));
    result_unref(item.result);
    result_unref(scopes);
    backend_unref(child);
    backend_unref(backend);
}

static void test_vendor(void **state)
{
    (void)state;
    struct connection *connection = connection_to("paper_vendor", "");
    struct connection_param params[] = {
        {.key = "api_key", .secret = {.kind = SECRET_ENV, .name = "A"}},
        {.key = "app_key", .secret = {.kind = SECRET_ENV, .name = "B"}}};
    struct backend *backend = NULL;
    struct err err = {0};
    connection->params = params;
    assert_int_equal(backend_open(engine, connection, &backend, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "needs the parameter api_key"));
    connection->param_count = 1;
    assert_int_equal(backend_open(engine, connection, &backend, &err), SONDE_E_AUTH);
    connection->param_count = 2;
    connection->auth.type = AUTH_SCHEME;
    connection->auth.scheme = "keys";
    assert_int_equal(backend_open(engine, connection, &backend, &err), 0);
    static const struct sonde_pair limits[] = {{"x-ratelimit-remaining", "0"},
                                               {"x-ratelimit-reset", "3600"}};
    fake_io_add(&(struct fake_rule){.path = "https://metrics.vendor.test/api/v1/query",
                                    .status = 200,
                                    .body = "{\"v\":3.5}",
                                    .headers = limits,
                                    .header_count = 2});
    struct engine_item item = ask(backend, SONDE_KIND_METRICS, "x", "", 10 * NS_PER_S);
    assert_int_equal(item.err.code, 0);
    assert_true(item.result->series[0].values[0] == 3.5);
    assert_string_equal(fake_io_sent(0).headers,
                        "X-Api-Key: {api_key}\nX-Application-Key: {app_key}\n");
    result_unref(item.result);
    item = ask(backend, SONDE_KIND_TRACE_SEARCH, "x", "", 10 * NS_PER_S);
    assert_int_equal(item.err.code, SONDE_E_REFUSED);
    assert_non_null(strstr(item.err.text, "AWS signatures"));
    assert_int_equal(fake_io_count(), 1);
    backend_unref(backend);
    connection->param_count = 0;
    connection_unref(connection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_refused, reset),
                                       cmocka_unit_test_setup(test_misbehaviour, reset),
                                       cmocka_unit_test_setup(test_open_misbehaves, reset),
                                       cmocka_unit_test_setup(test_pages, reset),
                                       cmocka_unit_test_setup(test_pit_cut_in_a_page, reset),
                                       cmocka_unit_test_setup(test_poll_throttled_then_cut, reset),
                                       cmocka_unit_test_setup(test_gateway, reset),
                                       cmocka_unit_test_setup(test_vendor, reset)};
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
