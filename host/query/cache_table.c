/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "model/result_codec.h"
#include "query/backend.h"
#include "query/cache_internal.h"
#include "store/rows.h"

#define ROW_MAX ((size_t)256 << 10)
#define TEXT_MAX ((size_t)4 << 10)
#define READ_MAX ((size_t)1 << 20)
#define DECODED_MAX ((size_t)16 << 20)
/* After a failure of the store: calls go on without it, and do not wait for it one by one. */
#define AGAIN_NS (10 * NS_PER_S)

void cache_table_init(struct cache_table *table, const struct cache_settings *settings)
{
    table->store = settings->store;
    table->rows = settings->rows;
    atomic_init(&table->not_before_ns, 0);
}

/* 0, or ERR_SYSTEM. */
static int hash_of(const struct query_key *key, char out[SHA256_BYTES * 2 + 1])
{
    static const char digits[] = "0123456789abcdef";
    char name[QUERY_NAME_BYTES];
    unsigned char digest[SHA256_BYTES];
    query_name(key, QUERY_EXACT, name);
    int r = crypto_sha256(name, sizeof name, digest);
    if (r)
        return r;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[SHA256_BYTES * 2] = '\0';
    return 0;
}

struct result *cache_table_get(struct cache_table *table, const struct query_key *key,
                               int64_t now_ns, struct budget *budget)
{
    char hash[SHA256_BYTES * 2 + 1];
    int64_t mono_ns = clock_mono_ns();
    if (mono_ns < atomic_load(&table->not_before_ns) || hash_of(key, hash))
        return NULL;
    struct arena arena;
    struct cache_row row;
    struct err err = {0};
    struct result *result = NULL;
    arena_init(&arena, READ_MAX, NULL);
    int r = table->rows.get(table->store, key->connection, hash, now_ns / NS_PER_MS, &arena, &row,
                            &err);
    if (r && r != ERR_NOT_FOUND) {
        atomic_store(&table->not_before_ns, mono_ns + AGAIN_NS);
        log_line(LOG_DEBUG, "cache", "the table is not asked for 10 s: %s", err.text);
    }
    if (!r) {
        r = result_decode(row.data, row.size, DECODED_MAX, budget, &result);
        if (r == ERR_INVALID)
            log_line(LOG_WARN, "cache", "a stored result cannot be read and is fetched again");
    }
    arena_finish(&arena);
    cache_count_lookup(CACHE_TABLE, result != NULL);
    return result;
}

static const char *params_of(struct buf *buf, const struct sonde_query *query)
{
    buf_printf(buf, "{\"start_ns\":%" PRId64 ",\"end_ns\":%" PRId64 ",\"step_ns\":%" PRId64 "}",
               query->start_ns, query->end_ns, query->step_ns);
    return buf_text(buf);
}

int cache_table_put(struct cache_table *table, const struct sonde_query *query,
                    const struct query_key *key, const struct result *result, int64_t keep_ns)
{
    struct cache_row row = {.scope = query->scope,
                            .query_type = query_kind_name(query->kind),
                            .result_count = (int64_t)(result->series_count + result->name_count),
                            .cached_ms = result->fetched_at_ns / NS_PER_MS,
                            .expires_ms = (result->fetched_at_ns + keep_ns) / NS_PER_MS};
    /* Of whole samples far more than that never shrinks to a row. */
    if (result->arena.used + result->block_bytes > RESULT_PACKED_MAX)
        return ERR_LIMIT;
    struct buf data = BUF(ROW_MAX);
    struct buf params = BUF(256);
    int r = hash_of(key, row.hash);
    if (!r)
        r = result_encode(result, &data);
    if (!r) {
        char text[TEXT_MAX];
        const char *words = query->native_size ? query->native : query->name;
        utf8_clean(text, sizeof text, words,
                   query->native_size ? query->native_size : strlen(words));
        memcpy(row.connection_id, key->connection, sizeof row.connection_id);
        row.query_text = text;
        row.query_params = params_of(&params, query);
        row.data = data.data;
        row.size = data.size;
        table->rows.put(table->store, &row);
        cache_count_stored(CACHE_TABLE);
    }
    buf_finish(&params);
    buf_finish(&data);
    return r;
}

void cache_table_hits(struct cache_table *table, const struct query_key *key, uint32_t hits)
{
    char hash[SHA256_BYTES * 2 + 1];
    if (table->store && !hash_of(key, hash))
        table->rows.hit(table->store, key->connection, hash, hits);
}
