/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue/internal.h"

#include <string.h>

/* Operations handed to the engine at once; each holds some memory while it runs. */
#define BATCH 256

/* One connection being asked. */
struct asking {
    struct backend *backend;
    const struct adapter *adapter;
    struct err *err;
    struct result *metrics;
    struct result *labels;
    const char *value_labels[CATALOGUE_MAX_VALUE_LABELS];
    struct result *values[CATALOGUE_MAX_VALUE_LABELS];
    size_t value_label_count;
    struct sonde_filter **enforced; /* every look-up is held to them */
    size_t enforced_count;
    bool cut;
};

struct fetching {
    struct engine *engine;
    struct call *call;
    struct asking *askings;
    size_t n;
    struct engine_item *items;
    struct sonde_query *queries;
    struct result ***targets; /* where each item's result goes */
    struct asking **owners;
    size_t item_count;
};

static bool can(const struct asking *asking, uint32_t kind)
{
    return asking->adapter->table.caps & SONDE_CAP(kind);
}

/*
 * No window: what the connection holds at all. Identical look-ups of several calls can then share one flight,
 * which a window that ends "now" would prevent.
 */
static void add_item(struct fetching *fetching, struct asking *asking, uint32_t kind,
                     const char *name, uint32_t limit, struct result **target)
{
    size_t i = fetching->item_count++;
    fetching->queries[i] = (struct sonde_query){.struct_size = sizeof fetching->queries[i],
                                                .kind = kind,
                                                .limit = limit,
                                                .scope = "",
                                                .name = name,
                                                .native = ""};
    if (asking->enforced_count) {
        fetching->queries[i].must_understand = SONDE_MUST_ENFORCED_FILTERS;
        fetching->queries[i].filters = (const struct sonde_filter *const *)asking->enforced;
        fetching->queries[i].filter_count = asking->enforced_count;
    }
    fetching->items[i] = (struct engine_item){
        .backend = asking->backend, .query = &fetching->queries[i], .share = true};
    fetching->targets[i] = target;
    fetching->owners[i] = asking;
}

/* Runs what was added. A metric or label list that fails is its connection's error, a list of values only a gap. */
static int run(struct fetching *fetching)
{
    size_t n = fetching->item_count;
    fetching->item_count = 0;
    int r = n ? engine_run(fetching->engine, fetching->call, fetching->items, n) : 0;
    for (size_t i = 0; i < n; i++) {
        struct engine_item *item = &fetching->items[i];
        struct asking *asking = fetching->owners[i];
        if (item->err.code) {
            result_unref(item->result);
            asking->cut = true;
            if (item->query->kind != SONDE_KIND_LABEL_VALUES &&
                item->err.code != SONDE_E_UNSUPPORTED && !asking->err->code)
                *asking->err = item->err;
            continue;
        }
        *fetching->targets[i] = item->result;
    }
    return r;
}

static int run_full(struct fetching *fetching)
{
    return fetching->item_count == BATCH ? run(fetching) : 0;
}

/* Which filters hold; where they cannot be told, nothing is asked. */
static int find_enforced(struct fetching *fetching)
{
    for (size_t i = 0; i < fetching->n; i++) {
        struct asking *asking = &fetching->askings[i];
        size_t n = backend_connection(asking->backend)->enforce_count;
        if (!n)
            continue;
        int r = enforce_find(fetching->engine, fetching->call, asking->backend, &asking->enforced,
                             asking->err);
        if (r == ERR_MEMORY)
            return r;
        if (!r)
            asking->enforced_count = n;
    }
    return 0;
}

static int ask_names(struct fetching *fetching)
{
    int r = 0;
    for (size_t i = 0; !r && i < fetching->n; i++) {
        struct asking *asking = &fetching->askings[i];
        if (asking->err->code)
            continue;
        if (can(asking, SONDE_KIND_METRIC_NAMES))
            add_item(fetching, asking, SONDE_KIND_METRIC_NAMES, "", CATALOGUE_MAX_METRICS,
                     &asking->metrics);
        else
            asking->cut = true;
        r = run_full(fetching);
        if (!r && can(asking, SONDE_KIND_LABEL_NAMES))
            add_item(fetching, asking, SONDE_KIND_LABEL_NAMES, "", CATALOGUE_MAX_LABELS,
                     &asking->labels);
        else
            asking->cut = true;
        if (!r)
            r = run_full(fetching);
    }
    return r ? r : run(fetching);
}

static int ask_values(struct fetching *fetching)
{
    int r = 0;
    for (size_t i = 0; !r && i < fetching->n; i++) {
        struct asking *asking = &fetching->askings[i];
        if (asking->err->code || !asking->labels || !can(asking, SONDE_KIND_LABEL_VALUES))
            continue;
        asking->value_label_count =
            snapshot_value_labels(asking->adapter, asking->labels, asking->value_labels);
        for (size_t k = 0; !r && k < asking->value_label_count; k++) {
            add_item(fetching, asking, SONDE_KIND_LABEL_VALUES, asking->value_labels[k],
                     CATALOGUE_MAX_VALUES, &asking->values[k]);
            r = run_full(fetching);
        }
    }
    return r ? r : run(fetching);
}

static int build(struct fetching *fetching, struct catalogue_snapshot **ret)
{
    for (size_t i = 0; i < fetching->n; i++) {
        struct asking *asking = &fetching->askings[i];
        ret[i] = NULL;
        if (asking->err->code || call_over(fetching->call, asking->err))
            continue;
        struct snapshot_parts parts = {.metrics = asking->metrics,
                                       .labels = asking->labels,
                                       .value_labels = asking->value_labels,
                                       .values = asking->values,
                                       .value_label_count = asking->value_label_count,
                                       .enforced = asking->enforced,
                                       .enforced_count = asking->enforced_count,
                                       .cut = asking->cut};
        ret[i] = snapshot_build(&parts);
        if (!ret[i])
            return err_set(asking->err, ERR_MEMORY, "no memory for the catalogue");
    }
    return 0;
}

static void release(struct fetching *fetching)
{
    for (size_t i = 0; i < fetching->n; i++) {
        result_unref(fetching->askings[i].metrics);
        result_unref(fetching->askings[i].labels);
        for (size_t k = 0; k < CATALOGUE_MAX_VALUE_LABELS; k++)
            result_unref(fetching->askings[i].values[k]);
    }
}

int snapshot_fetch(struct engine *engine, struct call *call, struct backend *const *backends,
                   size_t n, struct catalogue_snapshot **ret, struct err *errs)
{
    struct arena *arena = &call->arena;
    struct fetching fetching = {.engine = engine, .call = call, .n = n};
    fetching.askings = arena_alloc_array(arena, n, sizeof *fetching.askings);
    fetching.items = arena_alloc_array(arena, BATCH, sizeof *fetching.items);
    fetching.queries = arena_alloc_array(arena, BATCH, sizeof *fetching.queries);
    fetching.targets = arena_alloc_array(arena, BATCH, sizeof(struct result **));
    fetching.owners = arena_alloc_array(arena, BATCH, sizeof(struct asking *));
    if (!fetching.askings || !fetching.items || !fetching.queries || !fetching.targets ||
        !fetching.owners)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        errs[i] = (struct err){0};
        fetching.askings[i] = (struct asking){
            .backend = backends[i], .adapter = backend_adapter(backends[i]), .err = &errs[i]};
    }
    int r = find_enforced(&fetching);
    if (!r)
        r = ask_names(&fetching);
    if (!r)
        r = ask_values(&fetching);
    if (!r)
        r = build(&fetching, ret);
    release(&fetching);
    return r;
}
