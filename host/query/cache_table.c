/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/thread.h"
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
#define JOBS_MAX 64u
#define STACK_BYTES (256u * 1024u)
/* At the end, what waits is written as far as it gets in this time: the process is about to end. */
#define FINISH_NS (100 * NS_PER_MS)

struct cache_job {
    struct cache_job *next;
    struct query_key key;
    struct result *result;
    int64_t keep_ns;
    uint32_t kind;
    char scope[128];
    char params[128];
    char text[TEXT_MAX];
};

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

static struct cache_job *job_new(const struct sonde_query *query, const struct query_key *key,
                                 struct result *result, int64_t keep_ns)
{
    struct cache_job *job = mem_alloc(sizeof *job);
    if (!job)
        return NULL;
    job->key = *key;
    job->result = result_ref(result);
    job->keep_ns = keep_ns;
    job->kind = query->kind;
    const char *words = query->native_size ? query->native : query->name;
    utf8_clean(job->scope, sizeof job->scope, query->scope, strlen(query->scope));
    utf8_clean(job->text, sizeof job->text, words,
               query->native_size ? query->native_size : strlen(words));
    snprintf(job->params, sizeof job->params,
             "{\"start_ns\":%" PRId64 ",\"end_ns\":%" PRId64 ",\"step_ns\":%" PRId64 "}",
             query->start_ns, query->end_ns, query->step_ns);
    return job;
}

static void job_free(struct cache_job *job)
{
    result_unref(job->result);
    mem_free(job);
}

static void write_row(struct cache_table *table, const struct cache_job *job)
{
    const struct result *result = job->result;
    struct cache_row row = {.scope = job->scope,
                            .query_type = query_kind_name(job->kind),
                            .query_text = job->text,
                            .query_params = job->params,
                            .result_count = (int64_t)(result->series_count + result->name_count),
                            .cached_ms = result->fetched_at_ns / NS_PER_MS,
                            .expires_ms = (result->fetched_at_ns + job->keep_ns) / NS_PER_MS};
    struct buf data = BUF(ROW_MAX);
    if (!hash_of(&job->key, row.hash) && !result_encode(result, &data)) {
        memcpy(row.connection_id, job->key.connection, sizeof row.connection_id);
        row.data = data.data;
        row.size = data.size;
        table->rows.put(table->store, &row);
        cache_count_stored(CACHE_TABLE);
        table->written(table->user, &job->key, result);
    }
    buf_finish(&data);
}

/* The next job, waited for; NULL when it stops and none is left. Under the lock. */
static struct cache_job *next_job(struct cache_table *table)
{
    while (!table->first && !table->stopping)
        pthread_cond_wait(&table->work, &table->lock);
    struct cache_job *job = table->first;
    if (!job)
        return NULL;
    table->first = job->next;
    if (!table->first)
        table->last = NULL;
    table->jobs--;
    return job;
}

static void *work(void *argument)
{
    struct cache_table *table = argument;
    int64_t until_ns = 0;
    pthread_mutex_lock(&table->lock);
    for (struct cache_job *job = next_job(table); job; job = next_job(table)) {
        if (table->stopping && !until_ns)
            until_ns = clock_mono_ns() + FINISH_NS;
        pthread_mutex_unlock(&table->lock);
        if (!until_ns || clock_mono_ns() < until_ns)
            write_row(table, job);
        job_free(job);
        pthread_mutex_lock(&table->lock);
    }
    pthread_mutex_unlock(&table->lock);
    return NULL;
}

int cache_table_init(struct cache_table *table, const struct cache_settings *settings,
                     void (*written)(void *user, const struct query_key *key,
                                     const struct result *result),
                     void *user)
{
    *table = (struct cache_table){
        .store = settings->store, .rows = settings->rows, .written = written, .user = user};
    atomic_init(&table->not_before_ns, 0);
    if (pthread_mutex_init(&table->lock, NULL))
        return ERR_SYSTEM;
    if (!pthread_cond_init(&table->work, NULL))
        return 0;
    pthread_mutex_destroy(&table->lock);
    return ERR_SYSTEM;
}

void cache_table_finish(struct cache_table *table)
{
    pthread_mutex_lock(&table->lock);
    table->stopping = true;
    bool started = table->started;
    pthread_cond_signal(&table->work);
    pthread_mutex_unlock(&table->lock);
    if (started)
        pthread_join(table->thread, NULL);
    pthread_cond_destroy(&table->work);
    pthread_mutex_destroy(&table->lock);
}

void cache_table_put(struct cache_table *table, const struct sonde_query *query,
                     const struct query_key *key, struct result *result, int64_t keep_ns)
{
    /* What takes far more than a row may is not worth trying. */
    if (result->arena.used + result->block_bytes > RESULT_PACKED_MAX)
        return;
    struct cache_job *job = job_new(query, key, result, keep_ns);
    if (!job)
        return;
    pthread_mutex_lock(&table->lock);
    if (!table->started && !table->stopping)
        table->started = !thread_start(&table->thread, "cache", STACK_BYTES, work, table);
    bool taken = table->started && !table->stopping && table->jobs < JOBS_MAX;
    if (taken) {
        *(table->last ? &table->last->next : &table->first) = job;
        table->last = job;
        table->jobs++;
        pthread_cond_signal(&table->work);
    }
    pthread_mutex_unlock(&table->lock);
    if (!taken)
        job_free(job);
}

void cache_table_hits(struct cache_table *table, const struct query_key *key, uint32_t hits)
{
    char hash[SHA256_BYTES * 2 + 1];
    if (table->store && !hash_of(key, hash))
        table->rows.hit(table->store, key->connection, hash, hits);
}
