/* SPDX-License-Identifier: Apache-2.0 */
#include "query/reduce.h"

#include <math.h>
#include <string.h>

void reducer_init(struct reducer *reducer, struct sample_pair *out, int64_t bucket_ns)
{
    *reducer = (struct reducer){.out = out, .bucket_ns = bucket_ns};
}

static void put(struct reducer *reducer, struct sample_pair pair)
{
    /* Extremes may be the same sample as first or last. */
    if (reducer->count && reducer->out[reducer->count - 1].time_ns == pair.time_ns)
        return;
    reducer->out[reducer->count++] = pair;
}

static void flush(struct reducer *reducer)
{
    bool low_first = reducer->low.time_ns <= reducer->high.time_ns;
    put(reducer, low_first ? reducer->low : reducer->high);
    put(reducer, low_first ? reducer->high : reducer->low);
}

static int64_t bucket_of(int64_t time_ns, int64_t bucket_ns)
{
    int64_t bucket = time_ns / bucket_ns;
    return time_ns % bucket_ns < 0 ? bucket - 1 : bucket;
}

void reducer_add(struct reducer *reducer, int64_t time_ns, double value)
{
    struct sample_pair pair = {time_ns, value};
    int64_t bucket = bucket_of(time_ns, reducer->bucket_ns);
    if (!reducer->any) {
        /* The very first sample is kept as it is. */
        reducer->any = true;
        reducer->bucket = bucket;
        reducer->in_bucket = 0;
        reducer->last = pair;
        put(reducer, pair);
        return;
    }
    if (reducer->in_bucket && bucket != reducer->bucket)
        flush(reducer);
    if (!reducer->in_bucket || bucket != reducer->bucket) {
        reducer->bucket = bucket;
        reducer->in_bucket = 0;
        reducer->low = pair;
        reducer->high = pair;
    } else {
        /* Numbers beat NaN, which stays only where nothing else is. */
        if (value < reducer->low.value || isnan(reducer->low.value))
            reducer->low = pair;
        if (value > reducer->high.value || isnan(reducer->high.value))
            reducer->high = pair;
    }
    reducer->in_bucket++;
    reducer->last = pair;
}

size_t reducer_end(struct reducer *reducer)
{
    if (reducer->in_bucket) {
        flush(reducer);
        put(reducer, reducer->last);
    }
    return reducer->count;
}

static void merge(const struct sample_pair *from, size_t left, size_t middle, size_t right,
                  struct sample_pair *to)
{
    size_t a = left;
    size_t b = middle;
    for (size_t i = left; i < right; i++)
        to[i] = a < middle && (b == right || from[a].time_ns <= from[b].time_ns) ? from[a++]
                                                                                 : from[b++];
}

size_t pairs_sort(struct sample_pair *pairs, size_t n, struct sample_pair *scratch)
{
    struct sample_pair *from = pairs;
    struct sample_pair *to = scratch;
    /* Stable, so that of equal times the one given last stands last. */
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t left = 0; left < n; left += 2 * width) {
            size_t middle = left + width < n ? left + width : n;
            size_t right = left + 2 * width < n ? left + 2 * width : n;
            merge(from, left, middle, right, to);
        }
        struct sample_pair *swap = from;
        from = to;
        to = swap;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept && pairs[kept - 1].time_ns == from[i].time_ns)
            pairs[kept - 1] = from[i];
        else
            pairs[kept++] = from[i];
    }
    return kept;
}
