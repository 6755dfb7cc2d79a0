/* SPDX-License-Identifier: Apache-2.0 */
/* Bad input, change notices, the queue at its bound, many threads. */
#include "contract.h"

#include <pthread.h>
#include <stdatomic.h>

static char *long_text(struct arena *arena, size_t size)
{
    char *text = arena_alloc(arena, size + 1);
    CHECK(text);
    memset(text, 'x', size);
    return text;
}

static void check_hostile_names(struct store *store, struct arena *arena, const char *user)
{
    static const char *const names[] = {
        "'; DROP TABLE users; --",      "\" OR 1=1 --", "%_\\", "a\nb\tc", "$1 ?1 :name @x",
        "\xe2\x80\xae\xf0\x9f\x94\xa5", "NULL",         "');--"};
    struct err err = {0};
    struct user_row found;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct user_row row = {.name = names[i], .external = names[i], .created_ms = NOW_MS};
        uuid7(row.id);
        FINE(store_user_add(store, &row, &err));
        FINE(store_user_find(store, NULL, names[i], NULL, arena, &found, &err));
        CHECK(str_eq(found.id, row.id) && str_eq(found.external, names[i]));
        struct connection_row connection = sample_connection(user, names[i]);
        connection.description = names[i];
        FINE(store_connection_add(store, &connection, &err));
        FINE(store_connection_get(store, user, connection.id, arena, &connection, &err));
        CHECK(str_eq(connection.name, names[i]) && str_eq(connection.description, names[i]));
        struct history_filter filter = {.user_id = user, .tool = names[i], .failed = -1};
        struct history_row *rows = NULL;
        size_t n = 7;
        FINE(store_history(store, &filter, arena, &rows, &n, &err));
        CHECK(n == 0);
    }
}

static void check_ids(struct store *store, struct arena *arena, const char *user)
{
    static const char *const ids[] = {"",
                                      "x",
                                      "' OR 1=1 --",
                                      "736F6E64-6500-8000-8000-000000000001",
                                      "736f6e64-6500-8000-8000-00000000000g",
                                      "736f6e64x6500-8000-8000-000000000001"};
    struct err err = {0};
    struct connection_row row;
    struct user_row found;
    struct history_row query;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        GIVES(ERR_NOT_FOUND, store_connection_get(store, user, ids[i], arena, &row, &err));
        GIVES(ERR_NOT_FOUND, store_connection_get(store, ids[i], USER_LOCAL_ID, arena, &row, &err));
        GIVES(ERR_NOT_FOUND, store_connection_delete(store, user, ids[i], 0, NOW_MS, &err));
        GIVES(ERR_NOT_FOUND, store_user_find(store, ids[i], NULL, NULL, arena, &found, &err));
        GIVES(ERR_NOT_FOUND, store_user_disable(store, ids[i], true, &err));
        GIVES(ERR_NOT_FOUND, store_token_revoke(store, ids[i], NOW_MS, &err));
        GIVES(ERR_NOT_FOUND, store_history_get(store, user, ids[i], arena, &query, &err));
        struct connection_row bad = sample_connection(user, "bad id");
        snprintf(bad.id, sizeof bad.id, "%s", ids[i]);
        GIVES(ERR_INVALID, store_connection_add(store, &bad, &err));
    }
}

