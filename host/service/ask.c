/* SPDX-License-Identifier: Apache-2.0 */
#include "service/internal.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "service/filters.h"

#define MAX_NOTES 16
#define DEFAULT_WINDOW_NS NS_PER_HOUR

void ask_note(struct ask *ask, const char *format, ...)
{
    if (ask->note_count == MAX_NOTES)
        return;
    if (!ask->notes)
        ask->notes = arena_alloc_array(&ask->call->arena, MAX_NOTES, sizeof *ask->notes);
    va_list arguments;
    va_start(arguments, format);
    const char *text = arena_vprintf(&ask->call->arena, format, arguments);
    va_end(arguments);
    if (!ask->notes || !text)
        return;
    for (size_t i = 0; i < ask->note_count; i++)
        if (str_eq(ask->notes[i], text))
            return;
    ask->notes[ask->note_count++] = text;
}

/* What a cursor must find unchanged: everything but where to go on and how much to show. */
static const char *digest_of(struct json_object *arguments, struct arena *arena)
{
    struct buf text = BUF(1024 * 1024);
    if (json_object_is_type(arguments, json_type_object)) {
        struct json_object_iterator end = json_object_iter_end(arguments);
        for (struct json_object_iterator i = json_object_iter_begin(arguments);
             !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
            const char *key = json_object_iter_peek_name(&i);
            if (str_eq(key, "cursor") || str_eq(key, "max_tokens"))
                continue;
            buf_json_key(&text, key);
            buf_json_object(&text, json_object_iter_peek_value(&i));
        }
    }
    const char *digest = text.failed ? NULL : arena_strdup(arena, buf_text(&text));
    buf_finish(&text);
    return digest;
}

void ask_hold(struct sonde_query *query, const struct catalogue_snapshot *snapshot)
{
    if (!snapshot || !snapshot->enforced_count)
        return;
    query->filters = snapshot->enforced;
    query->filter_count = snapshot->enforced_count;
    query->must_understand |= SONDE_MUST_ENFORCED_FILTERS;
}

int ask_begin(struct ask *ask, struct service *service, struct call *call,
              const struct tool_spec *tool, struct json_object *arguments, struct err *err)
{
    *ask = (struct ask){.service = service, .call = call, .tool = tool};
    ask->started_ns = clock_mono_ns();
    ask->set = service_set_for(service, &call->principal);
    if (!ask->set)
        return err_set(err, ERR_MEMORY, "no memory for the call");
    if (ask->set->missing[0])
        ask_note(ask, "%s", ask->set->missing);
    int r = args_parse(tool, arguments, &call->arena, &ask->args, err);
    if (r)
        return r;
    ask->digest = digest_of(arguments, &call->arena);
    if (!ask->digest)
        return err_set(err, ERR_MEMORY, "no memory for the call");
    if (ask->args.timezone) {
        r = zone_open(ask->args.timezone, &ask->zone, err);
        if (r) {
            err_prefix(err, "time_range.timezone: ");
            return r;
        }
    } else {
        ask->zone = zone_ref(ask->set->zone);
    }
    /* Whole seconds: nobody asks for less of "now", and every timestamp of the answer gets shorter. */
    int64_t now_ns = clock_unix_ns() / NS_PER_S * NS_PER_S;
    r = time_window_parse(ask->args.start, ask->args.end, ask->zone, now_ns, DEFAULT_WINDOW_NS,
                          &ask->window, err);
    if (r) {
        err_prefix(err, "time_range: ");
        return r;
    }
    return 0;
}

void ask_finish(struct ask *ask)
{
    for (size_t i = 0; i < ask->asked_count; i++) {
        result_unref(ask->asked[i].result);
        result_unref(ask->asked[i].exemplars);
        catalogue_unref(ask->asked[i].snapshot);
    }
    ask->asked_count = 0;
    zone_unref(ask->zone);
    ask->zone = NULL;
    set_unref(ask->set);
    ask->set = NULL;
}

/* held_only: of those whose queries must be held to filters. */
static int fetch_snapshots(struct ask *ask, bool held_only)
{
    size_t n = ask->asked_count;
    struct arena *arena = &ask->call->arena;
    struct backend **backends = arena_alloc_array(arena, n, sizeof(struct backend *));
    struct catalogue_snapshot **snapshots =
        arena_alloc_array(arena, n, sizeof(struct catalogue_snapshot *));
    struct err *errs = arena_alloc_array(arena, n, sizeof *errs);
    size_t *index = arena_alloc_array(arena, n, sizeof *index);
    if (!backends || !snapshots || !errs || !index)
        return ERR_MEMORY;
    size_t want = 0;
    for (size_t i = 0; i < n; i++) {
        if (ask->asked[i].err.code || ask->asked[i].snapshot ||
            (held_only && !ask->asked[i].slot->connection->enforce_count))
            continue;
        index[want] = i;
        backends[want++] = ask->asked[i].slot->backend;
    }
    if (!want)
        return 0;
    int r = catalogue_fetch(ask->service->catalogue, ask->call, backends, want, snapshots, errs);
    if (r)
        return r;
    for (size_t i = 0; i < want; i++) {
        ask->asked[index[i]].snapshot = snapshots[i];
        if (!snapshots[i])
            ask->asked[index[i]].err = errs[i];
    }
    return 0;
}

