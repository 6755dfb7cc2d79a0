/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of store.h: what every driver would have to check is checked here, and how it went is noted. */
#include "store/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define FLUSH_NS (2 * NS_PER_S)

/* A UUID in lower case. */
static bool is_id(const char *text)
{
    for (size_t i = 0; i < ROW_ID - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (dash ? text[i] != '-' : !digit)
            return false;
    }
    return !text[ROW_ID - 1];
}

static int check_id(const char *what, const char *id, struct err *err)
{
    return is_id(id)
               ? 0
               : err_set(err, ERR_INVALID, "%s \"%.64s\": expected a UUID in lower case", what, id);
}

/* NULL is fine where the row allows it. */
static int check_text(const char *what, const char *text, struct err *err)
{
    size_t size = text ? strlen(text) : 0;
    if (size > STORE_MAX_TEXT)
        return err_set(err, ERR_LIMIT, "%s is %zu bytes long; at most %u are stored", what, size,
                       STORE_MAX_TEXT);
    if (text && !utf8_valid(text, size))
        return err_set(err, ERR_INVALID, "%s is not valid UTF-8", what);
    return 0;
}

static int check_name(const char *what, const char *name, size_t max, struct err *err)
{
    size_t characters = 0;
    for (const char *at = name; at && *at; at++)
        characters += ((unsigned char)*at & 0xc0) != 0x80;
    if (!characters || characters > max)
        return err_set(err, ERR_INVALID, "%s: expected 1 to %zu characters, got %zu", what, max,
                       characters);
    return check_text(what, name, err);
}

static int not_found(const char *what, const char *id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "no %s %.64s", what, id);
}

/* One note for every operation; err may be NULL outside, never inside. */
#define ASK(operation, ...) \
    store_noted(store, store->table->operation(store->driver, __VA_ARGS__, err), err)
#define OWN_ERR           \
    struct err own = {0}; \
    err = err ? err : &own

uint64_t store_generation(struct store *store)
{
    return store->table->generation(store->driver);
}

int store_user_add(struct store *store, const struct user_row *user, struct err *err)
{
    OWN_ERR;
    int r = check_id("user id", user->id, err);
    if (!r)
        r = check_name("user name", user->name, 63, err);
    if (!r)
        r = check_text("external id", user->external, err);
    return r ? r : ASK(user_add, user);
}

int store_users(struct store *store, struct arena *arena, struct user_row **ret_users,
                size_t *ret_count, struct err *err)
{
    OWN_ERR;
    return ASK(users, arena, ret_users, ret_count);
}

int store_user_find(struct store *store, const char *id, const char *name, const char *external,
                    struct arena *arena, struct user_row *ret_user, struct err *err)
{
    OWN_ERR;
    const char *text = name ? name : id ? id : external;
    if (!text)
        return err_set(err, ERR_INVALID, "a user is found by id, name or external id");
    if ((id && !is_id(id)) || check_text("", text, NULL))
        return not_found("user", text, err);
    return ASK(user_find, id, name, external, arena, ret_user);
}

int store_user_disable(struct store *store, const char *id, bool disabled, struct err *err)
{
    OWN_ERR;
    return is_id(id) ? ASK(user_disable, id, disabled) : not_found("user", id, err);
}

int store_token_add(struct store *store, const struct token_row *token, struct err *err)
{
    OWN_ERR;
    int r = check_id("token id", token->id, err);
    if (!r)
        r = check_id("user id", token->user_id, err);
    if (!r)
        r = check_text("token name", token->name, err);
    if (!r)
        r = check_text("token prefix", token->prefix, err);
    if (!r)
        r = check_text("connections", token->connections, err);
    return r ? r : ASK(token_add, token);
}

int store_tokens(struct store *store, const char *user_id, struct arena *arena,
                 struct token_row **ret_tokens, size_t *ret_count, struct err *err)
{
    OWN_ERR;
    if (user_id && !is_id(user_id)) {
        *ret_tokens = NULL;
        *ret_count = 0;
        return 0;
    }
    return ASK(tokens, user_id, arena, ret_tokens, ret_count);
}

int store_token_revoke(struct store *store, const char *id, int64_t now_ms, struct err *err)
{
    OWN_ERR;
    return is_id(id) ? ASK(token_revoke, id, now_ms) : not_found("token", id, err);
}

static int check_connection(const struct connection_row *row, struct err *err)
{
    const struct {
        const char *what;
        const char *text;
    } texts[] = {{"description", row->description},
                 {"backend_type", row->backend_type},
                 {"connection_config", row->config},
                 {"tags", row->tags},
                 {"source", row->source},
                 {"health_error", row->health_error}};
    int r = check_id("connection id", row->id, err);
    if (!r)
        r = check_name("connection name", row->name, 255, err);
    for (size_t i = 0; !r && i < ARRAY_SIZE(texts); i++)
        r = check_text(texts[i].what, texts[i].text, err);
    return r;
}

