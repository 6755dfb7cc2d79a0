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
    pthread_mutex_init(&notices->lock, NULL);
    notices->pause_ns = PAUSE_MIN_NS;
    atomic_store(&driver->generation, 1);
    notices->told = 1;
    if (pipe2(notices->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        notices->wake[0] = notices->wake[1] = -1;
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    }
    return 0;
}

void pg_notices_finish(struct driver *driver)
{
    struct notices *notices = &driver->notices;
    pg_disconnect(&notices->conn);
    for (size_t i = 0; i < 2; i++) {
        if (notices->wake[i] >= 0)
            close(notices->wake[i]);
    }
    pthread_mutex_destroy(&notices->lock);
}

static void prod(struct notices *notices)
{
    /* A full pipe wakes as well. */
    ssize_t n = write(notices->wake[1], "", 1);
    (void)n;
}

/* Moves seen over own changes that follow it without a gap; under lock. */
static void pass_own(struct notices *notices)
{
    for (size_t i = 0; i < OWN_MAX; i++) {
        if (notices->own[i] && notices->own[i] <= notices->seen)
            notices->own[i] = 0;
        if (notices->own[i] == notices->seen + 1) {
            notices->seen++;
            notices->own[i] = 0;
            i = SIZE_MAX; /* from the first again */
        }
    }
}

void pg_notices_own(struct driver *driver, int64_t generation)
{
    struct notices *notices = &driver->notices;
    pthread_mutex_lock(&notices->lock);
    /* With more than that under way at once the next look tells of a change that was our own: harmless. */
    for (size_t i = 0; i < OWN_MAX; i++) {
        if (!notices->own[i]) {
            notices->own[i] = generation;
            break;
        }
    }
    pass_own(notices);
    pthread_mutex_unlock(&notices->lock);
    atomic_fetch_add(&driver->generation, 1);
    prod(notices);
}

static int read_generation(struct conn *conn, int64_t *ret_generation, struct err *err)
{
    PGresult *result CLEANUP(pg_clearp) = NULL;
    int r = pg_run_once(conn, "SELECT generation FROM changes WHERE id = 1", NULL, &result, err);
    if (r == 0)
        *ret_generation = PQntuples(result) == 1 ? pg_column_int(result, 0, 0) : 0;
    return r;
}

int pg_notices_begin(struct conn *conn, void *context, struct err *err)
{
    struct driver *driver = context;
    int64_t found = 0;
    int r = read_generation(conn, &found, err);
    /* Without a schema there is nothing to see yet. */
    if (r != 0 && !(conn->pq && strcmp(conn->sqlstate, "42P01") == 0))
        return r;
    pthread_mutex_lock(&driver->notices.lock);
    driver->notices.seen = found;
    pthread_mutex_unlock(&driver->notices.lock);
    return 0;
}

static void found(struct driver *driver, int64_t generation)
{
    struct notices *notices = &driver->notices;
    pthread_mutex_lock(&notices->lock);
    bool news = generation != notices->seen;
    notices->seen = generation;
    pass_own(notices);
    pthread_mutex_unlock(&notices->lock);
    if (news)
        atomic_fetch_add(&driver->generation, 1);
}

static int look_once(struct conn *conn, void *context, struct err *err)
{
    int64_t generation = 0;
    int r = read_generation(conn, &generation, err);
    if (r == 0)
        found(context, generation);
    return r;
}

uint64_t pg_generation(struct driver *driver)
{
    struct notices *notices = &driver->notices;
    int64_t now = clock_mono_ns(), due = atomic_load(&notices->look_at_ns);
    /* Nobody waits for changes, so who asks looks now and then. */
    if (!atomic_load(&notices->watched) && now >= due &&
        atomic_compare_exchange_strong(&notices->look_at_ns, &due, now + LOOK_NS))
        (void)pg_operate(driver, READS, look_once, driver, NULL);
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

static void look(struct driver *driver)
{
    struct notices *notices = &driver->notices;
    atomic_store(&notices->look_at_ns, clock_mono_ns() + LOOK_NS);
    /* Without a schema the next look may find one. */
    if (look_once(&notices->conn, driver, NULL) != 0 && !notices->conn.pq)
        connect_later(notices);
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
    /* Whatever happened while nobody could listen counts as a change, even where another server has the same number. */
    if (notices->was_connected)
        atomic_fetch_add(&driver->generation, 1);
    notices->was_connected = true;
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
        atomic_store(&notices->look_at_ns, 0);
    }
}

static void sleep_until(struct notices *notices, int64_t until)
{
    bool open = notices->conn.pq != NULL;
    int64_t next = open ? atomic_load(&notices->look_at_ns) : notices->connect_at_ns;
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
    atomic_store(&notices->watched, true);
    for (;;) {
        if (atomic_load(&notices->stopping))
            return false;
        int64_t now = clock_mono_ns();
        if (!notices->conn.pq && now >= notices->connect_at_ns)
            connect_now(driver);
        else if (notices->conn.pq && now >= atomic_load(&notices->look_at_ns))
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
