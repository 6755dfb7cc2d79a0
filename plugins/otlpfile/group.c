/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregation over rows, and quantiles out of buckets. */
#include "eval.h"

#include <sonde/json.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that fall together. */
struct group {
    struct labels labels;
    size_t *members;
    size_t count;
    size_t capacity;
};

struct grouping {
    struct group *groups;
    size_t count;
    size_t capacity;
};

static struct group *find_group(struct evaluation *e, struct grouping *g,
                                const struct labels *labels)
{
    void *groups;

    for (size_t i = 0; i < g->count; i++)
        if (labels_equal(&g->groups[i].labels, labels))
            return &g->groups[i];
    groups =
        memory_grow(e->memory, g->groups, g->count, &g->capacity, sizeof(struct group), MAX_SERIES);
    if (!groups)
        return NULL;
    g->groups = groups;
    g->groups[g->count] = (struct group){.labels = *labels};
    return &g->groups[g->count++];
}

static int group_rows(struct evaluation *e, const struct matrix *in, const char *const *names,
                      size_t count, bool keep, struct grouping *g)
{
    for (size_t i = 0; i < in->count; i++) {
        struct labels labels;
        struct group *group;
        void *members;

        if (labels_select(e->memory, &in->rows[i].labels, names, count, keep, &labels) < 0)
            return -1;
        group = find_group(e, g, &labels);
        if (!group)
            return -1;
        members = memory_grow(e->memory, group->members, group->count, &group->capacity,
                              sizeof(size_t), MAX_SERIES);
        if (!members)
            return -1;
        group->members = members;
        group->members[group->count++] = i;
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    if (isnan(x) || isnan(y))
        return isnan(x) ? (isnan(y) ? 0 : -1) : 1;
    return x < y ? -1 : x > y;
}

static double reduce(const struct node *node, double *v, size_t n)
{
    double result = v[0];

    switch (node->code) {
    case AGGREGATE_COUNT:
        return (double)n;
    case AGGREGATE_QUANTILE:
        return values_quantile(v, n, node->number);
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
        for (size_t i = 1; i < n; i++)
            if (isnan(result) || (node->code == AGGREGATE_MAX ? v[i] > result : v[i] < result))
                result = v[i];
        return result;
    default:
        for (size_t i = 1; i < n; i++)
            result += v[i];
        return node->code == AGGREGATE_AVG ? result / (double)n : result;
    }
}

/* Histograms can be counted, summed and averaged. */
static int reduce_hists(struct evaluation *e, const struct node *node, const struct matrix *in,
                        const struct group *group, struct row *row)
{
    if (node->code != AGGREGATE_SUM && node->code != AGGREGATE_AVG) {
        e->mixed = true;
        return 0;
    }
    for (size_t k = 0; k < e->grid.count; k++) {
        double n = 0;

        for (size_t i = 0; i < group->count; i++) {
            struct hist **h = in->rows[group->members[i]].h;

            if (!h || !h[k])
                continue;
            n++;
            if (!row->h[k])
                row->h[k] = hist_copy(e->memory, h[k]);
            else if (hist_add(e->memory, row->h[k], h[k], 1) < 0)
                return -1;
        }
        if (row->h[k] && node->code == AGGREGATE_AVG)
            hist_scale(row->h[k], 1 / n);
    }
    return e->memory->full ? -1 : 0;
}

static void reduce_values(struct evaluation *e, const struct node *node, const struct matrix *in,
                          const struct group *group, double *scratch, struct row *row)
{
    for (size_t k = 0; k < e->grid.count; k++) {
        size_t n = 0;

        for (size_t i = 0; i < group->count; i++) {
            const struct row *member = &in->rows[group->members[i]];

            if (member->h)
                e->mixed = true;
            else if (!is_absent(member->v[k]))
                scratch[n++] = member->v[k];
        }
        if (n)
            row->v[k] = reduce(node, scratch, n);
    }
}

/* What a step keeps: values beyond the edge, then as many as there is room for of those on it, then NaN. */
struct best {
    double edge;
    size_t on_edge;
    size_t nans;
};

static struct best find_best(bool top, double want, double *v, size_t n)
{
    struct best best = {.edge = (double)NAN};
    size_t keep = want < (double)n ? (size_t)want : n;

    best.nans = want > (double)n ? (size_t)fmin(want - (double)n, MAX_SERIES) : 0;
    if (!keep)
        return best;
    qsort(v, n, sizeof(*v), ascending);
    best.edge = top ? v[n - keep] : v[keep - 1];
    best.on_edge = keep;
    for (size_t i = 0; i < n; i++)
        best.on_edge -= top ? v[i] > best.edge : v[i] < best.edge;
    return best;
}

static bool is_kept(bool top, double v, struct best *best)
{
    if (isnan(v) || v == best->edge) {
        size_t *room = isnan(v) ? &best->nans : &best->on_edge;

        if (!*room)
            return false;
        (*room)--;
        return true;
    }
    return top ? v > best->edge : v < best->edge;
}

/* Keeps, step by step, the k greatest or least. */
static void keep_best(struct evaluation *e, const struct node *node, const struct matrix *in,
                      const struct group *group, double *scratch)
{
    bool top = node->code == AGGREGATE_TOPK;
    double want = node->number >= 1 ? floor(node->number) : 0;

    for (size_t k = 0; k < e->grid.count; k++) {
        struct best best;
        size_t n = 0;

        for (size_t i = 0; i < group->count; i++) {
            const struct row *row = &in->rows[group->members[i]];

            if (row->v && !isnan(row->v[k]))
                scratch[n++] = row->v[k];
        }
        best = find_best(top, want, scratch, n);
        for (size_t i = 0; i < group->count; i++) {
            struct row *row = &in->rows[group->members[i]];

            if (row->v && !is_absent(row->v[k]) && !is_kept(top, row->v[k], &best))
                row->v[k] = absent_value();
        }
    }
}

static int best_rows(struct evaluation *e, const struct node *node, const struct matrix *in,
                     const struct grouping *g, double *scratch, struct matrix *ret_matrix)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->rows[i].h)
            e->mixed = true;
    for (size_t i = 0; i < g->count; i++)
        keep_best(e, node, in, &g->groups[i], scratch);
    ret_matrix->count = 0;
    ret_matrix->rows = in->rows;
    for (size_t i = 0; i < in->count; i++)
        if (in->rows[i].v)
            ret_matrix->rows[ret_matrix->count++] = in->rows[i];
    return 0;
}

