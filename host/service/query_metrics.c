/* SPDX-License-Identifier: Apache-2.0 */
#include "service/history.h"
#include "service/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "query/permit.h"

#define TARGET_POINTS 240 /* of a range: enough for extremes to survive, few enough to be cheap */

static int64_t nice_step(int64_t wanted_ns)
{
    static const int64_t seconds[] = {1,   5,   10,   15,   30,    60,    120,   300,
                                      600, 900, 1800, 3600, 10800, 21600, 43200, 86400};
    for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
        if (seconds[i] * NS_PER_S >= wanted_ns)
            return seconds[i] * NS_PER_S;
    return (wanted_ns + NS_PER_DAY - 1) / NS_PER_DAY * NS_PER_DAY;
}

/* The step as asked or chosen; 0 asks for one value at the end of the window. */
static int choose_step(struct ask *ask, int64_t *ret_step_ns, struct err *err)
{
    int64_t range = ask->window.end_ns - ask->window.start_ns;
    if (!ask->args.step) {
        *ret_step_ns = nice_step(range / TARGET_POINTS);
        return 0;
    }
    if (str_to_duration(ask->args.step, ret_step_ns) ||
        (*ret_step_ns > 0 && *ret_step_ns < NS_PER_MS))
        return err_set(
            err, ERR_INVALID,
            "step \"%s\" is no duration: write 15s, 5m, 1h; 0 asks for one value at the end of the "
            "window; left out, about %d points are fetched",
            ask->args.step, TARGET_POINTS);
    return 0;
}

/* The connection's own limits: its longest range, and its samples, for which the step is raised. */
static void prepare_query(struct ask *ask, struct asked *asked, int64_t step_ns)
{
    const struct connection *connection = asked->slot->connection;
    int64_t range = ask->window.end_ns - ask->window.start_ns;
    if (step_ns && ask_too_long(ask, asked))
        return;
    if (connection->max_samples && step_ns &&
        (uint64_t)(range / step_ns) + 1 > connection->max_samples) {
        step_ns = nice_step(range / (int64_t)connection->max_samples + 1);
        ask_note(ask, "%s: step raised to %lld s to stay below query_limits.max_samples (%llu)",
                 connection->name, (long long)(step_ns / NS_PER_S),
                 (unsigned long long)connection->max_samples);
    }
    asked->query =
        (struct sonde_query){.struct_size = sizeof asked->query,
                             .kind = SONDE_KIND_METRICS,
                             .start_ns = step_ns ? ask->window.start_ns : ask->window.end_ns,
                             .end_ns = ask->window.end_ns,
                             .step_ns = step_ns,
                             .scope = "",
                             .name = "",
                             .native = ask->args.query,
                             .native_size = strlen(ask->args.query)};
}

static void check_samples(struct asked *asked)
{
    const struct connection *connection = asked->slot->connection;
    const struct result *result = asked->result;
    if (asked->err.code || !result || !connection->max_samples ||
        result->samples_read <= connection->max_samples)
        return;
    uint64_t factor =
        (result->samples_read + connection->max_samples - 1) / connection->max_samples;
    int64_t fits = nice_step(asked->query.step_ns * (int64_t)factor);
    err_set(
        &asked->err, ERR_LIMIT,
        "%llu samples are more than query_limits.max_samples (%llu) of this connection; %s%lld%s",
        (unsigned long long)result->samples_read, (unsigned long long)connection->max_samples,
        asked->query.step_ns ? "a step of " : "aggregate, for example sum by (...), below ",
        asked->query.step_ns ? (long long)(fits / NS_PER_S) : (long long)connection->max_samples,
        asked->query.step_ns ? " s fits" : " series");
}

/* What a page shows: the rows of all results, in the order of their connections. */
static int collect(struct arena *arena, struct result *const *results, const char *const *names,
                   size_t n, bool show_names, struct answer_series **ret_rows, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += results[i] ? results[i]->series_count : 0;
    struct answer_series *rows = arena_alloc_array(arena, count, sizeof *rows);
    if (!rows)
        return ERR_MEMORY;
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; results[i] && j < results[i]->series_count; j++)
            rows[k++] = (struct answer_series){.series = &results[i]->series[j],
                                               .connection = show_names ? names[i] : NULL};
    *ret_rows = rows;
    *ret_count = count;
    return 0;
}

struct page {
    struct ask *ask;
    struct result **results;
    const char **names;
    size_t count;
};

