/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Values leave room for the metric names, which are worth more. */
#define VALUES_MAX_BYTES (CATALOGUE_MAX_BYTES / 2)
#define HELP_MAX 300

struct catalogue_snapshot *snapshot_ref(struct catalogue_snapshot *snapshot)
{
    if (snapshot)
        atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

void catalogue_unref(struct catalogue_snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1)
        return;
    arena_finish(&snapshot->arena);
    mem_free(snapshot);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct name_row *)a)->name, ((const struct name_row *)b)->name);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct sonde_pair *x = a;
    const struct sonde_pair *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : strcmp(x->value, y->value);
}

/* True when rows are missing from a result. */
static bool is_cut(const struct result *result, size_t limit)
{
    return result->partial_reason || result->total > result->name_count ||
           result->name_count >= limit;
}

static const char *copy_text(struct arena *arena, const char *text)
{
    if (!text || !*text)
        return "";
    size_t size = strlen(text);
    if (size > HELP_MAX) {
        size = HELP_MAX;
        while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--; /* not inside a character */
    }
    return arena_strndup(arena, text, size);
}

static void add_labels(struct catalogue_snapshot *snapshot, const struct result *result)
{
    size_t n = result->name_count;
    if (n > CATALOGUE_MAX_LABELS)
        n = CATALOGUE_MAX_LABELS;
    snapshot->cut |= is_cut(result, CATALOGUE_MAX_LABELS);
    const char **labels = arena_alloc_array(&snapshot->arena, n + 1, sizeof *labels);
    for (size_t i = 0; labels && i < n; i++) {
        const char *name = arena_strdup(&snapshot->arena, result->names[i].name);
        if (!name)
            break;
        labels[snapshot->label_count++] = name;
    }
    if (labels)
        qsort(labels, snapshot->label_count, sizeof *labels, compare_texts);
    snapshot->labels = labels;
}

static void add_values(struct catalogue_snapshot *snapshot, const struct snapshot_parts *parts)
{
    struct arena *arena = &snapshot->arena;
    size_t n = 0;
    for (size_t i = 0; i < parts->value_label_count; i++)
        n += parts->values[i] ? parts->values[i]->name_count : 0;
    struct sonde_pair *pairs = arena_alloc_array(arena, n + 1, sizeof *pairs);
    for (size_t i = 0; pairs && i < parts->value_label_count; i++) {
        const struct result *result = parts->values[i];
        if (!result) {
            snapshot->cut = true;
            continue;
        }
        snapshot->cut |= is_cut(result, CATALOGUE_MAX_VALUES);
        const char *label = arena_strdup(arena, parts->value_labels[i]);
        for (size_t k = 0; label && k < result->name_count && k < CATALOGUE_MAX_VALUES; k++) {
            const char *value =
                arena->used < VALUES_MAX_BYTES ? arena_strdup(arena, result->names[k].name) : NULL;
            if (!value) {
                snapshot->cut = true;
                break;
            }
            pairs[snapshot->value_count++] = (struct sonde_pair){label, value};
        }
    }
    if (pairs)
        qsort(pairs, snapshot->value_count, sizeof *pairs, compare_pairs);
    snapshot->values = pairs;
}

static void add_metrics(struct catalogue_snapshot *snapshot, const struct result *result)
{
    struct arena *arena = &snapshot->arena;
    size_t n = result->name_count;
    if (n > CATALOGUE_MAX_METRICS)
        n = CATALOGUE_MAX_METRICS;
    snapshot->cut |= is_cut(result, CATALOGUE_MAX_METRICS);
    struct name_row *rows = arena_alloc_array(arena, n + 1, sizeof *rows);
    for (size_t i = 0; rows && i < n; i++) {
        const struct name_row *from = &result->names[i];
        struct name_row row = {.name = arena_strdup(arena, from->name),
                               .unit = copy_text(arena, from->unit),
                               .help = copy_text(arena, from->help),
                               .parent = copy_text(arena, from->parent),
                               .count = from->count,
                               .type = from->type,
                               .guessed = from->guessed};
        if (arena->failed)
            break;
        rows[snapshot->metric_count++] = row;
    }
    if (rows)
        qsort(rows, snapshot->metric_count, sizeof *rows, compare_names);
    snapshot->metrics = rows;
}

