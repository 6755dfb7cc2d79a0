/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

#include "base/str.h"

/* Texts are measured on the first pass and copied on the second; invalid bytes become U+FFFD, which takes three. */
struct packer {
    char *at; /* NULL on the first pass */
    size_t size;
    bool too_long;
};

static const char *pack(struct packer *packer, const char *text)
{
    const char *from = text ? text : "";
    size_t size = strlen(from);
    bool valid = utf8_valid(from, size);
    size_t room = (valid ? size : 3 * size) + 1;
    if (size > STORE_MAX_TEXT)
        packer->too_long = true;
    if (!packer->at) {
        packer->size += packer->too_long ? 0 : room;
        return NULL;
    }
    char *out = packer->at;
    if (valid)
        memcpy(out, from, room);
    else
        utf8_clean(out, room, from, size);
    packer->at += room;
    return out;
}

static void pack_history(struct packer *packer, const struct history_row *from,
                         const struct session_row *session, bool with_sample,
                         struct history_row *row, struct session_row *to)
{
    row->connection_name = pack(packer, from->connection_name);
    row->tool = pack(packer, from->tool);
    row->scope = pack(packer, from->scope);
    row->query_type = pack(packer, from->query_type);
    row->query_text = pack(packer, from->query_text);
    row->query_params = pack(packer, from->query_params ? from->query_params : "{}");
    row->result_sample = pack(packer, with_sample ? from->result_sample : "");
    row->error_message = pack(packer, from->error_message);
    to->kind = pack(packer, session ? session->kind : "");
    to->client = pack(packer, session ? session->client : "");
}

static struct queued *block(size_t size, struct packer *packer)
{
    struct queued *queued = packer->too_long ? NULL : mem_alloc(sizeof *queued + size);
    if (queued) {
        queued->size = sizeof *queued + size;
        packer->at = (char *)(queued + 1);
    }
    return queued;
}

struct queued *copy_history(const struct history_row *row, const struct session_row *session,
                            bool with_sample)
{
    struct packer packer = {0};
    struct history_row unused_row;
    struct session_row unused_session;
    pack_history(&packer, row, session, with_sample, &unused_row, &unused_session);
    struct queued *queued = block(packer.size, &packer);
    if (!queued)
        return NULL;
    queued->type = QUEUED_HISTORY;
    queued->history.row = *row;
    if (session)
        queued->history.session = *session;
    pack_history(&packer, row, session, with_sample, &queued->history.row,
                 &queued->history.session);
    return queued;
}

static void pack_cache(struct packer *packer, const struct cache_row *from, struct cache_row *to)
{
    to->scope = pack(packer, from->scope);
    to->query_type = pack(packer, from->query_type);
    to->query_text = pack(packer, from->query_text);
    to->query_params = pack(packer, from->query_params ? from->query_params : "{}");
}

struct queued *copy_cache(const struct cache_row *row)
{
    struct packer packer = {0};
    struct cache_row unused;
    pack_cache(&packer, row, &unused);
    if (row->size > STORE_MAX_CACHED)
        packer.too_long = true;
    struct queued *queued = block(packer.size + row->size, &packer);
    if (!queued)
        return NULL;
    queued->type = QUEUED_CACHE;
    queued->cache = *row;
    pack_cache(&packer, row, &queued->cache);
    if (row->size)
        memcpy(packer.at, row->data, row->size);
    queued->cache.data = packer.at;
    return queued;
}

struct queued *copy_hit(const char *connection_id, const char *hash, int64_t hits)
{
    struct packer packer = {0};
    struct queued *queued = block(0, &packer);
    if (!queued)
        return NULL;
    queued->type = QUEUED_HIT;
    queued->hit.hits = hits;
    memcpy(queued->hit.connection_id, connection_id, strnlen(connection_id, ROW_ID - 1));
    memcpy(queued->hit.hash, hash, strnlen(hash, sizeof queued->hit.hash - 1));
    return queued;
}

struct queued *copy_token_used(const char *id, int64_t now_ms)
{
    struct packer packer = {0};
    struct queued *queued = block(0, &packer);
    if (!queued)
        return NULL;
    queued->type = QUEUED_TOKEN_USED;
    queued->used.now_ms = now_ms;
    memcpy(queued->used.id, id, strnlen(id, ROW_ID - 1));
    return queued;
}
