/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters, gauges and histograms about ourselves, one set a process, and their text form (Prometheus exposition format 0.0.4).
 * A metric is declared where it is counted, as a static struct stat_family; it enters the list when it is first touched.
 * Label values come from sets of our own (tools, adapters, outcomes, limits), never from users or backends.
 *
 * Ownership: families are static; children with label values live as long as the process and are bounded. Threads: all functions
 * safe; counting takes no lock, and neither does finding a child that is there.
 */
#ifndef SELFSTATS_SELFSTATS_H
#define SELFSTATS_SELFSTATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum stat_type { STAT_COUNTER, STAT_GAUGE, STAT_HISTOGRAM };

#define STAT_MAX_LABELS 3u
/* Of one metric; beyond it everything goes to a child whose label values are "other". */
#define STAT_MAX_CHILDREN 512u
#define STAT_BUCKETS 16u /* +Inf included */

struct stat_child;

/* Designated: name, help, type, labels, seconds. Seconds and bytes are base units, as Prometheus wants (_seconds, _bytes, _total). */
struct stat_family {
    const char *name;
    const char *help;
    enum stat_type type;
    bool seconds; /* counted in nanoseconds, shown in seconds; histograms always are */
    const char *labels[STAT_MAX_LABELS + 1]; /* names, NULL-terminated */
    /* The module's own. */
    _Atomic(struct stat_child *) children;
    unsigned child_count;
    struct stat_family *next;
    bool listed;
};

/* The child with these label values (as many as labels; NULL for none). Never NULL: without memory one that is not shown. Keep it where it is hot. */
struct stat_child *stat_child(struct stat_family *family, const char *const *values);
void stat_add(struct stat_child *child, uint64_t n);
/* Gauges; and by a collector, counters that are kept elsewhere. */
void stat_set(struct stat_child *child, int64_t value);
/* A gauge with labels shows only what is set from here on: for a collector, before it sets those that still are. */
void stat_hide(struct stat_family *family);
void stat_shift(struct stat_child *child, int64_t by);
/* Histograms: buckets 1 ms to 60 s, value in nanoseconds. */
void stat_observe(struct stat_child *child, int64_t ns);
/* The value of a counter or gauge, the count of a histogram: for tests and for other pages. */
int64_t stat_value(const struct stat_child *child);

/*
 * What is asked for when the page is made: collect(user) sets gauges of its own whose values live elsewhere (queue depths, memory). It
 * must not call stats_collect, stats_uncollect or stats_write. 0 or ERR_LIMIT (64 at most); stats_uncollect takes it away again and
 * waits until it does not run.
 */
typedef void (*stats_collect_fn)(void *user);
int stats_collect(stats_collect_fn collect, void *user);
void stats_uncollect(stats_collect_fn collect, void *user);
/* The page: collectors first, then every metric touched so far, sorted by name. */
void stats_write(struct buf *buf);

#endif
