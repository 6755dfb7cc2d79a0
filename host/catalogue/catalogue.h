/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each connection holds: metric names with types, label names, values of the labels people filter by. First
 * filled when asked for, kept fresh by the keeper, bounded.
 *
 * Ownership: snapshots are reference-counted and immutable. Threads: all functions safe; catalogue_fetch from a call's own thread.
 */
#ifndef CATALOGUE_CATALOGUE_H
#define CATALOGUE_CATALOGUE_H

#include "base/clock.h"
#include "query/engine.h"

struct catalogue;

/* Names of one connection at one time. Arrays sorted by name. */
struct catalogue_snapshot {
    atomic_uint references;
    struct arena arena;
    struct name_row *metrics;
    size_t metric_count;
    const char *const *labels; /* label names of the connection */
    size_t label_count;
    /* Values of the native labels behind logical keys: pairs sorted by label, then value. */
    const struct sonde_pair *values;
    size_t value_count;
    /* What the connection's enforce{} stands for; all of the above was asked with it, and every query must be. As many as enforce has keys. */
    const struct sonde_filter *const *enforced;
    size_t enforced_count;
    bool cut;           /* a bound was hit: absence proves nothing */
    int64_t fetched_ns; /* wall clock */
};

#define CATALOGUE_FRESH_NS (5 * NS_PER_MIN)
#define CATALOGUE_MAX_METRICS 20000
#define CATALOGUE_MAX_LABELS 2000
#define CATALOGUE_MAX_VALUE_LABELS 64
#define CATALOGUE_MAX_VALUES 2000 /* of one label */
#define CATALOGUE_MAX_BYTES ((size_t)8 << 20)

int catalogue_create(struct engine *engine, struct call_pool *pool,
                     struct catalogue **ret_catalogue, struct err *err);
/*
 * Stops the keeper at once: no new work, what runs is cancelled and not waited for. Before call_pool_destroy; catalogue_destroy does
 * it too where it was not called.
 */
void catalogue_keeper_stop(struct catalogue *catalogue);
/* After it no call may use the catalogue but the keeper's own, which hold references. */
void catalogue_destroy(struct catalogue *catalogue);
/* Connections whose snapshots the keeper keeps fresh (every refresh_ns with jitter, back-off on failure) once keeper_start was called. */
int catalogue_watch(struct catalogue *catalogue, struct backend *backend);
/*
 * The connection is no more: its snapshot is dropped, what the keeper runs on it is cancelled, and nothing is kept for it again. Calls that
 * still hold the backend may go on asking. Returns whether it was looked after.
 */
bool catalogue_unwatch(struct catalogue *catalogue, struct backend *backend);
/*
 * Somebody looks at how the connection is: it is checked again at once where the last check is older than a few seconds (the answer shows at
 * the next look), and looked after closely for ten minutes. Cheap, and waits for nothing.
 */
void catalogue_look(struct catalogue *catalogue, struct backend *backend);
/* Calls each for all backends that are watched, with a reference held; not under a lock. 0 or ERR_MEMORY. */
int catalogue_each(struct catalogue *catalogue, void (*each)(void *user, struct backend *backend),
                   void *user);
/*
 * Called without locks on whichever thread met it when the state of a watched connection became another or trouble began. One at most; before
 * the keeper starts and before the first call.
 */
void catalogue_on_health(struct catalogue *catalogue, void (*changed)(void *user), void *user);
/* Starts the keeper thread: `sonde mcp` and `sonde serve`. Up to 64 operations side by side. */
int catalogue_keeper_start(struct catalogue *catalogue, struct err *err);

/* What is known now; NULL when nothing is. */
struct catalogue_snapshot *catalogue_peek(struct catalogue *catalogue, struct backend *backend);
/*
 * Snapshots for n backends, fetched side by side where absent or older than 5 minutes (10 while the keeper looks after them; flights make
 * concurrent look-ups one). Where a backend fails, an older snapshot of at most an hour serves; without one ret[i] is NULL and errs[i] set.
 * 0 or ERR_MEMORY.
 */
int catalogue_fetch(struct catalogue *catalogue, struct call *call, struct backend *const *backends,
                    size_t n, struct catalogue_snapshot **ret, struct err *errs);
/* Fetches and keeps, however fresh what is there may be. ret[i] NULL with errs[i] set where it failed. 0 or ERR_MEMORY. */
int catalogue_refresh(struct catalogue *catalogue, struct call *call,
                      struct backend *const *backends, size_t n, struct catalogue_snapshot **ret,
                      struct err *errs);
void catalogue_unref(struct catalogue_snapshot *snapshot);
DEFINE_CLEANUP(struct catalogue_snapshot *, catalogue_unref);

const struct name_row *catalogue_metric(const struct catalogue_snapshot *snapshot,
                                        const char *name);
bool catalogue_has_label(const struct catalogue_snapshot *snapshot, const char *label);

/*
 * The native label behind a logical key on this backend: candidates of the adapter's alias table that the connection has, and among them
 * the first one that holds a value matching one of values (may be empty). metric_labels, if not NULL, are the labels of the metric asked about
 * and restrict the choice. A key that is itself a native label stands for itself. Returns NULL when there is none; ret_candidates
 * then (arena text) says what was looked for and the nearest existing labels.
 */
const char *catalogue_resolve(const struct catalogue_snapshot *snapshot,
                              const struct adapter *adapter, const char *key,
                              const struct sonde_filter *filter, const char *const *metric_labels,
                              size_t metric_label_count, struct arena *arena,
                              const char **ret_candidates);

/*
 * Whether the connection may hold rows that pass the filter: a label behind the key exists and, where its values are known, one of them
 * matches. Negations and what a bound cut off count as "may".
 */
bool catalogue_may_hold(const struct catalogue_snapshot *snapshot, const struct adapter *adapter,
                        const char *key, const struct sonde_filter *filter);

#endif
