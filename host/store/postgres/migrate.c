/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema, brought up to date by one at a time: under an advisory lock of the session, over a direct connection. Where a relative of
 * PostgreSQL has no such lock, each migration is one transaction that ends with its row, so that of two only one gets through.
 */
#include <string.h>
#include "base/mem.h"
#include "store/internal.h"
#include "store/postgres/internal.h"

/* The same number in every version of the program. */
#define ADVISORY_KEY "8317138475365"
#define LONG_PATIENCE_NS (15 * NS_PER_MIN)

int pg_applied(struct conn *conn, size_t *ret_applied, int64_t *times, struct err *err)
{
    static const char sql[] = "SELECT version, name, sha256, " MS_OUT(
        "applied_at") " FROM schema_migrations ORDER BY version";
    PGresult *result CLEANUP(pg_clearp) = NULL;
    int r = pg_run_once(conn, sql, NULL, &result, err);
    if (r != 0 && conn->pq && strcmp(conn->sqlstate, "42P01") == 0) {
        *ret_applied = 0; /* no such table: nothing is applied */
        return 0;
    }
    if (r != 0)
        return r;
    int n = PQntuples(result);
    for (int i = 0; i < n; i++) {
        r = migration_compare(conn->address->where, (size_t)i, (int)pg_column_int(result, i, 0),
                              PQgetvalue(result, i, 1), PQgetvalue(result, i, 2), true, err);
        if (r != 0)
            return r;
        if (times)
            times[i] = pg_column_int(result, i, 3);
    }
    *ret_applied = (size_t)n;
    return 0;
}

static int check(struct conn *conn, void *context, struct err *err)
{
    bool *missing = context;
    size_t applied = 0;
    *missing = false;
    int r = pg_applied(conn, &applied, NULL, err);
    if (r != 0)
        return r;
    *missing = applied < migration_count;
    return *missing ? migration_missing(conn->address->where, applied, err) : 0;
}

int pg_check_schema(struct driver *driver, bool *ret_missing, struct err *err)
{
    bool missing = false;
    int r = pg_operate(driver, READS, check, &missing, err);
    *ret_missing = missing;
    return r;
}

int pg_connect_patient(const struct address *address, struct conn *conn, struct err *err)
{
    static const char *const settings[] = {"SET statement_timeout = 0", "SET lock_timeout = 60000",
                                           "SET idle_in_transaction_session_timeout = 0"};
    int r = pg_connect(address, true, conn, err);
    if (r != 0)
        return r;
    conn->patience_ns = LONG_PATIENCE_NS;
    for (size_t i = 0; conn->pq && i < ARRAY_SIZE(settings); i++)
        (void)pg_script(conn, settings[i], err); /* a relative that lacks one goes without */
    return conn->pq ? 0 : ERR_UNAVAILABLE;
}

int pg_migrations(const char *location, struct arena *arena,
                  struct store_migration **ret_migrations, size_t *ret_count, struct err *err)
{
    int64_t *times = arena_alloc_array(arena, migration_count, sizeof *times);
    if (!times)
        return err_set(err, ERR_MEMORY, "out of memory");
    struct address address;
    struct conn conn = {0};
    size_t applied = 0;
    int r = pg_address_parse(location, &address, err);
    if (r != 0)
        return r;
    r = pg_connect_patient(&address, &conn, err);
    if (r == 0)
        r = pg_applied(&conn, &applied, times, err);
    pg_disconnect(&conn);
    pg_address_finish(&address);
    return r == 0 ? migration_list(applied, times, arena, ret_migrations, ret_count, err) : r;
}

static int note(struct conn *conn, const struct migration *migration, struct err *err)
{
    char sum[65];
    int r = migration_sum(migration->postgres, sum, err);
    if (r != 0)
        return r;
    struct params params = {0};
    param_int(&params, migration->version);
    param_text(&params, migration->name);
    param_text(&params, sum);
    return pg_run_once(conn,
                       "INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES "
                       "($1::integer, $2, $3, CURRENT_TIMESTAMP)",
                       &params, NULL, err);
}

static int apply(struct conn *conn, const struct migration *migration, struct err *err)
{
    int r = pg_script(conn, "BEGIN", err);
    if (r != 0)
        return r;
    conn->in_transaction = true;
    r = pg_script(conn, migration->postgres, err);
    if (r == 0)
        r = note(conn, migration, err);
    if (r == 0)
        r = pg_script(conn, "COMMIT", err);
    conn->in_transaction = false;
    if (r != 0 && conn->pq)
        (void)pg_script(conn, "ROLLBACK", NULL);
    if (r != 0)
        err_prefix(err, "migration %s was rolled back: ", migration->name);
    return r;
}

/* Held until the session ends. Not to be had because there is no such thing here: 0 as well, see above. */
static int lock(struct conn *conn, struct err *err)
{
    int r = pg_script(conn, "SELECT pg_advisory_lock(" ADVISORY_KEY ")", err);
    if (r == ERR_BUSY)
        return err_set(err, ERR_BUSY,
                       "%s: another sonde has been changing the schema for 60 s; see that it goes "
                       "on, then try again",
                       conn->address->where);
    bool absent = conn->pq &&
                  (strncmp(conn->sqlstate, "0A", 2) == 0 || strncmp(conn->sqlstate, "42", 2) == 0);
    return absent ? 0 : r;
}

static int bring_up(struct conn *conn, size_t *ret_applied, struct err *err)
{
    size_t applied = 0, done = 0;
    int r = pg_applied(conn, &applied, NULL, err);
    while (r == 0 && applied < migration_count) {
        size_t before = applied;
        r = apply(conn, &migrations[before], err);
        if (r == 0)
            done++;
        if (!conn->pq)
            return r;
        /* Without a lock somebody else may have been faster; then what failed here is done, and its words do not count. */
        struct err looking = {.position = -1};
        int looked = pg_applied(conn, &applied, NULL, &looking);
        if (looked == 0 && applied > before)
            r = 0;
        else if (r == 0)
            return err_set(err, ERR_SYSTEM, "migration %s left no row in schema_migrations",
                           migrations[before].name);
    }
    if (r == 0)
        *ret_applied = done;
    return r;
}

int pg_migrate(const char *location, size_t *ret_applied, struct err *err)
{
    struct address address;
    struct conn conn = {0};
    size_t applied = 0;
    int r = pg_address_parse(location, &address, err);
    if (r != 0)
        return r;
    r = pg_connect_patient(&address, &conn, err);
    /* Looked at first without the lock: a newer database is not touched. */
    if (r == 0)
        r = pg_applied(&conn, &applied, NULL, err);
    if (r == 0 && applied == migration_count)
        *ret_applied = 0;
    else if (r == 0) {
        r = lock(&conn, err);
        if (r == 0)
            r = bring_up(&conn, ret_applied, err);
    }
    pg_disconnect(&conn); /* and with the session its lock */
    pg_address_finish(&address);
    return r;
}
