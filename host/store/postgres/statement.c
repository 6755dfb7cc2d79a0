/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters, statements and the values of results. A prepared statement is named by a digest of its text, so that behind a pooler, where
 * another session's statements may stand on the connection, a name that is there already is the right one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/crypto.h"
#include "base/str.h"
#include "store/postgres/internal.h"

static int next(struct params *params, const char *value, size_t size, int format)
{
    int i = params->n++;
    params->values[i] = value;
    params->lengths[i] = (int)size;
    params->formats[i] = format;
    return i;
}

void param_text(struct params *params, const char *text)
{
    next(params, text, 0, 0);
}

void param_id(struct params *params, const char *id)
{
    param_text(params, id && *id ? id : NULL);
}

void param_int(struct params *params, int64_t value)
{
    char *number = params->numbers[params->n];
    snprintf(number, sizeof params->numbers[0], "%" PRId64, value);
    next(params, number, 0, 0);
}

void param_bool(struct params *params, bool value)
{
    param_text(params, value ? "t" : "f");
}

void param_bytes(struct params *params, const void *data, size_t size)
{
    next(params, data ? data : "", size, 1);
}

/* Takes results until there is none; the last one is what counts (a script has several). */
static int take(struct conn *conn, PGresult **ret_result, struct err *err)
{
    PGresult *last CLEANUP(pg_clearp) = NULL;
    for (;;) {
        if (pg_await(conn, err) != 0)
            return ERR_UNAVAILABLE;
        PGresult *result = PQgetResult(conn->pq);
        if (!result)
            break;
        /* Of a script the first failure is kept. */
        ExecStatusType status = last ? PQresultStatus(last) : PGRES_COMMAND_OK;
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            PQclear(result);
            continue;
        }
        PQclear(last);
        last = result;
    }
    ExecStatusType status = last ? PQresultStatus(last) : PGRES_FATAL_ERROR;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return pg_fail(conn, last, err);
    if (ret_result)
        *ret_result = STEAL(last);
    return 0;
}

int pg_script(struct conn *conn, const char *sql, struct err *err)
{
    if (!PQsendQuery(conn->pq, sql))
        return pg_fail(conn, NULL, err);
    return take(conn, NULL, err);
}

static const char *prepared_name(struct conn *conn, const char *sql)
{
    for (size_t i = 0; i < conn->prepared_count; i++) {
        if (conn->prepared[i] == sql)
            return conn->names[i];
    }
    return NULL;
}

/* Makes room and the name; it counts as prepared once prepared_count was raised. */
static int name_statement(struct conn *conn, const char *sql, char **ret_name, struct err *err)
{
    if (conn->prepared_count == PREPARED_MAX)
        return err_set(err, ERR_LIMIT, "more than %d prepared statements", PREPARED_MAX);
    unsigned char digest[SHA256_BYTES];
    int r = crypto_sha256(sql, strlen(sql), digest);
    if (r != 0)
        return err_set(err, r, "SHA-256 is not to be had");
    char *name = conn->names[conn->prepared_count];
    memcpy(name, "sonde_", 6);
    for (size_t i = 0; i < 8; i++)
        snprintf(name + 6 + 2 * i, 3, "%02x", digest[i]);
    *ret_name = name;
    return 0;
}

int pg_prepare(struct conn *conn, const char *sql, const char **ret_name, struct err *err)
{
    const char *known = prepared_name(conn, sql);
    if (known) {
        *ret_name = known;
        return 0;
    }
    char *name = NULL;
    int r = name_statement(conn, sql, &name, err);
    if (r != 0)
        return r;
    if (!PQsendPrepare(conn->pq, name, sql, 0, NULL))
        return pg_fail(conn, NULL, err);
    r = take(conn, NULL, err);
    /* 42P05: it is there, from before we forgot it or by another session of a pooler. Only a transaction has to begin again. */
    bool there = r != 0 && conn->pq && strcmp(conn->sqlstate, "42P05") == 0;
    if (r != 0 && !there)
        return r;
    conn->prepared[conn->prepared_count++] = sql;
    if (there && conn->in_transaction) {
        conn->clash = true;
        return r;
    }
    *ret_name = name;
    return 0;
}

int pg_run_once(struct conn *conn, const char *sql, const struct params *params,
                PGresult **ret_result, struct err *err)
{
    static const struct params none;
    const struct params *p = params ? params : &none;
    if (!conn->in_transaction)
        conn->sent = true;
    if (!PQsendQueryParams(conn->pq, sql, p->n, NULL, p->values, p->lengths, p->formats, 0))
        return pg_fail(conn, NULL, err);
    return take(conn, ret_result, err);
}

int pg_run(struct conn *conn, const char *sql, const struct params *params, PGresult **ret_result,
           struct err *err)
{
    if (conn->unprepared)
        return pg_run_once(conn, sql, params, ret_result, err);
    static const struct params none;
    const struct params *p = params ? params : &none;
    const char *name;
    int r = pg_prepare(conn, sql, &name, err);
    if (r != 0)
        return r;
    if (!conn->in_transaction)
        conn->sent = true;
    if (!PQsendQueryPrepared(conn->pq, name, p->n, p->values, p->lengths, p->formats, 0))
        return pg_fail(conn, NULL, err);
    return take(conn, ret_result, err);
}

int64_t pg_affected(PGresult *result)
{
    int64_t n = 0;
    const char *text = PQcmdTuples(result);
    return str_to_int(text, 0, INT64_MAX, &n) == 0 ? n : 0;
}

bool pg_column_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) != 0;
}

int64_t pg_column_int(const PGresult *result, int row, int column)
{
    int64_t value = 0;
    if (str_to_int(PQgetvalue(result, row, column), INT64_MIN, INT64_MAX, &value) != 0)
        return 0;
    return value;
}

bool pg_column_bool(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

void pg_column_id(const PGresult *result, int row, int column, char id[ROW_ID])
{
    snprintf(id, ROW_ID, "%s", PQgetvalue(result, row, column));
}

const char *pg_column_text(const PGresult *result, int row, int column, struct arena *arena)
{
    if (pg_column_null(result, row, column))
        return NULL;
    return arena_strndup(arena, PQgetvalue(result, row, column),
                         (size_t)PQgetlength(result, row, column));
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void *pg_column_bytes(const PGresult *result, int row, int column, struct arena *arena,
                      size_t *ret_size)
{
    const char *text = PQgetvalue(result, row, column);
    size_t size = (size_t)PQgetlength(result, row, column);
    if (size < 2 || text[0] != '\\' || text[1] != 'x' || size % 2 != 0)
        return NULL;
    size_t n = size / 2 - 1;
    unsigned char *bytes = arena_alloc(arena, n ? n : 1);
    if (!bytes)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text[2 + 2 * i]), low = hex_digit(text[3 + 2 * i]);
        if (high < 0 || low < 0)
            return NULL;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    *ret_size = n;
    return bytes;
}

bool is_row_id(const char *id)
{
    for (size_t i = 0; i < ROW_ID - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? id[i] != '-' : hex_digit(id[i]) < 0)
            return false;
    }
    return id[ROW_ID - 1] == '\0';
}
