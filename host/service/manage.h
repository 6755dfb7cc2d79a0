/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The use cases about connections and history, for REST and the command line: documents in and out are JSON with the names of the tables'
 * columns. A user sees their own connections and the operator's shared ones; everything else is ERR_NOT_FOUND, whoever it belongs to.
 *
 * A connection's document: id, name, description, backend_type, connection_config (as written; a secret is shown as
 * {"masked": true} and never otherwise), is_enabled, is_default, tags, owner ("you" or "operator"), source, revision,
 * health {status, reason, checked_at, uptime_24h}, created_at, updated_at. A document may be sent back as it is: what cannot be set is passed over.
 *
 * Ownership: documents are appended to the caller's buffer. Threads: any but an event loop's: they wait for the store, and test for a backend.
 *
 * Errors of all: ERR_INVALID, ERR_NOT_FOUND, ERR_CONFLICT (name taken, as many as there may be, revision moved on), ERR_FORBIDDEN (rights, an
 * operator's connection), ERR_LIMIT (of a body or a part of it), ERR_BUSY, ERR_UNAVAILABLE (no store, or it is gone), ERR_MEMORY.
 */
#ifndef SERVICE_MANAGE_H
#define SERVICE_MANAGE_H

#include "service/service.h"

/* Where the mistakes of a body go; may be NULL. */
struct manage_mistakes {
    struct config_mistake
        list[CONFIG_MAX_MISTAKES]; /* "connection_config.auth.type: expected ..." */
    size_t count;
};

struct manage_filter {
    const char *backend_type; /* NULL any */
    const char *tag;          /* "env=prod", NULL any */
    const char *cursor;       /* NULL: the first page */
    size_t limit;             /* 1 to 200 */
};

/* {"connections": [...], "next_cursor": ...} */
int manage_list(struct service *service, const struct principal *principal,
                const struct manage_filter *filter, struct buf *out, struct err *err);
/* id: a UUID or a name. */
int manage_show(struct service *service, const struct principal *principal, const char *id,
                struct buf *out, uint64_t *ret_revision, struct err *err);
/* body: name, backend_type, connection_config, and optionally description, is_enabled, is_default, tags. */
int manage_add(struct service *service, const struct principal *principal, const char *body,
               size_t size, const char *source, struct buf *out, char ret_id[37],
               struct manage_mistakes *mistakes, struct err *err);
/*
 * The same keys; what is left out stays, a key of connection_config that is null goes, a masked secret stays what it is. revision 0: whichever
 * there is (the command line), or the one in the body; else ERR_CONFLICT when it has moved on. out and ret_revision may be NULL.
 */
int manage_edit(struct service *service, const struct principal *principal, const char *id,
                const char *body, size_t size, uint64_t revision, struct buf *out,
                uint64_t *ret_revision, struct manage_mistakes *mistakes, struct err *err);
int manage_remove(struct service *service, const struct principal *principal, const char *id,
                  uint64_t revision, struct err *err);
/* {"ok": ..., "stages": [{"stage", "ok", "detail", "setting"}...]}; a failed test is a document, not an error. */
int manage_test(struct service *service, struct call *call, const char *id, struct buf *out,
                struct err *err);
/* {"backends": [{"name", "version", "signals", "parameters": JSON schema ...}]} */
int manage_backends(struct service *service, struct buf *out, struct err *err);

struct manage_history_filter {
    const char *session_id, *connection_id, *tool, *status,
        *user;             /* status "ok" or "error"; user: a name, admins only; NULL any */
    const char *from, *to; /* ISO 8601 or relative */
    const char *cursor;
    size_t limit; /* 1 to 200 */
};
/* {"queries": [...], "next_cursor": ...}, newest first. */
int manage_history(struct service *service, const struct principal *principal,
                   const struct manage_history_filter *filter, struct buf *out, struct err *err);
int manage_history_show(struct service *service, const struct principal *principal, const char *id,
                        struct buf *out, struct err *err);

#endif
