/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include "base/clock.h"
#include "base/thread.h"

#define LOOK_NS (200 * NS_PER_MS) /* another process's change is seen so late at most */

int sqlite_raise_generation(struct lane *lane, struct err *err)
{
    static const char sql[] = "UPDATE changes SET generation = generation + 1";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    return statement ? lane_run(lane, statement, NULL, err) : ERR_SYSTEM;
}

/* Wakes who waits for a change, who then looks for himself. */
void sqlite_tell_changed(struct driver *driver)
{
    pthread_mutex_lock(&driver->wait_lock);
    pthread_cond_signal(&driver->changed);
    pthread_mutex_unlock(&driver->wait_lock);
}

/* data_version tells that anybody wrote anything, for the price of a look into shared memory; only then is the number read. */
uint64_t sqlite_generation(struct driver *driver)
{
    static const char version_sql[] = "PRAGMA data_version";
    static const char read_sql[] = "SELECT generation FROM changes";
    struct lane *lane = &driver->watching;
    pthread_mutex_lock(&driver->watch_lock);
    sqlite3_stmt *statement = lane_statement(lane, version_sql, NULL);
    if (statement && lane_step(lane, statement, NULL) > 0) {
        int64_t version = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
        statement = version == driver->data_version ? NULL : lane_statement(lane, read_sql, NULL);
        if (statement && lane_step(lane, statement, NULL) > 0) {
            driver->generation = (uint64_t)sqlite3_column_int64(statement, 0);
            driver->data_version = version;
            sqlite3_reset(statement);
        }
    }
    pthread_mutex_unlock(&driver->watch_lock);
    return driver->generation;
}

bool sqlite_wait_change(struct driver *driver, int64_t wait_ms)
{
    int64_t deadline = clock_mono_ns() + wait_ms * NS_PER_MS;
    for (;;) {
        uint64_t now = sqlite_generation(driver);
        pthread_mutex_lock(&driver->wait_lock);
        bool changed = now != driver->waited;
        int64_t next = clock_mono_ns() + LOOK_NS;
        bool over = driver->stop || clock_mono_ns() >= deadline;
        driver->waited = now;
        if (!changed && !over)
            cond_wait_until(&driver->changed, &driver->wait_lock,
                            next < deadline ? next : deadline);
        pthread_mutex_unlock(&driver->wait_lock);
        if (changed || over)
            return changed;
    }
}

void sqlite_stop_waiting(struct driver *driver)
{
    pthread_mutex_lock(&driver->wait_lock);
    driver->stop = true;
    pthread_cond_signal(&driver->changed);
    pthread_mutex_unlock(&driver->wait_lock);
}
