/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an adapter says about its connections, as data: parameters, ways to log in, the requests it
 * will ever make, and the native names behind the logical filter keys. The host validates, seals
 * secrets, draws forms and guards the wire from these.
 *
 * Keys common to every backend (url, auth, tls, proxy, headers, tenant, http2, timeout_seconds,
 * query_limits, ui, tags, default, description) belong to the host and are not declared again.
 *
 * Ownership: all of it static. Threads: constant data.
 */
#ifndef SONDE_PARAM_H
#define SONDE_PARAM_H

#include <sonde/types.h>

#define SONDE_PARAM_STRING 1u
#define SONDE_PARAM_INTEGER 2u
#define SONDE_PARAM_BOOLEAN 3u  /* handed in as "true" or "false" */
#define SONDE_PARAM_DURATION 4u /* handed in as decimal milliseconds */
#define SONDE_PARAM_LIST 5u     /* of strings; handed in joined by '\n' */

#define SONDE_PARAM_REQUIRED 1u
#define SONDE_PARAM_SECRET 2u /* open learns only whether it is set */

struct sonde_param {
    uint32_t struct_size;
    uint32_t type;
    uint32_t flags;
    uint32_t reserved_0;
    const char *key; /* dotted, lower case: "labels.extra" */
    const char *def; /* as the user would write it, or NULL */
    const char *help;
};

#define SONDE_PLACE_HEADER 1u
#define SONDE_PLACE_QUERY 2u
#define SONDE_PLACE_BASIC 3u /* template is "{user}:{password}" */
#define SONDE_PLACE_SIGV4 4u /* name is id, secret or token */

struct sonde_placement {
    uint32_t struct_size;
    uint32_t place;
    const char *name;      /* header or query parameter */
    const char *template_; /* text with {param} holes: "ApiKey {api_key}" */
};

/* A way to log in beyond none, basic, bearer, header, oauth2 and aws, which the host offers to all. */
struct sonde_auth_scheme {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *name;
    const struct sonde_placement *const *placements; /* all applied together */
    size_t placement_count;
};

/* Requests the adapter may make; the host refuses every other. */
struct sonde_allowed {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *method;
    const char *path_prefix; /* begins with '/' */
};

/* Native names that may stand behind a logical key, most likely first. */
struct sonde_alias {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *logical; /* service, pod, namespace ... (abi: logical filter keys) */
    const char *const *candidates;
    size_t candidate_count;
};

#endif
