/* SPDX-License-Identifier: Apache-2.0 */
#include "service/internal.h"

#include "base/str.h"
#include "service/filters.h"
#include "service/select.h"

#define UNHEALTHY 3
/* Names younger than this are not asked for again when nothing fits. */
#define YOUNG_NS (10 * NS_PER_S)

/* What the catalogues of the candidates know, for choosing among them. */
struct choosing {
    struct ask *ask;
    struct select_candidate *candidates;
    struct catalogue_snapshot **snapshots;
    struct sonde_filter **filters;
    size_t filter_count;
};

static bool has_cap(const struct service *service, const struct slot *slot, uint64_t caps)
{
    const struct adapter *adapter = registry_find(service->registry, slot->connection->backend);
    return adapter && (adapter->table.caps & caps) == caps;
}

static int parse_filters(struct choosing *choosing, struct err *err)
{
    const struct args *args = &choosing->ask->args;
    struct arena *arena = &choosing->ask->call->arena;
    size_t n = args->filter_count + 1;
    choosing->filters = arena_alloc_array(arena, n, sizeof(struct sonde_filter *));
    if (!choosing->filters)
        return err_set(err, ERR_MEMORY, "no memory for the filters");
    int r = 0;
    for (size_t i = 0; !r && i < args->filter_count; i++)
        r = filter_parse(args->filters[i].key, args->filters[i].value, arena,
                         &choosing->filters[choosing->filter_count++], err);
    if (!r && args->service)
        r = filter_parse("service", args->service, arena,
                         &choosing->filters[choosing->filter_count++], err);
    return r;
}

/* Whether a candidate's catalogue is worth asking for. One known to be down would make the others wait for its timeout. */
static bool worth_asking(const struct choosing *choosing, size_t i, bool again)
{
    struct backend *backend = choosing->ask->set->slots[i].backend;
    const struct catalogue_snapshot *snapshot = choosing->snapshots[i];
    struct backend_health health = {0};
    if (!choosing->candidates[i].able || !backend)
        return false;
    if (again && (!snapshot || clock_unix_ns() - snapshot->fetched_ns < YOUNG_NS))
        return false;
    backend_health(backend, &health);
    return health.state != UNHEALTHY;
}

/* Catalogues of the able candidates; again: newer ones in place of those that are there. */
static int fetch_snapshots(struct choosing *choosing, bool again, struct err *err)
{
    struct service *service = choosing->ask->service;
    struct arena *arena = &choosing->ask->call->arena;
    size_t n = choosing->ask->set->slot_count;
    struct backend **backends = arena_alloc_array(arena, n, sizeof(struct backend *));
    struct catalogue_snapshot **got = arena_alloc_array(arena, n, sizeof *got);
    struct err *errs = arena_alloc_array(arena, n, sizeof *errs);
    size_t *index = arena_alloc_array(arena, n, sizeof *index);
    if (!backends || !got || !errs || !index)
        return err_set(err, ERR_MEMORY, "no memory for the catalogues");
    size_t want = 0;
    for (size_t i = 0; i < n; i++) {
        if (!worth_asking(choosing, i, again))
            continue;
        index[want] = i;
        backends[want++] = choosing->ask->set->slots[i].backend;
    }
    struct call *call = choosing->ask->call;
    int r = 0;
    if (want)
        r = again ? catalogue_refresh(service->catalogue, call, backends, want, got, errs)
                  : catalogue_fetch(service->catalogue, call, backends, want, got, errs);
    if (r)
        return err_set(err, r, "no memory for the catalogues");
    for (size_t i = 0; i < want; i++) {
        if (!got[i])
            continue;
        catalogue_unref(choosing->snapshots[index[i]]);
        choosing->snapshots[index[i]] = got[i];
    }
    return 0;
}

