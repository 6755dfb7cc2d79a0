/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What samples.c and samples_seal.c share.
 *
 * Ownership: as samples.h. Threads: one thread.
 */
#ifndef QUERY_SAMPLES_INTERNAL_H
#define QUERY_SAMPLES_INTERNAL_H

#include "query/samples.h"

struct building {
    struct series out; /* labels, unit, type */
    uint64_t id;
    double *values;            /* grid: sample i at start_ns + i * step_ns */
    struct sample_pair *pairs; /* list: any order */
    size_t count;              /* of values (holes included) or pairs */
    size_t capacity;           /* of whichever is in use */
    size_t missing;            /* holes among values */
    size_t reduced;            /* pairs up to here are reduced already */
    int64_t start_ns;
    int64_t step_ns; /* 0: not known yet */
    int64_t next_ns; /* where the grid goes on */
    struct histogram_point *histograms;
    struct exemplar *exemplars;
    uint32_t histogram_count;
    uint32_t histogram_capacity;
    uint32_t exemplar_count;
    uint32_t exemplar_capacity;
    bool list;
    bool unsorted;
    bool revisited; /* its points come in turns with others': leave it room to grow */
};

/* 0 or -1 without memory. */
int samples_to_list(struct samples *samples, struct building *b);
int samples_sort(struct samples *samples, struct building *b);
/* Reduces one series to the bucket in force. */
int samples_reduce_one(struct samples *samples, struct building *b);
/* Gives back room beyond what is used. */
void samples_trim(struct samples *samples, struct building *b);

#endif
