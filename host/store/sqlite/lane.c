/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/thread.h"

#define CHECKPOINT_PAGES 1000 /* as SQLite's own automatic would */
#define LATE_PAGES 4000       /* from here on the writes that people wait for do it too */

int lane_no_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY, "out of memory");
}

static int code_of(int extended)
{
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        return ERR_CONFLICT;
    default:
        break;
    }
    switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return ERR_INVALID;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_UNAVAILABLE;
    default:
        return ERR_SYSTEM;
    }
}

int lane_failed(struct lane *lane, struct err *err)
{
    int extended = sqlite3_extended_errcode(lane->db);
    int code = code_of(extended);
    int primary = extended & 0xff;
    const char *next = "";
    if (primary == SQLITE_FULL)
        next = "; make room on its disk";
    else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        next = "; it is damaged, or no database of SQLite: put back a copy or move it away";
    else if (code == ERR_UNAVAILABLE)
        next = "; the process must be allowed to read and write it and its folder";
    return err_set(err, code, "%s: %s%s", lane->path, sqlite3_errmsg(lane->db), next);
}

int lane_exec(struct lane *lane, const char *sql, struct err *err)
{
    return sqlite3_exec(lane->db, sql, NULL, NULL, NULL) ? lane_failed(lane, err) : 0;
}

