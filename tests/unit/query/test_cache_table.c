/* SPDX-License-Identifier: Apache-2.0 */
/* The cache's second layer, over a store that is a list in memory and may fail. */
#include "engine_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "query/backend.h"
#include "query/cache.h"
#include "store/rows.h"

/* 2026-01-01T00:00:00Z */
#define T0 (INT64_C(1767225600) * NS_PER_S)
#define HOUR NS_PER_HOUR
#define ROWS 8u

static struct {
    pthread_mutex_t lock;
    struct cache_row rows[ROWS];
    char data[ROWS][256u << 10];
    char text[ROWS][64];
    char params[ROWS][128];
    size_t count;
    size_t gets;
    int64_t hits;
    bool broken;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void put_row(struct store *store, const struct cache_row *row)
{
    (void)store;
    pthread_mutex_lock(&table.lock);
    size_t i = table.count;
    if (i < ROWS && row->size <= sizeof table.data[i]) {
        table.rows[i] = *row;
        memcpy(table.data[i], row->data, row->size);
        snprintf(table.text[i], sizeof table.text[i], "%s", row->query_text);
        snprintf(table.params[i], sizeof table.params[i], "%s", row->query_params);
        table.rows[i].data = table.data[i];
        table.count++;
    }
    pthread_mutex_unlock(&table.lock);
}

static int get_row(struct store *store, const char *connection_id, const char *hash, int64_t now_ms,
                   struct arena *arena, struct cache_row *ret_row, struct err *err)
{
    (void)store;
    pthread_mutex_lock(&table.lock);
    table.gets++;
    int r = table.broken ? err_set(err, ERR_UNAVAILABLE, "gone") : ERR_NOT_FOUND;
    for (size_t i = 0; !table.broken && r && i < table.count; i++) {
        if (strcmp(table.rows[i].connection_id, connection_id) != 0 ||
            strcmp(table.rows[i].hash, hash) != 0 || table.rows[i].expires_ms < now_ms)
            continue;
        *ret_row = table.rows[i];
        ret_row->data = arena_strndup(arena, table.data[i], table.rows[i].size);
        r = 0;
    }
    pthread_mutex_unlock(&table.lock);
    return r;
}

static void hit_row(struct store *store, const char *connection_id, const char *hash, int64_t hits)
{
    (void)store;
    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; i < table.count; i++)
        if (strcmp(table.rows[i].connection_id, connection_id) == 0 &&
            strcmp(table.rows[i].hash, hash) == 0)
            table.hits += hits;
    pthread_mutex_unlock(&table.lock);
}

static struct cache *cache;
static struct cache_settings settings = {.store = (struct store *)&table,
                                         .rows = {put_row, get_row, hit_row},
                                         .max_bytes = (uint64_t)64 << 20,
                                         .keep_ns = NS_PER_DAY,
                                         .table = true};

static int setup(void **state)
{
    (void)state;
    fake_io_reset();
    toy_reset();
    f = (struct fixture){0};
    table.count = table.gets = 0;
    table.hits = 0;
    table.broken = false;
    assert_int_equal(cache_create(&settings, &cache, NULL), 0);
    fixture_up();
    f.connection->id = "0191d3a0-0000-7000-8000-000000000001";
    f.connection->owner = USER_OPERATOR_ID;
    f.connection->content = 5;
    clock_set_test(T0);
    return 0;
}

static int teardown(void **state)
{
    cache_destroy(cache);
    clock_set_test(0);
    return fixture_teardown(state);
}

/* As after a restart: what waited is written, nothing is in memory. */
static void restart(void)
{
    cache_destroy(cache);
    assert_int_equal(cache_create(&settings, &cache, NULL), 0);
}

static void keep(uint32_t kind, int64_t end_ns, size_t samples, uint32_t partial)
{
    struct sonde_query query = fixture_query(kind);
    query.start_ns = end_ns - HOUR;
    query.end_ns = end_ns;
    struct query_key key;
    assert_int_equal(query_key(f.backend, &query, T0, &key), 0);
    struct result *result = result_new(kind, (size_t)32 << 20, NULL);
    struct series *series = result_alloc(result, 1, sizeof *series);
    double *values = result_alloc(result, samples, sizeof *values);
    for (size_t i = 0; i < samples; i++)
        values[i] = rand() / (double)RAND_MAX; /* which nothing compresses */
    *series = (struct series){.unit = "", .step_ns = 1, .sample_count = samples, .values = values};
    result->series = series;
    result->series_count = 1;
    result->fetched_at_ns = T0;
    result->partial_reason = partial;
    cache_put(cache, f.backend, &key, result);
    cache_put_table(cache, f.backend, &query, &key, result);
    result_unref(result);
}

static struct result *get(uint32_t kind, int64_t end_ns)
{
    struct sonde_query query = fixture_query(kind);
    query.start_ns = end_ns - HOUR;
    query.end_ns = end_ns;
    struct query_key key;
    assert_int_equal(query_key(f.backend, &query, clock_unix_ns(), &key), 0);
    return cache_get(cache, f.backend, &query, &key, clock_unix_ns());
}

