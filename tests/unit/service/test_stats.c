/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of users in front of the tools, and the page of statistics about it all. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/service.h"

static struct service *service;

static void open_service(const char *yaml)
{
    static struct config_mistake mistakes[CONFIG_MAX_MISTAKES];
    size_t count = 0;
    struct config *config = NULL;
    struct err err = {0};
    if (config_parse(yaml, strlen(yaml), "f.yaml", &config, mistakes, &count, &err))
        fail_msg("%s", err.text);
    const char *top = getenv("top_builddir");
    char path[4096];
    snprintf(path, sizeof path, "%s/plugins.d", top ? top : ".");
    const char *paths[] = {path};
    /* Nothing listens on port 1. */
    const char *connections[] = {"gone:prometheus=http://127.0.0.1:1"};
    struct service_options options = {.plugin_paths = paths,
                                      .plugin_path_count = 1,
                                      .connections = connections,
                                      .connection_count = 1};
    if (service_create(config, &options, &service, mistakes, &count, &err))
        fail_msg("%s", err.text);
}

struct asking {
    const char *tool;
    const char *arguments;
    struct answer answer;
};

static void run(struct call *call, void *argument)
{
    struct asking *asking = argument;
    struct json_object *arguments = json_tokener_parse(asking->arguments);
    struct err err = {0};
    if (service_call(service, call, asking->tool, arguments, &asking->answer, &err))
        fail_msg("%s", err.text);
    json_object_put(arguments);
}

/* The code of the answer; its text in text. */
static int ask(const struct principal *principal, const char *tool, const char *arguments,
               char text[2048], int64_t *ret_wait_ms)
{
    struct asking asking = {.tool = tool, .arguments = arguments};
    assert_int_equal(call_run(service_io(service), service_budget(service), principal,
                              clock_mono_ns() + 30 * NS_PER_S, run, &asking, NULL),
                     0);
    snprintf(text, 2048, "%s", asking.answer.text);
    *ret_wait_ms = asking.answer.wait_ms;
    int code = asking.answer.code;
    assert_int_equal(asking.answer.is_error, code != 0);
    answer_finish(&asking.answer);
    return code;
}

static char page_text[512 * 1024];

static const char *page(void)
{
    struct buf buf = BUF(sizeof page_text);
    service_write_stats(service, &buf);
    assert_false(buf.failed);
    snprintf(page_text, sizeof page_text, "%s", buf_text(&buf));
    buf_finish(&buf);
    return page_text;
}

/* The number behind this series on the page; -1 when it is not there. */
static double value_of(const char *series)
{
    char line[256];
    snprintf(line, sizeof line, "\n%s ", series);
    const char *found = strstr(page_text, line);
    return found ? strtod(found + strlen(line), NULL) : -1;
}

static void expect(const char *series, double value)
{
    if (value_of(series) != value)
        fail_msg("%s is %g, expected %g", series, value_of(series), value);
}

static void test_page(void **state)
{
    (void)state;
    open_service("limits: {calls_per_minute: 3, memory: 64MiB}\n");
    struct principal other = {.id = "other", .name = "other"};
    char text[2048];
    int64_t wait_ms = 0;
    assert_int_equal(ask(&PRINCIPAL_LOCAL, "list_connections", "{}", text, &wait_ms), 0);
    assert_int_equal(ask(&PRINCIPAL_LOCAL, "query_metrics", "{\"qurey\":\"up\"}", text, &wait_ms),
                     ERR_INVALID);
    assert_int_equal(ask(&PRINCIPAL_LOCAL, "query_metrics", "{\"query\":\"up\"}", text, &wait_ms),
                     SONDE_E_UNREACHABLE);
    assert_int_equal(ask(&PRINCIPAL_LOCAL, "list_connections", "{}", text, &wait_ms), ERR_LIMIT);
    assert_non_null(
        strstr(text, "3 calls a minute are allowed (limits.calls_per_minute); try again in "));
    assert_true(wait_ms > 0 && wait_ms <= 20000);
    assert_int_equal(ask(&other, "list_connections", "{}", text, &wait_ms), 0);
    page();
    expect("sonde_calls_total{tool=\"list_connections\",outcome=\"ok\"}", 2);
    expect("sonde_calls_total{tool=\"list_connections\",outcome=\"limit\"}", 1);
    expect("sonde_calls_total{tool=\"query_metrics\",outcome=\"invalid\"}", 1);
    expect("sonde_calls_total{tool=\"query_metrics\",outcome=\"unreachable\"}", 1);
    expect("sonde_call_seconds_count{tool=\"list_connections\"}", 2);
    expect("sonde_calls_in_flight", 0);
    expect("sonde_limit_hits_total{limit=\"calls_per_minute\"}", 1);
    expect("sonde_limit_hits_total{limit=\"memory\"}", 0);
    expect("sonde_active_users", 2);
    expect("sonde_memory_budget_bytes", 64 << 20);
    /* What the io thread has not freed yet may be in it. */
    assert_true(value_of("sonde_memory_budget_used_bytes") >= 0);
    expect("sonde_exchanges_in_flight", 0);
    expect("sonde_exchanges_waiting", 0);
    expect("sonde_permits_waiting", 0);
    assert_true(value_of("sonde_exchanges_total{backend=\"prometheus\",outcome=\"lost\"}") >= 1);
    assert_true(value_of("sonde_exchange_seconds_count{backend=\"prometheus\"}") >= 1);
    assert_true(value_of("sonde_flights_total{role=\"led\"}") >= 1);
    assert_true(value_of("sonde_plugin_seconds_total{backend=\"prometheus\"}") > 0);
    assert_true(value_of("process_cpu_seconds_total") > 0);
    assert_true(value_of("process_start_time_seconds") > 1e9);
    assert_non_null(strstr(page_text, "\nsonde_build_info{version=\""));
    /* No text of a user's or a backend's, no secret. */
    assert_null(strstr(page_text, "qurey"));
    assert_null(strstr(page_text, "127.0.0.1"));
    service_destroy(service, 5000);
}

static void test_gone_services_are_not_asked(void **state)
{
    (void)state;
    for (int i = 0; i < 70; i++) {
        open_service("limits: {memory: 32MiB}\n");
        service_destroy(service, 5000);
    }
    open_service("limits: {memory: 48MiB}\n");
    page();
    expect("sonde_memory_budget_bytes", 48 << 20);
    service_destroy(service, 5000);
}

static void test_promtool(void **state)
{
    (void)state;
    if (access("/usr/bin/promtool", X_OK))
        skip();
    open_service("limits: {calls_per_minute: 3}\n");
    char text[2048];
    int64_t wait_ms;
    for (int i = 0; i < 5; i++)
        ask(&PRINCIPAL_LOCAL, "query_metrics", "{\"query\":\"up\"}", text, &wait_ms);
    page();
    service_destroy(service, 5000);
    FILE *tool = popen("/usr/bin/promtool check metrics", "w");
    assert_non_null(tool);
    fputs(page_text, tool);
    assert_int_equal(pclose(tool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_page),
                                       cmocka_unit_test(test_gone_services_are_not_asked),
                                       cmocka_unit_test(test_promtool)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
