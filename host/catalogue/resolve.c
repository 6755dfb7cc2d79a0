/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue/catalogue.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define CANDIDATES_MAX 32
#define LABELS_SHOWN 12

enum verdict { NO, MAYBE, YES };

/* What a key may stand for on this adapter, most likely first. */
struct candidates {
    const char *names[CANDIDATES_MAX];
    size_t n;
    bool logical;
};

/* Labels among which one is looked for: those of the metric where they are known, else the connection's. */
struct scope {
    const struct catalogue_snapshot *snapshot; /* may be NULL */
    const char *const *metric_labels;
    size_t metric_label_count;
};

static bool in_scope(const struct scope *scope, const char *label)
{
    if (!scope->metric_labels)
        return catalogue_has_label(scope->snapshot, label);
    for (size_t i = 0; i < scope->metric_label_count; i++)
        if (str_eq(scope->metric_labels[i], label))
            return true;
    return false;
}

static void find_candidates(const struct scope *scope, const struct adapter *adapter,
                            const char *key, struct candidates *ret)
{
    *ret = (struct candidates){.n = 0};
    const struct sonde_alias *alias = NULL;
    for (size_t i = 0; i < adapter->table.alias_count && !alias; i++)
        if (str_eq(adapter->table.aliases[i]->logical, key))
            alias = adapter->table.aliases[i];
    ret->logical = alias != NULL;
    bool listed = false;
    for (size_t i = 0; alias && i < alias->candidate_count; i++)
        listed |= str_eq(alias->candidates[i], key);
    if (!listed && (!alias || in_scope(scope, key)))
        ret->names[ret->n++] = key; /* a native label stands for itself */
    for (size_t i = 0; alias && i < alias->candidate_count && ret->n < CANDIDATES_MAX; i++)
        ret->names[ret->n++] = alias->candidates[i];
}

/* Letters, '\.', '.', '.*' and '|' only: what globs become. Other patterns are not judged here. */
static bool is_simple(const char *pattern)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == '\\') {
            p++;
            if (!*p || !strchr("\\.+()[]{}|^$?*", *p))
                return false;
        } else if (*p == '.') {
            p += p[1] == '*';
        } else if (strchr("+()[]{}^$?*", *p)) {
            return false;
        }
    }
    return true;
}

/* A simple pattern without '|' against the whole text. */
static bool match_simple(const char *p, const char *end, const char *text)
{
    const char *star = NULL;
    const char *retry = NULL;
    for (;;) {
        if (end - p >= 2 && p[0] == '.' && p[1] == '*') {
            p += 2;
            star = p;
            retry = text;
            continue;
        }
        if (p == end && !*text)
            return true;
        const char *literal = p < end && *p == '\\' ? p + 1 : p;
        if (p < end && *text && (*p == '.' || *literal == *text)) {
            p = literal + 1;
            text++;
            continue;
        }
        if (!star || !*retry)
            return false;
        p = star;
        text = ++retry;
    }
}

/* Anchored. */
static enum verdict match_pattern(const char *pattern, const char *text)
{
    if (!is_simple(pattern))
        return MAYBE;
    const char *p = pattern;
    for (;;) {
        const char *end = p;
        while (*end && *end != '|')
            end += end[0] == '\\' ? 2 : 1;
        if (match_simple(p, end, text))
            return YES;
        if (!*end)
            return NO;
        p = end + 1;
    }
}

/* Whether a value is one the filter speaks of; for a negation, one it excludes: it too tells which label is meant. */
static enum verdict speaks_of(const struct sonde_filter *filter, const char *value)
{
    enum verdict best = NO;
    for (size_t i = 0; i < filter->value_count && best != YES; i++) {
        enum verdict one = NO;
        switch (filter->op) {
        case SONDE_OP_PREFIX:
            one = str_starts(value, filter->values[i]) ? YES : NO;
            break;
        case SONDE_OP_REGEX:
        case SONDE_OP_NOT_REGEX:
            one = match_pattern(filter->values[i], value);
            break;
        default:
            one = str_eq(filter->values[i], value) ? YES : NO;
        }
        best = one > best ? one : best;
    }
    return best;
}