static bool has(uint32_t kind, int64_t end_ns)
{
    struct result *result = get(kind, end_ns);
    result_unref(result);
    return result != NULL;
}

#define METRICS SONDE_KIND_METRICS

static void test_survives(void **state)
{
    (void)state;
    keep(METRICS, T0 - HOUR, 100, 0);
    restart();
    assert_int_equal(table.count, 1);
    assert_string_equal(table.text[0], "x");
    assert_string_equal(table.params[0],
                        "{\"start_ns\":1767218400000000000,\"end_ns\":1767222000000000000,"
                        "\"step_ns\":1000000000}");
    assert_true(table.rows[0].cached_ms == T0 / NS_PER_MS);
    assert_true(table.rows[0].expires_ms == (T0 + NS_PER_DAY) / NS_PER_MS);
    clock_set_test(T0 + 2 * HOUR);
    struct result *result = get(METRICS, T0 - HOUR);
    assert_non_null(result);
    assert_int_equal(result->series[0].sample_count, 100);
    assert_true(result->fetched_at_ns == T0);
    result_unref(result);
    /* From now on it is in memory; its hits are told together. */
    for (int i = 0; i < 70; i++)
        assert_true(has(METRICS, T0 - HOUR));
    assert_int_equal(table.gets, 1);
    assert_int_equal(table.hits, 64);
    restart();
    assert_int_equal(table.hits, 70);
    clock_set_test(T0 + NS_PER_DAY + HOUR);
    assert_false(has(METRICS, T0 - HOUR));
}

static void test_what_is_stored(void **state)
{
    (void)state;
    keep(METRICS, T0, 10, 0);                             /* ends now */
    keep(METRICS, T0 - 100 * NS_PER_S, 10, 0);            /* may still change */
    keep(METRICS, T0 - 2 * HOUR, 10, SONDE_PARTIAL_LOST); /* not whole */
    keep(METRICS, T0 - 3 * HOUR, 40000, 0);               /* 320 kB */
    keep(METRICS, T0 - 4 * HOUR, 400000, 0);              /* 3.2 MB: not even tried */
    keep(SONDE_KIND_LOGS, T0 - HOUR, 10, 0);              /* bodies */
    restart();
    assert_int_equal(table.count, 0);
    struct cache_settings other = settings;
    other.logs = true;
    cache_configure(cache, &other);
    keep(SONDE_KIND_LOGS, T0 - HOUR, 10, 0);
    other.logs = other.table = false;
    restart();
    assert_int_equal(table.count, 1);
    cache_configure(cache, &other);
    keep(METRICS, T0 - HOUR, 10, 0);
    restart();
    assert_int_equal(table.count, 1);
    /* A connection that only this process knows leaves nothing behind, and is not looked for. */
    f.connection->content = 0;
    keep(METRICS, T0 - HOUR, 10, 0);
    restart();
    assert_int_equal(table.count, 1);
    assert_int_equal(table.gets, 0);
    assert_false(has(METRICS, T0 - HOUR));
    assert_int_equal(table.gets, 0);
    f.connection->content = 5;
    assert_false(has(METRICS, T0)); /* what ends now is not in the table */
    assert_int_equal(table.gets, 0);
}

static void test_another_content(void **state)
{
    (void)state;
    keep(METRICS, T0 - HOUR, 10, 0);
    restart();
    f.connection->content = 6;
    assert_false(has(METRICS, T0 - HOUR));
    f.connection->content = 5;
    assert_true(has(METRICS, T0 - HOUR));
}

static void test_damaged(void **state)
{
    (void)state;
    keep(METRICS, T0 - HOUR, 10, 0);
    restart();
    table.data[0][60] ^= 1;
    assert_false(has(METRICS, T0 - HOUR));
    assert_int_equal(table.gets, 1);
    table.data[0][60] ^= 1;
    assert_true(has(METRICS, T0 - HOUR));
}

/* A store that does not answer is left alone for a while: calls do not wait for it one after the other. */
static void test_store_is_gone(void **state)
{
    (void)state;
    keep(METRICS, T0 - HOUR, 10, 0);
    restart();
    table.broken = true;
    for (int i = 0; i < 5; i++)
        assert_false(has(METRICS, T0 - HOUR));
    assert_int_equal(table.gets, 1);
    /* The memory goes on. */
    table.broken = false;
    keep(METRICS, T0 - HOUR, 10, 0);
    assert_true(has(METRICS, T0 - HOUR));
    assert_int_equal(table.gets, 1);
}

/* More at once than are written in time: some are not stored, nobody waits, nothing is lost of what was. */
static void test_flood(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 500; i++)
        keep(METRICS, T0 - HOUR - i * NS_PER_S, 100, 0);
    restart();
    assert_true(table.count >= 1);
    assert_true(has(METRICS, T0 - HOUR)); /* the first */
}

#define T(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_survives),        T(test_what_is_stored),
                                       T(test_another_content), T(test_damaged),
                                       T(test_store_is_gone),   T(test_flood)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
