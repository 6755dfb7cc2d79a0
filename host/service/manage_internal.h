/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manage_ files share: rights, finding a connection, reading a body, writing a document.
 *
 * Ownership: managed_finish and draft_finish release. Threads: one thread each; any but an event loop's.
 */
#ifndef SERVICE_MANAGE_INTERNAL_H
#define SERVICE_MANAGE_INTERNAL_H

#include "service/connection_read.h"
#include "service/internal.h"
#include "service/manage.h"
#include "service/own.h"

#define BODY_MAX ((size_t)256 * 1024)
#define CONFIG_MAX_BYTES ((size_t)64 * 1024)
#define BODY_DEPTH 12

/* 0 or ERR_FORBIDDEN. what: "change connections". */
int manage_may(const struct principal *principal, unsigned right, const char *what,
               struct err *err);
/* 0 or ERR_UNAVAILABLE: there is no store. */
int manage_needs_store(struct service *service, struct err *err);

/* A connection a principal sees. */
struct managed {
    struct arena arena;
    struct connection_set *set;
    struct slot *slot;
    bool own;
    struct connection_row row; /* of an own one */
};
/* id: a UUID or a name. 0, ERR_NOT_FOUND, ERR_UNAVAILABLE, ERR_MEMORY. */
int manage_find(struct service *service, const struct principal *principal, const char *id,
                struct managed *ret_managed, struct err *err);
/* The same, but only an own one and with the right to change it: else ERR_FORBIDDEN. */
int manage_find_own(struct service *service, const struct principal *principal, const char *id,
                    struct managed *ret_managed, struct err *err);
void managed_finish(struct managed *managed);

/* The document of one connection; row NULL: the operator's. 0, ERR_INVALID (a damaged row), ERR_MEMORY. */
int manage_document(const struct slot *slot, const struct connection_row *row, struct buf *out,
                    struct err *err);

/* A body on its way to a row. */
struct draft {
    struct service *service;
    const struct principal *principal;
    struct arena arena;
    struct json_object *document; /* name, backend_type, connection_config ... */
    struct manage_mistakes *mistakes;
    struct manage_mistakes *own_mistakes;
    struct check check;
    struct node *root;
    struct connection_reading reading;
    struct connection_kept kept;
    struct connection *connection; /* what was read; its secrets are open */
};

int draft_init(struct draft *draft, struct service *service, const struct principal *principal,
               struct manage_mistakes *mistakes, struct err *err);
void draft_finish(struct draft *draft);
/* The body as an object, without the keys that are only shown. Nothing in it may be sealed. 0, ERR_INVALID, ERR_LIMIT, ERR_MEMORY. */
int draft_body(struct draft *draft, const char *body, size_t size, struct json_object **ret_body,
               uint64_t *ret_revision, struct err *err);
/* A mistake that is not about a key the reader knows goes to the mistakes too, where there is none yet. */
void draft_note(struct draft *draft, const struct err *err);
/* Reads draft->document as the connection with this id and opens it once, without a request: every mistake is found here. */
int draft_read(struct draft *draft, const char *id, struct keyring *keyring, struct err *err);
/* Seals every secret that is written out in the document, and fills the row, whose texts live in the draft. 0, ERR_LIMIT, ERR_SYSTEM, ERR_MEMORY. */
int draft_row(struct draft *draft, struct connection_row *ret_row, struct err *err);
/* The name must not be that of one of the operator's which the principal sees. 0 or ERR_CONFLICT. */
int draft_check_name(struct draft *draft, struct err *err);

#endif
