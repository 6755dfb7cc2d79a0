/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload replaces as a whole: the configuration, the time zone, and the connections opened with it. A call takes the set in
 * use when it begins and keeps it to its end, so that a reload changes nothing under a call.
 *
 * There is one of the operator's connections, and for each user who asks one more (user_sets.h) with what the user may see of them and
 * the user's own.
 *
 * Ownership: reference-counted; a set owns its configuration and refers to its connections and backends, which the next set may
 * share. Threads: immutable once made.
 */
#ifndef SERVICE_SET_H
#define SERVICE_SET_H

#include "catalogue/catalogue.h"
#include "service/service.h"

/* A connection, opened or not. */
struct slot {
    struct connection *connection;
    struct backend *backend; /* NULL: err says why */
    struct err err;
};

struct connection_set {
    atomic_uint references;
    struct connection_set *base; /* of a user's: the operator's, which owns config and zone */
    struct config *config;
    struct zone *zone;
    struct slot *slots; /* a user's own before the shared ones: a name finds them first */
    size_t slot_count;
    char missing[256]; /* why connections of the user's own are not here; "" none are missing */
};

/* What a set is made with. */
struct set_parts {
    const struct registry *registry;
    struct engine *engine;
    struct keyring *keyring; /* for the keys of the cache; may be NULL */
    const struct service_options *options;
    const struct connection_set *before; /* unchanged connections are taken from it; may be NULL */
};

/*
 * Takes config over, also when it fails. A connection that cannot be opened stays in the set with its reason: the others work. Errors
 * and mistakes are those of connections_load.
 */
int set_create(struct config *config, const struct set_parts *parts,
               struct connection_set **ret_set, struct config_mistake *mistakes,
               size_t *ret_mistake_count, struct err *err);
/* An empty set for a user on top of the operator's, with room for n slots; NULL: no memory. */
struct connection_set *set_above(struct connection_set *base, size_t n);
/* Refers to what the slot refers to; room must be there. */
void set_add(struct connection_set *set, const struct slot *slot);
struct connection_set *set_ref(struct connection_set *set);
void set_unref(struct connection_set *set);
DEFINE_CLEANUP(struct connection_set *, set_unref);
/* Whether some slot of the set has that backend. */
bool set_has_backend(const struct connection_set *set, const struct backend *backend);
/* The slot with a connection of that name (a user's own before the operator's), or NULL. */
const struct slot *set_find(const struct connection_set *set, const char *name);
/* The same by id, else by name. */
struct slot *set_find_id(const struct connection_set *set, const char *id);
void slot_finish(struct slot *slot);

#endif
