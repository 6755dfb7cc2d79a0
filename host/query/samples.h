/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series as they are read: points of any series, in any order and batches, become arrays in time order. On a regular
 * grid only values are kept (8 bytes a point); what is not regular is kept as pairs and looked at again at the end.
 * Beyond max_points all series are reduced min-max while reading goes on.
 *
 * Ownership: arrays are the builder's until samples_seal gives them to the result. Threads: one thread.
 */
#ifndef QUERY_SAMPLES_H
#define QUERY_SAMPLES_H

#include <sonde/plugin.h>
#include "model/result.h"
#include "query/intern.h"
#include "query/reduce.h"

struct building; /* one series */

struct samples {
    struct result *result;
    struct intern intern;
    struct building *series;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* id to index + 1 */
    size_t slot_count;
    size_t current;      /* index of the series last written to */
    int64_t step_ns;     /* of the query; 0 unknown */
    size_t expected;     /* points of one series on the query's grid; 0 unknown */
    uint64_t kept;       /* points in memory, holes included */
    uint64_t max_points; /* kept at most; half of it once reduced, for times are kept too */
    uint32_t max_series;
    int64_t bucket_ns; /* of the reduction; 0: none so far */
    uint64_t read;
    int64_t newest_ns;
    uint32_t exemplar_count;
};

#define SAMPLES_FULL (-1)    /* max_series or memory reached: nothing more is taken */
#define SAMPLES_UNKNOWN (-2) /* points of a series that was not announced */

void samples_init(struct samples *samples, struct result *result, const struct sonde_query *query,
                  uint64_t max_points, uint32_t max_series);
/* Frees what was not sealed. */
void samples_finish(struct samples *samples);
/* 0 or SAMPLES_FULL. A series announced again goes on. */
int samples_announce(struct samples *samples, const struct sonde_series *row);
/* 0, SAMPLES_FULL or SAMPLES_UNKNOWN. */
int samples_add(struct samples *samples, uint64_t id, size_t n, const int64_t *t, const double *v);
int samples_add_histogram(struct samples *samples, const struct sonde_histogram_point *row);
int samples_add_exemplar(struct samples *samples, const struct sonde_exemplar *row);
/* Sorts, joins, cuts to size and moves everything into the result. 0 or ERR_MEMORY. */
int samples_seal(struct samples *samples);

/* Sorted storable copies of labels; NULL without memory, never for none. */
const struct sonde_label *samples_labels(struct samples *samples, const struct sonde_label *labels,
                                         size_t n, size_t *ret_count);

#endif
