/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test program that serves MCP over HTTP on a free loopback port, path /mcp. It prints the port on a line, then obeys
 * lines of standard input until its end:
 *   counts   prints "running N cancelled N requests N connections N" of calls and of the server
 *   drain    mcp_http_drain; prints "draining"
 *
 * Ownership: the service stays the caller's. Threads: the calling one.
 */
#ifndef TESTS_HTTP_PROGRAM_H
#define TESTS_HTTP_PROGRAM_H

#include "fake_calls.h"
#include "mcp/mcp_http.h"

/* The exit status. */
int http_program_run(struct service *service, const struct mcp_http_settings *settings,
                     http_authenticate_fn authenticate);

#endif
