/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service with the toy adapter, a store of its own in a temporary folder, and two users in it, for the tests of what belongs to whom.
 *
 * Ownership: people_finish ends and removes everything. Threads: one, but what the tests start.
 */
#ifndef TEST_PEOPLE_H
#define TEST_PEOPLE_H

#include "service/internal.h"
#include "service/manage.h"
#include "toy_adapter.h"

extern struct service *service;
extern struct principal ann, bob;
extern struct manage_mistakes mistakes;
extern struct err err;
extern char people_folder[64];

/* yaml: `connections:` and so on; where to keep things is added. */
void people_start(const char *yaml);
int people_reload(const char *yaml);
/* The same store under a new service. */
void people_restart(const char *yaml);
int people_finish(void **state);

/* What manage_add makes of a body; "" id when it failed. code and err tell how. */
int people_add(const struct principal *who, const char *body, char ret_id[37]);
int people_edit(const struct principal *who, const char *id, const char *body, uint64_t revision);
/* The document, or "" and err; in one static buffer. */
const char *people_show(const struct principal *who, const char *id);
/* "a b c": names the principal sees, own first; in one static buffer. */
const char *people_names(const struct principal *who);
/* The slot of that name in a set taken now; the caller unrefs *ret_set. */
struct slot *people_slot(const struct principal *who, const char *id,
                         struct connection_set **ret_set);
/* Whether any file of the store holds the text. */
bool people_disk_holds(const char *text);

#endif
