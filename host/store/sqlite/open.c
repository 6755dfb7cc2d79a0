/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

static int count_pages(void *user, sqlite3 *db, const char *name, int pages)
{
    struct driver *driver = user;
    (void)db;
    (void)name;
    driver->wal_pages = pages;
    return SQLITE_OK;
}

static int read_int(struct lane *lane, const char *sql, int64_t *ret_value, struct err *err)
{
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    int r = statement ? lane_step(lane, statement, err) : err->code;
    if (r <= 0)
        return r;
    *ret_value = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return 0;
}

/*
 * Only a database of ours is worked with. An empty file (somebody made it beforehand, to own it) becomes one; another program's is left as it
 * is.
 */
static int adopt(struct driver *driver, struct err *err)
{
    struct lane *lane = &driver->writing;
    int64_t application = 0;
    int64_t tables = 0;
    int r = read_int(lane, "PRAGMA application_id", &application, err);
    if (!r && application == SQLITE_APPLICATION)
        return 0;
    if (!r)
        r = read_int(lane, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (r)
        return r;
    if (application || tables)
        return err_set(err, ERR_INVALID,
                       "%s is the database of another program; name a file of sonde's own",
                       driver->path);
    r = sqlite_lock(driver->lock_fd, clock_mono_ns() + LOCK_WAIT_NS, driver->path, err);
    if (r)
        return r;
    r = lane_exec(lane, "PRAGMA application_id = 0x736f6e64; PRAGMA journal_mode = WAL;", err);
    sqlite_unlock(driver->lock_fd);
    return r;
}

/* Others may not read what is in it, whoever made the file. */
static int close_to_others(const char *path, struct err *err)
{
    struct stat status;
    if (stat(path, &status))
        return err_set(err, ERR_UNAVAILABLE, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_INVALID, "%s is no file; name the file of a database", path);
    if ((status.st_mode & 077) && chmod(path, status.st_mode & 0700))
        return err_set(err, ERR_UNAVAILABLE,
                       "%s may be read by other users of this machine, and that cannot be changed: "
                       "%s; run `chmod 600` on it",
                       path, strerror(errno));
    return 0;
}

static struct driver *make(const char *path)
{
    CLEANUP(mem_freep) struct driver *driver = mem_alloc(sizeof *driver);
    if (!driver)
        return NULL;
    driver->path = mem_strdup(path);
    driver->lock_fd = -1;
    driver->full = -1;
    if (!driver->path)
        return NULL;
    pthread_mutex_init(&driver->gate, NULL);
    cond_init(&driver->freed);
    pthread_mutex_init(&driver->read_lock, NULL);
    pthread_mutex_init(&driver->watch_lock, NULL);
    pthread_mutex_init(&driver->wait_lock, NULL);
    cond_init(&driver->changed);
    return STEAL(driver);
}

/* Counting every allocation under one lock costs a tenth of all, and nobody asks for the sum. */
static void set_up_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

int sqlite_open(const char *path, bool create, struct driver **ret_driver, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct err own = {0};
    err = err ? err : &own;
    pthread_once(&once, set_up_library);
    if (access(path, F_OK)) {
        if (errno != ENOENT)
            return err_set(err, ERR_UNAVAILABLE, "cannot reach %s: %s", path, strerror(errno));
        if (!create)
            return err_set(err, ERR_NOT_FOUND, "there is no database %s yet", path);
        int r = sqlite_create(path, err);
        if (r)
            return r;
    }
    int r = close_to_others(path, err);
    if (r)
        return r;
    CLEANUP(sqlite_close_driverp) struct driver *driver = make(path);
    if (!driver)
        return lane_no_memory(err);
    r = sqlite_lock_open(path, &driver->lock_fd, err);
    if (!r)
        r = lane_open(&driver->writing, driver->path, SQLITE_OPEN_READWRITE, err);
    if (!r)
        r = adopt(driver, err);
    if (!r)
        r = lane_open(&driver->reading, driver->path, SQLITE_OPEN_READONLY, err);
    if (!r)
        r = lane_open(&driver->watching, driver->path, SQLITE_OPEN_READONLY, err);
    if (r)
        return r;
    sqlite3_wal_hook(driver->writing.db, count_pages, driver);
    driver->waited = sqlite_generation(driver);
    *ret_driver = STEAL(driver);
    return 0;
}

int sqlite_open_driver(const char *location, struct driver **ret_driver, struct err *err)
{
    return sqlite_open(location, true, ret_driver, err);
}

void sqlite_close_driver(struct driver *driver)
{
    if (!driver)
        return;
    lane_close(&driver->reading);
    lane_close(&driver->watching);
    /*
     * The last to leave copies the log and removes it: SQLite finds out whether it is the last, and must do it under the lock as well. Not had
     * soon, the log stays for the next who opens.
     */
    bool locked = driver->writing.db &&
                  !sqlite_lock(driver->lock_fd, clock_mono_ns() + LOCK_WAIT_NS, driver->path, NULL);
    if (locked)
        sqlite3_db_config(driver->writing.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    lane_close(&driver->writing);
    if (locked)
        sqlite_unlock(driver->lock_fd);
    if (driver->lock_fd >= 0)
        close(driver->lock_fd);
    pthread_mutex_destroy(&driver->gate);
    pthread_cond_destroy(&driver->freed);
    pthread_mutex_destroy(&driver->read_lock);
    pthread_mutex_destroy(&driver->watch_lock);
    pthread_mutex_destroy(&driver->wait_lock);
    pthread_cond_destroy(&driver->changed);
    mem_free(driver->path);
    mem_free(driver);
}
