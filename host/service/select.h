/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which connections a call asks: `connection_id` (a name or id, several with commas, a glob, a tag env=prod, all), or
 * the rule for when it is left out.
 *
 * Ownership: results live in the arena given. Threads: pure functions.
 */
#ifndef SERVICE_SELECT_H
#define SERVICE_SELECT_H

#include "base/err.h"
#include "model/connection.h"

enum select_fit {
    SELECT_UNKNOWN, /* the catalogue cannot tell */
    SELECT_FITS,    /* it holds what the call asks about */
    SELECT_MISSES
};

struct select_candidate {
    const struct connection *connection;
    bool able; /* its adapter answers this kind of question */
    enum select_fit fit;
};

struct selection {
    size_t *chosen; /* indices, ascending, each once */
    size_t chosen_count;
    const char **not_asked; /* names of the able ones that were not chosen */
    size_t not_asked_count;
    const char *
        why; /* how a left-out connection_id was decided, for a note; "" when it was the only one or named */
};

/*
 * connection_id NULL or "": the one that fits; else the only able one; else the default, when one backend type alone has one among
 * the able; else an error that lists them. everyone: left out means all able ones instead. 0, ERR_NOT_FOUND (unknown name, with the nearest, or
 * nothing matches), ERR_INVALID (ambiguous, a scope, a connection that cannot answer), ERR_MEMORY.
 */
int select_connections(const struct select_candidate *candidates, size_t n,
                       const char *connection_id, bool everyone, struct arena *arena,
                       struct selection *ret_selection, struct err *err);

#endif