void contract_bad_input(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    char user[ROW_ID];
    make_user(store, user);
    check_hostile_names(store, &arena, user);
    check_ids(store, &arena, user);

    struct connection_row row = sample_connection(user, "big");
    row.description = long_text(&arena, (1u << 20) + 1);
    GIVES(ERR_LIMIT, store_connection_add(store, &row, &err));
    CHECK(strstr(err.text, "description"));
    row.description = long_text(&arena, 1u << 20);
    FINE(store_connection_add(store, &row, &err));
    FINE(store_connection_get(store, user, row.id, &arena, &row, &err));
    CHECK(strlen(row.description) == 1u << 20);

    struct connection_row bad = sample_connection(user, "");
    GIVES(ERR_INVALID, store_connection_add(store, &bad, &err));
    bad = sample_connection(user, long_text(&arena, 256));
    GIVES(ERR_INVALID, store_connection_add(store, &bad, &err));
    bad = sample_connection(user, "\xff\xfe");
    GIVES(ERR_INVALID, store_connection_add(store, &bad, &err));
    bad = sample_connection(user, "no json");
    bad.config = "{";
    GIVES(ERR_INVALID, store_connection_add(store, &bad, &err));
    bad = sample_connection("", "nobody's");
    GIVES(ERR_INVALID, store_connection_add(store, &bad, &err));
    uuid7(bad.user_id);
    GIVES(ERR_INVALID, store_connection_add(store, &bad, &err));
    struct user_row nameless = {.name = long_text(&arena, 64), .created_ms = NOW_MS};
    uuid7(nameless.id);
    GIVES(ERR_INVALID, store_user_add(store, &nameless, &err));
    /* None of it makes the store ill. */
    struct store_state state;
    store_state(store, &state);
    CHECK(state.well && !state.error[0]);

    /* Bad rows of history cost themselves, not those they were written with. */
    struct session_row session = sample_session(user);
    struct history_row rows[6];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        rows[i] = sample_history(user, &session);
    rows[1].query_params = "no json";
    rows[2].query_text = long_text(&arena, (1u << 20) + 1);
    rows[3].query_text = "cut \xff off";
    uuid7(rows[4].user_id); /* of nobody */
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        store_append_history(store, &rows[i], &session);
    struct history_filter filter = {.session_id = session.id, .failed = -1};
    struct history_row *found = NULL;
    size_t n = 0;
    FINE(store_history(store, &filter, &arena, &found, &n, &err));
    CHECK(n == 3 && str_eq(found[0].id, rows[5].id) && str_eq(found[2].id, rows[0].id));
    CHECK(str_eq(found[1].query_text, "cut \xef\xbf\xbd off"));
    store_state(store, &state);
    CHECK(state.bad_rows == 3 && state.written_rows >= 3 && state.well && state.queued_rows == 0);
}

static void count_change(void *user)
{
    atomic_fetch_add((atomic_int *)user, 1);
}

static bool told(atomic_int *changes, int before)
{
    for (int64_t end = clock_mono_ns() + 30 * NS_PER_S; clock_mono_ns() < end; sleep_ms(10))
        if (atomic_load(changes) > before)
            return true;
    return false;
}

/* Two stores on one database, as two processes have. */
void contract_changes(const char *location)
{
    struct err err = {0};
    struct store *store = open_store(location);
    struct store *other = open_store(location);
    atomic_int changes = 0;
    char user[ROW_ID];
    store_on_change(store, count_change, &changes);
    uint64_t generation = settled_generation(store);
    sleep_ms(300); /* nothing on its way */

    int before = atomic_load(&changes);
    make_user(other, user); /* another's */
    CHECK(told(&changes, before));
    CHECK(generation_moves(store, generation));
    generation = settled_generation(store);
    before = atomic_load(&changes);
    struct connection_row row = sample_connection(user, "seen");
    FINE(store_connection_add(store, &row, &err)); /* our own */
    CHECK(told(&changes, before));
    CHECK(generation_moves(store, generation));

    /* History, cache and health are no change that anybody must read again for. */
    generation = settled_generation(store);
    struct session_row session = sample_session(user);
    struct history_row query = sample_history(user, &session);
    store_append_history(other, &query, &session);
    flush(other);
    FINE(store_connection_health(other, row.id, HEALTH_HEALTHY, "", NOW_MS, &err));
    CHECK(settled_generation(store) == generation);
    store_close(other, 0);
    store_close(store, 0);
}

