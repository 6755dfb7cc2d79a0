/* SPDX-License-Identifier: Apache-2.0 */
#include "eval.h"

#include <math.h>
#include <string.h>

int64_t grid_time(const struct grid *grid, size_t step)
{
    return grid->start_ns + (int64_t)step * grid->step_ns;
}

int row_init(struct evaluation *e, struct row *row, bool histogram)
{
    size_t n = e->grid.count;

    row->unit = row->unit ? row->unit : "";
    if (histogram) {
        row->h = memory_get(e->memory, n * sizeof(struct hist *));
        return row->h ? 0 : -1;
    }
    row->v = memory_get(e->memory, n * sizeof(double));
    for (size_t i = 0; row->v && i < n; i++)
        row->v[i] = absent_value();
    return row->v ? 0 : -1;
}

static int matrix_init(struct evaluation *e, struct matrix *matrix, size_t rows)
{
    matrix->count = 0;
    matrix->rows = memory_get(e->memory, (rows + 1) * sizeof(struct row));
    return matrix->rows ? 0 : -1;
}

static int evaluate_number(struct evaluation *e, double number, struct matrix *ret_matrix)
{
    struct row *row;

    if (matrix_init(e, ret_matrix, 1) < 0)
        return -1;
    row = &ret_matrix->rows[ret_matrix->count++];
    row->type = SONDE_TYPE_GAUGE;
    row->labels.hash = HASH_BEGIN;
    if (row_init(e, row, false) < 0)
        return -1;
    for (size_t i = 0; i < e->grid.count; i++)
        row->v[i] = number;
    return 0;
}

/* The newest sample of each step within the lookback, unless it says that the series ended. */
static void sample_steps(struct evaluation *e, const struct selector *selector,
                         const struct series *s, struct row *row)
{
    size_t next = 0;

    for (size_t i = 0; i < e->grid.count; i++) {
        int64_t at = grid_time(&e->grid, i) - selector->offset_ns;
        const struct sample *sample;

        while (next < s->count && s->samples[next].t <= at)
            next++;
        if (!next)
            continue;
        sample = &s->samples[next - 1];
        if (sample->t <= at - LOOKBACK || is_absent(sample->v))
            continue;
        if (row->h)
            row->h[i] = sample->h;
        else
            row->v[i] = sample->v;
    }
}

static int evaluate_selector(struct evaluation *e, const struct selector *selector,
                             struct matrix *ret_matrix)
{
    const struct series_set *set = selector->set;

    if (matrix_init(e, ret_matrix, set->count) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        const struct series *s = set->all[i];
        struct row *row = &ret_matrix->rows[ret_matrix->count++];

        row->labels = s->labels;
        row->metric = s->metric;
        row->unit = s->unit;
        row->type = s->type;
        if (row_init(e, row, s->histogram) < 0)
            return -1;
        sample_steps(e, selector, s, row);
    }
    return 0;
}

static bool takes_histograms(unsigned function)
{
    return function <= FUNCTION_AVG || function == FUNCTION_SUM || function == FUNCTION_LAST;
}

/* The samples of a series without those that say it ended. */
static struct sample *present_samples(struct evaluation *e, const struct series *s, size_t *ret_n)
{
    struct sample *samples = memory_get(e->memory, (s->count + 1) * sizeof(*samples));
    size_t n = 0;

    for (size_t i = 0; samples && i < s->count; i++)
        if (!is_absent(s->samples[i].v))
            samples[n++] = s->samples[i];
    *ret_n = n;
    return samples;
}

static int evaluate_windows(struct evaluation *e, const struct node *node, const struct series *s,
                            struct row *row)
{
    const struct selector *selector = node->left->selector;
    size_t count;
    struct sample *samples = present_samples(e, s, &count);
    size_t first = 0;
    size_t past = 0;

