/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "service/service.h"
#include "toy_adapter.h"

#define PATIENCE_NS (60 * NS_PER_S) /* beyond it something hangs; nothing here takes seconds */
#define A "  - {name: a, backend: toy, url: \"http://127.0.0.1:1\"}\n"
#define B "  - {name: b, backend: toy, url: \"http://127.0.0.1:1\"}\n"
#define B_MOVED "  - {name: b, backend: toy, url: \"http://127.0.0.1:2\"}\n"
#define C "  - {name: c, backend: toy, url: \"http://127.0.0.1:1\"}\n"

static struct service *service;
static const struct service_options options;
static struct config_mistake mistakes[CONFIG_MAX_MISTAKES];
static size_t mistake_count;
static struct service_changes changes;
static struct err err;

/* The toy's registry in place of the loader's. */
int registry_load(const char *const *paths, size_t path_count, const char *const *enable,
                  size_t enable_count, struct registry **ret_registry, struct err *ret_err)
{
    (void)paths;
    (void)path_count;
    (void)enable;
    (void)enable_count;
    (void)ret_err;
    *ret_registry = toy_registry();
    return 0;
}

void registry_free(struct registry *registry)
{
    (void)registry;
}

static struct config *parse(const char *yaml)
{
    struct config *config = NULL;
    err = (struct err){0};
    if (config_parse(yaml, strlen(yaml), "f.yaml", &config, mistakes, &mistake_count, &err))
        fail_msg("%s", err.text);
    return config;
}

static int reload(const char *yaml)
{
    return service_reload(service, parse(yaml), &options, &changes, mistakes, &mistake_count, &err);
}

static int start(const char *yaml)
{
    toy_reset();
    return service_create(parse(yaml), &options, &service, mistakes, &mistake_count, &err);
}

static int teardown(void **state)
{
    (void)state;
    service_destroy(service, 60000);
    service = NULL;
    assert_int_equal(atomic_load(&plan.opens), atomic_load(&plan.closes));
    return 0;
}

static void expect(size_t added, size_t changed, size_t removed, size_t kept)
{
    assert_int_equal(changes.added, added);
    assert_int_equal(changes.changed, changed);
    assert_int_equal(changes.removed, removed);
    assert_int_equal(changes.kept, kept);
}

static void expect_connections(const char *names)
{
    struct buf text = BUF(8192);
    service_instructions(service, &PRINCIPAL_LOCAL, &text);
    const char *list = strstr(buf_text(&text), "Connections:");
    char found[256] = "";
    for (const char *p = list; p && (p = strstr(p, " (toy")); p++)
        strncat(found, p - 1, 1);
    buf_finish(&text);
    assert_string_equal(found, names);
}

static void test_connections(void **state)
{
    (void)state;
    assert_int_equal(start("connections:\n" A B), 0);
    assert_int_equal(atomic_load(&plan.opens), 2);
    expect_connections("ab");
    /* The same again opens and closes nothing. */
    assert_int_equal(reload("connections:\n" A B), 0);
    expect(0, 0, 0, 2);
    assert_int_equal(atomic_load(&plan.opens), 2);
    assert_int_equal(atomic_load(&plan.closes), 0);
    assert_int_equal(reload("connections:\n" C B_MOVED A), 0);
    expect(1, 1, 0, 1);
    expect_connections("cba");
    assert_int_equal(atomic_load(&plan.opens), 4);
    assert_int_equal(atomic_load(&plan.closes), 1);
    assert_int_equal(reload("connections:\n" A), 0);
    expect(0, 0, 2, 1);
    expect_connections("a");
    assert_int_equal(atomic_load(&plan.closes), 3);
    assert_int_equal(reload(""), 0);
    expect(0, 0, 1, 0);
    struct service_state now;
    service_state(service, &now);
    assert_int_equal(now.connections, 0);
    assert_int_equal(now.plugins, 1);
    assert_int_equal(now.plugins_refused, 1);
}

static void test_mistake(void **state)
{
    (void)state;
    assert_int_equal(start("connections:\n" A), 0);
    changes = (struct service_changes){.added = 77};
    assert_int_equal(reload("connections:\n" A B "  - {name: x, backend: absent}\n"), ERR_INVALID);
    assert_int_equal(mistake_count, 1);
    assert_non_null(strstr(mistakes[0].text, "f.yaml:4: connections[2].backend: "));
    assert_int_equal(changes.added, 77);
    expect_connections("a");
    assert_int_equal(atomic_load(&plan.opens), atomic_load(&plan.closes) + 1);
}

/* One that cannot be opened is tried again, also when nothing was changed. */
static int32_t refuse(const struct sonde_open *open)
{
    return (toy_host->fail)(open->ctx, SONDE_E_REFUSED, -1, "not today");
}

static void test_opened_again(void **state)
{
    (void)state;
    toy_reset();
    plan.open = refuse;
    assert_int_equal(service_create(parse("connections:\n" A), &options, &service, mistakes,
                                    &mistake_count, &err),
                     0);
    struct service_state now;
    service_state(service, &now);
    assert_int_equal(now.unusable, 1);
    plan.open = NULL;
    assert_int_equal(reload("connections:\n" A), 0);
    service_state(service, &now);
    assert_int_equal(now.unusable, 0);
    atomic_store(&plan.closes, atomic_load(&plan.closes) + 1); /* the refused one had none */
}