int lane_open(struct lane *lane, const char *path, int flags, struct err *err)
{
    lane->path = path;
    int r =
        sqlite3_open_v2(path, &lane->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (r && !lane->db)
        return lane_no_memory(err);
    if (r)
        return lane_failed(lane, err);
    sqlite3_busy_timeout(lane->db, (int)(LOCK_WAIT_NS / NS_PER_MS));
    sqlite3_db_config(lane->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(lane->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(lane->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    return lane_exec(lane,
                     "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0;"
                     "PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;"
                     "PRAGMA journal_size_limit = 16777216;",
                     err);
}

void lane_close(struct lane *lane)
{
    for (size_t i = 0; i < lane->count; i++)
        sqlite3_finalize(lane->kept[i].statement);
    lane->count = 0;
    sqlite3_close(lane->db);
    lane->db = NULL;
}

sqlite3_stmt *lane_statement(struct lane *lane, const char *sql, struct err *err)
{
    for (size_t i = 0; i < lane->count; i++) {
        if (lane->kept[i].sql != sql)
            continue;
        sqlite3_clear_bindings(lane->kept[i].statement);
        return lane->kept[i].statement;
    }
    sqlite3_stmt *statement = NULL;
    if (lane->count == MAX_KEPT) {
        err_set(err, ERR_SYSTEM, "more than %d prepared statements", MAX_KEPT);
        return NULL;
    }
    if (sqlite3_prepare_v3(lane->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)) {
        lane_failed(lane, err);
        return NULL;
    }
    lane->kept[lane->count].sql = sql;
    lane->kept[lane->count++].statement = statement;
    return statement;
}

int lane_step(struct lane *lane, sqlite3_stmt *statement, struct err *err)
{
    int r = sqlite3_step(statement);
    if (r == SQLITE_ROW)
        return 1;
    r = r == SQLITE_DONE ? 0 : lane_failed(lane, err);
    sqlite3_reset(statement);
    return r;
}

int lane_run(struct lane *lane, sqlite3_stmt *statement, int *ret_changed, struct err *err)
{
    int r = lane_step(lane, statement, err);
    if (r > 0) /* a statement that gives a row after all */
        sqlite3_reset(statement);
    if (r >= 0 && ret_changed)
        *ret_changed = sqlite3_changes(lane->db);
    return r < 0 ? r : 0;
}

int lane_check_json(struct lane *lane, const char *what, const char *text, struct err *err)
{
    static const char sql[] = "SELECT json_valid(?)";
    if (!text)
        return 0;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_text(statement, 1, text);
    int r = lane_step(lane, statement, err);
    bool valid = r > 0 && sqlite3_column_int(statement, 0);
    sqlite3_reset(statement);
    if (r > 0)
        r = valid ? 0 : err_set(err, ERR_INVALID, "%s is not JSON", what);
    return r;
}

void lane_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text)
        sqlite3_bind_text64(statement, at, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

void lane_bind_text_or_null(sqlite3_stmt *statement, int at, const char *text)
{
    lane_bind_text(statement, at, text && text[0] ? text : NULL);
}

void lane_bind_int(sqlite3_stmt *statement, int at, int64_t value)
{
    sqlite3_bind_int64(statement, at, value);
}

void lane_bind_time(sqlite3_stmt *statement, int at, int64_t ms)
{
    if (ms)
        sqlite3_bind_int64(statement, at, ms);
}

const char *lane_text(sqlite3_stmt *statement, int at, struct arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(statement, at);
    return arena_strndup(arena, text ? text : "", (size_t)sqlite3_column_bytes(statement, at));
}

const char *lane_text_or_null(sqlite3_stmt *statement, int at, struct arena *arena)
{
    return sqlite3_column_type(statement, at) == SQLITE_NULL ? NULL
                                                             : lane_text(statement, at, arena);
}

void lane_id(sqlite3_stmt *statement, int at, char ret_id[ROW_ID])
{
    const char *text = (const char *)sqlite3_column_text(statement, at);
    size_t size = text ? strnlen(text, ROW_ID - 1) : 0;
    if (size)
        memcpy(ret_id, text, size);
    ret_id[size] = 0;
}

int lane_collect(struct lane *lane, sqlite3_stmt *statement, size_t size,
                 void (*read)(sqlite3_stmt *statement, struct arena *arena, void *ret_row),
                 struct arena *arena, void **ret_rows, size_t *ret_count, struct err *err)
{
    char *rows = NULL;
    size_t n = 0;
    size_t room = 0;
    int r;
    while ((r = lane_step(lane, statement, err)) > 0) {
        if (n == room) {
            rows = arena_grow(arena, rows, room, room ? 2 * room : 16, size);
            room = room ? 2 * room : 16;
        }
        if (rows)
            read(statement, arena, rows + n * size);
        if (!rows || arena->failed) {
            sqlite3_reset(statement);
            return lane_no_memory(err);
        }
        n++;
    }
    if (r)
        return r;
    *ret_rows = rows;
    *ret_count = n;
    return 0;
}

int lane_find(struct lane *lane, sqlite3_stmt *statement,
              void (*read)(sqlite3_stmt *statement, struct arena *arena, void *ret_row),
              struct arena *arena, void *ret_row, struct err *err)
{
    int r = lane_step(lane, statement, err);
    if (r <= 0)
        return r ? r : ERR_NOT_FOUND;
    read(statement, arena, ret_row);
    sqlite3_reset(statement);
    return arena->failed ? lane_no_memory(err) : 0;
}

struct lane *sqlite_begin_read(struct driver *driver)
{
    pthread_mutex_lock(&driver->read_lock);
    return &driver->reading;
}

void sqlite_end_read(struct driver *driver)
{
    pthread_mutex_unlock(&driver->read_lock);
}

int sqlite_find(struct driver *driver, const char *sql, const char *a, const char *b,
                void (*read)(sqlite3_stmt *statement, struct arena *arena, void *ret_row),
                struct arena *arena, void *ret_row, struct err *err)
{
    struct lane *lane = sqlite_begin_read(driver);
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    int r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, a);
        if (sqlite3_bind_parameter_count(statement) > 1)
            lane_bind_text(statement, 2, b);
        r = lane_find(lane, statement, read, arena, ret_row, err);
    }
    sqlite_end_read(driver);
    return r;
}

/* Whoever lets go hands over to one who waits, or a thread that writes again and again would keep all others out. */
static int take(struct driver *driver, int64_t deadline_ns, struct err *err)
{
    pthread_mutex_lock(&driver->gate);
    bool mine = !driver->taken;
    if (mine) {
        driver->taken = true;
    } else {
        bool late = false;
        driver->waiting++;
        /* Not before one wait: what is handed over now was meant for another. */
        do
            late = cond_wait_until(&driver->freed, &driver->gate, deadline_ns);
        while (!driver->handed && !late);
        driver->waiting--;
        mine = driver->handed;
        driver->handed = false;
    }
    pthread_mutex_unlock(&driver->gate);
    if (!mine)
        return err_set(err, ERR_BUSY, "the writes before this one to %s take too long; try again",
                       driver->path);
    return 0;
}

static void let_go(struct driver *driver)
{
    pthread_mutex_lock(&driver->gate);
    if (driver->waiting) {
        driver->handed = true;
        pthread_cond_signal(&driver->freed);
    } else {
        driver->taken = false;
    }
    pthread_mutex_unlock(&driver->gate);
}

/* What matters is on the disk when its commit returns, and what it replaced is overwritten; the rest may be lost with the power. */
static int set_full(struct driver *driver, bool full, struct err *err)
{
    if (driver->full == full)
        return 0;
    int r = lane_exec(&driver->writing,
                      full ? "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                           : "PRAGMA synchronous = NORMAL; PRAGMA secure_delete = FAST;",
                      err);
    driver->full = r ? -1 : full;
    return r;
}

int sqlite_begin_write(struct driver *driver, bool full, int64_t wait_ns, struct lane **ret_lane,
                       struct err *err)
{
    int64_t deadline = clock_mono_ns() + wait_ns;
    int r = take(driver, deadline, err);
    if (r)
        return r;
    r = sqlite_lock(driver->lock_fd, deadline, driver->path, err);
    if (!r) {
        r = set_full(driver, full, err);
        if (!r)
            r = lane_exec(&driver->writing, "BEGIN IMMEDIATE", err);
        if (r)
            sqlite_unlock(driver->lock_fd);
    }
    if (r) {
        let_go(driver);
        return r;
    }
    *ret_lane = &driver->writing;
    return 0;
}

/* Copies the log into the database where nobody reads it; what a reader holds back is copied another time. */
static void checkpoint(struct driver *driver)
{
    sqlite3_wal_checkpoint_v2(driver->writing.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    driver->wal_pages = 0;
}

int sqlite_end_write(struct driver *driver, int r, bool changed, struct err *err)
{
    struct lane *lane = &driver->writing;
    if (!r && changed)
        r = sqlite_raise_generation(lane, err);
    if (!r)
        r = lane_exec(lane, "COMMIT", err);
    if (r && !sqlite3_get_autocommit(lane->db))
        sqlite3_exec(lane->db, "ROLLBACK", NULL, NULL, NULL);
    if (driver->wal_pages >= (driver->full ? LATE_PAGES : CHECKPOINT_PAGES))
        checkpoint(driver);
    sqlite_unlock(driver->lock_fd);
    let_go(driver);
    if (!r && changed)
        sqlite_tell_changed(driver);
    return r;
}
