/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask at all: names in Host and Origin (against DNS rebinding), tokens in the URL, and the token in the Authorization header.
 *
 * Ownership: arguments stay the caller's. Threads: pure functions.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct guard_names {
    const char *const *hosts; /* configured names */
    size_t host_count;
};

/*
 * "name", "name:port" or "[address]:port" is this server: a loopback name, one of names, or the address the connection came in at
 * (local: asked with user, "" when unknown; called only if nothing else fits). -1: it is no authority at all; 0: another's; 1: ours.
 */
typedef const char *(*guard_local_fn)(void *user);
int guard_authority(const struct guard_names *names, const char *authority, guard_local_fn local,
                    void *user);
/* An Origin header: scheme://authority. The same answers; "null" is another's. */
int guard_origin(const struct guard_names *names, const char *origin, guard_local_fn local,
                 void *user);
/* The query names a parameter access_token or token. */
bool guard_token_in_query(const char *query);
/* What follows "Bearer " (scheme in any case), or NULL when it is of another scheme or malformed. */
const char *guard_bearer(const char *authorization);

#endif
