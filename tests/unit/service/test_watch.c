/* SPDX-License-Identifier: Apache-2.0 */
/* How connections fare reaches the store and the page of counters, without anybody asking. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/internal.h"
#include "toy_adapter.h"

#define PATIENCE_NS (60 * NS_PER_S) /* beyond it something hangs; nothing here takes seconds */

static char folder[] = "/tmp/sonde-test-watch-XXXXXX";
static struct service *service;
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

static void start(const char *rest)
{
    char yaml[1024];
    struct config_mistake mistakes[CONFIG_MAX_MISTAKES];
    size_t mistake_count = 0;
    struct config *config = NULL;
    struct service_options options = {.keeping = KEEP_ALWAYS};
    snprintf(yaml, sizeof yaml, "store: %s/sonde.db\nkeys: {file: %s/keys}\n%s", folder, folder,
             rest);
    toy_reset();
    toy_request("/", 0); /* what every operation sends */
    toy.table.caps |= SONDE_CAP(SONDE_KIND_HEALTH);
    if (config_parse(yaml, strlen(yaml), "f.yaml", &config, mistakes, &mistake_count, &err) ||
        service_create(config, &options, &service, mistakes, &mistake_count, &err))
        fail_msg("%s", err.text);
}

static int stop(void **state)
{
    (void)state;
    service_destroy(service, 60000);
    service = NULL;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* Where connections of the file are not in the store by themselves, a row of the same id stands for it. */
static void sync_rows(void)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set(service);
    struct connection_row rows[4] = {0};
    for (size_t i = 0; i < set->slot_count; i++) {
        const struct connection *connection = set->slots[i].connection;
        snprintf(rows[i].id, sizeof rows[i].id, "%s", connection->id);
        snprintf(rows[i].user_id, sizeof rows[i].user_id, "%s", USER_OPERATOR_ID);
        rows[i].name = connection->name;
        rows[i].description = "";
        rows[i].backend_type = connection->backend;
        rows[i].config = "{}";
        rows[i].tags = "{}";
        rows[i].source = "yaml";
        rows[i].enabled = true;
        rows[i].revision = 1;
        rows[i].health_error = "";
    }
    if (store_connections_sync(service->kept.store, rows, set->slot_count, true, 1, &err))
        fail_msg("%s", err.text);
}

static enum connection_health stored(const char *name, char *reason, size_t size)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set(service);
    struct connection_row row = {0};
    struct arena arena;
    arena_init(&arena, 1 << 20, NULL);
    const struct slot *slot = set_find(set, name);
    if (store_connection_get(service->kept.store, NULL, slot->connection->id, &arena, &row, &err))
        fail_msg("%s", err.text);
    snprintf(reason, size, "%s", row.health_error);
    enum connection_health health = row.health;
    arena_finish(&arena);
    return health;
}

static void wait_for_health(const char *name, enum connection_health wanted)
{
    char reason[512];
    int64_t until = clock_mono_ns() + PATIENCE_NS;
    while (stored(name, reason, sizeof reason) != wanted) {
        struct timespec wait = {.tv_nsec = 20000000};
        if (clock_mono_ns() > until)
            fail_msg("%s did not become %d: %s", name, (int)wanted, reason);
        nanosleep(&wait, NULL);
    }
    assert_int_equal(reason[0] != '\0', wanted != HEALTH_HEALTHY);
}

static void expect_line(const char *line)
{
    struct buf page = BUF(16 << 20);
    service_write_stats(service, &page);
    if (!strstr(buf_text(&page), line))
        fail_msg("no line %s in %s", line, buf_text(&page));
    buf_finish(&page);
}

static void test_unhealthy(void **state)
{
    (void)state;
    start("connections:\n  - {name: a, backend: toy, url: \"http://127.0.0.1:1\"}\n"
          "  - {name: b, backend: toy, url: \"http://127.0.0.1:1\"}\n");
    sync_rows();
    if (service_start_keeper(service, &err))
        fail_msg("%s", err.text);
    wait_for_health("a", HEALTH_UNHEALTHY);
    wait_for_health("b", HEALTH_UNHEALTHY);
    expect_line("\nsonde_connections{backend=\"toy\",state=\"unhealthy\"} 2\n");
    expect_line("\nsonde_connections{backend=\"toy\",state=\"healthy\"} 0\n");
    expect_line("\nsonde_connection_state{connection=\"a\"} 3\n");
    expect_line("\nsonde_store_up 1\n");
    expect_line("\nsonde_store_lost_total{what=\"history\"} 0\n");
    struct service_state now;
    service_state(service, &now);
    assert_false(now.store_gone);
}

/* Gone from the configuration, gone from the page. */
static void test_taken_away(void **state)
{
    (void)state;
    start("connections:\n  - {name: c, backend: toy, url: \"http://127.0.0.1:1\"}\n");
    expect_line("\nsonde_connection_state{connection=\"c\"} 0\n");
    struct buf page = BUF(16 << 20);
    service_write_stats(service, &page);
    assert_null(strstr(buf_text(&page), "sonde_connection_state{connection=\"a\"}"));
    buf_finish(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_unhealthy, stop),
                                       cmocka_unit_test_teardown(test_taken_away, stop)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
