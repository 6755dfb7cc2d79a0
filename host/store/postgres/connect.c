/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening, watching and closing one connection. libpq is driven without blocking, so that a server that stopped in mid-air costs
 * PATIENCE_NS and not for ever; only the connect itself is libpq's own, which tries all hosts of the address, connect_timeout each.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/str.h"
#include "store/postgres/internal.h"

#define OPTIONS_MAX 64

static void keep_quiet(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

/* What the address leaves open. */
static const char *const defaults[][2] = {
    {"connect_timeout", "3"},  {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
    {"keepalives_count", "3"}, {"tcp_user_timeout", "15000"}, {"application_name", "sonde"},
};

struct options {
    const char *keywords[OPTIONS_MAX + 1];
    const char *values[OPTIONS_MAX + 1];
    size_t n;
};

static void add(struct options *options, const char *keyword, const char *value)
{
    if (options->n == OPTIONS_MAX)
        return; /* libpq knows about 45 */
    options->keywords[options->n] = keyword;
    options->values[options->n++] = value;
}

static void collect(const struct address *address, bool direct, struct options *options)
{
    direct = direct && address->direct[0];
    for (const PQconninfoOption *o = address->options; o->keyword; o++) {
        bool instead =
            direct && (strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0 ||
                       (strcmp(o->keyword, "port") == 0 && address->direct_port[0]));
        if (o->val && *o->val && !instead && strcmp(o->keyword, "client_encoding") != 0)
            add(options, o->keyword, o->val);
    }
    if (direct) {
        add(options, "host", address->direct);
        if (address->direct_port[0])
            add(options, "port", address->direct_port);
    }
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        if (!pg_address_option(address, defaults[i][0]))
            add(options, defaults[i][0], defaults[i][1]);
    }
    add(options, "client_encoding", "UTF8");
}

static const char *advise(const PGconn *pq, const char *words)
{
    if (PQconnectionNeedsPassword(pq))
        return "write a password into the address, or into ~/.pgpass (0600) of the account that "
               "runs sonde";
    if (strstr(words, "password authentication failed"))
        return "check user and password in the address (in the password, everything but letters, "
               "digits and -._~ is written as %XX)";
    if (strstr(words, "does not exist"))
        return "create the role or the database (createuser, createdb), or correct the address";
    if (strstr(words, "pg_hba.conf"))
        return "allow this host and user in the server's pg_hba.conf";
    return "see that the server runs and the address is right";
}

/*
 * Settings of the session, one by one: a relative of PostgreSQL that lacks one goes without it. A pooler that hands out transactions may pass
 * them on to others, for whom they are harmless.
 */
static void configure(struct conn *conn)
{
    char statement[96];
    snprintf(statement, sizeof statement, "SET statement_timeout = %d", STATEMENT_MS);
    (void)pg_script(conn, statement, NULL);
    snprintf(statement, sizeof statement, "SET lock_timeout = %d", LOCK_WAIT_MS);
    if (conn->pq)
        (void)pg_script(conn, statement, NULL);
    if (conn->pq)
        (void)pg_script(conn, "SET idle_in_transaction_session_timeout = 20000", NULL);
    if (conn->pq)
        (void)pg_script(conn, "SET bytea_output = 'hex'", NULL);
}

int pg_connect(const struct address *address, bool direct, struct conn *conn, struct err *err)
{
    struct options options = {0};
    collect(address, direct, &options);
    *conn = (struct conn){.address = address, .patience_ns = PATIENCE_NS};
    conn->pq = PQconnectdbParams(options.keywords, options.values, 0);
    if (!conn->pq)
        return err_set(err, ERR_MEMORY, "out of memory");
    if (PQstatus(conn->pq) != CONNECTION_OK) {
        char line[512];
        pg_one_line(address, PQerrorMessage(conn->pq), line, sizeof line);
        const char *advice = advise(conn->pq, line);
        const char *user = PQuser(conn->pq);
        err_set(err, ERR_UNAVAILABLE, "%s cannot be used as user %s: %s; %s", address->where,
                user ? user : "(none)", line, advice);
        pg_disconnect(conn);
        return ERR_UNAVAILABLE;
    }
    PQsetNoticeReceiver(conn->pq, keep_quiet, NULL);
    if (PQsetnonblocking(conn->pq, 1) != 0) {
        pg_disconnect(conn);
        return err_set(err, ERR_MEMORY, "out of memory");
    }
    configure(conn);
    if (!conn->pq)
        return err_set(err, ERR_UNAVAILABLE, "%s closed the connection at once", address->where);
    conn->lost = conn->sent = conn->stale = conn->clash = conn->conflict = false;
    return 0;
}

void pg_disconnect(struct conn *conn)
{
    PQfinish(conn->pq);
    conn->pq = NULL;
    conn->in_transaction = false;
    conn->prepared_count = 0;
}

bool pg_alive(struct conn *conn)
{
    struct pollfd fd = {.fd = PQsocket(conn->pq), .events = POLLIN};
    if (PQstatus(conn->pq) != CONNECTION_OK || fd.fd < 0)
        return false;
    if (poll(&fd, 1, 0) <= 0)
        return true;
    /* An idle connection has something to say: a notice, a changed parameter, or its end. */
    return PQconsumeInput(conn->pq) == 1 && !PQisBusy(conn->pq) &&
           PQstatus(conn->pq) == CONNECTION_OK && poll(&fd, 1, 0) <= 0;
}

int pg_await(struct conn *conn, struct err *err)
{
    int64_t deadline = clock_mono_ns() + conn->patience_ns;
    for (;;) {
        int left = PQflush(conn->pq);
        if (left < 0)
            return pg_fail(conn, NULL, err), -1;
        if (!PQisBusy(conn->pq))
            return 0;
        int64_t now = clock_mono_ns();
        if (now >= deadline) {
            pg_disconnect(conn);
            conn->lost = true;
            err_set(err, ERR_UNAVAILABLE, "%s has not answered for %d s", conn->address->where,
                    (int)(conn->patience_ns / NS_PER_S));
            return -1;
        }
        struct pollfd fd = {.fd = PQsocket(conn->pq),
                            .events = (short)(POLLIN | (left > 0 ? POLLOUT : 0))};
        int n = poll(&fd, 1, (int)((deadline - now) / NS_PER_MS) + 1);
        if (n > 0 && (fd.revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(conn->pq))
            return pg_fail(conn, NULL, err), -1;
    }
}
