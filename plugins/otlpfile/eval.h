/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluates a tree over the series its selectors hold, for all steps at once.
 *
 * Ownership: results live in the operation's memory. Threads: one.
 */
#ifndef OTLPFILE_EVAL_H
#define OTLPFILE_EVAL_H

#include "ast.h"
#include "series.h"

#define LOOKBACK INT64_C(300000000000)
#define MAX_STEPS 11000

struct grid {
    int64_t start_ns;
    int64_t step_ns;
    size_t count;
};

/* A value a step: absent_value() where there is none. */
struct row {
    struct labels labels;
    const char *metric; /* NULL after a function */
    const char *unit;
    uint32_t type;
    double *v;
    struct hist **h; /* of histograms: NULL where there is none; v is then not used */
};

struct matrix {
    size_t count;
    struct row *rows;
};

struct evaluation {
    struct memory *memory;
    struct grid grid;
    bool mixed; /* a function met series of the other kind and left them out */
};

int64_t grid_time(const struct grid *grid, size_t step);
/* The value of one window (begin exclusive, end inclusive) of one series. */
double window_value(unsigned function, double q, const struct sample *samples, size_t n,
                    int64_t begin, int64_t end);
/* The same of a histogram series: rate, increase, delta, sum, avg, last; NULL when there is none. */
struct hist *window_hist(struct memory *memory, unsigned function, const struct sample *samples,
                         size_t n, int64_t begin, int64_t end);
/* As Prometheus interpolates it between the two nearest; sorts v. */
double values_quantile(double *v, size_t n, double q);
int row_init(struct evaluation *e, struct row *row, bool histogram);
int aggregate_rows(struct evaluation *e, const struct node *node, const struct matrix *in,
                   struct matrix *ret_matrix);
int quantile_rows(struct evaluation *e, const struct node *node, const struct matrix *in,
                  struct matrix *ret_matrix);
/* 0, or -1 when memory is full. */
int evaluate(struct evaluation *e, const struct node *node, struct matrix *ret_matrix);

#endif
