/* SPDX-License-Identifier: Apache-2.0 */
#include "service/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/str.h"

#define MAX_ROWS 100000

/* Every word of match must be found, case ignored; a glob must fit the whole name. */
static bool matches(const char *match, const char *name)
{
    if (!match || !*match)
        return true;
    if (strpbrk(match, "*?"))
        return str_glob(match, name);
    while (*match) {
        size_t size = strcspn(match, " ");
        bool found = size == 0;
        for (const char *p = name; !found && *p; p++)
            found = strncasecmp(p, match, size) == 0;
        if (!found)
            return false;
        match += size + (match[size] == ' ');
    }
    return true;
}

/* A merged row: one name, the connections that have it. */
struct merged {
    struct name_row row;
    const char *connections;
};

struct merge {
    struct arena *arena;
    struct map seen;
    struct merged **rows;
    size_t count;
    size_t capacity;
};

static int merge_row(struct merge *merge, const struct name_row *row, const char *connection)
{
    size_t size = strlen(row->name);
    struct merged *known = map_get(&merge->seen, row->name, size);
    if (known) {
        known->connections = arena_printf(merge->arena, "%s, %s", known->connections, connection);
        if (known->row.guessed && !row->guessed && row->type) {
            known->row.type = row->type;
            known->row.guessed = false;
        }
        if (!known->row.help[0])
            known->row.help = row->help;
        if (!known->row.unit[0])
            known->row.unit = row->unit;
        known->row.count += row->count;
        return known->connections ? 0 : ERR_MEMORY;
    }
    if (merge->count == MAX_ROWS)
        return 0;
    if (merge->count == merge->capacity) {
        size_t capacity = merge->capacity ? merge->capacity * 2 : 256;
        merge->rows =
            arena_grow(merge->arena, merge->rows, merge->count, capacity, sizeof(struct merged *));
        if (!merge->rows)
            return ERR_MEMORY;
        merge->capacity = capacity;
    }
    struct merged *merged = arena_alloc(merge->arena, sizeof *merged);
    if (!merged)
        return ERR_MEMORY;
    merged->row = *row;
    merged->connections = connection;
    if (map_set(&merge->seen, row->name, size, merged, NULL))
        return ERR_MEMORY;
    merge->rows[merge->count++] = merged;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct merged *const *)a)->row.name, (*(struct merged *const *)b)->row.name);
}

/* Labels are resolved like filter keys, so that `service` works on every backend. */
static int prepare_label_values(struct ask *ask)
{
    int r = ask_snapshots(ask);
    for (size_t i = 0; !r && i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        if (asked->err.code)
            continue;
        const char *candidates = NULL;
        const char *native =
            catalogue_resolve(asked->snapshot, backend_adapter(asked->slot->backend),
                              ask->args.label, NULL, NULL, 0, &ask->call->arena, &candidates);
        if (!native) {
            err_set(&asked->err, SONDE_E_NOT_FOUND, "no label %s here%s%s", ask->args.label,
                    candidates ? ": " : "", candidates ? candidates : "");
            continue;
        }
        if (!str_eq(native, ask->args.label))
            ask_note(ask, "%s: %s is the label %s", asked->slot->connection->name, ask->args.label,
                     native);
        asked->query.name = native;
    }
    return r;
}

static int prepare(struct ask *ask)
{
    bool values = ask->args.label && ask->args.label[0];
    for (size_t i = 0; i < ask->asked_count; i++)
        ask->asked[i].query =
            (struct sonde_query){.struct_size = sizeof ask->asked[i].query,
                                 .kind = values ? SONDE_KIND_LABEL_VALUES : SONDE_KIND_METRIC_NAMES,
                                 .start_ns = ask->window.start_ns,
                                 .end_ns = ask->window.end_ns,
                                 .scope = "",
                                 .name = "",
                                 .native = ""};
    return values ? prepare_label_values(ask) : 0;
}

/* Without filters the catalogue already has the names. */
static int merge_snapshots(struct ask *ask, struct merge *merge)
{
    int r = ask_snapshots(ask);
    for (size_t i = 0; !r && i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        if (asked->err.code || !asked->snapshot)
            continue;
        for (size_t k = 0; !r && k < asked->snapshot->metric_count; k++) {
            if (!matches(ask->args.match, asked->snapshot->metrics[k].name))
                continue;
            asked->returned++;
            r = merge_row(merge, &asked->snapshot->metrics[k], asked->slot->connection->name);
        }
        if (asked->snapshot->cut)
            ask_note(
                ask,
                "%s has more names than are kept; narrow by filters or service to see the others",
                asked->slot->connection->name);
    }
    return r;
}