    if (!samples)
        return -1;
    for (size_t i = 0; i < e->grid.count; i++) {
        int64_t end = grid_time(&e->grid, i) - selector->offset_ns;
        int64_t begin = end - selector->range_ns;

        while (past < count && samples[past].t <= end)
            past++;
        while (first < past && samples[first].t <= begin)
            first++;
        if (row->h)
            row->h[i] =
                window_hist(e->memory, node->code, samples + first, past - first, begin, end);
        else
            row->v[i] =
                window_value(node->code, node->number, samples + first, past - first, begin, end);
    }
    return e->memory->full ? -1 : 0;
}

/* A histogram keeps the unit of what it measures. */
static const char *unit_after(struct evaluation *e, unsigned function, const struct series *series)
{
    const char *unit = series->unit;
    char *text;

    if (function == FUNCTION_COUNT)
        return "";
    if (function != FUNCTION_RATE || !unit[0] || series->histogram)
        return unit;
    if (strcmp(unit, "s") == 0) /* seconds a second */
        return "1";
    text = memory_get(e->memory, strlen(unit) + 3);
    if (!text)
        return "";
    memcpy(text, unit, strlen(unit));
    memcpy(text + strlen(unit), "/s", 2);
    return text;
}

static int evaluate_function(struct evaluation *e, const struct node *node,
                             struct matrix *ret_matrix)
{
    const struct series_set *set = node->left->selector->set;

    if (matrix_init(e, ret_matrix, set->count) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++) {
        const struct series *s = set->all[i];
        struct row *row = &ret_matrix->rows[ret_matrix->count];

        if (s->histogram && !takes_histograms(node->code)) {
            e->mixed = true;
            continue;
        }
        ret_matrix->count++;
        row->labels = s->labels;
        row->unit = unit_after(e, node->code, s);
        row->type = s->histogram ? SONDE_TYPE_HISTOGRAM : SONDE_TYPE_GAUGE;
        if (node->code == FUNCTION_LAST)
            row->metric = s->metric;
        if (row_init(e, row, s->histogram) < 0 || evaluate_windows(e, node, s, row) < 0)
            return -1;
    }
    return 0;
}

static double calculate(const struct node *node, double v)
{
    double a = node->number_left ? node->number : v;
    double b = node->number_left ? v : node->number;

    switch (node->code) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    default:
        return a / b;
    }
}

static int evaluate_scalar(struct evaluation *e, const struct node *node, struct matrix *ret_matrix)
{
    if (evaluate(e, node->left, ret_matrix) < 0)
        return -1;
    for (size_t i = 0; i < ret_matrix->count; i++) {
        struct row *row = &ret_matrix->rows[i];

        row->metric = NULL;
        row->type = SONDE_TYPE_GAUGE;
        if (row->h) {
            e->mixed = true;
            memset(row->h, 0, e->grid.count * sizeof(struct hist *));
            continue;
        }
        if (node->code == '*' || node->code == '/')
            row->unit = "";
        for (size_t k = 0; k < e->grid.count; k++)
            if (!is_absent(row->v[k]))
                row->v[k] = calculate(node, row->v[k]);
    }
    return 0;
}

int evaluate(struct evaluation *e, const struct node *node, struct matrix *ret_matrix)
{
    struct matrix inner;

    switch (node->type) {
    case NODE_NUMBER:
        return evaluate_number(e, node->number, ret_matrix);
    case NODE_SELECTOR:
        return evaluate_selector(e, node->selector, ret_matrix);
    case NODE_SCALAR:
        return evaluate_scalar(e, node, ret_matrix);
    case NODE_AGGREGATE:
        return evaluate(e, node->left, &inner) < 0 ? -1
                                                   : aggregate_rows(e, node, &inner, ret_matrix);
    case NODE_FUNCTION:
        if (node->code != FUNCTION_HISTOGRAM_QUANTILE)
            return evaluate_function(e, node, ret_matrix);
        return evaluate(e, node->left, &inner) < 0 ? -1
                                                   : quantile_rows(e, node, &inner, ret_matrix);
    }
    return -1;
}