/* Before all else: a snapshot without them would be one that shows too much. */
static int add_enforced(struct catalogue_snapshot *snapshot, const struct snapshot_parts *parts)
{
    struct arena *arena = &snapshot->arena;
    const struct sonde_filter **filters =
        arena_alloc_array(arena, parts->enforced_count + 1, sizeof *filters);
    for (size_t i = 0; filters && i < parts->enforced_count; i++) {
        struct sonde_filter *filter = arena_alloc(arena, sizeof *filter);
        const char **values = arena_alloc(arena, sizeof *values);
        if (!filter || !values)
            return ERR_MEMORY;
        *filter = *parts->enforced[i];
        values[0] = arena_strdup(arena, filter->values[0]);
        filter->values = values;
        filter->logical = arena_strdup(arena, filter->logical);
        filter->native = arena_strdup(arena, filter->native);
        filters[snapshot->enforced_count++] = filter;
    }
    snapshot->enforced = filters;
    return arena->failed ? ERR_MEMORY : 0;
}

struct catalogue_snapshot *snapshot_build(const struct snapshot_parts *parts)
{
    struct catalogue_snapshot *snapshot = mem_alloc(sizeof *snapshot);
    if (!snapshot)
        return NULL;
    atomic_init(&snapshot->references, 1);
    arena_init(&snapshot->arena, CATALOGUE_MAX_BYTES, NULL);
    snapshot->cut = parts->cut;
    snapshot->fetched_ns = clock_unix_ns();
    if (add_enforced(snapshot, parts)) {
        catalogue_unref(snapshot);
        return NULL;
    }
    if (parts->labels)
        add_labels(snapshot, parts->labels);
    add_values(snapshot, parts);
    if (parts->metrics)
        add_metrics(snapshot, parts->metrics);
    snapshot->cut |= snapshot->arena.failed != 0;
    return snapshot;
}

static bool result_has(const struct result *result, const char *name)
{
    for (size_t i = 0; i < result->name_count; i++)
        if (str_eq(result->names[i].name, name))
            return true;
    return false;
}

size_t snapshot_value_labels(const struct adapter *adapter, const struct result *labels,
                             const char *ret_labels[CATALOGUE_MAX_VALUE_LABELS])
{
    size_t n = 0;
    for (size_t i = 0; i < adapter->table.alias_count; i++) {
        const struct sonde_alias *alias = adapter->table.aliases[i];
        for (size_t k = 0; k < alias->candidate_count; k++) {
            const char *label = alias->candidates[k];
            bool known = !result_has(labels, label);
            for (size_t j = 0; !known && j < n; j++)
                known = str_eq(ret_labels[j], label);
            if (known)
                continue;
            if (n == CATALOGUE_MAX_VALUE_LABELS)
                return n;
            ret_labels[n++] = label;
        }
    }
    return n;
}

static const struct name_row *find_metric(const struct catalogue_snapshot *snapshot,
                                          const char *name)
{
    if (!snapshot->metric_count)
        return NULL;
    struct name_row key = {.name = name};
    return bsearch(&key, snapshot->metrics, snapshot->metric_count, sizeof key, compare_names);
}

const struct name_row *catalogue_metric(const struct catalogue_snapshot *snapshot, const char *name)
{
    return snapshot ? find_metric(snapshot, name) : NULL;
}

bool catalogue_has_label(const struct catalogue_snapshot *snapshot, const char *label)
{
    return snapshot && snapshot->label_count &&
           bsearch(&label, snapshot->labels, snapshot->label_count, sizeof label, compare_texts);
}
