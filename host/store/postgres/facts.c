/* SPDX-License-Identifier: Apache-2.0 */
/* What `sonde db status` tells of the database. */
#include <stdio.h>
#include "store/postgres/internal.h"

static const char *const tables[][2] = {
    {"users", "created_at"},
    {"api_tokens", "created_at"},
    {"observability_connections", "updated_at"},
    {"sessions", "last_seen_at"},
    {"observability_query_history", "queried_at"},
    {"observability_query_cache", "cached_at"},
};

static int read_table(struct conn *conn, const char *const names[2], struct store_table *table,
                      struct err *err)
{
    char sql[192];
    PGresult *result CLEANUP(pg_clearp) = NULL;
    snprintf(sql, sizeof sql, "SELECT count(*), " MS_OUT("max(%s)") " FROM %s", names[1], names[0]);
    int r = pg_run_once(conn, sql, NULL, &result, err);
    if (r == 0)
        *table = (struct store_table){names[0], pg_column_int(result, 0, 0),
                                      pg_column_int(result, 0, 1)};
    return r;
}

static int read_size(struct conn *conn, int64_t *ret_size, struct err *err)
{
    PGresult *result CLEANUP(pg_clearp) = NULL;
    int r = pg_run_once(conn, "SELECT pg_database_size(current_database())", NULL, &result, err);
    /* Relatives of PostgreSQL may not know. */
    if (r == 0)
        *ret_size = pg_column_int(result, 0, 0);
    return conn->lost ? r : 0;
}

static int read_facts(struct conn *conn, struct arena *arena, struct store_facts *facts,
                      struct err *err)
{
    size_t applied = 0;
    int r = pg_applied(conn, &applied, NULL, err);
    if (r != 0)
        return r;
    const char *version = PQparameterStatus(conn->pq, "server_version");
    facts->engine = arena_printf(arena, "PostgreSQL %s", version ? version : "of unknown version");
    struct store_table *list = arena_alloc_array(arena, ARRAY_SIZE(tables), sizeof *list);
    if (!facts->engine || !list)
        return err_set(err, ERR_MEMORY, "out of memory");
    r = read_size(conn, &facts->size, err);
    for (size_t i = 0; r == 0 && applied > 0 && i < ARRAY_SIZE(tables); i++) {
        r = read_table(conn, tables[i], &list[i], err);
        facts->table_count = i + 1;
    }
    facts->tables = list;
    return r;
}

int pg_facts(const char *location, struct arena *arena, struct store_facts *ret_facts,
             struct err *err)
{
    struct address address;
    struct conn conn = {0};
    struct store_facts facts = {0};
    int r = pg_address_parse(location, &address, err);
    if (r != 0)
        return r;
    r = pg_connect_patient(&address, &conn, err);
    if (r == 0)
        r = read_facts(&conn, arena, &facts, err);
    pg_disconnect(&conn);
    pg_address_finish(&address);
    if (r == 0)
        *ret_facts = facts;
    return r;
}