int store_connection_add(struct store *store, const struct connection_row *row, struct err *err)
{
    OWN_ERR;
    int r = check_connection(row, err);
    if (!r)
        r = check_id("user id", row->user_id, err);
    return r ? r : ASK(connection_add, row);
}

int store_connections(struct store *store, const char *user_id, const char *after_name,
                      size_t limit, struct arena *arena, struct connection_row **ret_rows,
                      size_t *ret_count, struct err *err)
{
    OWN_ERR;
    if (!is_id(user_id)) {
        *ret_rows = NULL;
        *ret_count = 0;
        return 0;
    }
    int r = check_text("name", after_name, err);
    return r ? r : ASK(connections, user_id, after_name, limit, arena, ret_rows, ret_count);
}

int store_connection_get(struct store *store, const char *user_id, const char *id,
                         struct arena *arena, struct connection_row *ret_row, struct err *err)
{
    OWN_ERR;
    if (!is_id(id) || (user_id && !is_id(user_id)))
        return not_found("connection", id, err);
    return ASK(connection_get, user_id, id, arena, ret_row);
}

int store_connection_update(struct store *store, const struct connection_row *row, struct err *err)
{
    OWN_ERR;
    if (!is_id(row->id) || !is_id(row->user_id))
        return not_found("connection", row->id, err);
    int r = check_connection(row, err);
    return r ? r : ASK(connection_update, row);
}

int store_connection_delete(struct store *store, const char *user_id, const char *id,
                            uint64_t revision, int64_t now_ms, struct err *err)
{
    OWN_ERR;
    if (!is_id(id) || (user_id && !is_id(user_id)))
        return not_found("connection", id, err);
    return ASK(connection_delete, user_id, id, revision, now_ms);
}

int store_connection_health(struct store *store, const char *id, enum connection_health health,
                            const char *error, int64_t now_ms, struct err *err)
{
    OWN_ERR;
    if (!is_id(id))
        return not_found("connection", id, err);
    int r = check_text("health_error", error, err);
    return r ? r : ASK(connection_health, id, health, error ? error : "", now_ms);
}

int store_connections_sync(struct store *store, const struct connection_row *rows, size_t n,
                           bool whole, int64_t now_ms, struct err *err)
{
    OWN_ERR;
    int r = 0;
    for (size_t i = 0; !r && i < n; i++) {
        r = check_connection(&rows[i], err);
        if (!r)
            r = check_id("user id", rows[i].user_id, err);
    }
    return r ? r : ASK(connections_sync, rows, n, whole, now_ms);
}

int store_connections_scan(struct store *store, const char *after_id, size_t limit,
                           struct arena *arena, struct connection_row **ret_rows, size_t *ret_count,
                           struct err *err)
{
    OWN_ERR;
    int r = after_id ? check_id("id", after_id, err) : 0;
    size_t most = limit && limit < STORE_MAX_PAGE ? limit : STORE_MAX_PAGE;
    return r ? r : ASK(connections_scan, after_id, most, arena, ret_rows, ret_count);
}

int store_connection_rewrap(struct store *store, const char *id, const char *before,
                            const char *after, bool *ret_swapped, struct err *err)
{
    OWN_ERR;
    int r = check_id("connection id", id, err);
    if (!r)
        r = check_text("connection_config", after, err);
    return r ? r : ASK(connection_rewrap, id, before, after, ret_swapped);
}

int store_setting_get(struct store *store, const char *name, struct arena *arena,
                      const char **ret_value, struct err *err)
{
    OWN_ERR;
    return ASK(setting_get, name, arena, ret_value);
}

int store_setting_init(struct store *store, const char *name, const char *value,
                       struct arena *arena, const char **ret_value, struct err *err)
{
    OWN_ERR;
    int r = check_text(name, value, err);
    return r ? r : ASK(setting_init, name, value, arena, ret_value);
}

int store_setting_swap(struct store *store, const char *name, const char *before, const char *after,
                       bool *ret_swapped, struct err *err)
{
    OWN_ERR;
    int r = check_text(name, after, err);
    return r ? r : ASK(setting_swap, name, before, after, ret_swapped);
}

int store_replica_beat(struct store *store, const struct replica_row *replica, struct err *err)
{
    OWN_ERR;
    int r = check_id("replica id", replica->id, err);
    if (!r)
        r = check_text("host", replica->host, err);
    if (!r)
        r = check_text("key_ids", replica->key_ids, err);
    return r ? r : ASK(replica_beat, replica);
}

