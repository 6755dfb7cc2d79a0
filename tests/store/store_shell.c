/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store at the end of a pipe, for tests that need more than one process or a server that goes away. store_shell LOCATION reads one command a
 * line from standard input and answers each with one line:
 *
 *   disable 0|1      switches the user "keeper" off or on          ok | ERROR
 *   find             looks up the user "local"                     ok | ERROR
 *   append N         queues N rows of history                      ok
 *   count            rows of history of this process's session     N | ERROR
 *   state            well queued written lost bad                  0|1 N N N N
 *   generation       store_generation                              N
 *   changed          how often the change notice was called        N
 *   where            store_shown
 *   migrate          store_migrate                                 N | ERROR
 * ERROR is "error CODE MILLISECONDS TEXT". Opening prints "open" or an ERROR and ends. With --no-open it does not open, and only migrates.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"
#include "model/principal.h"
#include "store/store.h"

static struct store *store;
static struct session_row session;
static atomic_ulong changed;
static int64_t begun;

static void on_change(void *user)
{
    (void)user;
    atomic_fetch_add(&changed, 1);
}

static void answer(int r, const struct err *err)
{
    if (r == 0)
        puts("ok");
    else
        printf("error %d %" PRId64 " %s\n", r, (clock_mono_ns() - begun) / NS_PER_MS, err->text);
}

static void append(int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct history_row row = {.connection_name = "prod",
                                  .tool = "query_metrics",
                                  .scope = "",
                                  .query_type = "metrics",
                                  .query_text = "up",
                                  .query_params = "{}",
                                  .result_sample = "[1]",
                                  .error_message = "",
                                  .queried_ms = clock_unix_ns() / NS_PER_MS};
        uuid7(row.id);
        uuid7(row.call_id);
        memcpy(row.session_id, session.id, ROW_ID);
        memcpy(row.user_id, session.user_id, ROW_ID);
        store_append_history(store, &row, &session);
    }
    puts("ok");
}

static void count(void)
{
    size_t n = 0, page = 0;
    char before[ROW_ID] = "";
    do {
        struct arena arena;
        struct err err = {0};
        struct history_row *rows = NULL;
        struct history_filter filter = {.session_id = session.id,
                                        .failed = -1,
                                        .before_id = before[0] ? before : NULL,
                                        .limit = 1000};
        arena_init(&arena, (size_t)16 << 20, NULL);
        int r = store_history(store, &filter, &arena, &rows, &page, &err);
        if (r == 0 && page > 0)
            memcpy(before, rows[page - 1].id, ROW_ID);
        arena_finish(&arena);
        if (r != 0) {
            answer(r, &err);
            return;
        }
        n += page;
    } while (page == 1000);
    printf("%zu\n", n);
}

static void find(void)
{
    struct arena arena;
    struct user_row user;
    struct err err = {0};
    arena_init(&arena, 65536, NULL);
    answer(store_user_find(store, NULL, "local", NULL, &arena, &user, &err), &err);
    arena_finish(&arena);
}

static void tell_state(void)
{
    struct store_state state;
    store_state(store, &state);
    printf("%d %zu %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", state.well, state.queued_rows,
           state.written_rows, state.lost_rows, state.bad_rows);
}

static void migrate(const char *location)
{
    size_t applied = 0;
    struct err err = {0};
    int r = store_migrate(location, &applied, &err);
    if (r == 0)
        printf("%zu\n", applied);
    else
        answer(r, &err);
}

static void obey(const char *line, const char *location)
{
    struct err err = {0};
    int64_t n = 0;
    begun = clock_mono_ns();
    if (str_starts(line, "append ") && str_to_int(line + 7, 0, 1000000, &n) == 0)
        append(n);
    else if (str_starts(line, "disable "))
        answer(store_user_disable(store, USER_KEEPER_ID, line[8] == '1', &err), &err);
    else if (str_eq(line, "find"))
        find();
    else if (str_eq(line, "count"))
        count();
    else if (str_eq(line, "state"))
        tell_state();
    else if (str_eq(line, "generation"))
        printf("%" PRIu64 "\n", store_generation(store));
    else if (str_eq(line, "changed"))
        printf("%lu\n", atomic_load(&changed));
    else if (str_eq(line, "where"))
        puts(store_shown(store));
    else if (str_eq(line, "migrate"))
        migrate(location);
    else
        puts("what?");
}

int main(int argc, char **argv)
{
    char line[128];
    bool unopened = argc == 3 && str_eq(argv[1], "--no-open");
    if (argc != 2 && !unopened)
        return 2;
    const char *location = argv[argc - 1];
    struct store_settings settings = {
        .location = location, .history_ns = 30 * NS_PER_DAY, .migrate = true};
    struct err err = {0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    begun = clock_mono_ns();
    session = (struct session_row){.kind = "cli", .client = "store_shell", .started_ms = 1};
    uuid7(session.id);
    memcpy(session.user_id, USER_LOCAL_ID, ROW_ID);
    if (!unopened) {
        int r = store_open(&settings, &store, &err);
        if (r != 0) {
            answer(r, &err);
            return 1;
        }
        store_on_change(store, on_change, NULL);
    }
    puts("open");
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line, location);
    }
    store_close(store, 10 * NS_PER_S);
    return 0;
}
