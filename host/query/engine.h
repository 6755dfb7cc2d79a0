/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives adapter operations: PROBE before the first of a connection, many side by side under one deadline,
 * retries by class, facts, at_end; answers from the cache, and flights for identical queries.
 *
 * Ownership: backends and results are reference-counted. Threads: engine_* from any thread; engine_run from a call's own.
 */
#ifndef QUERY_ENGINE_H
#define QUERY_ENGINE_H

#include "base/clock.h"
#include "io/io.h"
#include "model/connection.h"
#include "model/result.h"
#include "plugin/registry.h"
#include "query/call.h"

struct engine;
struct cache;

struct engine_settings {
    const struct registry *registry;
    struct io *io;
    struct budget *budget;
    struct cache *cache; /* NULL: none; outlives the engine */
    uint64_t
        max_points; /* of one result, kept; default 2,000,000: beyond it series reduce min-max while reading */
    uint32_t max_series; /* of one result; default 20,000: beyond it partial */
    uint32_t
        per_connection; /* exchanges in flight; default 16; more wait their turn inside the deadline */
    uint32_t per_user; /* of them, those of one user; default 8, never more than per_connection */
    uint32_t max_requests;        /* of one operation; default 200 */
    uint64_t max_operation_bytes; /* default 256 MiB */
};

int engine_create(const struct engine_settings *settings, struct engine **ret_engine,
                  struct err *err);
void engine_destroy(struct engine *engine); /* after all calls ended */
/* How long a request that creates something is waited for once its operation ends; default 2 s, 0.4 s when a stdio server stops. */
void engine_set_creates_grace(struct engine *engine, int64_t grace_ns);
/* The settings of these names, for connections opened and operations begun from now on; 0 takes the default. */
void engine_set_in_flight(struct engine *engine, uint32_t per_connection, uint32_t per_user);

/*
 * An opened connection: adapter instance, endpoints, facts. Opening makes no request. backend_open fails when the adapter is absent (says
 * which are there and why one was refused), refuses the parameters, or an endpoint is not allowed.
 */
struct backend;
int backend_open(struct engine *engine, struct connection *connection, struct backend **ret_backend,
                 struct err *err);
/*
 * Opens what a SCOPES row of parent names: the adapter it says (or the same one) at the same origin with the same login
 * and limits, below the row's path prefix and with its headers.
 */
int backend_open_scope(struct backend *parent, const struct scope_row *scope,
                       struct backend **ret_backend, struct err *err);
struct backend *backend_ref(struct backend *backend);
void backend_unref(struct backend *backend);
DEFINE_CLEANUP(struct backend *, backend_unref);
/* Its own exchanges in flight, from now on; 0 takes the default. */
void backend_set_in_flight(struct backend *backend, uint32_t per_connection, uint32_t per_user);
/* It was taken out of the configuration: calls that hold it end well, nothing new is kept about it. */
void backend_retire(struct backend *backend);
bool backend_retired(const struct backend *backend);
struct connection *backend_connection(const struct backend *backend);
const struct adapter *backend_adapter(const struct backend *backend);
/* Whether it has anywhere to send to: a url, or an endpoint of its adapter's. */
bool backend_has_endpoint(const struct backend *backend);
/* Product and version PROBE found; "" before. Copies. */
void backend_product(struct backend *backend, char *product, size_t product_size, char *version,
                     size_t version_size);
/* What its PROBE said could be set better, such as another backend; "" nothing (copied). */
void backend_advice(struct backend *backend, char *advice, size_t size);
/* How it fares, by background checks and by what calls met. */
struct backend_health {
    int state;                /* 0 unknown, 1 healthy, 2 degraded, 3 unhealthy */
    char reason[512];         /* why not healthy, with what mends it; "" */
    int64_t changed_ns;       /* wall clock, as all here: since when it is in that state; 0 never */
    int64_t checked_ns;       /* when it was last heard of, well or not; 0 never */
    int64_t last_success_ns;  /* 0 never */
    int64_t last_failure_ns;  /* 0 never */
    int64_t newest_sample_ns; /* 0 unknown */
    uint64_t requests, failures;    /* exchanges sent; those that brought no whole answer */
    uint64_t checks, checks_failed; /* background checks, tests and probes among them */
    double
        uptime_24h; /* share from 0 to 1 of the time it was looked after; negative: not yet known */
    int64_t p95_ms; /* of the last checks that were answered; negative: not yet known */
};
void backend_health(struct backend *backend, struct backend_health *ret_health);
#define BACKEND_CHECK_NS (5 * NS_PER_S) /* what a health check may take at most */
/* Somebody looks at how it is: it is looked after closely for ten minutes. */
void backend_interest(struct backend *backend);
/* How long after a check the next one is due; once a check. */
int64_t backend_check_pause(struct backend *backend);
/* Whether its state should be stored now, and what; counts as stored (backend_health_not_stored takes that back). */
bool backend_health_to_store(struct backend *backend, struct backend_health *ret_health);
void backend_health_not_stored(struct backend *backend);
/*
 * Called on the thread of whoever met it, without locks, when a backend's state became another or trouble began. One at most; before the first
 * operation.
 */
void engine_on_health(struct engine *engine, void (*changed)(void *user, struct backend *backend),
                      void *user);
/* ui.url + what the adapter's link writes; arena text, or NULL where there is none. */
const char *backend_link(struct backend *backend, const struct sonde_query *query,
                         const char *executed, struct arena *arena);
void backend_probe_stages(struct backend *backend, struct io_probe *ret_probe);

/* One operation to run. query must live until engine_run returns. */
struct engine_item {
    struct backend *backend;
    const struct sonde_query *query;
    /* It need not be held to the connection's enforce{}: the catalogue's look at which labels that stands for. Every other query is refused without. */
    bool unheld;
    bool share;     /* may join or lead a flight */
    bool may_cache; /* may be answered from the cache, and its answer kept there */
    bool decorates; /* the item before it: not asked for where that one came from the cache */
    int64_t
        cached_ns; /* out: when the answer was fetched (wall clock), if it came from the cache; 0: it did not */
    struct result
        *result; /* out: a reference, NULL on failure; a partial one may come with an error too */
    struct err err; /* out */
};

/*
 * Runs all side by side and returns when every one has ended (each by its own success or failure, the connection's timeout, the call's
 * deadline or its cancel). 0 always but for ERR_MEMORY; look at each item.
 */
int engine_run(struct engine *engine, struct call *call, struct engine_item *items, size_t n);

#endif