void store_replica_gone(struct store *store, const char *id)
{
    struct err own = {0};
    struct err *err = &own;
    /* It would be taken for gone some minutes later all the same. */
    if (is_id(id) && ASK(replica_gone, id))
        log_line(LOG_DEBUG, "store", "%s", err->text);
}

int store_replicas(struct store *store, int64_t since_ms, struct arena *arena,
                   struct replica_row **ret_rows, size_t *ret_count, struct err *err)
{
    OWN_ERR;
    return ASK(replicas, since_ms, arena, ret_rows, ret_count);
}

/* What a history row refers to; a wrong one would spoil a whole batch. */
static bool fit(const struct history_row *row, const struct session_row *session)
{
    return is_id(row->id) && is_id(row->call_id) && is_id(row->session_id) && is_id(row->user_id) &&
           (!row->connection_id[0] || is_id(row->connection_id)) &&
           (!session || (is_id(session->id) && is_id(session->user_id)));
}

void store_append_history(struct store *store, const struct history_row *row,
                          const struct session_row *session)
{
    if (!store->history_ns)
        return;
    struct queued *queued = fit(row, session) ? copy_history(row, session, true) : NULL;
    if (!queued) {
        queue_count(&store->queue, LOST_BAD);
        return;
    }
    if (queue_put(&store->queue, queued))
        return;
    mem_free(queued);
    bool sampled = row->result_sample && row->result_sample[0];
    queued = sampled ? copy_history(row, session, false) : NULL;
    bool in = queued && queue_put(&store->queue, queued);
    if (!in)
        mem_free(queued);
    queue_count(&store->queue, in ? LOST_SAMPLE : LOST_ROW);
}

void store_token_used(struct store *store, const char *id, int64_t now_ms)
{
    struct queued *queued = is_id(id) ? copy_token_used(id, now_ms) : NULL;
    if (queued && queue_put(&store->queue, queued))
        return;
    mem_free(queued);
    queue_count(&store->queue, LOST_ROW);
}

static bool is_hash(const char *hash)
{
    return strnlen(hash, 65) == 64 && strspn(hash, "0123456789abcdef") == 64;
}

void store_put_cache(struct store *store, const struct cache_row *row)
{
    bool good = is_id(row->connection_id) && is_hash(row->hash);
    struct queued *queued = good ? copy_cache(row) : NULL;
    if (queued && queue_put(&store->queue, queued))
        return;
    mem_free(queued);
    queue_count(&store->queue, good ? LOST_CACHE : LOST_BAD);
}

void store_hit_cache(struct store *store, const char *connection_id, const char *hash, int64_t hits)
{
    if (!is_id(connection_id) || !is_hash(hash))
        return;
    struct queued *queued = copy_hit(connection_id, hash, hits);
    if (queued && !queue_put(&store->queue, queued))
        mem_free(queued);
}

int store_history(struct store *store, const struct history_filter *filter, struct arena *arena,
                  struct history_row **ret_rows, size_t *ret_count, struct err *err)
{
    OWN_ERR;
    const char *const ids[] = {filter->user_id, filter->session_id, filter->connection_id,
                               filter->call_id};
    struct history_filter bounded = *filter;
    int r = filter->before_id ? check_id("cursor", filter->before_id, err) : 0;
    if (!r)
        r = check_text("tool", filter->tool, err);
    if (r)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        if (!ids[i] || is_id(ids[i]))
            continue;
        *ret_rows = NULL;
        *ret_count = 0;
        return 0;
    }
    if (!bounded.limit || bounded.limit > STORE_MAX_PAGE)
        bounded.limit = STORE_MAX_PAGE;
    queue_flush(&store->queue, clock_mono_ns() + FLUSH_NS);
    return ASK(history, &bounded, arena, ret_rows, ret_count);
}

int store_history_get(struct store *store, const char *user_id, const char *id, struct arena *arena,
                      struct history_row *ret_row, struct err *err)
{
    OWN_ERR;
    if (!is_id(id) || (user_id && !is_id(user_id)))
        return not_found("query", id, err);
    queue_flush(&store->queue, clock_mono_ns() + FLUSH_NS);
    return ASK(history_get, user_id, id, arena, ret_row);
}

int store_get_cache(struct store *store, const char *connection_id, const char *hash,
                    int64_t now_ms, struct arena *arena, struct cache_row *ret_row, struct err *err)
{
    OWN_ERR;
    if (!is_id(connection_id) || !is_hash(hash))
        return err_set(err, ERR_NOT_FOUND, "no such result is stored");
    return ASK(get_cache, connection_id, hash, now_ms, arena, ret_row);
}

int store_sweep(struct store *store, int64_t now_ms, size_t *ret_deleted, struct err *err)
{
    OWN_ERR;
    return ASK(sweep, now_ms, now_ms - store->history_ns / NS_PER_MS, ret_deleted);
}
