/* SPDX-License-Identifier: Apache-2.0 */
/* History, cache, and what is swept. */
#include "contract.h"

static size_t count(struct store *store, struct arena *arena, struct history_filter filter,
                    struct history_row **ret_rows)
{
    struct err err = {0};
    struct history_row *rows = NULL;
    size_t n = 0;
    FINE(store_history(store, &filter, arena, &rows, &n, &err));
    if (ret_rows)
        *ret_rows = rows;
    return n;
}

static void check_same(const struct history_row *a, const struct history_row *b)
{
    CHECK(str_eq(a->id, b->id) && str_eq(a->call_id, b->call_id));
    CHECK(str_eq(a->session_id, b->session_id) && str_eq(a->user_id, b->user_id));
    CHECK(str_eq(a->connection_id, b->connection_id) &&
          str_eq(a->connection_name, b->connection_name));
    CHECK(str_eq(a->tool, b->tool) && str_eq(a->scope, b->scope));
    CHECK(str_eq(a->query_type, b->query_type) && str_eq(a->query_text, b->query_text));
    CHECK(str_eq(a->error_message, b->error_message));
    CHECK(a->result_count == b->result_count && a->execution_ms == b->execution_ms);
    CHECK(a->queried_ms == b->queried_ms && a->was_cached == b->was_cached);
}

