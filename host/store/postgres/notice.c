/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeing changes of others. The guarantee is the row of table changes, looked at every LOOK_NS; NOTIFY only says when to look sooner. It
 * has a connection of its own, past a pooler where the address names a way.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "store/postgres/internal.h"

#define LOOK_NS (5 * NS_PER_S)
#define NOTICE_PATIENCE_NS (3 * NS_PER_S)
#define PAUSE_MIN_NS (250 * NS_PER_MS)
#define PAUSE_MAX_NS (5 * NS_PER_S)

int pg_notices_init(struct driver *driver, struct err *err)
{
    struct notices *notices = &driver->notices;
    if (pipe2(notices->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    notices->pause_ns = PAUSE_MIN_NS;
    atomic_store(&driver->generation, 1);
    notices->told = 1;
    return 0;
}

void pg_notices_finish(struct driver *driver)
{
    pg_disconnect(&driver->notices.conn);
    close(driver->notices.wake[0]);
    close(driver->notices.wake[1]);
}

static void prod(struct notices *notices)
{
    /* A full pipe wakes as well. */
    ssize_t n = write(notices->wake[1], "", 1);
    (void)n;
}

void pg_notices_own(struct driver *driver)
{
    atomic_fetch_add(&driver->generation, 1);
    prod(&driver->notices);
}

uint64_t pg_generation(struct driver *driver)
{
    return atomic_load(&driver->generation);
}

void pg_stop_waiting(struct driver *driver)
{
    atomic_store(&driver->notices.stopping, true);
    prod(&driver->notices);
}

static void connect_later(struct notices *notices)
{
    pg_disconnect(&notices->conn);
    notices->connect_at_ns = clock_mono_ns() + notices->pause_ns;
    notices->pause_ns = notices->pause_ns * 2 < PAUSE_MAX_NS ? notices->pause_ns * 2 : PAUSE_MAX_NS;
}

/* Reads the row. Whatever happened while nobody could look counts as a change. */
static void look(struct driver *driver)
{
    struct notices *notices = &driver->notices;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    notices->look_at_ns = clock_mono_ns() + LOOK_NS;
    struct conn *conn = &notices->conn;
    if (pg_run_once(conn, "SELECT generation FROM changes WHERE id = 1", NULL, &result, NULL) !=
        0) {
        if (!conn->pq)
            connect_later(notices);
        return; /* no schema yet: the next look may find it */
    }
    int64_t found = PQntuples(result) == 1 ? column_int(result, 0, 0) : 0;
    if (!notices->seen_once || found != notices->seen)
        atomic_fetch_add(&driver->generation, 1);
    notices->seen_once = true;
    notices->seen = found;
}

static void connect_now(struct driver *driver)
{
    struct notices *notices = &driver->notices;
    struct conn *conn = &notices->conn;
    if (pg_connect(&driver->address, true, conn, NULL) != 0) {
        connect_later(notices);
        return;
    }
    conn->patience_ns = NOTICE_PATIENCE_NS;
    /* Where there is no LISTEN, polling goes on alone. */
    if (!driver->address.quiet)
        (void)pg_script(conn, "LISTEN " CHANNEL, NULL);
    if (!conn->pq) {
        connect_later(notices);
        return;
    }
    notices->pause_ns = PAUSE_MIN_NS;
    notices->seen_once = false;
    look(driver);
}

static void hear(struct notices *notices)
{
    struct conn *conn = &notices->conn;
    if (!PQconsumeInput(conn->pq) || PQstatus(conn->pq) != CONNECTION_OK) {
        connect_later(notices);
        return;
    }
    /* A server that ends says so in a result nobody asked for. */
    while (!PQisBusy(conn->pq)) {
        PGresult *result = PQgetResult(conn->pq);
        if (!result)
            break;
        PQclear(result);
    }
    PGnotify *notify;
    while ((notify = PQnotifies(conn->pq))) {
        PQfreemem(notify);
        notices->look_at_ns = 0;
    }
}

static void sleep_until(struct notices *notices, int64_t until)
{
    bool open = notices->conn.pq != NULL;
    int64_t next = open ? notices->look_at_ns : notices->connect_at_ns;
    int64_t ns = (next < until ? next : until) - clock_mono_ns();
    struct pollfd fds[2] = {{.fd = notices->wake[0], .events = POLLIN},
                            {.fd = open ? PQsocket(notices->conn.pq) : -1, .events = POLLIN}};
    int n = ns > 0 ? poll(fds, 2, (int)(ns / NS_PER_MS) + 1) : 0;
    if (n <= 0)
        return;
    char drain[64];
    if (fds[0].revents) {
        while (read(notices->wake[0], drain, sizeof drain) > 0)
            ;
    }
    if (fds[1].revents)
        hear(notices);
}

bool pg_wait_change(struct driver *driver, int64_t wait_ms)
{
    struct notices *notices = &driver->notices;
    int64_t until = clock_mono_ns() + wait_ms * NS_PER_MS;
    for (;;) {
        if (atomic_load(&notices->stopping))
            return false;
        int64_t now = clock_mono_ns();
        if (!notices->conn.pq && now >= notices->connect_at_ns)
            connect_now(driver);
        else if (notices->conn.pq && now >= notices->look_at_ns)
            look(driver);
        uint64_t generation = atomic_load(&driver->generation);
        if (generation != notices->told) {
            notices->told = generation;
            return true;
        }
        if (clock_mono_ns() >= until)
            return false;
        sleep_until(notices, until);
    }
}
