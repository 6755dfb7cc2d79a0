/* SPDX-License-Identifier: Apache-2.0 */
/* Names of metrics in the text of a query, and what they tell about an empty answer. */
#include "service/internal.h"

#include <string.h>

#include "base/str.h"

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':' || c == '.' || (unsigned char)c >= 0x80;
}

const char *ask_metric_in(const char *text, const struct catalogue_snapshot *snapshot,
                          struct arena *arena)
{
    const char *p = text;
    while (*p) {
        if (!name_char(*p)) {
            p++;
            continue;
        }
        size_t size = 0;
        while (name_char(p[size]))
            size++;
        char *word = arena_strndup(arena, p, size);
        if (!word)
            return NULL;
        const struct name_row *row = catalogue_metric(snapshot, word);
        if (row)
            return row->name;
        p += size;
    }
    return NULL;
}

static bool is_keyword(const char *word)
{
    static const char *const words[] = {
        "by",  "without", "on",     "ignoring", "group_left", "group_right", "offset", "bool",
        "and", "or",      "unless", "start",    "end",        "atan2",       "inf",    "nan"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (str_eq_nocase(word, words[i]))
            return true;
    return false;
}

/* Passes over a string, label matchers, a range, or the label list behind `by` and its like. */
static const char *skip_group(const char *p, char close)
{
    for (p++; *p && *p != close; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

/* The first word that stands where a metric's name stands: no function, keyword, number or label. NULL: none. */
static const char *metric_word(const char *text, struct arena *arena)
{
    const char *p = text;
    bool label_list = false;
    while (*p) {
        if (*p == '"' || *p == '\'' || *p == '`') {
            p = skip_group(p, *p);
        } else if (*p == '{' || *p == '[') {
            p = skip_group(p, *p == '{' ? '}' : ']');
        } else if (*p == '(' && label_list) {
            p = skip_group(p, ')');
            label_list = false;
        } else if (!name_char(*p)) {
            p++;
        } else {
            size_t size = 0;
            while (name_char(p[size]))
                size++;
            const char *word = arena_strndup(arena, p, size);
            p += size;
            if (!word)
                return NULL;
            const char *next = p + strspn(p, " \t\n");
            label_list = is_keyword(word);
            bool aggregation =
                str_starts(next, "by ") || str_starts(next, "by(") || str_starts(next, "without");
            if (!label_list && !aggregation && *next != '(' && !(*word >= '0' && *word <= '9'))
                return word;
        }
    }
    return NULL;
}

/* One connection: a name it does not have, with the nearest it has; or one it has, but not in this window with these filters. */
static void explain_one(struct ask *ask, struct asked *asked, const char *word)
{
    struct arena *arena = &ask->call->arena;
    const struct catalogue_snapshot *snapshot = asked->snapshot;
    const char *connection = asked->slot->connection->name;
    if (ask_metric_in(ask->args.query, snapshot, arena)) {
        ask_note(ask, "%s has the metric, but no sample of it in this window%s", connection,
                 asked->filter_count ? " with these filters" : "");
        return;
    }
    const char **names = arena_alloc_array(arena, snapshot->metric_count, sizeof *names);
    if (!names)
        return;
    for (size_t k = 0; k < snapshot->metric_count; k++)
        names[k] = snapshot->metrics[k].name;
    const char *near = str_nearest(word, names, snapshot->metric_count);
    ask_note(ask, "%s has no metric %s%s%s%s", connection, word, near ? "; did you mean " : "",
             near ? near : "",
             near            ? "?"
             : snapshot->cut ? " (as far as its list of names goes)"
                             : "");
}

void ask_explain_empty(struct ask *ask, struct envelope *envelope)
{
    struct arena *arena = &ask->call->arena;
    const char *word = metric_word(ask->args.query, arena);
    for (size_t i = 0; word && i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        if (asked->err.code)
            continue;
        struct err ignored; /* the answer stands without the explanation */
        if (!asked->snapshot &&
            catalogue_fetch(ask->service->catalogue, ask->call, &asked->slot->backend, 1,
                            &asked->snapshot, &ignored))
            return;
        if (asked->snapshot)
            explain_one(ask, asked, word);
    }
    envelope->notes = ask->notes;
    envelope->note_count = ask->note_count;
    envelope->next[0] = (struct answer_next){
        .tool = "list_metrics", .arguments = "{}", .why = "which metrics there are; match narrows"};
    envelope->next_count = 1;
}
