/* SPDX-License-Identifier: Apache-2.0 */
/* test_sqlite FOLDER: what SQLite alone must bear. FOLDER is empty and goes with the caller. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static char folder[256];

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* As an operator's sqlite3 would. */
static void change(const char *path, const char *sql)
{
    sqlite3 *db;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message))
        fprintf(stderr, "%s\n", message);
    CHECK(!message);
    sqlite3_close(db);
}

static void check_integrity(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(str_eq((const char *)sqlite3_column_text(statement, 0), "ok"));
    sqlite3_finalize(statement);
    CHECK(sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &statement, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    CHECK(stat(path, &status) == 0);
    return status.st_mode & 07777;
}

static void test_modes(void)
{
    struct err err = {0};
    umask(0);
    struct store *store = open_store(path_of("modes/deep/sonde.db"));
    CHECK(mode_of(path_of("modes")) == 0700 && mode_of(path_of("modes/deep")) == 0700);
    CHECK(mode_of(path_of("modes/deep/sonde.db")) == 0600);
    CHECK(mode_of(path_of("modes/deep/sonde.db.lock")) == 0600);
    char user[ROW_ID];
    make_user(store, user);
    CHECK(mode_of(path_of("modes/deep/sonde.db-wal")) == 0600);
    store_close(store, 0);
    /* A log is not left behind, nor is a half-made database. */
    CHECK(access(path_of("modes/deep/sonde.db-wal"), F_OK) != 0);
    CHECK(chmod(path_of("modes/deep/sonde.db"), 0644) == 0);
    store = open_store(path_of("modes/deep/sonde.db"));
    CHECK(mode_of(path_of("modes/deep/sonde.db")) == 0600);
    store_close(store, 0);
    /* A file somebody made beforehand becomes the database. */
    int fd = open(path_of("modes/empty.db"), O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
    store = open_store(path_of("modes/empty.db"));
    make_user(store, user);
    struct user_row found;
    ARENA(arena);
    FINE(store_user_find(store, user, NULL, NULL, &arena, &found, &err));
    store_close(store, 0);
}

static void check_refused(const char *path, const char *word)
{
    struct err err = {0};
    struct store *store = NULL;
    size_t applied = 0;
    size_t size = 0;
    size_t size_after = 0;
    CLEANUP(mem_freep) char *before = NULL;
    CLEANUP(mem_freep) char *after = NULL;
    struct store_settings settings = {.location = path, .history_ns = NS_PER_DAY, .migrate = true};
    FINE(file_read(path, 64u << 20, &before, &size, &err));
    int r = store_open(&settings, &store, &err);
    if (!r || !strstr(err.text, word))
        fprintf(stderr, "%d: %s\n", r, err.text);
    CHECK(r && !store && strstr(err.text, word));
    CHECK(store_migrate(path, &applied, &err) && strstr(err.text, word));
    FINE(file_read(path, 64u << 20, &after, &size_after, &err));
    CHECK(size == size_after && memcmp(before, after, size) == 0);
}

static void test_refusals(void)
{
    struct err err = {0};
    struct store *store = open_store(path_of("newer.db"));
    store_close(store, 0);
    change(path_of("newer.db"),
           "INSERT INTO schema_migrations VALUES (9999, '9999_later', printf('%064d', 0), 1)");
    check_refused(path_of("newer.db"), "newer");
    ARENA(arena);
    struct store_migration *list = NULL;
    size_t n = 0;
    GIVES(ERR_INVALID, store_migrations(path_of("newer.db"), &arena, &list, &n, &err));

    store = open_store(path_of("changed.db"));
    store_close(store, 0);
    change(path_of("changed.db"), "UPDATE schema_migrations SET sha256 = printf('%064d', 0)");
    check_refused(path_of("changed.db"), "another text");
    change(path_of("changed.db"), "UPDATE schema_migrations SET name = '0001_other'");
    check_refused(path_of("changed.db"), "another line");

    change(path_of("foreign.db"), "CREATE TABLE notes (text TEXT)");
    check_refused(path_of("foreign.db"), "another program");
    FILE *file = fopen(path_of("text.db"), "w");
    CHECK(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    CHECK(fclose(file) == 0);
    check_refused(path_of("text.db"), "no database");
    struct store_settings settings = {.location = folder, .history_ns = 1, .migrate = true};
    GIVES(ERR_INVALID, store_open(&settings, &store, &err));
    settings.location = ":memory:";
    GIVES(ERR_INVALID, store_open(&settings, &store, &err));
    settings.location = "/dev/null/x/sonde.db";
    GIVES(ERR_UNAVAILABLE, store_open(&settings, &store, &err));
}

/* Several start at once where nothing is yet: one makes and migrates the database, the others find it made. */
static void test_migrators(void)
{
    for (int round = 0; round < 5; round++) {
        char name[64];
        pid_t children[6];
        int pipes[2];
        size_t total = 0;
        CHECK(pipe(pipes) == 0);
        snprintf(name, sizeof name, "race%d/a/sonde.db", round);
        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
            children[i] = fork();
            if (children[i])
                continue;
            struct err err = {0};
            size_t applied = 0;
            FINE(store_migrate(path_of(name), &applied, &err));
            unsigned char byte = (unsigned char)applied;
            _exit(write(pipes[1], &byte, 1) == 1 ? 0 : 1);
        }
        close(pipes[1]);
        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
            int status;
            CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
        }
        unsigned char byte;
        while (read(pipes[0], &byte, 1) == 1)
            total += byte;
        close(pipes[0]);
        ARENA(arena);
        struct err err = {0};
        struct store_migration *list = NULL;
        size_t n = 0;
        FINE(store_migrations(path_of(name), &arena, &list, &n, &err));
        CHECK(total == n);
        check_integrity(path_of(name));
    }
}

/* Another process holds the lock: who needs an answer gets one after two seconds, history waits and is not lost. */
static void test_lock_held(void)
{
    struct err err = {0};
    ARENA(arena);
    struct store *store = open_store(path_of("held.db"));
    struct store_state state;
    struct user_row *users = NULL;
    struct history_row found;
    size_t n = 0;
    char user[ROW_ID];
    make_user(store, user);
    int fd = open(path_of("held.db.lock"), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    struct session_row session = sample_session(user);
    struct history_row row = sample_history(user, &session);
    store_append_history(store, &row, &session);
    struct user_row late = {.name = "late", .created_ms = NOW_MS};
    uuid7(late.id);
    GIVES(ERR_BUSY, store_user_add(store, &late, &err));
    store_state(store, &state);
    CHECK(!state.well && state.error[0] && state.queued_rows == 1 && state.lost_rows == 0);
    FINE(store_users(store, &arena, &users, &n, &err)); /* reading never waits for it */
    CHECK(n == 4);
    CHECK(flock(fd, LOCK_UN) == 0 && close(fd) == 0);
    FINE(store_user_add(store, &late, &err));
    bool there = false;
    for (int64_t end = clock_mono_ns() + 60 * NS_PER_S; !there && clock_mono_ns() < end;)
        there = !store_history_get(store, user, row.id, &arena, &found, &err);
    CHECK(there);
    store_state(store, &state);
    CHECK(state.well && state.lost_rows == 0 && state.bad_rows == 0);
    store_close(store, NS_PER_S);
}

static void set_limit(rlim_t limit)
{
    struct rlimit limits;
    CHECK(getrlimit(RLIMIT_FSIZE, &limits) == 0);
    limits.rlim_cur = limit;
    CHECK(setrlimit(RLIMIT_FSIZE, &limits) == 0);
}

/* No file may grow: what a full disk looks like to a process without rights. Users are told, history waits, and all goes on later. */
static void test_disk_full(void)
{
    struct err err = {0};
    ARENA(arena);
    struct store *store = open_store(path_of("full.db"));
    struct store_state state;
    char user[ROW_ID];
    char id[ROW_ID];
    make_user(store, user);
    struct session_row session = sample_session(user);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    struct rlimit before;
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    struct stat status;
    CHECK(stat(path_of("full.db-wal"), &status) == 0);
    set_limit((rlim_t)status.st_size);
    struct user_row late = {.name = "late", .created_ms = NOW_MS};
    uuid7(late.id);
    GIVES(ERR_SYSTEM, store_user_add(store, &late, &err));
    CHECK(strstr(err.text, "full.db"));
    for (int i = 0; i < 50; i++) {
        struct history_row row = sample_history(user, &session);
        store_append_history(store, &row, &session);
        memcpy(id, row.id, ROW_ID);
    }
    store_state(store, &state);
    CHECK(!state.well && state.queued_rows > 0 && state.lost_rows == 0 && state.error[0]);
    struct user_row found;
    GIVES(ERR_NOT_FOUND, store_user_find(store, late.id, NULL, NULL, &arena, &found, &err));

    set_limit(before.rlim_cur);
    FINE(store_user_add(store, &late, &err));
    struct history_filter filter = {.session_id = session.id, .failed = -1};
    struct history_row *rows = NULL;
    size_t n = 0;
    for (int64_t end = clock_mono_ns() + 60 * NS_PER_S; n < 50 && clock_mono_ns() < end;)
        FINE(store_history(store, &filter, &arena, &rows, &n, &err));
    CHECK(n == 50 && str_eq(rows[0].id, id));
    store_state(store, &state);
    CHECK(state.well && state.lost_rows == 0);
    store_close(store, NS_PER_S);
    check_integrity(path_of("full.db"));
}

/* Deleting a connection leaves nothing of what it knew, in the file and beside it. */
static void test_erased(void)
{
    struct err err = {0};
    struct store *store = open_store(path_of("erased.db"));
    char user[ROW_ID];
    size_t size = 0;
    CLEANUP(mem_freep) char *data = NULL;
    make_user(store, user);
    struct connection_row row = sample_connection(user, "secret");
    row.config = "{\"token\": \"tell-tale-sealed-text\"}";
    FINE(store_connection_add(store, &row, &err));
    store_close(store, 0);
    FINE(file_read(path_of("erased.db"), 64u << 20, &data, &size, &err));
    CHECK(memmem(data, size, "tell-tale", 9)); /* else the look below proves nothing */
    mem_free(STEAL(data));
    store = open_store(path_of("erased.db"));
    FINE(store_connection_delete(store, user, row.id, 0, NOW_MS, &err));
    store_close(store, 0);
    FINE(file_read(path_of("erased.db"), 64u << 20, &data, &size, &err));
    CHECK(!memmem(data, size, "tell-tale", 9));
    CHECK(access(path_of("erased.db-wal"), F_OK) != 0);
}

static void test_places(void)
{
    static const struct {
        const char *location, *shown;
    } places[] = {
        {"/var/lib/sonde/sonde.db", "/var/lib/sonde/sonde.db"},
        {"postgresql://ada:s3cret@db.example:5433/sonde", "postgresql://db.example:5433/sonde"},
        {"postgresql://ada:s3/c@r?et@db.example/sonde", "postgresql://db.example/sonde"},
        {"postgres://db.example/sonde?sslmode=require&password=s3cret",
         "postgresql://db.example/sonde"},
        {"postgresql:///sonde?host=/run/pg&password=s3cret&port=5",
         "postgresql:///sonde?host=/run/pg&port=5"},
    };
    struct err err = {0};
    char shown[512];
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        store_place(places[i].location, shown, sizeof shown);
        if (!str_eq(shown, places[i].shown))
            fprintf(stderr, "%s is shown as %s\n", places[i].location, shown);
        CHECK(str_eq(shown, places[i].shown));
    }
    CHECK(!setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1));
    CHECK(!setenv("XDG_STATE_HOME", "/x", 1));
    FINE(store_default_path(shown, sizeof shown, &err));
    CHECK(str_eq(shown, "/var/lib/a/sonde.db"));
    CHECK(!unsetenv("STATE_DIRECTORY"));
    FINE(store_default_path(shown, sizeof shown, &err));
    CHECK(str_eq(shown, "/x/sonde/sonde.db"));
    CHECK(!setenv("XDG_STATE_HOME", "relative", 1) && !setenv("HOME", "/home/ada", 1));
    FINE(store_default_path(shown, sizeof shown, &err));
    CHECK(str_eq(shown,
                 geteuid() ? "/home/ada/.local/state/sonde/sonde.db" : "/var/lib/sonde/sonde.db"));
    CHECK(store_default_path(shown, 5, &err) == ERR_INVALID);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"migrators", test_migrators}, {"modes", test_modes},         {"refusals", test_refusals},
        {"lock held", test_lock_held}, {"disk full", test_disk_full}, {"erased", test_erased},
        {"places", test_places},
    };
    if (argc != 2)
        return 2;
    snprintf(folder, sizeof folder, "%s", argv[1]);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        tests[i].run();
        printf("ok %s\n", tests[i].name);
        fflush(stdout);
    }
    return 0;
}