void contract_history(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    struct history_row *rows;
    struct history_row row;
    char user[ROW_ID];
    char other[ROW_ID];
    make_user(store, user);
    make_user(store, other);
    struct session_row session = sample_session(user);
    struct session_row second = sample_session(user);
    struct history_row a = sample_history(user, &session);
    struct history_row b = sample_history(user, &second);
    b.connection_id[0] = 0; /* refused before one was chosen */
    b.connection_name = "";
    b.tool = "list_metrics";
    b.error_message = "no connection \"x\"";
    b.result_sample = "";
    b.queried_ms = NOW_MS + 10;
    b.was_cached = true;
    memcpy(b.call_id, a.call_id, ROW_ID);
    store_append_history(store, &a, &session);
    store_append_history(store, &b, &second);

    /* Seen at once by who wrote it. */
    CHECK(count(store, &arena, (struct history_filter){.user_id = user, .failed = -1}, &rows) == 2);
    check_same(&rows[0], &b);
    check_same(&rows[1], &a);
    CHECK(!rows[0].result_sample[0] && strstr(rows[1].result_sample, "\"value\""));
    CHECK(strstr(rows[1].query_params, "\"2h\""));
    FINE(store_history_get(store, user, a.id, &arena, &row, &err));
    check_same(&row, &a);
    FINE(store_history_get(store, NULL, a.id, &arena, &row, &err));
    GIVES(ERR_NOT_FOUND, store_history_get(store, other, a.id, &arena, &row, &err));
    GIVES(ERR_NOT_FOUND, store_history_get(store, user, a.call_id, &arena, &row, &err));

    const struct {
        struct history_filter filter;
        size_t want;
    } asks[] = {
        {{.user_id = other, .failed = -1}, 0},
        {{.session_id = session.id, .failed = -1}, 1},
        {{.connection_id = a.connection_id, .failed = -1}, 1},
        {{.user_id = user, .tool = "list_metrics", .failed = -1}, 1},
        {{.call_id = a.call_id, .failed = -1}, 2},
        {{.user_id = user, .failed = 0}, 1},
        {{.user_id = user, .failed = 1}, 1},
        {{.user_id = user, .failed = -1, .from_ms = NOW_MS + 10}, 1},
        {{.user_id = user, .failed = -1, .to_ms = NOW_MS + 10}, 1},
        {{.user_id = user, .failed = -1, .from_ms = NOW_MS, .to_ms = NOW_MS + 11}, 2},
        {{.user_id = user, .failed = -1, .before_id = b.id}, 1},
        {{.user_id = user, .session_id = session.id, .failed = 1}, 0},
        {{.user_id = user, .failed = -1, .limit = 1}, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
        size_t got = count(store, &arena, asks[i].filter, NULL);
        if (got != asks[i].want)
            fprintf(stderr, "ask %zu: got %zu, want %zu\n", i, got, asks[i].want);
        CHECK(got == asks[i].want);
    }
    /* The same row again is written once. */
    store_append_history(store, &a, &session);
    CHECK(count(store, &arena, (struct history_filter){.user_id = user, .failed = -1}, NULL) == 2);
    FINE(store_history_get(store, user, a.id, &arena, &row, &err));
    check_same(&row, &a);
}

/* Pages hold every row once, in one order, also when the clock was set back while they were written. */
void contract_history_pages(struct store *store)
{
    ARENA(arena);
    char user[ROW_ID];
    char before[ROW_ID] = "";
    make_user(store, user);
    struct session_row session = sample_session(user);
    for (int i = 0; i < 600; i++) {
        /* An hour back half way, as a bad time server would have it. */
        int64_t now = NOW_MS + 2 * i - (i >= 300 ? 3600 * 1000 : 0);
        clock_set_test(now * NS_PER_MS);
        struct history_row row = sample_history(user, &session);
        row.queried_ms = now;
        CHECK(strcmp(row.id, before) > 0);
        memcpy(before, row.id, ROW_ID);
        store_append_history(store, &row, &session);
    }
    clock_set_test(0);
    size_t seen = 0;
    char cursor[ROW_ID] = "";
    for (;;) {
        struct history_row *rows;
        struct history_filter filter = {
            .user_id = user, .failed = -1, .before_id = cursor[0] ? cursor : NULL, .limit = 64};
        size_t n = count(store, &arena, filter, &rows);
        if (!n)
            break;
        for (size_t i = 0; i < n; i++) {
            CHECK(!cursor[0] || strcmp(rows[i].id, cursor) < 0);
            memcpy(cursor, rows[i].id, ROW_ID);
        }
        seen += n;
    }
    CHECK(seen == 600);
}

static struct cache_row sample_cache(const char *connection_id, const char *hash)
{
    static const unsigned char data[] = {0, 1, 2, 0, 255, 'x'};
    struct cache_row row = {.scope = "tenant",
                            .query_type = "metrics",
                            .query_text = "up",
                            .query_params = "{}",
                            .data = data,
                            .size = sizeof data,
                            .result_count = 6,
                            .cached_ms = NOW_MS,
                            .expires_ms = NOW_MS + 1000};
    snprintf(row.connection_id, sizeof row.connection_id, "%s", connection_id);
    snprintf(row.hash, sizeof row.hash, "%s", hash);
    return row;
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

void contract_cache(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    struct cache_row row;
    char user[ROW_ID];
    make_user(store, user);
    struct connection_row connection = sample_connection(user, "cached");
    FINE(store_connection_add(store, &connection, &err));
    struct cache_row up = sample_cache(connection.id, HASH);
    GIVES(ERR_NOT_FOUND, store_get_cache(store, connection.id, HASH, NOW_MS, &arena, &row, &err));
    store_put_cache(store, &up);
    store_hit_cache(store, connection.id, HASH, 2);
    store_hit_cache(store, connection.id, HASH, 3);
    flush(store);
    /* A flush waits for history only; what may go is written with it or soon after. */
    for (int64_t end = clock_mono_ns() + 30 * NS_PER_S; clock_mono_ns() < end; sleep_ms(20))
        if (!store_get_cache(store, connection.id, HASH, NOW_MS, &arena, &row, &err) &&
            row.hit_count == 5)
            break;
    FINE(store_get_cache(store, connection.id, HASH, NOW_MS, &arena, &row, &err));
    CHECK(row.size == up.size && memcmp(row.data, up.data, up.size) == 0);
    CHECK(row.hit_count == 5 && row.result_count == 6 && str_eq(row.hash, HASH));
    CHECK(row.cached_ms == NOW_MS && row.expires_ms == NOW_MS + 1000);
    CHECK(str_eq(row.scope, "tenant") && str_eq(row.query_text, "up"));
    FINE(store_get_cache(store, connection.id, HASH, NOW_MS + 999, &arena, &row, &err));
    GIVES(ERR_NOT_FOUND,
          store_get_cache(store, connection.id, HASH, NOW_MS + 1000, &arena, &row, &err));

    /* A newer answer takes its place. */
    up.data = "new";
    up.size = 3;
    up.expires_ms = NOW_MS + 5000;
    store_put_cache(store, &up);
    /* One for a connection without a row is no mistake, and not kept. */
    char nowhere[ROW_ID];
    uuid7(nowhere);
    struct cache_row lost = sample_cache(nowhere, HASH);
    store_put_cache(store, &lost);
    for (int64_t end = clock_mono_ns() + 30 * NS_PER_S; clock_mono_ns() < end; sleep_ms(20))
        if (!store_get_cache(store, connection.id, HASH, NOW_MS + 2000, &arena, &row, &err))
            break;
    FINE(store_get_cache(store, connection.id, HASH, NOW_MS + 2000, &arena, &row, &err));
    CHECK(row.size == 3 && memcmp(row.data, "new", 3) == 0);
    GIVES(ERR_NOT_FOUND, store_get_cache(store, nowhere, HASH, NOW_MS, &arena, &row, &err));
    struct store_state state;
    store_state(store, &state);
    CHECK(state.bad_rows == 0 && state.lost_cache_rows == 0 && state.well);

    /* With its connection an answer goes at once. */
    FINE(store_connection_delete(store, user, connection.id, 0, NOW_MS, &err));
    GIVES(ERR_NOT_FOUND, store_get_cache(store, connection.id, HASH, NOW_MS, &arena, &row, &err));
}

void contract_sweep(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    char user[ROW_ID];
    size_t deleted = 0;
    int64_t now = NOW_MS + 31 * DAY_MS;
    make_user(store, user);
    while (!store_sweep(store, now, &deleted, &err) && deleted)
        ; /* what the other parts left */
    CHECK(!err.code);
    struct session_row session = sample_session(user);
    session.seen_ms = now;
    struct connection_row used = sample_connection(user, "used");
    struct connection_row unused = sample_connection(user, "unused");
    FINE(store_connection_add(store, &used, &err));
    FINE(store_connection_add(store, &unused, &err));
    struct history_row old = sample_history(user, &session);
    struct history_row young = sample_history(user, &session);
    memcpy(young.connection_id, used.id, ROW_ID);
    young.queried_ms = now - 29 * DAY_MS;
    store_append_history(store, &old, &session);
    store_append_history(store, &young, &session);
    struct cache_row stale = sample_cache(unused.id, HASH);
    store_put_cache(store, &stale);
    flush(store);
    struct cache_row cached;
    for (int64_t end = clock_mono_ns() + 30 * NS_PER_S; clock_mono_ns() < end; sleep_ms(20))
        if (!store_get_cache(store, unused.id, HASH, NOW_MS, &arena, &cached, &err))
            break;
    FINE(store_get_cache(store, unused.id, HASH, NOW_MS, &arena, &cached, &err));

    FINE(store_sweep(store, now, &deleted, &err));
    CHECK(deleted == 2); /* the old row and the stale answer */
    GIVES(ERR_NOT_FOUND, store_get_cache(store, unused.id, HASH, NOW_MS, &arena, &cached, &err));
    struct history_row *rows;
    CHECK(count(store, &arena, (struct history_filter){.user_id = user, .failed = -1}, &rows) == 1);
    CHECK(str_eq(rows[0].id, young.id));
    /* A deleted connection goes when its history has gone. */
    FINE(store_connection_delete(store, user, used.id, 0, now - 1, &err));
    FINE(store_connection_delete(store, user, unused.id, 0, now - 1, &err));
    FINE(store_sweep(store, now, &deleted, &err));
    CHECK(deleted == 1);
    FINE(store_sweep(store, now, &deleted, &err));
    CHECK(deleted == 0);
    FINE(store_sweep(store, now + 2 * DAY_MS, &deleted, &err));
    CHECK(deleted >= 1);
    do
        FINE(store_sweep(store, now + 2 * DAY_MS, &deleted, &err));
    while (deleted);
    CHECK(count(store, &arena, (struct history_filter){.user_id = user, .failed = -1}, NULL) == 0);
}
