/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Min-max reduction as samples stream by: of each stretch of time the lowest and the highest sample stay, with their own
 * times, and of the whole the first and the last. So a spike survives however much is dropped around it.
 *
 * Ownership: the output array is the caller's. Threads: one thread.
 */
#ifndef QUERY_REDUCE_H
#define QUERY_REDUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sample_pair {
    int64_t time_ns;
    double value;
};

struct reducer {
    struct sample_pair *out; /* may be the array read from: it never overtakes the input */
    size_t count;
    int64_t bucket_ns;
    int64_t bucket;
    size_t in_bucket;
    bool any;
    struct sample_pair low, high, last; /* of the current bucket */
};

/* bucket_ns above 0. */
void reducer_init(struct reducer *reducer, struct sample_pair *out, int64_t bucket_ns);
/* Samples in time order. Writes at most 3 to out, never more than were added so far. */
void reducer_add(struct reducer *reducer, int64_t time_ns, double value);
/* The number of samples in out. */
size_t reducer_end(struct reducer *reducer);
/* Sorts by time, keeps the last given of those with one time; returns how many stay. scratch: room for n. */
size_t pairs_sort(struct sample_pair *pairs, size_t n, struct sample_pair *scratch);

#endif
