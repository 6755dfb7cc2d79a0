/* SPDX-License-Identifier: Apache-2.0 */
#include "query/query_key.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "query/backend.h"

#define KEY_MAX (256u * 1024u)
#define SORTED_MAX 64u

static void add_number(struct buf *buf, uint64_t number)
{
    buf_add_n(buf, &number, sizeof number);
}

/* Sizes before bytes, so that no two lists run into the same string. */
static void add_bytes(struct buf *buf, const void *data, size_t size)
{
    add_number(buf, size);
    if (size)
        buf_add_n(buf, data, size);
}

static void add_string(struct buf *buf, const char *string)
{
    add_bytes(buf, string, string ? strlen(string) : 0);
}

static void add_strings(struct buf *buf, const char *const *strings, size_t n)
{
    add_number(buf, n);
    for (size_t i = 0; i < n; i++)
        add_string(buf, strings[i]);
}

static void add_double(struct buf *buf, double value)
{
    buf_add_n(buf, &value, sizeof value);
}

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_filters(const struct sonde_filter *a, const struct sonde_filter *b)
{
    int order = compare_text(a->native, b->native);
    if (!order)
        order = compare_text(a->logical, b->logical);
    if (!order)
        order = (a->op > b->op) - (a->op < b->op);
    if (!order)
        order = (a->value_count > b->value_count) - (a->value_count < b->value_count);
    for (size_t i = 0; !order && i < a->value_count; i++)
        order = compare_text(a->values[i], b->values[i]);
    return order;
}

