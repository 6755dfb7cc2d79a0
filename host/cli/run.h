/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running one call on the command line's own thread.
 *
 * Ownership: arguments are consumed. Threads: main thread only.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/cli.h"

/* function(call, argument) under the configured timeout. 0 or an exit code, with the reason printed. */
/* Who runs the command: the local user, in the session that SONDE_SESSION names, or in one of its own. */
struct principal cli_principal(void);
int cli_run(struct service *service, call_fn function, void *argument);
/* Opens the service, runs a tool, prints its text (or, with --json, its JSON). Exit code. */
int cli_run_tool(const struct cli *cli, const char *tool, struct json_object *arguments);
/* The options -c, --since, --start, --end, --timezone and --filter as tool arguments; NULL and a message on a bad --filter. */
struct json_object *cli_arguments(const struct cli *cli, struct err *err);

#endif
