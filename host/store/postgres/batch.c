/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the queue, written in one transaction and one round trip: all statements are sent one after the other before the first answer is
 * awaited. Repeating a batch whose commit was not heard of adds nothing twice but hits, which are only a count.
 */
#include <string.h>
#include "base/buf.h"
#include "base/rand.h"
#include "store/postgres/internal.h"

static const char put_session[] =
    "INSERT INTO sessions AS s (id, user_id, kind, client, started_at, last_seen_at) VALUES "
    "($1::uuid, $2::uuid, $3, $4, " MS_AT("$5") ", " MS_AT(
        "$6") ") ON CONFLICT (id) DO UPDATE SET "
              "client = CASE excluded.client WHEN '' THEN s.client ELSE excluded.client END, "
              "last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at)";
#define HISTORY_INTO                                                                             \
    "INSERT INTO observability_query_history (id, call_id, session_id, connection_id, user_id, " \
    "connection_name, tool, scope, query_type, query_text, query_params, result_sample, "        \
    "error_message, result_count, execution_time_ms, was_cached, queried_at) VALUES "
#define HISTORY_ONCE " ON CONFLICT (id) DO NOTHING"
static const char put_history[] = HISTORY_INTO
    "($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6, $7, $8, $9, $10, $11::jsonb, "
    "$12::jsonb, $13, $14::bigint, $15::bigint, $16::boolean, " MS_AT("$17") ")" HISTORY_ONCE;
/* Eight rows in one statement: half the server's work for a row. Its text is made from the numbers of its parameters. */
#define TOGETHER 8
#define HISTORY_PARAMS 17
static char put_together[4096];
static pthread_once_t made_together = PTHREAD_ONCE_INIT;

static void make_together(void)
{
    static const char *const types[HISTORY_PARAMS] = {
        "uuid", "uuid",  "uuid",  "uuid", "uuid",   "text",   "text",    "text",  "text",
        "text", "jsonb", "jsonb", "text", "bigint", "bigint", "boolean", "bigint"};
    struct buf sql = BUF(sizeof put_together);
    buf_add(&sql, HISTORY_INTO);
    for (int i = 0; i < TOGETHER * HISTORY_PARAMS; i++) {
        int column = i % HISTORY_PARAMS;
        buf_add(&sql, column > 0 ? ", " : i > 0 ? ", (" : "(");
        if (column < HISTORY_PARAMS - 1)
            buf_printf(&sql, "$%d::%s", i + 1, types[column]);
        else
            buf_printf(&sql, MS_AT("$%d") ")", i + 1);
    }
    buf_add(&sql, HISTORY_ONCE);
    memcpy(put_together, buf_text(&sql), sql.size + 1);
    buf_finish(&sql);
}

/* For a connection that has no row (any more) nothing is kept. */
static const char put_cache[] =
    "INSERT INTO observability_query_cache (id, connection_id, scope, query_hash, query_type, "
    "query_text, query_params, result_data, result_count, cached_at, expires_at) SELECT $1::uuid, "
    "c.id, $3, $4, $5, $6, $7::jsonb, $8::bytea, $9::bigint, " MS_AT("$10") ", " MS_AT(
        "$11") " FROM observability_connections c WHERE c.id = $2::uuid AND c.deleted_at IS NULL "
               "ON CONFLICT (connection_id, query_hash) DO UPDATE SET scope = excluded.scope, "
               "query_type = excluded.query_type, query_text = excluded.query_text, query_params = "
               "excluded.query_params, result_data = excluded.result_data, result_count = "
               "excluded.result_count, cached_at = excluded.cached_at, expires_at = "
               "excluded.expires_at";
static const char count_hits[] =
    "UPDATE observability_query_cache SET hit_count = hit_count + $3::bigint WHERE connection_id = "
    "$1::uuid AND query_hash = $2";
static const char note_token[] =
    "UPDATE api_tokens SET last_used_at = greatest(last_used_at, " MS_AT(
        "$2") ") WHERE id = $1::uuid";

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static const char *or_null(const char *json)
{
    return json && *json ? json : NULL;
}

