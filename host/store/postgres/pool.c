/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool, and what runs on it. A connection is opened when it is needed and stays open; one that has ended meanwhile is found out before
 * anything is sent on it.
 */
#include <stdio.h>
#include <string.h>
#include "base/thread.h"
#include "store/postgres/internal.h"

#define ATTEMPTS 4
#define PAUSE_FIRST_NS (250 * NS_PER_MS)
#define PAUSE_MAX_NS (2 * NS_PER_S)

/* An open one rather than one to be opened. */
static struct conn *pick(struct driver *driver)
{
    struct conn *closed = NULL;
    for (size_t i = 0; i < POOL_SIZE; i++) {
        struct conn *conn = &driver->conns[i];
        if (driver->taken[i])
            continue;
        if (conn->pq)
            return conn;
        closed = closed ? closed : conn;
    }
    return closed;
}

static struct conn *take(struct driver *driver, struct err *err)
{
    int64_t deadline = clock_mono_ns() + LOCK_WAIT_MS * NS_PER_MS;
    struct conn *conn = NULL;
    pthread_mutex_lock(&driver->lock);
    for (;;) {
        conn = pick(driver);
        if (conn)
            break;
        if (cond_wait_until(&driver->given_back, &driver->lock, deadline) != 0)
            break;
    }
    bool down = conn && !conn->pq && clock_mono_ns() < driver->down_until_ns;
    if (down)
        err_set(err, ERR_UNAVAILABLE, "%s", driver->down_text);
    else if (conn)
        driver->taken[conn - driver->conns] = true;
    else
        err_set(err, ERR_BUSY, "%s: all %d connections are at work; try again",
                driver->address.where, POOL_SIZE);
    pthread_mutex_unlock(&driver->lock);
    return down ? NULL : conn;
}

static void give(struct driver *driver, struct conn *conn)
{
    pthread_mutex_lock(&driver->lock);
    driver->taken[conn - driver->conns] = false;
    pthread_cond_signal(&driver->given_back);
    pthread_mutex_unlock(&driver->lock);
}

/* Opens it; a failure is remembered, so that while the server is away not every caller waits for a connect that fails. */
static int open(struct driver *driver, struct conn *conn, struct err *err)
{
    int r = pg_connect(&driver->address, false, conn, err);
    pthread_mutex_lock(&driver->lock);
    if (r == 0) {
        driver->down_until_ns = 0;
        driver->down_pause_ns = PAUSE_FIRST_NS;
    } else {
        driver->down_until_ns = clock_mono_ns() + driver->down_pause_ns;
        driver->down_pause_ns =
            driver->down_pause_ns * 2 < PAUSE_MAX_NS ? driver->down_pause_ns * 2 : PAUSE_MAX_NS;
        snprintf(driver->down_text, sizeof driver->down_text, "%s", err->text);
    }
    pthread_mutex_unlock(&driver->lock);
    return r;
}

static int make_ready(struct driver *driver, struct conn *conn, struct err *err)
{
    if (conn->pq && !pg_alive(conn))
        pg_disconnect(conn);
    return conn->pq ? 0 : open(driver, conn, err);
}

/* After a failure: may the operation run again? */
static bool may_repeat(const struct conn *conn, enum effect effect, int attempt)
{
    if (attempt + 1 >= ATTEMPTS)
        return false;
    if (conn->lost)
        return attempt == 0 && (effect == READS || !conn->sent);
    return conn->stale || conn->clash;
}

static int run(struct driver *driver, enum effect effect, pg_operation operation, void *context,
               struct err *err)
{
    bool unprepared = false;
    for (int attempt = 0;; attempt++) {
        struct conn *conn = take(driver, err);
        if (!conn)
            return err->code;
        int r = make_ready(driver, conn, err);
        bool again = false;
        if (r == 0) {
            conn->lost = conn->stale = conn->clash = conn->sent = conn->conflict = false;
            conn->unprepared = unprepared || attempt >= 2;
            r = operation(conn, context, err);
            again = r < 0 && may_repeat(conn, effect, attempt);
            if (conn->stale) {
                /* Somebody (DEALLOCATE, a pooler) took them all. */
                conn->prepared_count = 0;
                unprepared = true;
            }
            /* A failed transaction is ended before anybody else has the connection. */
            if (conn->pq && conn->in_transaction && pg_script(conn, "ROLLBACK", NULL) != 0)
                pg_disconnect(conn);
            conn->in_transaction = false;
        }
        give(driver, conn);
        if (!again)
            return r;
    }
}

int pg_operate(struct driver *driver, enum effect effect, pg_operation operation, void *context,
               struct err *err)
{
    /* What a first attempt said is of no interest when the second goes well. */
    struct err mine = {.position = -1};
    int r = run(driver, effect, operation, context, &mine);
    if (r < 0 && err)
        *err = mine;
    return r;
}

struct transaction {
    struct driver *driver;
    pg_operation operation;
    void *context;
    bool announce;
    int64_t generation; /* what the change made it; 0 when nothing was changed */
};

/* After the commit, by itself: NOTIFY inside a transaction takes a lock of the whole cluster until the commit is through. */
static void announce(struct driver *driver, struct conn *conn)
{
    if (driver->address.quiet || !atomic_load(&driver->can_notify))
        return;
    if (pg_run_once(conn, "SELECT pg_notify('" CHANNEL "', '')", NULL, NULL, NULL) == 0)
        return;
    /* No such function here: others poll. Whatever else went wrong does not touch what is committed. */
    if (!conn->lost &&
        (strncmp(conn->sqlstate, "42", 2) == 0 || strncmp(conn->sqlstate, "0A", 2) == 0))
        atomic_store(&driver->can_notify, false);
    conn->lost = conn->stale = conn->clash = false;
}

static int raise(struct conn *conn, int64_t *ret_generation, struct err *err)
{
    PGresult *result CLEANUP(pg_clearp) = NULL;
    int r = pg_run(
        conn, "UPDATE changes SET generation = generation + 1 WHERE id = 1 RETURNING generation",
        NULL, &result, err);
    if (r == 0 && PQntuples(result) == 1)
        *ret_generation = pg_column_int(result, 0, 0);
    return r;
}

static int commit(struct conn *conn, struct err *err)
{
    conn->sent = true;
    int r = pg_script(conn, "COMMIT", err);
    if (r == 0)
        conn->in_transaction = false;
    return r;
}

static int transact(struct conn *conn, void *context, struct err *err)
{
    struct transaction *transaction = context;
    transaction->generation = 0;
    int r = pg_script(conn, "BEGIN", err);
    if (r != 0)
        return r;
    conn->in_transaction = true;
    r = transaction->operation(conn, transaction->context, err);
    if (r == PG_UNCHANGED)
        return 0;
    /* Last, so that whoever waits for this row holds no other that we need. */
    int64_t generation = 0;
    if (r == 0 && transaction->announce)
        r = raise(conn, &generation, err);
    if (r == 0)
        r = commit(conn, err);
    if (r != 0)
        return r;
    transaction->generation = generation;
    if (transaction->announce)
        announce(transaction->driver, conn);
    return 0;
}

int pg_transact(struct driver *driver, bool announces, pg_operation operation, void *context,
                struct err *err)
{
    struct transaction transaction = {
        .driver = driver, .operation = operation, .context = context, .announce = announces};
    int r = pg_operate(driver, WRITES, transact, &transaction, err);
    if (r == 0 && transaction.generation)
        pg_notices_own(driver, transaction.generation);
    return r;
}
