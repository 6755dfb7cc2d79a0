/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is PostgreSQL's own beyond the contract of the store: addresses, errors, lost prepared statements, lost connections, batches, notices.
 * SONDE_TEST_POSTGRES is the address of an empty database.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/thread.h"
#include "cmocka_all.h"
#include "model/principal.h"
#include "store/postgres/internal.h"

static const char *location;
static const struct driver_table *const table = &driver_postgres;

static struct driver *open_driver(const char *where)
{
    struct driver *driver = NULL;
    struct err err = {0};
    if (table->open(where, &driver, &err) != 0)
        fail_msg("%s", err.text);
    return driver;
}

/* A session beside the driver, for what only somebody else can do. */
static void outside(const char *sql)
{
    struct address address;
    struct conn conn = {0};
    struct err err = {0};
    assert_int_equal(pg_address_parse(location, &address, &err), 0);
    if (pg_connect(&address, true, &conn, &err) != 0 || pg_script(&conn, sql, &err) != 0)
        fail_msg("%s: %s", sql, err.text);
    pg_disconnect(&conn);
    pg_address_finish(&address);
}

static int64_t count(struct driver *driver, const char *sql)
{
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct conn conn = {0};
    struct err err = {0};
    if (pg_connect(&driver->address, true, &conn, &err) != 0 ||
        pg_run_once(&conn, sql, NULL, &result, &err) != 0)
        fail_msg("%s: %s", sql, err.text);
    int64_t n = pg_column_int(result, 0, 0);
    pg_disconnect(&conn);
    return n;
}

static void addresses_that_hide_a_password(void **state)
{
    static const char *const bad[] = {
        "postgresql://u:hun/ter2@h/db",
        "postgresql://u:hun@ter2@h/db",
        "postgresql://u:hun?ter2@h/db",
        "postgresql://u:hun#ter2@h/db",
        "postgresql://h:hunter2/db",
        "postgresql://u:hunter2@h/db?hunter2=1",
        "postgresql://u:hun%zzter2@h/db",
        "postgresql://u:hunter2@h/db?connect_timeout=hunter2",
        "postgresql://u:hunter2@h/db?sonde_notify=hunter2",
        "postgresql://u:hunter2@h/db?sonde_direct=h:hunter2",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct address address;
        struct err err = {0};
        assert_int_equal(pg_address_parse(bad[i], &address, &err), ERR_INVALID);
        assert_null(strstr(err.text, "hun"));
        assert_null(strstr(err.text, "ter2"));
        assert_non_null(strstr(err.text, "postgresql://USER:PASSWORD@HOST"));
    }
}

static void addresses_with_our_parameters(void **state)
{
    struct address address;
    (void)state;
    assert_int_equal(pg_address_parse("postgresql://u:p%40ss@h:5433/d?sonde_notify=off&sslmode="
                                      "disable&sonde_direct=db.example:5432",
                                      &address, NULL),
                     0);
    assert_true(address.quiet);
    assert_string_equal(address.direct, "db.example");
    assert_string_equal(address.direct_port, "5432");
    assert_string_equal(pg_address_option(&address, "sslmode"), "disable");
    assert_string_equal(pg_address_option(&address, "password"), "p@ss");
    assert_string_equal(address.where, "PostgreSQL at h:5433, database d");
    pg_address_finish(&address);
    assert_int_equal(pg_address_parse("postgres://h/d?sonde_notify=on", &address, NULL), 0);
    assert_false(address.quiet);
    assert_string_equal(address.where, "PostgreSQL at h, database d");
    pg_address_finish(&address);
}