int aggregate_rows(struct evaluation *e, const struct node *node, const struct matrix *in,
                   struct matrix *ret_matrix)
{
    struct grouping g = {0};
    double *scratch = memory_get(e->memory, (in->count + 1) * sizeof(*scratch));
    bool keep = !node->without;

    if (!scratch || group_rows(e, in, node->by, node->by_count, keep, &g) < 0)
        return -1;
    if (node->code == AGGREGATE_TOPK || node->code == AGGREGATE_BOTTOMK)
        return best_rows(e, node, in, &g, scratch, ret_matrix);
    ret_matrix->count = 0;
    ret_matrix->rows = memory_get(e->memory, (g.count + 1) * sizeof(struct row));
    for (size_t i = 0; ret_matrix->rows && i < g.count; i++) {
        const struct row *first = &in->rows[g.groups[i].members[0]];
        struct row *row = &ret_matrix->rows[ret_matrix->count++];

        row->labels = g.groups[i].labels;
        row->unit = node->code == AGGREGATE_COUNT ? "" : first->unit;
        row->type = first->h ? SONDE_TYPE_HISTOGRAM : SONDE_TYPE_GAUGE;
        if (row_init(e, row, first->h != NULL) < 0)
            return -1;
        if (first->h) {
            if (reduce_hists(e, node, in, &g.groups[i], row) < 0)
                return -1;
        } else {
            reduce_values(e, node, in, &g.groups[i], scratch, row);
        }
    }
    return e->memory->full ? -1 : 0;
}

struct edge {
    double upper;
    double count;
};

static int by_upper(const void *a, const void *b)
{
    double x = ((const struct edge *)a)->upper;
    double y = ((const struct edge *)b)->upper;

    return x < y ? -1 : x > y;
}

