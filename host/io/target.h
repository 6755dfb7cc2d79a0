/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checked place to send to, with everything of its connection that every request carries.
 *
 * Ownership: reference-counted (io.h). Threads: immutable but for login and probe, each under a lock.
 */
#ifndef IO_TARGET_H
#define IO_TARGET_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/arena.h"
#include "io/credential.h"
#include "io/io.h"

/* An origin taken apart. */
struct target_origin {
    const char *scheme;   /* "http", "https" */
    const char *host;     /* lower case, IDN as punycode, IPv6 without brackets */
    const char *url_host; /* as a URL wants it: IPv6 in brackets */
    const char *path;     /* begins with '/', not ending in one; "" */
    uint16_t port;
};

struct io_target {
    atomic_uint references;
    struct io *io;
    struct connection *connection;
    struct arena arena;
    struct target_origin origin;
    struct target_origin proxy; /* host NULL: none */
    const char *proxy_url;
    const char *base;           /* "https://host:port/prefix": request paths are appended */
    const char *shown;          /* "host:port" for people */
    struct sonde_pair *headers; /* the scope's and the tenant's */
    size_t header_count;
    const char *connect_to; /* where to connect when the certificate names another host, or NULL */
    const char *host_header;
    const char *ca_file; /* never NULL for https without ca_pem */
    bool tls;
    bool
        operator_policy; /* whose addresses are allowed: the operator's, when the operator chose the way */
    bool is_file;
    const char *file_root; /* is_file: real path of the folder, without a final '/' */
    const char *file_only; /* is_file: the one file of it that is meant, or NULL */
    struct login login;
    pthread_mutex_t probe_lock;
    struct io_probe probe;
    int64_t tls_seen_ns; /* when the certificate in it was shown; clock_mono_ns */
};

/* The name or address that is resolved, checked and connected to. */
static inline const struct target_origin *target_hop(const struct io_target *target)
{
    return target->proxy.host ? &target->proxy : &target->origin;
}

#endif
