/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets that must be fetched, by running a program or from a token server: the value with its time, the threads that fetch it, and the
 * exchanges that wait for it. One fetch at a time for each secret of a connection, however many exchanges want it.
 *
 * Ownership: providers are reference-counted, one for each login that uses it; struct fetchers is part of struct io. Threads: one lock for all
 * of it, never held while a login's is taken; any thread may call, and none is kept waiting.
 */
#ifndef IO_PROVIDER_H
#define IO_PROVIDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "io/exchange.h"

#define FETCH_NS (10 * NS_PER_S) /* how long one may take */
#define FETCH_MAX ((size_t)64 * 1024)

/* What a fetch brings. */
struct fetched {
    struct secret *value;
    int64_t lifetime_ns; /* INT64_MAX: until a backend refuses it */
};

struct provider;
struct fetchers;

/*
 * The one for this secret of this connection, made where there is none. key and ref are the connection's. oauth2: ref is the client's secret,
 * else a program. NULL without memory.
 */
struct provider *provider_of(struct io *io, struct connection *connection, const char *key,
                             const struct secret_ref *ref, bool oauth2);
void provider_unref(struct provider *provider);
bool provider_is_fresh(struct provider *provider);
/* A copy of the value when it is another than *generation says, which is brought up to date; else NULL. */
struct secret *provider_take(struct provider *provider, unsigned *generation);
/* A backend refused this value: it is fetched again, unless it was only fetched after since_ns. */
void provider_refuse(struct provider *provider, unsigned generation, int64_t since_ns);

/*
 * Fetches what the exchange's login lacks (after a 401: what was refused), then composes next_sent and commands LOGIN_NEW; when that fails
 * LOGIN_SAME, with exchange->login_error. 0, or ERR_SYSTEM, ERR_MEMORY, ERR_BUSY: nothing will come.
 */
int provider_fetch_for(struct exchange *exchange);
/* After the loop has stopped: ends what is being fetched, joins the threads. */
void fetchers_stop(struct io *io);
void fetchers_free(struct fetchers *fetchers);

/* The program's output is the value, or JSON {"token": ..., "expires_at" or "expires_in": ...}. stop: give up early. 0, ERR_SYSTEM, ERR_INVALID ... */
int exec_fetch(const char *const *command, const char *key, const atomic_bool *stop,
               struct fetched *ret_fetched, struct err *err);
/* Client credentials (RFC 6749 section 4.4). Not on the loop. */
int oauth2_fetch(struct io *io, const struct connection *connection, const atomic_bool *stop,
                 struct fetched *ret_fetched, struct err *err);
/* What a document says about its time: "expires_at" (RFC 3339 or seconds since 1970) or "expires_in" (seconds). 0, ERR_INVALID. */
int fetched_lifetime(struct json_object *document, int64_t *ret_ns, struct err *err);

#endif