static void a_wrong_password_is_not_shown(void **state)
{
    struct address address;
    struct driver *driver = NULL;
    struct err err = {0};
    char wrong[512], where[64];
    (void)state;
    assert_int_equal(pg_address_parse(location, &address, NULL), 0);
    snprintf(wrong, sizeof wrong, "postgresql://sonde:hunter2@%s:%s/%s",
             pg_address_option(&address, "host"), pg_address_option(&address, "port"),
             pg_address_option(&address, "dbname"));
    assert_int_equal(table->open(wrong, &driver, &err), ERR_UNAVAILABLE);
    assert_null(strstr(err.text, "hunter2"));
    assert_non_null(strstr(err.text, "user sonde"));
    snprintf(where, sizeof where, "%s:%s", pg_address_option(&address, "host"),
             pg_address_option(&address, "port"));
    assert_non_null(strstr(err.text, where));
    assert_non_null(strstr(err.text, pg_address_option(&address, "dbname")));
    assert_non_null(strstr(err.text, "check user and password"));
    pg_address_finish(&address);
}

static struct connection_row a_connection(const char *name)
{
    struct connection_row row = {.user_id = USER_LOCAL_ID,
                                 .name = name,
                                 .description = "",
                                 .backend_type = "prometheus",
                                 .config = "{\"url\": \"http://h\",  \"n\":1.50, \"a\":1}",
                                 .tags = "{}",
                                 .source = "cli",
                                 .enabled = true,
                                 .health_error = "",
                                 .created_ms = 1700000000123,
                                 .updated_ms = 1700000000123};
    uuid7(row.id);
    return row;
}

