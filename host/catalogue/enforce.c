/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which labels a connection's enforce{} stands for. They are looked up among all labels the connection has, which is never shown: only what is
 * found with the filters in place goes into a snapshot.
 */
#include "catalogue/internal.h"

#include "base/str.h"

struct finding {
    struct engine *engine;
    struct call *call;
    struct backend *backend;
    const struct connection *connection;
    const struct adapter *adapter;
    struct result *labels;
    const char *value_labels[CATALOGUE_MAX_VALUE_LABELS];
    struct result *values[CATALOGUE_MAX_VALUE_LABELS];
    size_t value_label_count;
};

static bool can(const struct finding *finding, uint32_t kind)
{
    return finding->adapter->table.caps & SONDE_CAP(kind);
}

/* Runs n look-ups without filters; those that fail leave NULL. */
static int look(struct finding *finding, uint32_t kind, const char *const *names, size_t n,
                struct result **ret, struct err *errs)
{
    struct arena *arena = &finding->call->arena;
    struct engine_item *items = arena_alloc_array(arena, n, sizeof *items);
    struct sonde_query *queries = arena_alloc_array(arena, n, sizeof *queries);
    if (!items || !queries)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        queries[i] = (struct sonde_query){
            .struct_size = sizeof queries[i],
            .kind = kind,
            .limit = kind == SONDE_KIND_LABEL_NAMES ? CATALOGUE_MAX_LABELS : CATALOGUE_MAX_VALUES,
            .scope = "",
            .name = names[i],
            .native = ""};
        items[i] = (struct engine_item){
            .backend = finding->backend, .query = &queries[i], .unheld = true, .share = true};
    }
    int r = engine_run(finding->engine, finding->call, items, n);
    for (size_t i = 0; i < n; i++) {
        errs[i] = items[i].err;
        ret[i] = items[i].err.code ? NULL : items[i].result;
        if (items[i].err.code)
            result_unref(items[i].result);
    }
    return r;
}

static void want_values(struct finding *finding, const char *label)
{
    bool there = false;
    for (size_t i = 0; !there && i < finding->labels->name_count; i++)
        there = str_eq(finding->labels->names[i].name, label);
    for (size_t i = 0; there && i < finding->value_label_count; i++)
        there = !str_eq(finding->value_labels[i], label);
    if (there && finding->value_label_count < CATALOGUE_MAX_VALUE_LABELS)
        finding->value_labels[finding->value_label_count++] = label;
}

/* Values of the labels that may stand behind the keys, as far as there is a choice among them. */
static int look_values(struct finding *finding)
{
    struct err errs[CATALOGUE_MAX_VALUE_LABELS];
    const struct sonde_plugin *table = &finding->adapter->table;
    for (size_t i = 0; i < finding->connection->enforce_count; i++) {
        want_values(finding, finding->connection->enforce[i].key);
        for (size_t k = 0; k < table->alias_count; k++) {
            if (!str_eq(table->aliases[k]->logical, finding->connection->enforce[i].key))
                continue;
            for (size_t c = 0; c < table->aliases[k]->candidate_count; c++)
                want_values(finding, table->aliases[k]->candidates[c]);
        }
    }
    if (!finding->value_label_count || !can(finding, SONDE_KIND_LABEL_VALUES))
        return 0;
    return look(finding, SONDE_KIND_LABEL_VALUES, finding->value_labels, finding->value_label_count,
                finding->values, errs);
}

static int resolve_keys(struct finding *finding, const struct catalogue_snapshot *snapshot,
                        struct sonde_filter ***ret_filters, struct err *err)
{
    struct arena *arena = &finding->call->arena;
    size_t n = finding->connection->enforce_count;
    struct sonde_filter **filters = arena_alloc_array(arena, n, sizeof(struct sonde_filter *));
    for (size_t i = 0; i < n; i++) {
        const struct sonde_pair *pair = &finding->connection->enforce[i];
        struct sonde_filter *filter = arena_alloc(arena, sizeof *filter);
        const char **values = arena_alloc(arena, sizeof *values);
        if (!filters || !filter || !values)
            return ERR_MEMORY;
        values[0] = pair->value;
        *filter = (struct sonde_filter){.struct_size = sizeof *filter,
                                        .op = SONDE_OP_EQ,
                                        .native_type = SONDE_NATIVE_LABEL,
                                        .flags = SONDE_FILTER_ENFORCED,
                                        .logical = pair->key,
                                        .native = "",
                                        .values = values,
                                        .value_count = 1};
        const char *ignored = NULL; /* it names labels beyond the filters */
        const char *native = catalogue_resolve(snapshot, finding->adapter, pair->key, filter, NULL,
                                               0, arena, &ignored);
        if (!native)
            return err_set(err, SONDE_E_REFUSED,
                           "enforce.%s: this connection has no label for it, so no query can be "
                           "held to it and none is sent; whoever set it may name the label itself",
                           pair->key);
        filter->native = arena_strdup(arena, native);
        if (!filter->native)
            return ERR_MEMORY;
        filters[i] = filter;
    }
    *ret_filters = filters;
    return 0;
}

static int resolve(struct finding *finding, struct sonde_filter ***ret_filters, struct err *err)
{
    static const char *const all[] = {""};
    int r = look(finding, SONDE_KIND_LABEL_NAMES, all, 1, &finding->labels, err);
    if (r || !finding->labels)
        return r ? r : err->code ? err->code : err_set(err, SONDE_E_REFUSED, "no labels came");
    r = look_values(finding);
    if (r)
        return r;
    struct snapshot_parts parts = {.labels = finding->labels,
                                   .value_labels = finding->value_labels,
                                   .values = finding->values,
                                   .value_label_count = finding->value_label_count};
    CLEANUP(catalogue_unrefp) struct catalogue_snapshot *open = snapshot_build(&parts);
    return open ? resolve_keys(finding, open, ret_filters, err) : ERR_MEMORY;
}

int enforce_find(struct engine *engine, struct call *call, struct backend *backend,
                 struct sonde_filter ***ret_filters, struct err *err)
{
    struct finding finding = {.engine = engine,
                              .call = call,
                              .backend = backend,
                              .connection = backend_connection(backend),
                              .adapter = backend_adapter(backend)};
    if (!(finding.adapter->table.understands & SONDE_MUST_ENFORCED_FILTERS) ||
        !can(&finding, SONDE_KIND_LABEL_NAMES))
        return err_set(err, SONDE_E_REFUSED,
                       "backend %s cannot hold a query to the filters of enforce, so none is sent",
                       finding.adapter->table.name);
    int r = resolve(&finding, ret_filters, err);
    result_unref(finding.labels);
    for (size_t i = 0; i < finding.value_label_count; i++)
        result_unref(finding.values[i]);
    return r == ERR_MEMORY ? err_set(err, r, "no memory for the filters of enforce") : r;
}
