/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "tree.h"
#include <sonde/json.h>

#include <string.h>

#define NS_PER_S INT64_C(1000000000)
#define NAMES(array) (array), sizeof(array) / sizeof((array)[0])

static const char *const KINDS[] = {
    "PROBE",        "HEALTH",       "SCOPES",       "EXPLAIN",      "METRICS",     "METRIC_NAMES",
    "LABEL_NAMES",  "LABEL_VALUES", "EXEMPLARS",    "LOGS",         "LOG_CONTEXT", "LOG_COUNTS",
    "LOG_PATTERNS", "TRACE",        "TRACE_SEARCH", "SPAN_STATS",   "SERVICES",    "OPERATIONS",
    "DEPENDENCIES", "EVENTS",       "ALERTS",       "SAVED_QUERIES"};
static const char *const OPS[] = {NULL,    "eq",        "ne",     "in",     "not_in",
                                  "regex", "not_regex", "exists", "prefix", "at_least"};
static const char *const NATIVE_TYPES[] = {"unknown", "text", "keyword", "label", "attribute"};
static const char *const MATCHES[] = {NULL, "and", "or", "not", "term", "phrase", "regex"};
static const char *const FUNCTIONS[] = {
    "none",          "rate",          "increase", "delta", "avg_over_time",
    "min_over_time", "max_over_time", "quantile", "last",  "quantile_over_time"};
static const char *const AGGREGATES[] = {"none", "sum", "avg", "min", "max", "count", "quantile"};
static const char *const COMBINES[] = {"none", "ratio", "difference"};
static const char *const DIRECTIONS[] = {"newest_first", "oldest_first"};
static const char *const OUTCOMES[] = {"ok", "lost", "timed_out", "too_large", "refused"};

const char *kit_kind_name(uint32_t kind)
{
    return kind < SONDE_KIND_COUNT ? KINDS[kind] : NULL;
}

/* What is read, for messages. */
struct reader {
    struct kit_fixture *fixture;
    struct kit_pool *pool;
};

static void KIT_NORETURN bad(const struct reader *reader, const char *key, const char *wanted)
{
    kit_die("%s/query.json: \"%s\" must be %s", reader->fixture->name, key, wanted);
}

static const char *get_string(const struct reader *reader, const struct kit_node *node,
                              const char *key, const char *otherwise)
{
    const struct kit_node *child = kit_get(node, key);
    if (!child)
        return otherwise;
    if (child->type != KIT_STRING)
        bad(reader, key, "a string");
    return child->text;
}

static int64_t get_integer(const struct reader *reader, const struct kit_node *node,
                           const char *key, int64_t otherwise, int64_t max)
{
    const struct kit_node *child = kit_get(node, key);
    int64_t value = otherwise;
    if (!child)
        return value;
    if (child->type != KIT_NUMBER || sonde_parse_int64(child->text, child->size, &value) ||
        value < 0 || value > max)
        bad(reader, key, "a whole number in range");
    return value;
}

static uint32_t get_u32(const struct reader *reader, const struct kit_node *node, const char *key,
                        uint32_t otherwise)
{
    return (uint32_t)get_integer(reader, node, key, otherwise, UINT32_MAX);
}

static int get_flag(const struct reader *reader, const struct kit_node *node, const char *key)
{
    const struct kit_node *child = kit_get(node, key);
    if (child && child->type != KIT_TRUE && child->type != KIT_FALSE)
        bad(reader, key, "true or false");
    return child && child->type == KIT_TRUE;
}

static int64_t get_time(const struct reader *reader, const struct kit_node *node, const char *key,
                        int64_t otherwise)
{
    const struct kit_node *child = kit_get(node, key);
    int64_t ns = otherwise;
    if (child && ((child->type != KIT_STRING && child->type != KIT_NUMBER) ||
                  kit_parse_time(child->text, child->size, &ns)))
        bad(reader, key, "a time: \"2026-01-01T00:00:00Z\", or seconds");
    return ns;
}

static int64_t get_seconds(const struct reader *reader, const struct kit_node *node,
                           const char *key)
{
    const struct kit_node *child = kit_get(node, key);
    int64_t ns = 0;
    if (child &&
        (child->type != KIT_NUMBER || sonde_parse_seconds_ns(child->text, child->size, &ns)))
        bad(reader, key, "a number of seconds");
    return ns;
}

static uint32_t get_name(const struct reader *reader, const struct kit_node *node, const char *key,
                         const char *const *names, size_t count, uint32_t otherwise)
{
    const char *text = get_string(reader, node, key, NULL);
    if (!text)
        return otherwise;
    for (size_t i = 0; i < count; i++) {
        if (names[i] && strcmp(names[i], text) == 0)
            return (uint32_t)i;
    }
    struct kit_text wanted = {0};
    kit_add(&wanted, "one of");
    for (size_t i = 0; i < count; i++) {
        if (names[i])
            kit_addf(&wanted, " %s", names[i]);
    }
    bad(reader, key, wanted.data);
}