/* All of them hold, so their order says nothing. */
static void add_filters(struct buf *buf, const struct sonde_filter *const *filters, size_t n)
{
    const struct sonde_filter *sorted[SORTED_MAX];
    bool sort = n <= SORTED_MAX;
    for (size_t i = 0; sort && i < n; i++) {
        size_t at = i;
        for (; at > 0 && compare_filters(sorted[at - 1], filters[i]) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = filters[i];
    }
    add_number(buf, n);
    for (size_t i = 0; i < n; i++) {
        const struct sonde_filter *filter = sort ? sorted[i] : filters[i];
        add_number(buf, filter->op);
        add_number(buf, filter->native_type);
        add_number(buf, filter->flags);
        add_string(buf, filter->logical);
        add_string(buf, filter->native);
        add_strings(buf, filter->values, filter->value_count);
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Space around a text means nothing in any query language; space within may. */
static void add_trimmed(struct buf *buf, const char *text, size_t size)
{
    while (size && is_space(text[size - 1]))
        size--;
    while (size && is_space(*text)) {
        text++;
        size--;
    }
    add_bytes(buf, text, size);
}

static void add_operands(struct buf *buf, const struct sonde_query *query)
{
    add_number(buf, query->operand_count);
    for (size_t i = 0; i < query->operand_count; i++) {
        const struct sonde_operand *operand = query->operands[i];
        add_number(buf, operand->function);
        add_number(buf, operand->aggregate);
        add_string(buf, operand->metric);
        add_filters(buf, operand->filters, operand->filter_count);
        add_number(buf, (uint64_t)operand->window_ns);
        add_number(buf, (uint64_t)operand->offset_ns);
        add_double(buf, operand->quantile);
    }
}

static void add_anchors(struct buf *buf, const struct sonde_query *query)
{
    add_number(buf, query->anchor_count);
    for (size_t i = 0; i < query->anchor_count; i++) {
        const struct sonde_anchor *anchor = query->anchors[i];
        add_number(buf, (uint64_t)anchor->time_ns);
        add_bytes(buf, anchor->ref, anchor->ref_size);
        add_number(buf, anchor->label_count);
        for (size_t k = 0; k < anchor->label_count; k++) {
            add_bytes(buf, anchor->labels[k].name, anchor->labels[k].name_size);
            add_bytes(buf, anchor->labels[k].value, anchor->labels[k].value_size);
        }
    }
}

void query_words(struct buf *buf, const struct sonde_query *query)
{
    const uint64_t numbers[] = {query->kind,
                                query->must_understand,
                                (uint64_t)query->step_ns,
                                query->limit,
                                query->direction,
                                query->combine,
                                query->aggregate,
                                query->top_k,
                                query->bottom_k,
                                query->before,
                                query->after};
    buf_add_n(buf, numbers, sizeof numbers);
    add_string(buf, query->scope);
    add_string(buf, query->name);
    add_trimmed(buf, query->native, query->native_size);
    add_filters(buf, query->filters, query->filter_count);
    add_number(buf, query->match_count);
    for (size_t i = 0; i < query->match_count; i++) {
        add_number(buf, query->match[i].type);
        add_number(buf, query->match[i].child_count);
        add_string(buf, query->match[i].text);
    }
    add_operands(buf, query);
    add_strings(buf, query->by, query->by_count);
    add_strings(buf, query->ids, query->id_count);
    add_anchors(buf, query);
    add_bytes(buf, query->resume, query->resume_size);
    add_number(buf, query->option_count);
    for (size_t i = 0; i < query->option_count; i++) {
        add_string(buf, query->options[i].key);
        add_string(buf, query->options[i].value);
    }
}

const char *query_kind_name(uint32_t kind)
{
    static const char *const names[SONDE_KIND_COUNT] = {
        "probe",           "health",       "scopes",       "explain",      "metrics",
        "metric names",    "label names",  "label values", "exemplars",    "logs",
        "log context",     "log counts",   "log patterns", "traces",       "trace search",
        "span statistics", "services",     "operations",   "dependencies", "events",
        "alerts",          "saved queries"};
    return kind < SONDE_KIND_COUNT ? names[kind] : "this kind of query";
}

/* Whose answers: those of connections that all share are anybody's, all others their owner's alone. */
static void add_backend(struct buf *buf, const struct backend *backend)
{
    const struct connection *connection = backend->connection;
    const struct engine_settings *settings = &backend->engine->settings;
    bool shared = connection->owner && strcmp(connection->owner, USER_OPERATOR_ID) == 0;
    add_string(buf, backend->adapter->table.name);
    add_string(buf, backend->adapter->table.version);
    add_number(buf, settings->max_points);
    add_number(buf, settings->max_series);
    add_number(buf, connection->content);
    if (!connection->content) {
        add_number(buf, backend->serial);
        return;
    }
    add_string(buf, connection->id);
    add_string(buf, shared ? "" : connection->owner);
    add_bytes(buf, backend->scope_digest, backend->parent ? sizeof backend->scope_digest : 0);
}

int query_scope_digest(const struct scope_row *scope, unsigned char ret_digest[SHA256_BYTES])
{
    struct buf words = BUF(KEY_MAX);
    add_string(&words, scope->id);
    add_string(&words, scope->backend);
    add_string(&words, scope->path_prefix);
    add_number(&words, scope->header_count);
    for (size_t i = 0; i < scope->header_count; i++) {
        add_string(&words, scope->headers[i].key);
        add_string(&words, scope->headers[i].value);
    }
    int r = words.failed ? ERR_MEMORY : crypto_sha256(words.data, words.size, ret_digest);
    buf_finish(&words);
    return r;
}

static enum query_when when_of(const struct backend *backend, const struct sonde_query *query,
                               int64_t now_ns)
{
    uint32_t settle = backend->adapter->table.settle_seconds;
    int64_t settle_ns = settle ? settle * NS_PER_S : 5 * NS_PER_MIN;
    /* Alerts are those that fire at present, whatever window they are asked with. */
    if (!query->end_ns || query->kind == SONDE_KIND_ALERTS ||
        query->end_ns >= now_ns - QUERY_NOW_NS)
        return QUERY_NOW;
    return query->end_ns < now_ns - settle_ns ? QUERY_PAST : QUERY_RECENT;
}

int query_key(const struct backend *backend, const struct sonde_query *query, int64_t now_ns,
              struct query_key *ret_key)
{
    struct query_key key = {.serial = backend->serial,
                            .start_ns = query->start_ns,
                            .end_ns = query->end_ns,
                            .when = when_of(backend, query, now_ns)};
    const struct connection *connection = backend->connection;
    if (connection->content && strlen(connection->id) < sizeof key.connection)
        memcpy(key.connection, connection->id, strlen(connection->id) + 1);
    struct buf words = BUF(KEY_MAX);
    add_backend(&words, backend);
    query_words(&words, query);
    int r = words.failed ? ERR_MEMORY : crypto_sha256(words.data, words.size, key.digest);
    buf_finish(&words);
    if (!r)
        *ret_key = key;
    return r;
}

void query_name(const struct query_key *key, enum query_match match, char out[QUERY_NAME_BYTES])
{
    int64_t window[2] = {key->start_ns, key->end_ns};
    if (match == QUERY_LENGTH)
        window[1] = key->end_ns - key->start_ns;
    if (match == QUERY_LENGTH)
        window[0] = 0;
    else if (match == QUERY_START)
        window[1] = 0;
    memcpy(out, key->digest, SHA256_BYTES);
    out[SHA256_BYTES] = (char)match;
    memcpy(out + SHA256_BYTES + 1, window, sizeof window);
}