int ask_snapshots(struct ask *ask)
{
    return fetch_snapshots(ask, false);
}

#define JUST_FETCHED_NS NS_PER_S

/* What is not known may have come since the names were fetched: they are fetched once more, unless that was just now. 1 when they were. */
static int fetch_newer(struct ask *ask, struct asked *asked)
{
    struct catalogue_snapshot *newer = NULL;
    struct err err;
    if (clock_unix_ns() - asked->snapshot->fetched_ns <= JUST_FETCHED_NS)
        return 0;
    int r = catalogue_refresh(ask->service->catalogue, ask->call, &asked->slot->backend, 1, &newer,
                              &err);
    if (r || !newer)
        return r;
    catalogue_unref(asked->snapshot);
    asked->snapshot = newer;
    return 1;
}

/* The labels of one metric on each asked connection, through shared look-ups; NULL where it is not known. */
struct metric_labels {
    struct sonde_query query;
    struct result *result;
    const char **names;
    size_t count;
};

static int fetch_metric_labels(struct ask *ask, const char *query_text,
                               struct metric_labels *labels)
{
    struct arena *arena = &ask->call->arena;
    struct engine_item *items = arena_alloc_array(arena, ask->asked_count, sizeof *items);
    size_t *index = arena_alloc_array(arena, ask->asked_count, sizeof *index);
    if (!items || !index)
        return ERR_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        if (asked->err.code || !asked->snapshot || !query_text)
            continue;
        const char *metric = ask_metric_in(query_text, asked->snapshot, arena);
        if (!metric && fetch_newer(ask, asked) > 0)
            metric = ask_metric_in(query_text, asked->snapshot, arena);
        if (!metric || !(backend_adapter(asked->slot->backend)->table.caps &
                         SONDE_CAP(SONDE_KIND_LABEL_NAMES)))
            continue;
        labels[i].query = (struct sonde_query){.struct_size = sizeof labels[i].query,
                                               .kind = SONDE_KIND_LABEL_NAMES,
                                               .start_ns = ask->window.start_ns,
                                               .end_ns = ask->window.end_ns,
                                               .scope = "",
                                               .name = metric,
                                               .native = ""};
        ask_hold(&labels[i].query, asked->snapshot);
        index[n] = i;
        items[n++] = (struct engine_item){.backend = asked->slot->backend,
                                          .query = &labels[i].query,
                                          .share = true,
                                          .may_cache = true};
    }
    int r = n ? engine_run(ask->service->engine, ask->call, items, n) : 0;
    for (size_t k = 0; k < n; k++) {
        struct metric_labels *one = &labels[index[k]];
        struct result *result = items[k].result;
        if (items[k].err.code || !result || !result->name_count) {
            result_unref(result);
            continue; /* without them any label of the connection may stand behind the key */
        }
        one->result = result;
        one->names = arena_alloc_array(arena, result->name_count, sizeof *one->names);
        for (size_t j = 0; one->names && j < result->name_count; j++)
            one->names[one->count++] = result->names[j].name;
    }
    return r;
}

/* Whether every key has a label on this connection; those that have are put into asked->filters. */
static int resolve_for(struct ask *ask, struct asked *asked, const struct metric_labels *labels,
                       struct sonde_filter *const *parsed, size_t n)
{
    struct arena *arena = &ask->call->arena;
    const struct catalogue_snapshot *snapshot = asked->snapshot;
    size_t held = snapshot ? snapshot->enforced_count : 0;
    asked->filter_count = 0;
    asked->filters = arena_alloc_array(arena, held + n, sizeof(struct sonde_filter *));
    if (!asked->filters)
        return ERR_MEMORY;
    if (held != asked->slot->connection->enforce_count)
        return err_set(&asked->err, SONDE_E_REFUSED,
                       "the filters of enforce are not known, so nothing is asked");
    for (size_t i = 0; i < held; i++)
        asked->filters[asked->filter_count++] = snapshot->enforced[i];
    for (size_t i = 0; i < n; i++) {
        struct sonde_filter *filter = arena_alloc(arena, sizeof *filter);
        if (!filter)
            return ERR_MEMORY;
        *filter = *parsed[i];
        const char *candidates = NULL;
        filter->native = catalogue_resolve(asked->snapshot, backend_adapter(asked->slot->backend),
                                           filter->logical, filter, labels->names, labels->count,
                                           arena, &candidates);
        if (!filter->native)
            return err_set(&asked->err, SONDE_E_BAD_QUERY, "filter %s: no such label here%s%s",
                           filter->logical, candidates ? ": " : "", candidates ? candidates : "");
        filter->native_type = SONDE_NATIVE_LABEL;
        asked->filters[asked->filter_count++] = filter;
    }
    return 0;
}

