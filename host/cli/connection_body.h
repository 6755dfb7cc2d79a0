/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of `sonde connection add` and `edit` as the JSON body that REST takes too.
 *
 * Ownership: the caller puts the object. Threads: main thread only.
 */
#ifndef CLI_CONNECTION_BODY_H
#define CLI_CONNECTION_BODY_H

#include "base/json.h"
#include "cli/cli.h"

/* What is NULL is left out. A secret is asked for on the terminal, or read from standard input, where no option says where it is. */
int connection_body(const struct cli *cli, const char *name, const char *backend, const char *url,
                    struct json_object **ret_body, struct err *err);

#endif
