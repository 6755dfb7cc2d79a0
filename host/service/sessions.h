/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: what the calls of one piece of work have in common in history. The process on stdio; a legacy session of HTTP; in the
 * stateless era what a client names in _meta, else one per token and client name, ended by 30 idle minutes; SONDE_SESSION on the command line.
 *
 * Ownership: a service owns its table. Threads: safe; none waits.
 */
#ifndef SERVICE_SESSIONS_H
#define SERVICE_SESSIONS_H

#include <stddef.h>
#include "model/principal.h"

struct service;
struct session_table;

#define SESSIONS_MAX 10000u
#define SESSION_IDLE_MIN 30

/* 0 or ERR_MEMORY. */
int session_table_create(struct session_table **ret_table);
void session_table_free(struct session_table *table);

/* A new session of its own; front is "stdio", "http" or "cli". */
void session_begin(struct principal *principal, const char *front);
/* What its client calls itself; name or version may be NULL. */
void session_set_client(struct principal *principal, const char *name, const char *version);
/*
 * The session of a request that carries none: the one its client names (NULL: it names none), else that of its token and client. A name
 * means something for its user only: nobody joins another's session.
 */
void session_find(struct session_table *table, struct principal *principal, const char *named);
/* The session with that name for a user: the same name gives the same id. */
void session_named(struct principal *principal, const char *name);

#endif