static const struct kit_node *get_list(const struct reader *reader, const struct kit_node *node,
                                       const char *key)
{
    const struct kit_node *child = kit_get(node, key);
    if (child && child->type != KIT_ARRAY)
        bad(reader, key, "a list");
    return child;
}

static const char *const *get_strings(const struct reader *reader, const struct kit_node *node,
                                      const char *key, size_t *ret_count)
{
    const struct kit_node *list = get_list(reader, node, key);
    *ret_count = list ? list->count : 0;
    const char **strings = kit_alloc(reader->pool, *ret_count * sizeof(*strings));
    size_t i = 0;
    for (const struct kit_node *child = list ? list->first : NULL; child; child = child->next) {
        if (child->type != KIT_STRING)
            bad(reader, key, "a list of strings");
        strings[i++] = child->text;
    }
    return strings;
}

/* A value as open gets it: lists joined by '\n', everything else as text. */
static const char *value_text(const struct reader *reader, const char *key,
                              const struct kit_node *node)
{
    if (node->type == KIT_OBJECT || node->type == KIT_NULL)
        bad(reader, key, "a string, number, boolean or list");
    if (node->type != KIT_ARRAY)
        return node->text;
    struct kit_text text = {0};
    for (const struct kit_node *child = node->first; child; child = child->next) {
        if (child != node->first)
            kit_add(&text, "\n");
        kit_add(&text, child->text);
    }
    const char *copy = kit_copy(reader->pool, text.data, text.size);
    kit_text_free(&text);
    return copy;
}

static struct sonde_pair *get_pairs(const struct reader *reader, const struct kit_node *node,
                                    const char *key, size_t *ret_count)
{
    const struct kit_node *object = kit_get(node, key);
    if (object && object->type != KIT_OBJECT)
        bad(reader, key, "an object");
    *ret_count = object ? object->count : 0;
    struct sonde_pair *pairs = kit_alloc(reader->pool, *ret_count * sizeof(*pairs));
    size_t i = 0;
    for (const struct kit_node *child = object ? object->first : NULL; child; child = child->next) {
        pairs[i].key = child->key;
        pairs[i++].value = value_text(reader, key, child);
    }
    return pairs;
}

static struct sonde_label *get_labels(const struct reader *reader, const struct kit_node *node,
                                      const char *key, size_t *ret_count)
{
    const struct sonde_pair *pairs = get_pairs(reader, node, key, ret_count);
    struct sonde_label *labels = kit_alloc(reader->pool, *ret_count * sizeof(*labels));
    for (size_t i = 0; i < *ret_count; i++)
        labels[i] = (struct sonde_label){.name = pairs[i].key,
                                         .name_size = strlen(pairs[i].key),
                                         .value = pairs[i].value,
                                         .value_size = strlen(pairs[i].value)};
    return labels;
}

static const struct sonde_filter *const *get_filters(const struct reader *reader,
                                                     const struct kit_node *node, size_t *ret_count)
{
    const struct kit_node *list = get_list(reader, node, "filters");
    *ret_count = list ? list->count : 0;
    const struct sonde_filter **filters = kit_alloc(reader->pool, *ret_count * sizeof(*filters));
    size_t i = 0;
    for (const struct kit_node *child = list ? list->first : NULL; child; child = child->next) {
        struct sonde_filter *filter = kit_alloc(reader->pool, sizeof(*filter));
        filter->struct_size = sizeof(*filter);
        filter->op = get_name(reader, child, "op", NAMES(OPS), SONDE_OP_EQ);
        filter->native_type = get_name(reader, child, "type", NAMES(NATIVE_TYPES), 0);
        filter->flags = get_flag(reader, child, "enforced") ? SONDE_FILTER_ENFORCED : 0;
        filter->logical = get_string(reader, child, "logical", "");
        filter->native = get_string(reader, child, "native", "");
        filter->values = get_strings(reader, child, "values", &filter->value_count);
        if (filter->flags & SONDE_FILTER_ENFORCED)
            reader->fixture->query.must_understand |= SONDE_MUST_ENFORCED_FILTERS;
        filters[i++] = filter;
    }
    return filters;
}