static int resolve_all(struct ask *ask, const struct metric_labels *labels,
                       struct sonde_filter *const *parsed, size_t n)
{
    for (size_t i = 0; i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        if (asked->err.code)
            continue;
        int r = resolve_for(ask, asked, &labels[i], parsed, n);
        if (r == SONDE_E_BAD_QUERY && fetch_newer(ask, asked) > 0) {
            asked->err = (struct err){0};
            r = resolve_for(ask, asked, &labels[i], parsed, n);
        }
        if (r == ERR_MEMORY)
            return r;
    }
    return 0;
}

int ask_filters(struct ask *ask, const char *query_text, struct err *err)
{
    struct arena *arena = &ask->call->arena;
    size_t n = ask->args.filter_count + (ask->args.service ? 1 : 0);
    bool held = false;
    for (size_t i = 0; i < ask->asked_count; i++)
        held |= ask->asked[i].slot->connection->enforce_count > 0;
    if (!n && !held)
        return 0;
    struct sonde_filter **parsed = arena_alloc_array(arena, n + 1, sizeof(struct sonde_filter *));
    struct metric_labels *labels = arena_alloc_array(arena, ask->asked_count, sizeof *labels);
    if (!parsed || !labels)
        return err_set(err, ERR_MEMORY, "no memory for the filters");
    size_t k = 0;
    for (size_t i = 0; i < ask->args.filter_count; i++) {
        int r = filter_parse(ask->args.filters[i].key, ask->args.filters[i].value, arena,
                             &parsed[k++], err);
        if (r)
            return r;
    }
    if (ask->args.service) {
        int r = filter_parse("service", ask->args.service, arena, &parsed[k++], err);
        if (r)
            return r;
    }
    int r = fetch_snapshots(ask, !n);
    if (!r && n)
        r = fetch_metric_labels(ask, query_text, labels);
    if (!r)
        r = resolve_all(ask, labels, parsed, n);
    for (size_t i = 0; i < ask->asked_count; i++)
        result_unref(labels[i].result);
    return r ? err_set(err, r, "no memory for the filters") : 0;
}

int ask_run(struct ask *ask, bool exemplars)
{
    struct arena *arena = &ask->call->arena;
    struct engine_item *items = arena_alloc_array(arena, ask->asked_count * 2, sizeof *items);
    struct sonde_query *extra = arena_alloc_array(arena, ask->asked_count, sizeof *extra);
    size_t *index = arena_alloc_array(arena, ask->asked_count * 2, sizeof *index);
    if (!items || !extra || !index)
        return ERR_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        if (asked->err.code)
            continue;
        asked->query.filters = asked->filters;
        asked->query.filter_count = asked->filter_count;
        if (asked->slot->connection->enforce_count)
            asked->query.must_understand |= SONDE_MUST_ENFORCED_FILTERS;
        index[n] = i;
        items[n++] = (struct engine_item){.backend = asked->slot->backend,
                                          .query = &asked->query,
                                          .share = true,
                                          .may_cache = true};
        if (!exemplars ||
            !(backend_adapter(asked->slot->backend)->table.caps & SONDE_CAP(SONDE_KIND_EXEMPLARS)))
            continue;
        extra[i] = asked->query;
        extra[i].kind = SONDE_KIND_EXEMPLARS;
        extra[i].limit = 1000;
        index[n] = i;
        items[n++] = (struct engine_item){.backend = asked->slot->backend,
                                          .query = &extra[i],
                                          .share = true,
                                          .may_cache = true,
                                          .decorates = true};
    }
    int r = n ? engine_run(ask->service->engine, ask->call, items, n) : 0;
    for (size_t k = 0; k < n; k++) {
        struct asked *asked = &ask->asked[index[k]];
        if (items[k].query->kind == SONDE_KIND_EXEMPLARS &&
            asked->query.kind != SONDE_KIND_EXEMPLARS) {
            asked->exemplars =
                items[k].result; /* a decoration: without them the answer still stands */
            continue;
        }
        asked->result = items[k].result;
        asked->err = items[k].err;
        asked->cached_ns = items[k].cached_ns;
    }
    return r;
}

