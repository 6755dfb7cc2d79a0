/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of this process: those of the configuration file and those of the command line. The seam where
 * the store's rows come in.
 *
 * Ownership: the caller unrefs each connection and frees the array with mem_free. Threads: start-up only.
 */
#ifndef SERVICE_CONNECTIONS_H
#define SERVICE_CONNECTIONS_H

#include "config/check.h"
#include "model/connection.h"
#include "plugin/registry.h"

#define CONNECTIONS_MAX 256

/*
 * The file's connections, then the options' ("BACKEND=URL", "NAME:BACKEND=URL"; a path instead of a URL becomes file:). Names are unique,
 * at most one connection of a backend type is its default. Logs a warning for each secret written out in a file that everyone may
 * read. mistakes has room for CONFIG_MAX_MISTAKES. 0, ERR_INVALID (all mistakes in mistakes[], the first also in err), ERR_NOT_FOUND (an
 * option's backend), ERR_MEMORY.
 */
int connections_load(const struct config *config, const struct registry *registry,
                     const char *const *options, size_t option_count,
                     struct connection ***ret_connections, size_t *ret_count,
                     struct config_mistake *mistakes, size_t *ret_mistake_count, struct err *err);

/*
 * One option. Without a name the backend's is taken, or where one of taken[n] has it, prometheus-2 and so on. 0, ERR_INVALID,
 * ERR_NOT_FOUND, ERR_MEMORY.
 */
int connection_from_option(const char *option, const struct registry *registry, int64_t timeout_ns,
                           struct connection *const *taken, size_t n,
                           struct connection **ret_connection, struct err *err);

/* The warning about a secret in a file that everyone may read; arena text, NULL when there is none to give. */
const char *connections_secret_warning(const struct config *config,
                                       const struct node *literal_secret, struct arena *arena);

/*
 * The folder that holds every path among options, for when no `files` folder is set: who names a path on the command line means it
 * to be read. Arena text, NULL when no option names one.
 */
const char *connections_option_folder(const char *const *options, size_t n, struct arena *arena);

#endif