static void session_params(struct params *p, const struct session_row *session)
{
    param_id(p, session->id);
    param_id(p, session->user_id);
    param_text(p, or_empty(session->kind));
    param_text(p, or_empty(session->client));
    param_int(p, session->started_ms);
    param_int(p, session->seen_ms);
}

static void history_params(struct params *p, const struct history_row *row)
{
    param_id(p, row->id);
    param_id(p, row->call_id);
    param_id(p, row->session_id);
    param_id(p, row->connection_id);
    param_id(p, row->user_id);
    param_text(p, or_empty(row->connection_name));
    param_text(p, or_empty(row->tool));
    param_text(p, or_empty(row->scope));
    param_text(p, or_empty(row->query_type));
    param_text(p, or_empty(row->query_text));
    param_text(p, or_null(row->query_params) ? row->query_params : "{}");
    param_text(p, or_null(row->result_sample));
    param_text(p, or_empty(row->error_message));
    param_int(p, row->result_count);
    param_int(p, row->execution_ms);
    param_bool(p, row->was_cached);
    param_int(p, row->queried_ms);
}

/* id: room for a new one, which must live until the statement was sent. */
static void cache_params(struct params *p, const struct cache_row *row, char id[ROW_ID])
{
    uuid7(id);
    param_id(p, id);
    param_id(p, row->connection_id);
    param_text(p, or_empty(row->scope));
    param_text(p, row->hash);
    param_text(p, or_empty(row->query_type));
    param_text(p, or_empty(row->query_text));
    param_text(p, or_null(row->query_params) ? row->query_params : "{}");
    param_bytes(p, row->data, row->size);
    param_int(p, row->result_count);
    param_int(p, row->cached_ms);
    param_int(p, row->expires_ms);
}

struct batch {
    struct queued *const *rows;
    size_t n;
};

static int send(struct conn *conn, const char *sql, const struct params *p, struct err *err)
{
    const char *name = NULL;
    int sent;
    if (conn->unprepared)
        sent = PQsendQueryParams(conn->pq, sql, p->n, NULL, p->values, p->lengths, p->formats, 0);
    else if (pg_prepare(conn, sql, &name, err) == 0)
        sent = PQsendQueryPrepared(conn->pq, name, p->n, p->values, p->lengths, p->formats, 0);
    else
        return ERR_UNAVAILABLE;
    return sent ? 0 : pg_fail(conn, NULL, err);
}

/* Before the pipeline begins: inside it nothing could be awaited. */
static int prepare(struct conn *conn, const struct batch *batch, struct err *err)
{
    static const char *const by_type[] = {[QUEUED_HISTORY] = put_history,
                                          [QUEUED_CACHE] = put_cache,
                                          [QUEUED_HIT] = count_hits,
                                          [QUEUED_TOKEN_USED] = note_token};
    const char *name;
    int r = 0;
    size_t history = 0;
    for (size_t i = 0; r == 0 && i < batch->n; i++) {
        r = pg_prepare(conn, by_type[batch->rows[i]->type], &name, err);
        history += batch->rows[i]->type == QUEUED_HISTORY;
    }
    if (r == 0 && history > 0)
        r = pg_prepare(conn, put_session, &name, err);
    if (r == 0 && history >= TOGETHER)
        r = pg_prepare(conn, put_together, &name, err);
    return r;
}

static bool same_session(const struct queued *a, const struct queued *b)
{
    return a->type == QUEUED_HISTORY && b->type == QUEUED_HISTORY &&
           strcmp(a->history.session.id, b->history.session.id) == 0 &&
           strcmp(a->history.session.user_id, b->history.session.user_id) == 0;
}

/* Whether one of the last rows has written this session: most batches are of few sessions. */
static bool session_written(const struct batch *batch, size_t i)
{
    if (!batch->rows[i]->history.session.id[0])
        return true;
    for (size_t back = 1; back <= i && back <= 64; back++) {
        if (same_session(batch->rows[i], batch->rows[i - back]))
            return true;
    }
    return false;
}

