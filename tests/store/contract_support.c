/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the suite and the tests beside it share. */
#include "contract.h"

#include <time.h>

void sleep_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
    nanosleep(&time, NULL);
}

uint64_t settled_generation(struct store *store)
{
    uint64_t before;
    uint64_t now = store_generation(store);
    do {
        before = now;
        sleep_ms(200);
        now = store_generation(store);
    } while (now != before);
    return now;
}

bool generation_moves(struct store *store, uint64_t from)
{
    for (int64_t end = clock_mono_ns() + 30 * NS_PER_S; clock_mono_ns() < end; sleep_ms(20))
        if (store_generation(store) != from)
            return true;
    return false;
}

void flush(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    struct history_filter filter = {.failed = -1, .limit = 1};
    struct history_row *rows = NULL;
    size_t n = 0;
    FINE(store_history(store, &filter, &arena, &rows, &n, &err));
}

struct store *open_store(const char *location)
{
    struct err err = {0};
    struct store *store = NULL;
    struct store_settings settings = {
        .location = location, .history_ns = 30 * NS_PER_DAY, .migrate = true};
    FINE(store_open(&settings, &store, &err));
    return store;
}

void make_user(struct store *store, char ret_id[ROW_ID])
{
    struct err err = {0};
    char name[32];
    struct user_row user = {.name = name, .created_ms = NOW_MS};
    uuid7(user.id);
    rand_handle(name, 20);
    FINE(store_user_add(store, &user, &err));
    memcpy(ret_id, user.id, ROW_ID);
}

struct connection_row sample_connection(const char *user_id, const char *name)
{
    struct connection_row row = {.name = name,
                                 .description = "of the shop",
                                 .backend_type = "prometheus",
                                 .config = "{\"url\": \"http://127.0.0.1:9090\"}",
                                 .tags = "{\"env\": \"prod\"}",
                                 .source = "rest",
                                 .enabled = true,
                                 .health_error = "",
                                 .created_ms = NOW_MS,
                                 .updated_ms = NOW_MS};
    uuid7(row.id);
    snprintf(row.user_id, sizeof row.user_id, "%s", user_id);
    return row;
}

struct session_row sample_session(const char *user_id)
{
    struct session_row session = {
        .kind = "http", .client = "an agent 1.0", .started_ms = NOW_MS, .seen_ms = NOW_MS};
    uuid7(session.id);
    snprintf(session.user_id, sizeof session.user_id, "%s", user_id);
    return session;
}

struct history_row sample_history(const char *user_id, const struct session_row *session)
{
    struct history_row row = {.connection_name = "prod",
                              .tool = "query_metrics",
                              .scope = "tenant-1",
                              .query_type = "metrics",
                              .query_text = "rate(http_requests_total[5m])",
                              .query_params = "{\"since\": \"2h\"}",
                              .result_sample = "[{\"value\": 1}]",
                              .error_message = "",
                              .result_count = 7,
                              .execution_ms = 20,
                              .queried_ms = NOW_MS,
                              .was_cached = false};
    uuid7(row.id);
    uuid7(row.call_id);
    memcpy(row.session_id, session->id, ROW_ID);
    uuid7(row.connection_id);
    snprintf(row.user_id, sizeof row.user_id, "%s", user_id);
    return row;
}