static double upper_of(const struct row *row)
{
    const char *le = labels_get(&row->labels, "le");
    double upper;

    return sonde_parse_double(le, strlen(le), &upper) < 0 ? (double)NAN : upper;
}

/* The quantile of the rows of one group, which differ in their label le alone, at one step. */
static double group_quantile(const struct matrix *in, const struct group *group,
                             const double *uppers, size_t step, double q, struct edge *edges,
                             double *upper, double *counts)
{
    size_t n = 0;
    size_t kept = 0;

    for (size_t i = 0; i < group->count; i++) {
        size_t member = group->members[i];
        const struct row *row = &in->rows[member];

        if (row->v && !is_absent(row->v[step]) && !isnan(uppers[member]))
            edges[n++] = (struct edge){uppers[member], row->v[step]};
    }
    if (!n)
        return absent_value();
    qsort(edges, n, sizeof(*edges), by_upper);
    for (size_t i = 0; i < n; i++) {
        if (kept && upper[kept - 1] == edges[i].upper) {
            counts[kept - 1] += edges[i].count;
            continue;
        }
        upper[kept] = edges[i].upper;
        counts[kept++] = edges[i].count;
    }
    /* Rates of single buckets may fall a little where they must rise. */
    for (size_t i = 1; i < kept; i++)
        if (counts[i] < counts[i - 1])
            counts[i] = counts[i - 1];
    return buckets_quantile(upper, counts, kept, q);
}

static int bucket_quantiles(struct evaluation *e, const struct node *node, const struct matrix *in,
                            struct matrix *ret_matrix)
{
    static const char *const le[] = {"le"};
    struct grouping g = {0};
    double *uppers = memory_get(e->memory, (in->count + 1) * sizeof(double));
    struct edge *edges = memory_get(e->memory, (in->count + 1) * sizeof(*edges));
    double *upper = memory_get(e->memory, (in->count + 1) * sizeof(double));
    double *counts = memory_get(e->memory, (in->count + 1) * sizeof(double));
    struct row *rows;

    if (!uppers || !edges || !upper || !counts || group_rows(e, in, le, 1, false, &g) < 0)
        return -1;
    for (size_t i = 0; i < in->count; i++)
        uppers[i] = upper_of(&in->rows[i]);
    rows = memory_get(e->memory, (in->count + g.count + 1) * sizeof(*rows));
    if (!rows)
        return -1;
    ret_matrix->rows = rows;
    ret_matrix->count = 0;
    for (size_t i = 0; i < g.count; i++) {
        const struct row *first = &in->rows[g.groups[i].members[0]];
        struct row *row = &rows[ret_matrix->count];

        if (first->h || isnan(uppers[g.groups[i].members[0]]))
            continue;
        ret_matrix->count++;
        row->labels = g.groups[i].labels;
        row->type = SONDE_TYPE_GAUGE;
        if (row_init(e, row, false) < 0)
            return -1;
        for (size_t k = 0; k < e->grid.count; k++)
            row->v[k] =
                group_quantile(in, &g.groups[i], uppers, k, node->number, edges, upper, counts);
    }
    return 0;
}

int quantile_rows(struct evaluation *e, const struct node *node, const struct matrix *in,
                  struct matrix *ret_matrix)
{
    if (bucket_quantiles(e, node, in, ret_matrix) < 0)
        return -1;
    for (size_t i = 0; i < in->count; i++) {
        const struct row *from = &in->rows[i];
        struct row *row = &ret_matrix->rows[ret_matrix->count];

        if (!from->h) {
            if (isnan(upper_of(from)))
                e->mixed = true;
            continue;
        }
        ret_matrix->count++;
        row->labels = from->labels;
        row->unit = from->unit;
        row->type = SONDE_TYPE_GAUGE;
        if (row_init(e, row, false) < 0)
            return -1;
        for (size_t k = 0; k < e->grid.count; k++)
            if (from->h[k])
                row->v[k] = hist_quantile(from->h[k], node->number);
    }
    return 0;
}