static void users_tokens_and_connections(void **state)
{
    struct driver *driver = open_driver(location);
    struct arena arena;
    struct err err = {0};
    (void)state;
    arena_init(&arena, 1 << 20, NULL);
    struct user_row user = {
        .name = "ann", .external = "https://i ann", .created_ms = 1700000000001};
    uuid7(user.id);
    assert_int_equal(table->user_add(driver, &user, &err), 0);
    assert_int_equal(table->user_add(driver, &user, &err), ERR_CONFLICT);
    struct user_row found;
    assert_int_equal(table->user_find(driver, NULL, "ann", NULL, &arena, &found, &err), 0);
    assert_string_equal(found.id, user.id);
    assert_true(found.created_ms == 1700000000001);
    assert_int_equal(table->user_find(driver, "no uuid", NULL, NULL, &arena, &found, &err),
                     ERR_NOT_FOUND);

    struct token_row token = {.name = "t", .prefix = "sonde_ab", .rights = 7, .created_ms = 5};
    uuid7(token.id);
    memcpy(token.user_id, user.id, ROW_ID);
    for (size_t i = 0; i < 32; i++)
        token.hash[i] = (unsigned char)(i * 8);
    assert_int_equal(table->token_add(driver, &token, &err), 0);
    struct token_row *tokens;
    size_t n;
    assert_int_equal(table->tokens(driver, user.id, &arena, &tokens, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_memory_equal(tokens[0].hash, token.hash, 32);
    assert_true(tokens[0].expires_ms == 0 && tokens[0].revoked_ms == 0);
    assert_null(tokens[0].connections);
    assert_int_equal(table->token_revoke(driver, token.id, 9, &err), 0);

    struct connection_row row = a_connection("swap"), read;
    assert_int_equal(table->connection_add(driver, &row, &err), 0);
    assert_int_equal(table->connection_get(driver, USER_LOCAL_ID, row.id, &arena, &read, &err), 0);
    assert_true(read.created_ms == row.created_ms);
    /* The bytes are others, the meaning is the same: what was read can be put in the place of itself. */
    bool swapped = false;
    assert_int_equal(
        table->connection_rewrap(driver, row.id, read.config, "{\"url\":\"x\"}", &swapped, &err),
        0);
    assert_true(swapped);
    assert_int_equal(table->connection_rewrap(driver, row.id, read.config, "{}", &swapped, &err),
                     0);
    assert_false(swapped);
    assert_int_equal(table->connection_get(driver, USER_LOCAL_ID, row.id, &arena, &read, &err), 0);
    assert_int_equal(read.revision, 1);
    arena_finish(&arena);
    table->close(driver);
}

/* --- batches --- */
#define BATCH 64
struct some_rows {
    struct queued rows[BATCH];
    struct queued *list[BATCH];
};

static void fill(struct some_rows *some)
{
    char session[ROW_ID];
    uuid7(session);
    for (size_t i = 0; i < BATCH; i++) {
        struct queued *q = &some->rows[i];
        *q = (struct queued){.type = QUEUED_HISTORY};
        struct history_row *row = &q->history.row;
        uuid7(row->id);
        uuid7(row->call_id);
        memcpy(row->session_id, session, ROW_ID);
        memcpy(row->user_id, USER_LOCAL_ID, ROW_ID);
        row->connection_name = "prod";
        row->tool = "query_metrics";
        row->scope = "";
        row->query_type = "metrics";
        row->query_text = "sum by (pod) (rate(http_requests_total{code=~\"5..\"}[5m]))";
        row->query_params = "{\"query\":\"errors\",\"range\":\"1h\"}";
        row->result_sample = "[{\"labels\":{\"pod\":\"a\"},\"value\":1.5}]";
        row->error_message = "";
        row->result_count = 1;
        row->execution_ms = 20;
        row->queried_ms = 1700000000000 + (int64_t)i;
        q->history.session = (struct session_row){
            .kind = "stdio", .client = "test 1", .started_ms = 1, .seen_ms = 2};
        memcpy(q->history.session.id, session, ROW_ID);
        memcpy(q->history.session.user_id, USER_LOCAL_ID, ROW_ID);
        some->list[i] = q;
    }
}

static size_t rows_of_session(struct driver *driver, const char *session)
{
    struct arena arena;
    struct err err = {0};
    struct history_row *rows = NULL;
    size_t n = 0;
    arena_init(&arena, 4 << 20, NULL);
    struct history_filter filter = {.session_id = session, .failed = -1, .limit = 1000};
    int r = table->history(driver, &filter, &arena, &rows, &n, &err);
    arena_finish(&arena);
    if (r != 0)
        fail_msg("%s", err.text);
    return n;
}

static void batches(void **state)
{
    struct driver *driver = open_driver(location);
    struct some_rows *some = mem_alloc(sizeof *some);
    struct err err = {0};
    (void)state;
    fill(some);
    const char *session = some->rows[0].history.session.id;
    assert_int_equal(table->write_batch(driver, some->list, BATCH, &err), 0);
    assert_int_equal(rows_of_session(driver, session), BATCH);
    /* The same once more, as after a commit that was not heard of. */
    assert_int_equal(table->write_batch(driver, some->list, BATCH, &err), 0);
    assert_int_equal(rows_of_session(driver, session), BATCH);

    static const char *const bad[][2] = {{"{\"a\":\"\\u0000\"}", "NUL in JSON"},
                                         {"{no json", "no JSON"},
                                         {"{\"a\":\"\xff\"}", "no UTF-8"}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fill(some);
        session = some->rows[0].history.session.id;
        some->rows[40].history.row.query_params = bad[i][0];
        assert_int_equal(table->write_batch(driver, some->list, BATCH, &err), ERR_INVALID);
        assert_int_equal(rows_of_session(driver, session), 0);
        assert_int_equal(table->write_batch(driver, some->list, 40, &err), 0);
        assert_int_equal(table->write_batch(driver, some->list + 40, 1, &err), ERR_INVALID);
        assert_int_equal(table->write_batch(driver, some->list + 41, 23, &err), 0);
        assert_int_equal(rows_of_session(driver, session), BATCH - 1);
    }
    mem_free(some);
    table->close(driver);
}

static void statements_that_are_gone(void **state)
{
    struct driver *driver = open_driver(location);
    struct some_rows *some = mem_alloc(sizeof *some);
    struct err err = {0};
    struct arena arena;
    struct user_row user;
    (void)state;
    arena_init(&arena, 1 << 20, NULL);
    for (int round = 0; round < 3; round++) {
        fill(some);
        assert_int_equal(table->write_batch(driver, some->list, BATCH, &err), 0);
        assert_int_equal(table->user_find(driver, USER_LOCAL_ID, NULL, NULL, &arena, &user, &err),
                         0);
        assert_int_equal(table->user_disable(driver, USER_KEEPER_ID, false, &err), 0);
        /* What is done without preparing is an exception. */
        struct conn *conn = &driver->conns[0];
        assert_true(conn->prepared_count > 0);
        /* As a pooler does: another server behind the same socket. */
        assert_int_equal(pg_script(conn, "DEALLOCATE ALL", &err), 0);
        fill(some);
        assert_int_equal(table->write_batch(driver, some->list, BATCH, &err), 0);
        assert_int_equal(rows_of_session(driver, some->rows[0].history.session.id), BATCH);
        assert_int_equal(pg_script(conn, "DEALLOCATE ALL", &err), 0);
        assert_int_equal(table->user_find(driver, USER_LOCAL_ID, NULL, NULL, &arena, &user, &err),
                         0);
        assert_int_equal(pg_script(conn, "DEALLOCATE ALL", &err), 0);
        assert_int_equal(table->user_disable(driver, USER_KEEPER_ID, false, &err), 0);
        /* And the other way round: it has what we do not know of. */
        conn->prepared_count = 0;
        assert_int_equal(table->user_find(driver, USER_LOCAL_ID, NULL, NULL, &arena, &user, &err),
                         0);
        conn->prepared_count = 0;
        assert_int_equal(table->user_disable(driver, USER_KEEPER_ID, false, &err), 0);
        conn->prepared_count = 0;
        fill(some);
        assert_int_equal(table->write_batch(driver, some->list, BATCH, &err), 0);
    }
    mem_free(some);
    arena_finish(&arena);
    table->close(driver);
}

static const char end_all[] = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE "
                              "application_name = 'sonde' AND pid <> pg_backend_pid()";

static void connections_that_are_gone(void **state)
{
    struct driver *driver = open_driver(location);
    struct err err = {0};
    struct arena arena;
    struct user_row user;
    (void)state;
    arena_init(&arena, 1 << 20, NULL);
    const char *value;
    assert_int_equal(table->setting_init(driver, "turn", "v0", &arena, &value, &err), 0);
    for (int i = 0; i < 5; i++) {
        outside(end_all);
        /* Writes too: that it has ended is seen before anything is sent. */
        assert_int_equal(table->user_disable(driver, USER_KEEPER_ID, false, &err), 0);
        outside(end_all);
        /* The first prepares the statement; then nothing but the write itself meets the end. */
        for (int j = 0; j < 2; j++) {
            bool swapped = false;
            const char *before = j == 0 ? "v0" : "v1", *after = j == 0 ? "v1" : "v0";
            assert_int_equal(table->setting_swap(driver, "turn", before, after, &swapped, &err), 0);
            assert_true(swapped);
            outside(end_all);
        }
        outside(end_all);
        assert_int_equal(table->user_find(driver, USER_LOCAL_ID, NULL, NULL, &arena, &user, &err),
                         0);
    }
    arena_finish(&arena);
    table->close(driver);
}

static void locks_that_are_held(void **state)
{
    struct driver *driver = open_driver(location);
    struct address address;
    struct conn other = {0};
    struct err err = {0};
    (void)state;
    assert_int_equal(pg_address_parse(location, &address, NULL), 0);
    assert_int_equal(pg_connect(&address, true, &other, &err), 0);
    assert_int_equal(pg_script(&other, "BEGIN; LOCK TABLE users", &err), 0);
    int64_t start = clock_mono_ns();
    assert_int_equal(table->user_disable(driver, USER_KEEPER_ID, false, &err), ERR_BUSY);
    assert_true(clock_mono_ns() - start < 30 * NS_PER_S);
    assert_int_equal(pg_script(&other, "ROLLBACK", &err), 0);
    assert_int_equal(table->user_disable(driver, USER_KEEPER_ID, false, &err), 0);
    pg_disconnect(&other);
    pg_address_finish(&address);
    table->close(driver);
}

/* --- notices --- */
static bool seen_within(struct driver *driver, int64_t seconds)
{
    int64_t deadline = clock_mono_ns() + seconds * NS_PER_S;
    while (clock_mono_ns() < deadline) {
        if (table->wait_change(driver, 200))
            return true;
    }
    return false;
}

static void drain(struct driver *driver)
{
    for (int quiet = 0; quiet < 3;)
        quiet = table->wait_change(driver, 100) ? 0 : quiet + 1;
}

static void changes_of_others(void **state)
{
    char silent[600];
    (void)state;
    snprintf(silent, sizeof silent, "%s%ssonde_notify=off", location,
             strchr(location, '?') ? "&" : "?");
    struct driver *writer = open_driver(location), *loud = open_driver(location),
                  *quiet = open_driver(silent);
    struct err err = {0};
    drain(loud);
    drain(quiet);
    uint64_t before = table->generation(loud);
    int64_t start = clock_mono_ns();
    assert_int_equal(table->user_disable(writer, USER_KEEPER_ID, false, &err), 0);
    assert_true(seen_within(loud, 4)); /* by polling it would be 5 s */
    printf("notified after %.1f ms\n", (double)(clock_mono_ns() - start) / 1e6);
    assert_true(table->generation(loud) != before);
    assert_true(seen_within(quiet, 10));
    printf("polled after %.1f s\n", (double)(clock_mono_ns() - start) / 1e9);
    /* The listener's own end counts as a change, and it comes again. */
    drain(loud);
    outside(end_all);
    assert_true(seen_within(loud, 20));
    drain(loud);
    assert_int_equal(table->user_disable(writer, USER_KEEPER_ID, false, &err), 0);
    assert_true(seen_within(loud, 4));
    /* Health is no change of anything. */
    drain(loud);
    struct connection_row row = a_connection("health");
    assert_int_equal(table->connection_add(writer, &row, &err), 0);
    drain(loud);
    before = table->generation(loud);
    assert_int_equal(
        table->connection_health(writer, row.id, HEALTH_DEGRADED, "slow", 1700000000000, &err), 0);
    drain(loud);
    assert_true(table->generation(loud) == before);
    table->close(writer);
    table->close(loud);
    table->close(quiet);
}

static void *wait_long(void *driver)
{
    table->wait_change(driver, 600000);
    while (table->wait_change(driver, 600000))
        ;
    return NULL;
}

static void waiting_can_be_stopped(void **state)
{
    struct driver *driver = open_driver(location);
    pthread_t thread;
    (void)state;
    assert_int_equal(thread_start(&thread, "wait", 262144, wait_long, driver), 0);
    struct err err = {0};
    assert_int_equal(table->user_disable(driver, USER_KEEPER_ID, false, &err), 0);
    table->stop_waiting(driver);
    pthread_join(thread, NULL);
    table->close(driver);
}

/* --- many at once --- */
struct worker {
    struct driver *driver;
    int failures;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct arena arena;
    struct err err = {0};
    for (int i = 0; i < 20; i++) {
        struct connection_row row = a_connection(NULL), read;
        char name[64];
        snprintf(name, sizeof name, "c-%s", row.id);
        row.name = name;
        row.is_default = true; /* all of them want it */
        arena_init(&arena, 1 << 20, NULL);
        if (table->connection_add(worker->driver, &row, &err) != 0 ||
            table->connection_get(worker->driver, USER_LOCAL_ID, row.id, &arena, &read, &err) !=
                0) {
            worker->failures++;
            fprintf(stderr, "%s\n", err.text);
        }
        arena_finish(&arena);
    }
    return NULL;
}

static void many_threads(void **state)
{
    struct driver *driver = open_driver(location);
    struct worker workers[12];
    pthread_t threads[12];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
        workers[i] = (struct worker){.driver = driver};
        assert_int_equal(thread_start(&threads[i], "work", 262144, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    assert_int_equal(
        count(driver, "SELECT count(*) FROM observability_connections WHERE is_default"), 1);
    table->close(driver);
}

static void *migrate_once(void *argument)
{
    struct err err = {0};
    size_t applied = 99;
    int r = table->migrate(location, &applied, &err);
    *(int *)argument = r != 0 ? -1 : (int)applied;
    if (r != 0)
        fprintf(stderr, "%s\n", err.text);
    return NULL;
}

static int make_schema(void **state)
{
    pthread_t threads[4];
    int applied[4], sum = 0;
    bool missing = false;
    struct err err = {0};
    (void)state;
    struct driver *driver = open_driver(location);
    assert_int_equal(table->check_schema(driver, &missing, &err), ERR_INVALID);
    assert_true(missing);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(thread_start(&threads[i], "migrate", 262144, migrate_once, &applied[i]),
                         0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(applied[i] >= 0);
        sum += applied[i];
    }
    assert_int_equal(sum, migration_count);
    assert_int_equal(table->check_schema(driver, &missing, &err), 0);
    table->close(driver);
    return 0;
}

static void schemas_of_others(void **state)
{
    struct driver *driver = open_driver(location);
    struct err err = {0};
    bool missing = true;
    size_t applied = 99;
    (void)state;
    outside("INSERT INTO schema_migrations VALUES (9999, '9999_later', repeat('a', 64), now())");
    assert_int_equal(table->check_schema(driver, &missing, &err), ERR_INVALID);
    assert_false(missing);
    assert_int_equal(table->migrate(location, &applied, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "9999"));
    assert_int_equal(applied, 99);
    outside("DELETE FROM schema_migrations WHERE version = 9999; UPDATE schema_migrations SET "
            "sha256 = translate(sha256, '0123456789abcdef', '123456789abcdef0')");
    assert_int_equal(table->check_schema(driver, &missing, &err), ERR_INVALID);
    assert_false(missing);
    assert_int_equal(table->migrate(location, &applied, &err), ERR_INVALID);
    outside("UPDATE schema_migrations SET sha256 = translate(sha256, '123456789abcdef0', "
            "'0123456789abcdef')");
    assert_int_equal(table->check_schema(driver, &missing, &err), 0);
    table->close(driver);
}

/* How fast it is, for people; asserts nothing. */
static void rates(void **state)
{
    struct driver *driver = open_driver(location);
    struct some_rows *some = mem_alloc(sizeof *some);
    struct err err = {0};
    struct arena arena;
    struct user_row user;
    (void)state;
    int64_t start = clock_mono_ns(), spent = 0;
    size_t rows = 0;
    while (clock_mono_ns() - start < NS_PER_S) {
        fill(some);
        int64_t begin = clock_mono_ns();
        assert_int_equal(table->write_batch(driver, some->list, BATCH, &err), 0);
        spent += clock_mono_ns() - begin;
        rows += BATCH;
    }
    printf("history: %.0f rows/s in batches of %d\n", (double)rows / ((double)spent / 1e9), BATCH);
    start = clock_mono_ns();
    size_t reads = 0;
    for (; clock_mono_ns() - start < NS_PER_S; reads++) {
        arena_init(&arena, 65536, NULL);
        assert_int_equal(table->user_find(driver, USER_LOCAL_ID, NULL, NULL, &arena, &user, &err),
                         0);
        arena_finish(&arena);
    }
    printf("point reads: %zu/s on one thread\n", reads);
    mem_free(some);
    table->close(driver);
}

int main(void)
{
    location = getenv("SONDE_TEST_POSTGRES");
    if (!location) {
        puts("skipped: SONDE_TEST_POSTGRES names no database; tests/store/postgres.sh starts one");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_hide_a_password),
        cmocka_unit_test(addresses_with_our_parameters),
        cmocka_unit_test(a_wrong_password_is_not_shown),
        cmocka_unit_test(users_tokens_and_connections),
        cmocka_unit_test(batches),
        cmocka_unit_test(statements_that_are_gone),
        cmocka_unit_test(connections_that_are_gone),
        cmocka_unit_test(locks_that_are_held),
        cmocka_unit_test(changes_of_others),
        cmocka_unit_test(waiting_can_be_stopped),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(schemas_of_others),
        cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests(tests, make_schema, NULL);
}
