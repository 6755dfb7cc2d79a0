/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of an opened connection, for the folder's own use.
 *
 * Ownership: reference-counted through engine.h. Threads: instance, endpoints, connection are immutable once open; facts and
 * gate lock themselves; what changes beside them is under lock.
 */
#ifndef QUERY_BACKEND_H
#define QUERY_BACKEND_H

#include <pthread.h>
#include "base/crypto.h"
#include "plugin/host.h"
#include "query/engine.h"
#include "query/exchange_stats.h"
#include "query/facts.h"
#include "query/flight.h"
#include "query/gate.h"
#include "query/health.h"

#define ENDPOINTS_MAX 64u

struct engine {
    struct engine_settings settings;
    struct flights flights;
    atomic_int_fast64_t creates_grace_ns;
    atomic_uint_fast64_t next_serial;
    /* In place of the settings'. */
    atomic_uint per_connection;
    atomic_uint per_user;
    /* Before the first operation. */
    void (*on_health)(void *user, struct backend *backend);
    void *on_health_user;
};

struct endpoint {
    char *name;
    struct io_target *target;
    bool unsigned_aws; /* it wants signatures that are not made: nothing is sent there */
};

struct backend {
    atomic_uint references;
    uint64_t serial; /* tells flights of one backend from those of another; never used again */
    struct engine *engine;
    struct connection *connection;
    atomic_bool retired;
    const struct adapter *adapter;
    struct sonde_ctx ctx; /* of open */
    void *instance;
    bool opened;
    struct endpoint endpoints[ENDPOINTS_MAX];
    size_t endpoint_count;
    struct backend *parent;                   /* of a scope; it lends its gate */
    const struct scope_row *scope;            /* while open runs */
    unsigned char scope_digest[SHA256_BYTES]; /* with a parent: which scope it is */
    struct gate own_gate;
    struct gate *gate;
    struct exchange_stats stats;
    struct facts facts;
    pthread_mutex_t lock;
    /* under lock */
    struct health health;
    char product[128];
    char version[64];
    char advice[256];        /* of PROBE: what could be set better; "" nothing */
    int64_t probed_until_ns; /* clock_mono_ns; 0: PROBE must run first */
};

/* Where a request to the endpoint goes (NULL: main), or NULL and SONDE_E_REFUSED in err. */
struct io_target *backend_target(const struct backend *backend, const char *name, struct err *err);
/* Whether PROBE must run before another operation may. */
bool backend_needs_probe(struct backend *backend);
/* Whether a PROBE that ended this way means that a query would fail the same way. */
bool backend_hopeless(int code);
/* PROBE ended: with 0 its facts hold as long as they say, with an error that is not hopeless others go on without for a while. */
void backend_probed(struct backend *backend, int code);
/* An operation of that kind ended, after so many requests and so long. result may be NULL. */
void backend_note(struct backend *backend, uint32_t kind, uint64_t requests, int64_t took_ns,
                  const struct result *result, const struct err *err);
/* What its endpoints' certificates say of their end. */
void backend_note_expiry(struct backend *backend);
/* What PROBE said of the backend in one line; NULL: it is well. */
void backend_advise(struct backend *backend, const char *advice);
void backend_count(struct backend *backend, uint64_t requests, uint64_t failures);

#endif