static size_t put_cursor(void *user, size_t next_skip, char out[65])
{
    struct page *page = user;
    struct ask *ask = page->ask;
    struct cursor_page cursor = {.owner = ask->call->principal.id,
                                 .tool = ask->tool->name,
                                 .digest = ask->digest,
                                 .window = ask->window,
                                 .results = page->results,
                                 .connection_names = page->names,
                                 .result_count = page->count,
                                 .state = "{}",
                                 .skip = next_skip};
    return cursor_put(ask->service->cursors, &cursor, out);
}

/* Values there are to look at. */
static uint64_t count_values(const struct page *page)
{
    uint64_t count = 0;
    for (size_t i = 0; i < page->count; i++)
        for (size_t k = 0; page->results[i] && k < page->results[i]->series_count; k++)
            count += page->results[i]->series[k].sample_count;
    return count;
}

static int shape_rows(struct ask *ask, struct page *page, struct envelope *envelope, size_t skip,
                      struct answer *ret_answer)
{
    struct answer_metrics input = {
        .envelope = *envelope,
        .skip = skip,
        .max_series = (size_t)(ask->args.max_series > 0 ? ask->args.max_series : 0),
        .make_cursor = put_cursor,
        .user = page};
    struct answer_series *rows;
    int r = collect(&ask->call->arena, page->results, page->names, page->count, page->count > 1,
                    &rows, &input.series_count);
    if (r)
        return r;
    input.series = rows;
    input.instant = input.series_count > 0;
    for (size_t i = 0; i < input.series_count; i++)
        if (rows[i].series->sample_count + rows[i].series->histogram_count > 1)
            input.instant = false;
    size_t shown;
    return answer_metrics(&input, ret_answer, &shown);
}

static int shape(struct ask *ask, struct page *page, struct envelope *envelope, size_t skip,
                 struct answer *ret_answer, struct err *err)
{
    bool much = count_values(page) > PERMIT_FREE_VALUES;
    int r = much ? permit_take(ask->call, ask->call->deadline_ns, true, err) : 0;
    if (r)
        return r;
    r = shape_rows(ask, page, envelope, skip, ret_answer);
    permit_release(ask->call);
    return r;
}

static int next_page(struct ask *ask, struct answer *ret_answer, struct err *err)
{
    struct cursor_page cursor;
    int r = cursor_get(ask->service->cursors, ask->args.cursor, ask->call->principal.id,
                       ask->tool->name, ask->digest, &ask->call->arena, &cursor, err);
    if (r)
        return r;
    ask->window = cursor.window;
    struct envelope envelope = {.window = &ask->window,
                                .zone = ask->zone,
                                .query_executed =
                                    cursor.result_count == 1 ? cursor.results[0]->executed : NULL,
                                .budget = ask_budget(ask, false)};
    struct page page = {.ask = ask,
                        .results = cursor.results,
                        .names = cursor.connection_names,
                        .count = cursor.result_count};
    r = shape(ask, &page, &envelope, cursor.skip, ret_answer, err);
    cursor_page_release(&cursor);
    return r;
}

/* An exemplar belongs to the series whose every label it has; sums over labels get those of all their members. */
static bool exemplar_fits(const struct series *series, const struct series *source)
{
    for (size_t i = 0; i < series->label_count; i++) {
        const struct sonde_label *want = &series->labels[i];
        if (want->name_size == 8 && memcmp(want->name, "__name__", 8) == 0)
            continue;
        bool found = false;
        for (size_t k = 0; k < source->label_count && !found; k++) {
            const struct sonde_label *have = &source->labels[k];
            found = have->name_size == want->name_size && have->value_size == want->value_size &&
                    memcmp(have->name, want->name, want->name_size) == 0 &&
                    memcmp(have->value, want->value, want->value_size) == 0;
        }
        if (!found)
            return false;
    }
    return true;
}

#define EXEMPLARS_SHOWN 3

/* The largest few that belong to the series: the slowest requests are the ones worth opening. How many. */
static size_t best_exemplars(const struct series *series, const struct result *exemplars,
                             struct exemplar best[EXEMPLARS_SHOWN])
{
    size_t n = 0;
    for (size_t k = 0; k < exemplars->series_count; k++) {
        const struct series *source = &exemplars->series[k];
        if (!source->exemplar_count || !exemplar_fits(series, source))
            continue;
        for (size_t e = 0; e < source->exemplar_count; e++) {
            size_t at = n < EXEMPLARS_SHOWN ? n : EXEMPLARS_SHOWN;
            while (at > 0 && best[at - 1].value < source->exemplars[e].value)
                at--;
            if (at == EXEMPLARS_SHOWN)
                continue;
            size_t last = n < EXEMPLARS_SHOWN ? n++ : EXEMPLARS_SHOWN - 1;
            memmove(&best[at + 1], &best[at], (last - at) * sizeof *best);
            best[at] = source->exemplars[e];
        }
    }
    return n;
}

