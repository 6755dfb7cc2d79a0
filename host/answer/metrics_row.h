/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One series of an answer, as JSON and as text. Internal to answer/.
 *
 * Ownership: a row points into the result and the shaping's arena. Threads: one thread.
 */
#ifndef ANSWER_METRICS_ROW_H
#define ANSWER_METRICS_ROW_H

#include "answer/answer.h"

struct metrics_row {
    const struct answer_series *in;
    const struct series
        *of; /* what is summarised and reduced: the samples, or p95 of the histograms */
    struct series_summary summary;
    size_t order; /* as the backend gave it */
    bool is_histogram;
};

struct row_style {
    bool instant;
    const struct zone *zone; /* NULL: UTC */
    const struct time_window *window;
    const struct sonde_label *common; /* left out of every row */
    size_t common_count;
    const char *common_unit;
};

/* 0 or ERR_MEMORY. */
int metrics_row_init(struct metrics_row *row, const struct answer_series *in, size_t order,
                     struct arena *arena);
/* points: at most so many samples; 0: the summary alone. */
void metrics_row_json(struct buf *buf, const struct metrics_row *row, const struct row_style *style,
                      size_t points);
void metrics_row_text(struct buf *buf, const struct metrics_row *row, const struct row_style *style,
                      size_t points);

#endif