static const struct sonde_match *get_match(const struct reader *reader, const struct kit_node *node,
                                           size_t *ret_count)
{
    const struct kit_node *list = get_list(reader, node, "match");
    *ret_count = list ? list->count : 0;
    struct sonde_match *match = kit_alloc(reader->pool, *ret_count * sizeof(*match));
    size_t i = 0;
    for (const struct kit_node *child = list ? list->first : NULL; child; child = child->next) {
        match[i].type = get_name(reader, child, "type", NAMES(MATCHES), SONDE_MATCH_TERM);
        match[i].child_count = get_u32(reader, child, "children", 0);
        match[i++].text = get_string(reader, child, "text", "");
    }
    return match;
}

static const struct sonde_operand *const *
get_operands(const struct reader *reader, const struct kit_node *node, size_t *ret_count)
{
    const struct kit_node *list = get_list(reader, node, "operands");
    *ret_count = list ? list->count : 0;
    const struct sonde_operand **operands = kit_alloc(reader->pool, *ret_count * sizeof(*operands));
    size_t i = 0;
    for (const struct kit_node *child = list ? list->first : NULL; child; child = child->next) {
        struct sonde_operand *operand = kit_alloc(reader->pool, sizeof(*operand));
        operand->struct_size = sizeof(*operand);
        operand->function = get_name(reader, child, "function", NAMES(FUNCTIONS), 0);
        operand->aggregate = get_name(reader, child, "aggregate", NAMES(AGGREGATES), 0);
        operand->metric = get_string(reader, child, "metric", "");
        operand->filters = get_filters(reader, child, &operand->filter_count);
        operand->window_ns = get_seconds(reader, child, "window_s");
        operand->offset_ns = get_seconds(reader, child, "offset_s");
        const struct kit_node *quantile = kit_get(child, "quantile");
        if (quantile && sonde_parse_double(quantile->text, quantile->size, &operand->quantile))
            bad(reader, "quantile", "a number");
        operands[i++] = operand;
    }
    return operands;
}

static const struct sonde_anchor *const *get_anchors(const struct reader *reader,
                                                     const struct kit_node *node, size_t *ret_count)
{
    const struct kit_node *list = get_list(reader, node, "anchors");
    *ret_count = list ? list->count : 0;
    const struct sonde_anchor **anchors = kit_alloc(reader->pool, *ret_count * sizeof(*anchors));
    size_t i = 0;
    for (const struct kit_node *child = list ? list->first : NULL; child; child = child->next) {
        struct sonde_anchor *anchor = kit_alloc(reader->pool, sizeof(*anchor));
        const char *ref = get_string(reader, child, "ref", "");
        anchor->struct_size = sizeof(*anchor);
        anchor->time_ns = get_time(reader, child, "time", 0);
        anchor->ref = ref;
        anchor->ref_size = strlen(ref);
        anchor->labels = get_labels(reader, child, "labels", &anchor->label_count);
        anchors[i++] = anchor;
    }
    return anchors;
}

static void read_query(const struct reader *reader, const struct kit_node *node)
{
    struct sonde_query *q = &reader->fixture->query;
    q->struct_size = sizeof(*q);
    q->kind = get_name(reader, node, "kind", NAMES(KINDS), SONDE_KIND_COUNT);
    if (q->kind == SONDE_KIND_COUNT)
        bad(reader, "query.kind", "there");
    q->end_ns = get_time(reader, node, "end", INT64_C(1767225600) * NS_PER_S);
    q->start_ns = get_time(reader, node, "start", q->end_ns - 3600 * NS_PER_S);
    q->step_ns = get_seconds(reader, node, "step_s");
    q->deadline_ms = get_u32(reader, node, "deadline_ms", 30000);
    q->limit = get_u32(reader, node, "limit", 0);
    q->direction = get_name(reader, node, "direction", NAMES(DIRECTIONS), 0);
    q->combine = get_name(reader, node, "combine", NAMES(COMBINES), 0);
    q->aggregate = get_name(reader, node, "aggregate", NAMES(AGGREGATES), 0);
    q->top_k = get_u32(reader, node, "top_k", 0);
    q->bottom_k = get_u32(reader, node, "bottom_k", 0);
    q->before = get_u32(reader, node, "before", 0);
    q->after = get_u32(reader, node, "after", 0);
    q->scope = get_string(reader, node, "scope", "");
    q->name = get_string(reader, node, "name", "");
    q->native = get_string(reader, node, "native", "");
    q->native_size = strlen(q->native);
    q->filters = get_filters(reader, node, &q->filter_count);
    q->match = get_match(reader, node, &q->match_count);
    q->operands = get_operands(reader, node, &q->operand_count);
    q->by = get_strings(reader, node, "by", &q->by_count);
    q->ids = get_strings(reader, node, "ids", &q->id_count);
    q->anchors = get_anchors(reader, node, &q->anchor_count);
    const char *resume = get_string(reader, node, "resume", "");
    q->resume = resume;
    q->resume_size = strlen(resume);
    q->options = get_pairs(reader, node, "options", &q->option_count);
}