static void test_settings(void **state)
{
    (void)state;
    assert_int_equal(start("connections:\n" A), 0);
    assert_int_equal(service_timeout_ns(service), 30 * NS_PER_S);
    assert_int_equal(reload("limits: {timeout: 7s, memory: 32MiB, calls: 3, in_flight: 2}\n"), 0);
    assert_int_equal(service_timeout_ns(service), 7 * NS_PER_S);
    assert_int_equal(atomic_load(&service_budget(service)->max), 32 << 20);
    assert_string_equal(changes.later, "");
    assert_int_equal(reload("limits: {points: 5000, body: 1MiB}\nfiles: /\n"
                            "network: {no_proxy: [a]}\nplugins: {enable: [toy]}\n"),
                     0);
    assert_string_equal(changes.later,
                        "plugins, files, network.no_proxy, limits.body, limits.points");
    assert_int_equal(reload("limits: {points: 5000, body: 1MiB}\nfiles: /\n"
                            "network: {no_proxy: [b]}\nplugins: {enable: [toy]}\n"),
                     0);
    assert_string_equal(changes.later, "network.no_proxy");
}

static int open_as_user(void)
{
    CLEANUP(connection_unrefp) struct connection *connection = connection_new();
    struct io_target *target = NULL;
    int r = io_target_create(service_io(service), connection, "http://10.1.2.3:9090", NULL, NULL, 0,
                             &target, &err);
    io_target_unref(target);
    return r;
}

/* Takes effect with the reload, not with the next start. */
static void test_network_allow(void **state)
{
    (void)state;
    assert_int_equal(start("network: {allow: [10.1.0.0/16]}\n"), 0);
    assert_int_equal(open_as_user(), 0);
    assert_int_equal(reload("network: {allow: [10.2.0.0/16]}\n"), 0);
    assert_string_equal(changes.later, "");
    assert_int_equal(open_as_user(), ERR_INVALID);
    assert_int_equal(reload("network: {allow: [10.2.0.0/16, 10.1.2.0/24]}\n"), 0);
    assert_int_equal(open_as_user(), 0);
    assert_int_equal(reload("connections:\n" A), 0);
    assert_int_equal(open_as_user(), ERR_INVALID);
}

static atomic_bool held;
static atomic_uint holding;

static int32_t hold(struct toy_op *op)
{
    struct timespec wait = {.tv_nsec = 2000000};
    if (op->query->kind != SONDE_KIND_METRICS)
        return SONDE_OK;
    atomic_fetch_add(&holding, 1);
    for (int64_t until = clock_mono_ns() + PATIENCE_NS;
         atomic_load(&held) && clock_mono_ns() < until;)
        nanosleep(&wait, NULL);
    return SONDE_OK;
}

struct asked {
    atomic_bool done;
    bool failed;
    char text[2048];
};

static void ask(struct call *call, void *argument)
{
    struct asked *asked = argument;
    struct answer answer;
    struct err failure = {0};
    struct json_object *arguments = json_object_new_object();
    json_object_object_add(arguments, "query", json_object_new_string("up"));
    json_object_object_add(arguments, "connection_id", json_object_new_string("b"));
    asked->failed = service_call(service, call, "query_metrics", arguments, &answer, &failure) != 0;
    if (!asked->failed) {
        asked->failed = answer.is_error;
        snprintf(asked->text, sizeof asked->text, "%s", answer.text);
        answer_finish(&answer);
    }
    json_object_put(arguments);
    atomic_store(&asked->done, true);
}

static void wait_until_true(atomic_bool *flag)
{
    struct timespec wait = {.tv_nsec = 2000000};
    for (int64_t until = clock_mono_ns() + PATIENCE_NS;
         !atomic_load(flag) && clock_mono_ns() < until;)
        nanosleep(&wait, NULL);
    assert_true(atomic_load(flag));
}

/* A call under way ends with what it began with, though its connection is gone; the next one does not find it. */
static void test_under_way(void **state)
{
    (void)state;
    assert_int_equal(start("connections:\n" A B), 0);
    atomic_store(&held, true);
    atomic_store(&holding, 0);
    plan.begin = hold;
    struct principal local = PRINCIPAL_LOCAL;
    struct asked first = {0};
    int64_t deadline = clock_mono_ns() + PATIENCE_NS;
    assert_int_equal(call_submit(service_calls(service), &local, deadline, ask, &first, NULL, &err),
                     0);
    struct timespec wait = {.tv_nsec = 2000000};
    while (!atomic_load(&holding) && clock_mono_ns() < deadline)
        nanosleep(&wait, NULL);
    assert_int_equal(atomic_load(&holding), 1);
    assert_int_equal(reload("connections:\n" A), 0);
    expect(0, 0, 1, 1);
    assert_int_equal(atomic_load(&plan.closes), 0);
    struct asked second = {0};
    assert_int_equal(
        call_submit(service_calls(service), &local, deadline, ask, &second, NULL, &err), 0);
    wait_until_true(&second.done);
    assert_true(second.failed);
    assert_non_null(strstr(second.text, "no connection"));
    atomic_store(&held, false);
    wait_until_true(&first.done);
    if (first.failed)
        fail_msg("%s", first.text);
    while (atomic_load(&plan.closes) < 1 && clock_mono_ns() < deadline)
        nanosleep(&wait, NULL);
    assert_int_equal(atomic_load(&plan.closes), 1);
}

int main(void)
{
    log_setup(LOG_NONE, 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_connections, teardown),
                                       cmocka_unit_test_teardown(test_mistake, teardown),
                                       cmocka_unit_test_teardown(test_opened_again, teardown),
                                       cmocka_unit_test_teardown(test_settings, teardown),
                                       cmocka_unit_test_teardown(test_network_allow, teardown),
                                       cmocka_unit_test_teardown(test_under_way, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
