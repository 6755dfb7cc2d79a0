/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of rest/ share: the table of operations, and one request on its way through a call thread.
 *
 * Ownership: the table is static. A work belongs to the loop until it was submitted, then to its call. Threads: as said with each.
 */
#ifndef REST_INTERNAL_H
#define REST_INTERNAL_H

#include "http/http.h"
#include "http/uri.h"
#include "rest/field.h"
#include "rest/rest.h"

#define REST_AREA "rest"
#define REST_ROOT "/api/v1"
#define REST_PREFIX REST_ROOT "/observability"
#define REST_MAX_BODY ((size_t)256 * 1024)
#define REST_MAX_ANSWER ((size_t)64 << 20)
#define REST_MAX_DEPTH 64u

struct work;

/* One method on one path. Its statuses follow from the rest: operation_statuses. */
struct operation {
    const char *path; /* braces as http_route has them, named as in parts */
    enum http_method method;
    const char *id; /* operationId */
    const char *summary;
    const char *about;    /* NULL none */
    unsigned rights;      /* all of them; 0: open, no token */
    struct fields parts;  /* of the path, in order */
    struct fields query;  /* of the query string */
    const char *body;     /* name of the body's schema; NULL: takes none */
    struct fields fields; /* of the body */
    bool if_match;        /* needs the header */
    bool names;           /* 409: a name may be taken */
    bool etag, location;  /* headers of the answer */
    bool cancel;          /* who leaves does not want it done */
    int success;
    const char *answer; /* name of the answer's schema; NULL none */
    /* On a call thread, with everything checked that the table says. 0, or ERR_* with work->err set. NULL: the document itself. */
    int (*run)(struct work *work);
};

const struct operation *operations(size_t *ret_count);
#define STATUSES_MAX 16u
/* Which statuses an operation may answer with, success first. Returns how many. */
size_t operation_statuses(const struct operation *operation, int statuses[STATUSES_MAX]);

/* One request. */
struct work {
    struct service *service;
    const struct operation *operation;
    struct http_request *request;
    struct uri_query query;
    const struct principal *principal;
    struct call *call; /* on its thread */
    bool conditional;  /* If-Match names a revision */
    uint64_t if_match;
    const char *body;
    size_t body_size;
    struct buf rewritten; /* what body points to when members were dropped */
    /* What run fills. */
    struct buf out;
    uint64_t revision; /* 0 none */
    char id[37];
    struct manage_mistakes mistakes;
    struct err err;
};

/* --- what run functions use --- */
const char *work_part(const struct work *work, size_t n);
const char *work_query(const struct work *work, const char *name);
/* An integer of the query string, else its default. */
size_t work_number(const struct work *work, const char *name);

int connections_list(struct work *work);
int connections_add(struct work *work);
int connections_show(struct work *work);
int connections_edit(struct work *work);
int connections_remove(struct work *work);
int connections_test(struct work *work);
int backends_list(struct work *work);
int history_list(struct work *work);
int history_show(struct work *work);

/* body.c: on the call thread. 0, or the status of the problem with work->err or work->mistakes set. */
int body_check(struct work *work);
/* If-Match: "*" or one revision in quotes. 0 or the status of the problem. Any thread. */
int precondition_check(struct work *work);

/* --- problem.c: answers that are errors (RFC 9457) --- */
/* mistakes may be NULL; wait_ms above 0: Retry-After. Ends the request. */
void problem_reply(struct http_request *request, int status, const char *detail,
                   const struct manage_mistakes *mistakes, int64_t wait_ms);
/* What run returned, as a status. */
int problem_status(const struct work *work, int code);

/* openapi.c, schemas.c */
void openapi_write(struct buf *buf);
/* The schemas of answers: JSON members of components.schemas. */
extern const char *const rest_schemas;

#endif
