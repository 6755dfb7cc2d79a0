/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small types and codes used by every part of the contract.
 *
 * Ownership: all pointers belong to whoever filled the struct in; lifetimes are stated where a
 * struct is passed. Threads: plain data.
 */
#ifndef SONDE_TYPES_H
#define SONDE_TYPES_H

#include <sonde/abi.h>

/* What the host knows a connection or an operation by; handed back in every callback. Opaque. */
struct sonde_ctx;

/* A name and a value with their sizes in bytes; neither need end in NUL. Frozen for ever. */
struct sonde_label {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
};

/* Two NUL-terminated strings. Frozen for ever. */
struct sonde_pair {
    const char *key;
    const char *value;
};

/* Results of op_next, and 0 for everything that merely succeeds. */
#define SONDE_OK 0
#define SONDE_REQUEST 1 /* *request is filled in: send it */
#define SONDE_WAIT 2    /* nothing to send until something in flight ends */
#define SONDE_DONE 3    /* the operation is complete */

/*
 * Error classes. The adapter classifies, the host decides whether to try again:
 * THROTTLED always (the backend did not execute), BUSY when the request is idempotent, each only
 * before the first row; STALE_FACTS begins the whole operation once more; nothing else is retried.
 */
#define SONDE_E_BAD_QUERY (-1)   /* the query is wrong; fail's position says where, -1 unknown */
#define SONDE_E_AUTH (-2)        /* credentials absent or refused (401) */
#define SONDE_E_FORBIDDEN (-3)   /* known, but not allowed (403) */
#define SONDE_E_NOT_FOUND (-4)   /* the thing asked for does not exist */
#define SONDE_E_THROTTLED (-5)   /* not executed, come back later (429); wait in host->fail_after */
#define SONDE_E_BUSY (-6)        /* overloaded or starting (503 and the like) */
#define SONDE_E_TIMEOUT (-7)     /* the backend gave up; never retried */
#define SONDE_E_TOO_MUCH (-8)    /* beyond a limit of the backend's */
#define SONDE_E_UNSUPPORTED (-9) /* this backend or version cannot do that */
#define SONDE_E_BAD_ANSWER (-10) /* not what the backend's contract says */
#define SONDE_E_STALE_FACTS (-11)
#define SONDE_E_INTERNAL (-12)
/* Set by the host only; an adapter sees them in op_end. */
#define SONDE_E_CANCELLED (-13)
#define SONDE_E_DEADLINE (-14)
#define SONDE_E_UNREACHABLE (-15) /* no connection to the backend */
#define SONDE_E_REFUSED (-16)     /* the host would not send the request */

/* What every sink function returns. STOP may arrive late; it is never an error. */
#define SONDE_GO_ON 0
#define SONDE_STOP 1

/* Severity of a log record; 0 where unknown. */
#define SONDE_SEVERITY_UNKNOWN 0u
#define SONDE_SEVERITY_TRACE 1u
#define SONDE_SEVERITY_DEBUG 2u
#define SONDE_SEVERITY_INFO 3u
#define SONDE_SEVERITY_WARN 4u
#define SONDE_SEVERITY_ERROR 5u
#define SONDE_SEVERITY_FATAL 6u

#endif