static enum select_fit fit_of(const struct choosing *choosing, size_t i)
{
    struct ask *ask = choosing->ask;
    const struct catalogue_snapshot *snapshot = choosing->snapshots[i];
    const char *query = ask->args.query;
    if (!snapshot)
        return SELECT_UNKNOWN;
    const struct adapter *adapter = backend_adapter(ask->set->slots[i].backend);
    for (size_t f = 0; f < choosing->filter_count; f++)
        if (!catalogue_may_hold(snapshot, adapter, choosing->filters[f]->logical,
                                choosing->filters[f]))
            return SELECT_MISSES;
    if (query && !ask_metric_in(query, snapshot, &ask->call->arena))
        return snapshot->cut ? SELECT_UNKNOWN : SELECT_MISSES;
    return query || choosing->filter_count ? SELECT_FITS : SELECT_UNKNOWN;
}

/* True when some candidate lacks what is asked about and none has it. */
static bool judge(struct choosing *choosing)
{
    bool fits = false;
    bool misses = false;
    for (size_t i = 0; i < choosing->ask->set->slot_count; i++) {
        struct select_candidate *candidate = &choosing->candidates[i];
        if (!candidate->able)
            continue;
        candidate->fit = fit_of(choosing, i);
        fits |= candidate->fit == SELECT_FITS;
        misses |= candidate->fit == SELECT_MISSES;
    }
    return misses && !fits;
}

/*
 * Only where several could answer and none was named is there anything to find out. What nobody has may have come
 * since the names were fetched.
 */
static int judge_fit(struct choosing *choosing, struct err *err)
{
    int r = parse_filters(choosing, err);
    if (!r)
        r = fetch_snapshots(choosing, false, err);
    if (r || !judge(choosing))
        return r;
    r = fetch_snapshots(choosing, true, err);
    if (!r)
        judge(choosing);
    return r;
}

static int take(struct choosing *choosing, const struct selection *selection, struct err *err)
{
    struct ask *ask = choosing->ask;
    ask->asked = arena_alloc_array(&ask->call->arena, selection->chosen_count, sizeof *ask->asked);
    if (!ask->asked)
        return err_set(err, ERR_MEMORY, "no memory for the connections");
    for (size_t i = 0; i < selection->chosen_count; i++) {
        size_t index = selection->chosen[i];
        struct slot *slot = &ask->set->slots[index];
        struct asked *asked = &ask->asked[ask->asked_count++];
        asked->slot = slot;
        asked->err = slot->backend ? (struct err){0} : slot->err;
        asked->snapshot = choosing->snapshots[index];
        choosing->snapshots[index] = NULL;
    }
    ask->not_asked = selection->not_asked;
    ask->not_asked_count = selection->not_asked_count;
    if (*selection->why)
        ask_note(ask, "asked %s: %s; others with connection_id",
                 ask->asked[0].slot->connection->name, selection->why);
    return 0;
}

int ask_select(struct ask *ask, uint64_t caps, enum ask_default rule, struct err *err)
{
    struct service *service = ask->service;
    struct arena *arena = &ask->call->arena;
    size_t n = ask->set->slot_count;
    struct choosing choosing = {.ask = ask};
    choosing.candidates = arena_alloc_array(arena, n + 1, sizeof *choosing.candidates);
    choosing.snapshots = arena_alloc_array(arena, n + 1, sizeof *choosing.snapshots);
    if (!choosing.candidates || !choosing.snapshots)
        return err_set(err, ERR_MEMORY, "no memory for the connections");
    size_t able = 0;
    for (size_t i = 0; i < n; i++) {
        const struct slot *slot = &ask->set->slots[i];
        choosing.candidates[i] = (struct select_candidate){.connection = slot->connection,
                                                           .able = !slot->connection->disabled &&
                                                                   has_cap(service, slot, caps)};
        able += choosing.candidates[i].able;
    }
    const char *named = ask->args.connection_id;
    ask->explicit_connections = named && *named;
    int r = 0;
    if (able > 1 && rule == ASK_ONE && !ask->explicit_connections)
        r = judge_fit(&choosing, err);
    struct selection selection;
    if (!r)
        r = select_connections(choosing.candidates, n, named, rule == ASK_ALL, arena, &selection,
                               err);
    if (!r)
        r = take(&choosing, &selection, err);
    for (size_t i = 0; i < n; i++)
        catalogue_unref(choosing.snapshots[i]);
    return r;
}