static int merge_results(struct ask *ask, struct merge *merge)
{
    int r = ask_run(ask, false);
    for (size_t i = 0; !r && i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        for (size_t k = 0; !r && asked->result && k < asked->result->name_count; k++)
            if (matches(ask->args.match, asked->result->names[k].name))
                r = merge_row(merge, &asked->result->names[k], asked->slot->connection->name);
    }
    return r;
}

struct names_page {
    struct ask *ask;
};

/* Names are cheap to fetch again, so the cursor holds only the place. */
static size_t put_cursor(void *user, size_t next_skip, char out[65])
{
    struct ask *ask = ((struct names_page *)user)->ask;
    struct cursor_page cursor = {.owner = ask->call->principal.id,
                                 .tool = ask->tool->name,
                                 .digest = ask->digest,
                                 .window = ask->window,
                                 .state = "{}",
                                 .skip = next_skip};
    return cursor_put(ask->service->cursors, &cursor, out);
}

static int show(struct ask *ask, struct merge *merge, size_t skip, struct answer *ret_answer)
{
    struct answer_names input = {.rows_key = ask->args.label ? "values" : "metrics",
                                 .total = merge->count,
                                 .total_at_least = merge->count == MAX_ROWS,
                                 .skip = skip,
                                 .make_cursor = put_cursor};
    struct names_page page = {.ask = ask};
    input.user = &page;
    int r = ask_envelope(ask, &input.envelope);
    if (r)
        return r;
    input.envelope.budget = ask_budget(ask, ask->args.limit > 0);
    if (!ask->args.label && !ask->args.filter_count && !ask->args.service)
        input.envelope.window = NULL; /* names of the catalogue have no window */
    size_t n = merge->count;
    if (ask->args.limit > 0 && skip < n && n - skip > (size_t)ask->args.limit)
        n = skip + (size_t)ask->args.limit;
    input.names = arena_alloc_array(merge->arena, n, sizeof *input.names);
    if (!input.names)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        input.names[i] = (struct answer_name){
            .row = &merge->rows[i]->row,
            .connections = ask->asked_count > 1 ? merge->rows[i]->connections : NULL};
    input.name_count = n;
    if (!n)
        ask_note(ask, ask->args.match && *ask->args.match
                          ? "nothing matches; match is a part of the name (case ignored), several "
                            "words, or a glob such as *_total"
                          : "nothing found in this window with these filters");
    input.envelope.notes = ask->notes;
    input.envelope.note_count = ask->note_count;
    return answer_names(&input, ret_answer);
}

int tool_list_metrics(struct ask *ask, struct answer *ret_answer, struct err *err)
{
    size_t skip = 0;
    if (ask->args.cursor) {
        struct cursor_page cursor;
        int r = cursor_get(ask->service->cursors, ask->args.cursor, ask->call->principal.id,
                           ask->tool->name, ask->digest, &ask->call->arena, &cursor, err);
        if (r)
            return r;
        skip = cursor.skip;
        ask->window = cursor.window;
        cursor_page_release(&cursor);
    }
    bool values = ask->args.label && ask->args.label[0];
    uint64_t cap = SONDE_CAP(values ? SONDE_KIND_LABEL_VALUES : SONDE_KIND_METRIC_NAMES);
    int r = ask_select(ask, cap, ASK_ALL, err);
    if (!r)
        r = prepare(ask);
    if (!r)
        r = ask_filters(ask, NULL, err);
    if (r)
        return r;
    bool filtered = values || ask->args.filter_count || ask->args.service;
    /* Names of the catalogue have no window. */
    for (size_t i = 0; filtered && i < ask->asked_count; i++)
        if (!ask->asked[i].err.code)
            ask_too_long(ask, &ask->asked[i]);
    struct merge merge = {.arena = &ask->call->arena};
    map_init(&merge.seen, MAX_ROWS);
    r = filtered ? merge_results(ask, &merge) : merge_snapshots(ask, &merge);
    map_finish(&merge.seen);
    if (r)
        return err_set(err, r, "no memory for the names");
    if (!ask_any_ok(ask))
        return ask_all_failed(ask, ret_answer);
    if (merge.count)
        qsort(merge.rows, merge.count, sizeof(struct merged *), by_name);
    return show(ask, &merge, skip, ret_answer);
}