/* All sessions, then all rows that refer to them, as many together as there are. */
static int send_history(struct conn *conn, const struct batch *batch, struct err *err)
{
    const struct history_row *waiting[TOGETHER];
    size_t n = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && i < batch->n; i++) {
        if (batch->rows[i]->type != QUEUED_HISTORY || session_written(batch, i))
            continue;
        struct params session = {0};
        session_params(&session, &batch->rows[i]->history.session);
        r = send(conn, put_session, &session, err);
    }
    for (size_t i = 0; r == 0 && i < batch->n; i++) {
        if (batch->rows[i]->type != QUEUED_HISTORY)
            continue;
        waiting[n++] = &batch->rows[i]->history.row;
        if (n < TOGETHER)
            continue;
        struct params p = {0};
        for (size_t k = 0; k < n; k++)
            history_params(&p, waiting[k]);
        n = 0;
        r = send(conn, put_together, &p, err);
    }
    for (size_t k = 0; r == 0 && k < n; k++) {
        struct params p = {0};
        history_params(&p, waiting[k]);
        r = send(conn, put_history, &p, err);
    }
    return r;
}

static int send_other(struct conn *conn, const struct queued *row, struct err *err)
{
    struct params p = {0};
    char id[ROW_ID];
    switch (row->type) {
    case QUEUED_HISTORY:
        return 0;
    case QUEUED_CACHE:
        cache_params(&p, &row->cache, id);
        return send(conn, put_cache, &p, err);
    case QUEUED_HIT:
        param_id(&p, row->hit.connection_id);
        param_text(&p, row->hit.hash);
        param_int(&p, row->hit.hits);
        return send(conn, count_hits, &p, err);
    case QUEUED_TOKEN_USED:
        param_id(&p, row->used.id);
        param_int(&p, row->used.now_ms);
        return send(conn, note_token, &p, err);
    }
    return err_set(err, ERR_INVALID, "a row of an unknown kind");
}

static int send_all(struct conn *conn, const struct batch *batch, struct err *err)
{
    if (!PQsendQueryParams(conn->pq, "BEGIN", 0, NULL, NULL, NULL, NULL, 0))
        return pg_fail(conn, NULL, err);
    conn->in_transaction = true;
    int r = send_history(conn, batch, err);
    for (size_t i = 0; r == 0 && i < batch->n; i++)
        r = send_other(conn, batch->rows[i], err);
    conn->sent = true;
    if (r == 0 && !PQsendQueryParams(conn->pq, "COMMIT", 0, NULL, NULL, NULL, NULL, 0))
        r = pg_fail(conn, NULL, err);
    if (r == 0 && !PQpipelineSync(conn->pq))
        r = pg_fail(conn, NULL, err);
    return r;
}

/* Reads every answer up to the one of the sync; the first failure is the one that tells. */
static int receive_all(struct conn *conn, struct err *err)
{
    int r = 0;
    for (;;) {
        if (pg_await(conn, r == 0 ? err : NULL) != 0)
            return ERR_UNAVAILABLE;
        PGresult *result CLEANUP(pg_clearp) = PQgetResult(conn->pq);
        if (!result)
            continue; /* between the answers of two statements */
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC)
            return r;
        bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
                    status == PGRES_PIPELINE_ABORTED;
        if (!good && r == 0)
            r = pg_fail(conn, result, err);
        if (!conn->pq)
            return r;
    }
}

static int write_all(struct conn *conn, void *context, struct err *err)
{
    const struct batch *batch = context;
    int r = conn->unprepared ? 0 : prepare(conn, batch, err);
    if (r != 0)
        return r;
    if (!PQenterPipelineMode(conn->pq))
        return pg_fail(conn, NULL, err);
    r = send_all(conn, batch, err);
    if (r == 0)
        r = receive_all(conn, err);
    else
        pg_disconnect(conn); /* half a batch is on its way: it must not be committed */
    if (conn->pq && !PQexitPipelineMode(conn->pq))
        pg_disconnect(conn);
    if (r == 0)
        conn->in_transaction = false;
    return r;
}

int pg_write_batch(struct driver *driver, struct queued *const *rows, size_t n, struct err *err)
{
    struct batch batch = {rows, n};
    if (n == 0)
        return 0;
    pthread_once(&made_together, make_together);
    int r = pg_operate(driver, WRITES, write_all, &batch, err);
    /* What is unique already belongs to another row: no later attempt can go well. */
    if (r == ERR_CONFLICT && err)
        err->code = ERR_INVALID;
    return r == ERR_CONFLICT ? ERR_INVALID : r;
}
