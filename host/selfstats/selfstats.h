/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters, gauges and histograms about ourselves, one set a process, and their text form (Prometheus exposition format 0.0.4).
 * A metric is declared where it is counted, as a static struct; it enters the list when it is first touched.
 *
 * Ownership: metrics are static; children with label values live as long as the process and are bounded. Threads: all functions safe; counting
 * takes no lock once a child is known.
 */
#ifndef SELFSTATS_SELFSTATS_H
#define SELFSTATS_SELFSTATS_H

#include <stdatomic.h>
#include <stdint.h>
#include "base/buf.h"

enum stat_type { STAT_COUNTER, STAT_GAUGE, STAT_HISTOGRAM };

#define STAT_MAX_LABELS 3u
#define STAT_MAX_CHILDREN \
    512u /* of one metric; beyond it everything goes to a child whose label values are "other" */
#define STAT_BUCKETS 16u

struct stat_child;

/* Designated: name, help, type, labels. Seconds and bytes are base units, as Prometheus wants (_seconds, _bytes, _total). */
struct stat {
    const char *name;
    const char *help;
    enum stat_type type;
    const char *labels[STAT_MAX_LABELS + 1]; /* names, NULL-terminated */
    /* The module's own. */
    _Atomic(struct stat_child *) children;
    atomic_uint child_count;
    struct stat *next;
    atomic_bool listed;
};

/* The child with these label values (as many as labels; NULL for none). Never NULL: without memory one that is not shown. Keep it where it is hot. */
struct stat_child *stat_child(struct stat *stat, const char *const *values);
void stat_add(struct stat_child *child, uint64_t n);
/* Gauges. */
void stat_set(struct stat_child *child, int64_t value);
void stat_shift(struct stat_child *child, int64_t by);
/* Histograms: buckets 1 ms to 60 s, value in nanoseconds. */
void stat_observe(struct stat_child *child, int64_t ns);
/* The value of a counter or gauge, the count of a histogram: for tests and for other pages. */
int64_t stat_value(const struct stat_child *child);

/*
 * What is asked for when the page is made: collect(user, stat_emit) hands in gauges that live elsewhere (queue depths, memory).
 * 0 or ERR_LIMIT (64 at most); stats_uncollect takes it away again and waits until it does not run.
 */
typedef void (*stats_collect_fn)(void *user);
int stats_collect(stats_collect_fn collect, void *user);
void stats_uncollect(stats_collect_fn collect, void *user);
/* The page: collectors first, then every metric touched so far, sorted by name. */
void stats_write(struct buf *buf);

#endif