/* YES: a known value matches; NO: values are known and none does; MAYBE: cannot tell. */
static enum verdict holds(const struct catalogue_snapshot *snapshot, const char *label,
                          const struct sonde_filter *filter)
{
    if (!filter || !filter->value_count)
        return YES; /* any value will do */
    if (!snapshot)
        return MAYBE;
    /* Pairs are sorted by label: its values lie together. */
    size_t low = 0;
    size_t high = snapshot->value_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(snapshot->values[middle].key, label) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool known = false;
    enum verdict best = NO;
    for (size_t i = low;
         i < snapshot->value_count && str_eq(snapshot->values[i].key, label) && best != YES; i++) {
        known = true;
        enum verdict one = speaks_of(filter, snapshot->values[i].value);
        best = one > best ? one : best;
    }
    if (best == NO && (!known || snapshot->cut))
        return MAYBE;
    return best;
}

static const char *describe(const struct scope *scope, const struct candidates *candidates,
                            const char *key, struct arena *arena)
{
    const char *const *labels = scope->metric_labels;
    size_t n = scope->metric_label_count;
    if (!labels && scope->snapshot) {
        labels = scope->snapshot->labels;
        n = scope->snapshot->label_count;
    }
    struct buf text = BUF(2048);
    buf_add(&text, "looked for ");
    for (size_t i = 0; i < candidates->n; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", candidates->names[i]);
    const char *near = n ? str_nearest(key, labels, n) : NULL;
    if (near)
        buf_printf(&text, "; nearest is %s", near);
    buf_printf(&text, "; labels %s: ", scope->metric_labels ? "of the metric" : "here");
    for (size_t i = 0; i < n && i < LABELS_SHOWN; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", labels[i]);
    if (n > LABELS_SHOWN)
        buf_printf(&text, " and %zu more", n - LABELS_SHOWN);
    else if (!n)
        buf_add(&text, "none");
    const char *copy = arena_strdup(arena, buf_text(&text));
    buf_finish(&text);
    return copy;
}

const char *catalogue_resolve(const struct catalogue_snapshot *snapshot,
                              const struct adapter *adapter, const char *key,
                              const struct sonde_filter *filter, const char *const *metric_labels,
                              size_t metric_label_count, struct arena *arena,
                              const char **ret_candidates)
{
    struct scope scope = {.snapshot = snapshot,
                          .metric_labels = metric_labels,
                          .metric_label_count = metric_label_count};
    struct candidates candidates;
    find_candidates(&scope, adapter, key, &candidates);
    const char *first[3] = {NULL, NULL, NULL}; /* by verdict */
    for (size_t i = 0; i < candidates.n; i++) {
        const char *label = candidates.names[i];
        if (!in_scope(&scope, label))
            continue;
        enum verdict verdict = holds(snapshot, label, filter);
        if (!first[verdict])
            first[verdict] = label;
    }
    const char *best = first[YES] ? first[YES] : first[MAYBE] ? first[MAYBE] : first[NO];
    /* Beyond the bounds of the catalogue a label the user named may well exist. */
    if (!best && !metric_labels && !candidates.logical && (!snapshot || snapshot->cut))
        best = candidates.names[0];
    if (best)
        return best;
    *ret_candidates = describe(&scope, &candidates, key, arena);
    return NULL;
}

bool catalogue_may_hold(const struct catalogue_snapshot *snapshot, const struct adapter *adapter,
                        const char *key, const struct sonde_filter *filter)
{
    struct scope scope = {.snapshot = snapshot};
    struct candidates candidates;
    find_candidates(&scope, adapter, key, &candidates);
    bool negated = filter && (filter->op == SONDE_OP_NE || filter->op == SONDE_OP_NOT_IN ||
                              filter->op == SONDE_OP_NOT_REGEX);
    for (size_t i = 0; i < candidates.n; i++)
        if (in_scope(&scope, candidates.names[i]) &&
            (negated || holds(snapshot, candidates.names[i], filter) != NO))
            return true;
    return !snapshot || snapshot->cut;
}
