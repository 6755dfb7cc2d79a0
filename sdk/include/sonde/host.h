/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host offers a plugin. Every function takes the ctx of the connection (in open) or of the
 * operation.
 *
 * Ownership: alloc's memory is the host's and goes with the ctx (close, op_end); the plugin frees
 * nothing. Threads: callable from any callback, with that callback's own ctx.
 */
#ifndef SONDE_HOST_H
#define SONDE_HOST_H

#include <sonde/types.h>

#define SONDE_LOG_DEBUG 1u
#define SONDE_LOG_INFO 2u
#define SONDE_LOG_WARN 3u
#define SONDE_LOG_ERROR 4u

/* A place the adapter sends to. Valid only in open; at most 64. */
struct sonde_endpoint {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *name;          /* "main" is the connection's url and need not be declared */
    const char *url;           /* absolute; a path in it is kept as prefix */
    const char *sigv4_service; /* NULL none */
    const char *sigv4_region;
};

typedef void (*sonde_host_log_fn)(struct sonde_ctx *ctx, uint32_t level, const char *text);
/* Zeroed, aligned for any type, of the ctx's lifetime; NULL beyond the ctx's budget. */
typedef void *(*sonde_host_alloc_fn)(struct sonde_ctx *ctx, size_t size);
typedef int64_t (*sonde_host_now_unix_ns_fn)(struct sonde_ctx *ctx);
typedef int64_t (*sonde_host_now_mono_ms_fn)(struct sonde_ctx *ctx);
/*
 * Says why, and returns code, so that a callback ends with `return host->fail(...)`. position: byte in
 * the native text, or -1. The text is for a person who must mend it; keep the backend's own words.
 */
typedef int32_t (*sonde_host_fail_fn)(struct sonde_ctx *ctx, int32_t code, int64_t position,
                                      const char *text);
/* The same for THROTTLED and BUSY: not before wait_ms. */
typedef int32_t (*sonde_host_fail_after_fn)(struct sonde_ctx *ctx, int32_t code, uint64_t wait_ms,
                                            const char *text);
/* Declares an endpoint; 0 or SONDE_E_REFUSED. Only in open. */
typedef int32_t (*sonde_host_endpoint_fn)(struct sonde_ctx *ctx,
                                          const struct sonde_endpoint *endpoint);
/* A family of services by name and major, or NULL: the door for what comes later. */
typedef const void *(*sonde_host_get_interface_fn)(struct sonde_ctx *ctx, const char *name,
                                                   uint32_t major);

struct sonde_host {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved_0;
    const char *product; /* "sonde/0.1.0"; static */
    sonde_host_log_fn log;
    sonde_host_alloc_fn alloc;
    sonde_host_now_unix_ns_fn now_unix_ns;
    sonde_host_now_mono_ms_fn now_mono_ms;
    sonde_host_fail_fn fail;
    sonde_host_fail_after_fn fail_after;
    sonde_host_endpoint_fn endpoint;
    sonde_host_get_interface_fn get_interface;
};

#endif