bool ask_too_long(const struct ask *ask, struct asked *asked)
{
    int64_t max = asked->slot->connection->max_time_range_ns;
    int64_t range = ask->window.end_ns - ask->window.start_ns;
    if (!max || range <= max)
        return false;
    err_set(&asked->err, ERR_LIMIT,
            "the window of %.4g h is longer than query_limits.max_time_range_hours (%.4g) of this "
            "connection; ask for a shorter time_range, such as start: now-%lldm",
            (double)range / (double)NS_PER_HOUR, (double)max / (double)NS_PER_HOUR,
            (long long)(max / NS_PER_MIN));
    return true;
}

bool ask_any_ok(const struct ask *ask)
{
    for (size_t i = 0; i < ask->asked_count; i++)
        if (!ask->asked[i].err.code)
            return true;
    return false;
}

size_t ask_budget(const struct ask *ask, bool rows_limited)
{
    size_t max = ask->set->config->limit_max_tokens;
    size_t budget = ask->args.max_tokens > 0 ? (size_t)ask->args.max_tokens
                    : rows_limited           ? 10000
                                             : 6000;
    return budget < max ? budget : max;
}

/* One executed text for the envelope when all connections ran the same. */
static const char *common_executed(const struct ask *ask)
{
    const char *executed = NULL;
    for (size_t i = 0; i < ask->asked_count; i++) {
        const struct result *result = ask->asked[i].result;
        if (!result || !result->executed || !result->executed[0])
            continue;
        if (executed && !str_eq(executed, result->executed))
            return NULL;
        executed = result->executed;
    }
    return executed;
}

static void connection_row(struct ask *ask, struct asked *asked, const char *common,
                           struct answer_connection *row)
{
    const struct result *result = asked->result;
    *row = (struct answer_connection){.name = asked->slot->connection->name};
    if (asked->err.code) {
        row->error = asked->err.text;
        row->error_class = err_class(asked->err.code);
    }
    row->returned = asked->returned;
    if (!result)
        return;
    row->returned += result->series_count + result->name_count;
    row->newest_sample_ns = result->newest_sample_ns;
    row->cached_ns = asked->cached_ns;
    if (!common && result->executed && result->executed[0])
        row->executed = result->executed;
    row->url = backend_link(asked->slot->backend, &asked->query,
                            result->executed ? result->executed : "", &ask->call->arena);
    if (result->partial_reason)
        ask_note(ask, "%s is partial: %s", row->name, result->partial_text);
    for (size_t i = 0; i < result->note_count; i++)
        ask_note(ask, "%s%s%s", ask->asked_count > 1 ? row->name : "",
                 ask->asked_count > 1 ? ": " : "", result->notes[i].text);
}

int ask_envelope(struct ask *ask, struct envelope *ret_envelope)
{
    struct arena *arena = &ask->call->arena;
    struct answer_connection *rows = arena_alloc_array(arena, ask->asked_count, sizeof *rows);
    if (!rows)
        return ERR_MEMORY;
    const char *common = common_executed(ask);
    for (size_t i = 0; i < ask->asked_count; i++)
        connection_row(ask, &ask->asked[i], common, &rows[i]);
    *ret_envelope = (struct envelope){.window = &ask->window,
                                      .zone = ask->zone,
                                      .connections = rows,
                                      .connection_count = ask->asked_count,
                                      .not_asked = ask->not_asked,
                                      .not_asked_count = ask->not_asked_count,
                                      .query_executed = common,
                                      .query_time_ns = clock_mono_ns() - ask->started_ns,
                                      .notes = ask->notes,
                                      .note_count = ask->note_count,
                                      .budget = ask_budget(ask, false)};
    if (ask->asked_count == 1) {
        ret_envelope->url = rows[0].url;
        rows[0].url = NULL;
    }
    return 0;
}

int ask_all_failed(struct ask *ask, struct answer *ret_answer)
{
    struct envelope envelope;
    int r = ask_envelope(ask, &envelope);
    if (r)
        return r;
    if (ask->asked_count == 1) {
        const struct asked *asked = &ask->asked[0];
        const char *message = arena_printf(&ask->call->arena, "%s: %s",
                                           asked->slot->connection->name, asked->err.text);
        envelope.connection_count = 0;
        return message ? answer_error(asked->err.code, message, &envelope, ret_answer) : ERR_MEMORY;
    }
    struct buf text = BUF(16 * 1024);
    buf_printf(&text, "None of the %zu connections answered.", ask->asked_count);
    for (size_t i = 0; i < ask->asked_count; i++)
        buf_printf(&text, " %s: %s", ask->asked[i].slot->connection->name, ask->asked[i].err.text);
    r = text.failed ? ERR_MEMORY
                    : answer_error(ask->asked[0].err.code, buf_text(&text), &envelope, ret_answer);
    buf_finish(&text);
    return r;
}
