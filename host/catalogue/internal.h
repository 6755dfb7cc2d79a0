/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of catalogue/ share.
 *
 * Ownership: the catalogue owns its entries until its last reference goes; each of the keeper's jobs holds one, so that
 * a call left behind in a plugin never meets freed memory. Threads: everything below lock is guarded by it.
 */
#ifndef CATALOGUE_INTERNAL_H
#define CATALOGUE_INTERNAL_H

#include <pthread.h>
#include "catalogue/catalogue.h"

#define CATALOGUE_MAX_ENTRIES 1024

struct entry {
    struct backend *backend;
    struct catalogue_snapshot *snapshot; /* NULL: none yet */
    bool watched;
    /* The keeper's; times are clock_mono_ns. */
    int64_t refresh_at;
    int64_t check_at;
    bool refreshing;
    bool checking;
    unsigned failures; /* of refreshes, in a row */
    int state;         /* of backend_health after the last check */
    int64_t checked_at;
};

struct job;

struct catalogue {
    atomic_uint references;
    struct engine *engine;
    struct call_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct entry **entries;
    size_t entry_count;
    size_t entry_capacity;
    struct job *jobs; /* running */
    unsigned job_count;
    unsigned refresh_count; /* of them */
    bool keeper;
    bool stop;
    void (*on_health)(void *user);
    void *on_health_user;
    pthread_t thread;
};

struct catalogue *catalogue_ref(struct catalogue *catalogue);
void catalogue_drop(struct catalogue *catalogue);
/* When a watched entry's next refresh is due after one that succeeded or failed. Under the lock. */
void keeper_plan_refresh(struct entry *entry, bool failed, int64_t now);
/* Cancels what the keeper runs on an entry. Under the lock. */
void keeper_cancel(struct catalogue *catalogue, const struct entry *entry);
/* Takes a retired entry that nothing runs on any more out of the list, for entry_free; NULL while it must stay. Under the lock. */
struct entry *entry_take_retired(struct catalogue *catalogue, struct entry *entry);
/* Without the lock: it may close the backend. NULL is fine. */
void entry_free(struct entry *entry);
/* Brings the next check forward, if none runs. Under the lock. */
void keeper_check_by(struct catalogue *catalogue, struct entry *entry, int64_t at);
/* First times of a new watched entry. Under the lock. */
void keeper_plan_first(struct entry *entry, int64_t now);

/* Asks n backends side by side what they hold, without keeping it. ret[i] NULL with errs[i] set where it failed. 0 or ERR_MEMORY. */
int snapshot_fetch(struct engine *engine, struct call *call, struct backend *const *backends,
                   size_t n, struct catalogue_snapshot **ret, struct err *errs);
/*
 * The filters a connection's enforce{} stands for, ENFORCED and with native labels, as many as it has keys; memory of the call and of the
 * connection. 0, ERR_MEMORY, or why no query can be held to them.
 */
int enforce_find(struct engine *engine, struct call *call, struct backend *backend,
                 struct sonde_filter ***ret_filters, struct err *err);
struct catalogue_snapshot *snapshot_ref(struct catalogue_snapshot *snapshot);

/* What was learnt about one connection, before it becomes a snapshot. Results may be NULL. */
struct snapshot_parts {
    const struct result *metrics;
    const struct result *labels;
    const char *const *value_labels;
    struct result *const *values; /* of value_labels[i]; NULL: it failed */
    size_t value_label_count;
    struct sonde_filter *const *enforced; /* what all of it was asked with */
    size_t enforced_count;
    bool cut;
};
/* NULL: no memory. */
struct catalogue_snapshot *snapshot_build(const struct snapshot_parts *parts);
/* The native labels behind the adapter's logical keys which the connection has. Returns how many, at most CATALOGUE_MAX_VALUE_LABELS. */
size_t snapshot_value_labels(const struct adapter *adapter, const struct result *labels,
                             const char *ret_labels[CATALOGUE_MAX_VALUE_LABELS]);

#endif