static void lower_keys(struct sonde_pair *pairs, size_t n, struct kit_pool *pool)
{
    for (size_t i = 0; i < n; i++) {
        char *key = kit_copy(pool, pairs[i].key, strlen(pairs[i].key));
        for (char *c = key; *c; c++) {
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c + ('a' - 'A'));
        }
        pairs[i].key = key;
    }
}

static void read_body(const struct reader *reader, const struct kit_node *node,
                      struct kit_answer *answer)
{
    const char *file = get_string(reader, node, "body_file", NULL);
    const struct kit_node *body = kit_get(node, "body");
    if (file) {
        answer->body = kit_read_file(reader->pool,
                                     kit_format(reader->pool, "%s/%s", reader->fixture->name, file),
                                     &answer->body_size);
    } else if (body && body->type == KIT_STRING) {
        answer->body = body->text;
        answer->body_size = body->size;
    } else if (body) {
        struct kit_text text = {0};
        kit_tree_write(&text, body);
        answer->body = kit_copy(reader->pool, text.data, text.size);
        answer->body_size = text.size;
        kit_text_free(&text);
    }
}

static void read_answers(const struct reader *reader, const struct kit_node *root)
{
    struct kit_fixture *fixture = reader->fixture;
    const struct kit_node *list = get_list(reader, root, "answers");
    fixture->answer_count = list ? list->count : 0;
    fixture->answers = kit_alloc(reader->pool, fixture->answer_count * sizeof(*fixture->answers));
    struct kit_answer *answer = fixture->answers;
    for (const struct kit_node *child = list ? list->first : NULL; child;
         child = child->next, answer++) {
        const struct kit_node *match = kit_get(child, "match");
        answer->has_tag = match && match->type == KIT_NUMBER;
        if (answer->has_tag)
            answer->tag = get_u32(reader, child, "match", 0);
        else
            answer->prefix = get_string(reader, child, "match", NULL);
        answer->outcome = get_name(reader, child, "outcome", NAMES(OUTCOMES), SONDE_OUTCOME_OK);
        answer->has_head = answer->outcome == SONDE_OUTCOME_OK || kit_get(child, "status");
        answer->status = get_u32(reader, child, "status", 200);
        answer->times = get_u32(reader, child, "times", 1);
        answer->headers = get_pairs(reader, child, "headers", &answer->header_count);
        lower_keys(answer->headers, answer->header_count, reader->pool);
        read_body(reader, child, answer);
    }
}

static void read_cancel(const struct reader *reader, const struct kit_node *root)
{
    const struct kit_node *node = kit_get(root, "cancel");
    struct kit_cancel *cancel = &reader->fixture->cancel;
    cancel->after_bytes = -1;
    if (!node)
        return;
    cancel->after_requests = get_u32(reader, node, "requests", 0);
    cancel->in_answer = get_u32(reader, node, "answer", 0);
    cancel->after_bytes = get_integer(reader, node, "bytes", -1, INT64_MAX);
    if (!cancel->after_requests == !cancel->in_answer)
        bad(reader, "cancel", "{\"requests\": n}, or {\"answer\": n} with or without \"bytes\"");
}

void kit_fixture_read(struct kit_fixture *fixture, const char *folder)
{
    memset(fixture, 0, sizeof(*fixture));
    const struct reader reader = {fixture, &fixture->pool};
    size_t size;
    fixture->name = kit_copy(&fixture->pool, folder, strlen(folder));
    const char *path = kit_format(&fixture->pool, "%s/query.json", folder);
    const char *text = kit_read_file(&fixture->pool, path, &size);
    const struct kit_node *root = kit_tree_parse(&fixture->pool, path, text, size);
    if (root->type != KIT_OBJECT)
        kit_die("%s: must hold an object", path);
    fixture->url = get_string(&reader, root, "url", "http://backend.test");
    fixture->ui_kind = get_string(&reader, root, "ui", "");
    fixture->tenant = get_string(&reader, root, "tenant", "");
    fixture->ui_param = get_string(&reader, root, "ui_param", "");
    fixture->params = get_pairs(&reader, root, "params", &fixture->param_count);
    fixture->facts = get_pairs(&reader, root, "facts", &fixture->fact_count);
    fixture->wants_link = get_flag(&reader, root, "link");
    fixture->stop_after = (uint64_t)get_integer(&reader, root, "stop_after", 0, INT64_MAX);
    read_query(&reader, kit_get(root, "query"));
    fixture->now_ns = get_time(&reader, root, "now", fixture->query.end_ns);
    read_cancel(&reader, root);
    read_answers(&reader, root);
}

void kit_fixture_free(struct kit_fixture *fixture)
{
    kit_pool_free(&fixture->pool);
}
