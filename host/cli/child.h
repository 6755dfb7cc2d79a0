/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that speaks MCP over its standard input and output: the smallest real client, for the demo.
 *
 * Ownership: child_finish closes the pipes and waits. Threads: one.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdio.h>
#include <sys/types.h>
#include "base/err.h"
#include "base/json.h"

struct child {
    pid_t pid;
    FILE *in;  /* we write */
    FILE *out; /* we read */
    int last_id;
};

/* Runs a program to its end; its output is dropped. 0, or ERR_SYSTEM with what failed. */
int child_run(const char *const argv[], struct err *err);
int child_start(const char *const argv[], struct child *ret_child, struct err *err);
/* Sends a request and reads its result (a reference the caller puts). ERR_SYSTEM when the child ended, ERR_INVALID with the child's words on a JSON-RPC error. */
int child_request(struct child *child, const char *method, const char *params,
                  struct json_object **ret_result, struct err *err);
int child_notify(struct child *child, const char *method);
void child_finish(struct child *child);

#endif