/* Copies with their texts, which a cursor may keep longer than the exemplars' own. Without memory the series stays as it is. */
static void set_exemplars(struct result *result, struct series *series, const struct exemplar *best,
                          size_t n)
{
    struct exemplar *copies = result_alloc(result, n, sizeof *copies);
    for (size_t k = 0; copies && k < n; k++) {
        copies[k] = (struct exemplar){.time_ns = best[k].time_ns, .value = best[k].value};
        copies[k].trace_id = arena_strdup(&result->arena, best[k].trace_id);
        copies[k].span_id = arena_strdup(&result->arena, best[k].span_id);
        if (!copies[k].trace_id || !copies[k].span_id)
            return;
    }
    if (!copies)
        return;
    series->exemplars = copies;
    series->exemplar_count = n;
}

/* The result may be others' too, by the cache or a flight: what is decorated is one that stands over it. */
static void attach_exemplars(struct asked *asked)
{
    if (!asked->result || !asked->exemplars || asked->err.code)
        return;
    struct result *over = NULL;
    for (size_t i = 0; i < asked->result->series_count; i++) {
        struct exemplar best[EXEMPLARS_SHOWN];
        size_t n = best_exemplars(&asked->result->series[i], asked->exemplars, best);
        if (!n)
            continue;
        if (!over)
            over = result_over(asked->result);
        if (!over)
            return;
        set_exemplars(over, &over->series[i], best, n);
    }
    if (!over)
        return;
    result_unref(asked->result);
    asked->result = over;
}

/* Selects, resolves, runs; the page then holds the results of the connections that answered. */
static int run_query(struct ask *ask, struct page *page, size_t *ret_rows, struct err *err)
{
    int64_t step_ns = 0;
    int r = choose_step(ask, &step_ns, err);
    if (!r)
        r = ask_select(ask, SONDE_CAP(SONDE_KIND_METRICS), ASK_ONE, err);
    if (!r)
        r = ask_filters(ask, ask->args.query, err);
    if (r)
        return r;
    for (size_t i = 0; i < ask->asked_count; i++)
        if (!ask->asked[i].err.code)
            prepare_query(ask, &ask->asked[i], step_ns);
    r = ask_run(ask, step_ns != 0);
    if (r)
        return r;
    *page = (struct page){.ask = ask};
    page->results = arena_alloc_array(&ask->call->arena, ask->asked_count, sizeof(struct result *));
    page->names = arena_alloc_array(&ask->call->arena, ask->asked_count, sizeof *page->names);
    if (!page->results || !page->names)
        return ERR_MEMORY;
    size_t rows = 0;
    for (size_t i = 0; i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        check_samples(asked);
        attach_exemplars(asked);
        if (asked->err.code || !asked->result)
            continue;
        page->names[page->count] = asked->slot->connection->name;
        page->results[page->count++] = asked->result;
        rows += asked->result->series_count;
    }
    *ret_rows = rows;
    return 0;
}

int tool_query_metrics(struct ask *ask, struct answer *ret_answer, struct err *err)
{
    if (ask->args.cursor)
        return next_page(ask, ret_answer, err);
    struct page page;
    size_t rows = 0;
    int r = run_query(ask, &page, &rows, err);
    if (r)
        return r;
    if (!ask_any_ok(ask))
        return ask_all_failed(ask, ret_answer);
    struct envelope envelope;
    r = ask_envelope(ask, &envelope);
    if (r)
        return r;
    if (!rows)
        ask_explain_empty(ask, &envelope);
    return shape(ask, &page, &envelope, 0, ret_answer, err);
}

int service_query(struct service *service, struct call *call, struct json_object *arguments,
                  service_rows_fn use, void *user, struct err *err)
{
    struct ask ask;
    struct page page;
    size_t count = 0;
    int r = ask_begin(&ask, service, call, args_tool("query_metrics"), arguments, err);
    if (!r)
        r = run_query(&ask, &page, &count, err);
    struct service_rows rows = {.zone = ask.zone, .window = &ask.window};
    if (!r)
        r = ask_envelope(&ask, &rows.envelope);
    if (!r) {
        if (!count && ask_any_ok(&ask))
            ask_explain_empty(&ask, &rows.envelope);
        r = collect(&call->arena, page.results, page.names, page.count, ask.asked_count > 1,
                    &rows.series, &rows.series_count);
    }
    if (!r) {
        rows.failed = !ask_any_ok(&ask);
        use(user, &rows);
    }
    if (r && !err->code)
        err_set(err, r, "no memory for the query");
    const struct err well = {0};
    history_note(&ask, arguments, &(struct answer){.is_error = rows.failed}, r ? err : &well);
    ask_finish(&ask);
    return r;
}
