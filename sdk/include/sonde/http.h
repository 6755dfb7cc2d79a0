/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests an adapter asks the host to send, and the answers it gets, in pieces.
 *
 * Ownership: a request's memory is the adapter's and must live until op_next, or the at_end call it
 * is given to, returns (the host copies); an answer's is the host's, lifetime call. Threads: plain
 * data.
 */
#ifndef SONDE_HTTP_H
#define SONDE_HTTP_H

#include <sonde/types.h>

#define SONDE_REQUEST_IDEMPOTENT 1u /* may be sent again after BUSY */
#define SONDE_REQUEST_MORE 2u       /* call op_next again at once: others go beside this one */
#define SONDE_REQUEST_CREATES 4u    /* makes what at_end must remove: never cut by a cancel */

struct sonde_request {
    uint32_t struct_size;
    uint32_t flags;
    uint32_t tag;         /* comes back with its answer; unique among the requests in flight */
    uint32_t delay_ms;    /* wait before sending: polling */
    uint64_t max_size;    /* decoded bytes; 0: the host's limit */
    const char *endpoint; /* NULL or "main": the connection's url */
    const char *method;
    const char *path; /* "/api/v1/query?..."; begins with one '/', already percent-encoded */
    /* Not Host, Authorization, Cookie, Content-Length, Transfer-Encoding, Connection, Proxy-*. */
    const struct sonde_pair *headers;
    size_t header_count;
    const void *body;
    size_t body_size;
    const char *rate_key; /* NULL: none */
};

struct sonde_response_head {
    uint32_t struct_size;
    uint32_t status;                  /* HTTP status */
    const struct sonde_pair *headers; /* names in lower case */
    size_t header_count;
};

#define SONDE_OUTCOME_OK 0u
#define SONDE_OUTCOME_LOST 1u /* could not connect, or the connection ended before the body did */
#define SONDE_OUTCOME_TIMED_OUT 2u
#define SONDE_OUTCOME_TOO_LARGE 3u /* beyond max_size, decoded or on the wire; a bomb */
#define SONDE_OUTCOME_REFUSED 4u   /* the host would not send it: not declared, or address policy */

struct sonde_outcome {
    uint32_t struct_size;
    uint32_t outcome;
    uint32_t attempt;    /* counts from 1 */
    uint32_t can_retry;  /* 1: THROTTLED or BUSY now would send the same request again */
    uint64_t body_bytes; /* decoded bytes handed in */
    const char *text;    /* the host's words for what went wrong, "" when ok */
};

#endif