/* A queue of 64 KiB. Whether rows are written meanwhile is a matter of time, so only what must hold either way is asked. */
void contract_queue(const char *location)
{
    ARENA(arena);
    struct err err = {0};
    struct store *store = NULL;
    struct store_settings settings = {
        .location = location, .history_ns = 30 * NS_PER_DAY, .max_queue_bytes = 64u << 10};
    FINE(store_open(&settings, &store, &err));
    char user[ROW_ID];
    make_user(store, user);
    struct session_row session = sample_session(user);
    struct history_row row = sample_history(user, &session);
    char *sample = arena_alloc(&arena, 4096);
    memset(sample, ' ', 4095);
    memcpy(sample, "[]", 2);
    row.result_sample = sample;
    struct store_state state;
    for (int i = 0; i < 2000; i++) {
        uuid7(row.id);
        store_append_history(store, &row, &session);
        store_state(store, &state);
        CHECK(state.queued_bytes <= 64u << 10);
    }
    struct history_row *rows = NULL;
    size_t n = 0;
    struct history_filter filter = {.session_id = session.id, .failed = -1, .limit = 1000};
    size_t found = 0;
    char cursor[ROW_ID];
    do {
        FINE(store_history(store, &filter, &arena, &rows, &n, &err));
        found += n;
        if (n)
            memcpy(cursor, rows[n - 1].id, ROW_ID);
        filter.before_id = cursor;
    } while (n == 1000);
    store_state(store, &state);
    /* 2,000 rows of 4 KiB in a moment do not fit: samples went, then rows; none went uncounted. */
    CHECK(state.lost_samples > 0 && state.bad_rows == 0);
    CHECK(found + state.lost_rows == 2000);
    CHECK(state.written_rows == found && state.queued_rows == 0 && state.queued_bytes == 0);
    CHECK(state.oldest_queued_ms == 0);
    store_close(store, NS_PER_S);

    /* With no retention nothing is written at all. */
    settings.history_ns = 0;
    FINE(store_open(&settings, &store, &err));
    uuid7(row.id);
    store_append_history(store, &row, &session);
    GIVES(ERR_NOT_FOUND, store_history_get(store, NULL, row.id, &arena, &row, &err));
    store_close(store, NS_PER_S);

    /* What waits at the end is written. */
    store = open_store(location);
    struct history_row last = sample_history(user, &session);
    store_append_history(store, &last, &session);
    store_close(store, 30 * NS_PER_S);
    store = open_store(location);
    FINE(store_history_get(store, user, last.id, &arena, &row, &err));
    store_close(store, 0);
}

#define THREADS 6
#define ROUNDS 40

struct worker {
    struct store *store;
    pthread_t thread;
    char user[ROW_ID];
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct session_row session = sample_session(worker->user);
    struct err err = {0};
    for (int i = 0; i < ROUNDS; i++) {
        ARENA(arena);
        char name[32];
        struct connection_row row;
        struct connection_row *list = NULL;
        struct history_row query = sample_history(worker->user, &session);
        size_t n = 0;
        snprintf(name, sizeof name, "c%03d", i);
        struct connection_row connection = sample_connection(worker->user, name);
        connection.is_default = true;
        FINE(store_connection_add(worker->store, &connection, &err));
        store_append_history(worker->store, &query, &session);
        FINE(store_connection_get(worker->store, worker->user, connection.id, &arena, &row, &err));
        FINE(store_connections(worker->store, worker->user, NULL, 0, &arena, &list, &n, &err));
        CHECK(n == (size_t)i + 1);
        size_t defaults = 0;
        for (size_t k = 0; k < n; k++)
            defaults += list[k].is_default;
        CHECK(defaults == 1);
        store_generation(worker->store);
    }
    return NULL;
}

void contract_threads(const char *location)
{
    struct err err = {0};
    struct worker workers[THREADS];
    struct store *stores[2] = {open_store(location), open_store(location)};
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].store = stores[i % 2];
        make_user(stores[0], workers[i].user);
        CHECK(!pthread_create(&workers[i].thread, NULL, work, &workers[i]));
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    flush(stores[0]);
    flush(stores[1]);
    for (size_t i = 0; i < THREADS; i++) {
        ARENA(arena);
        struct history_row *rows = NULL;
        size_t n = 0;
        struct history_filter filter = {.user_id = workers[i].user, .failed = -1};
        FINE(store_history(stores[0], &filter, &arena, &rows, &n, &err));
        CHECK(n == ROUNDS);
    }
    store_close(stores[0], NS_PER_S);
    store_close(stores[1], NS_PER_S);
}
