/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `sonde serve` share.
 *
 * Ownership: the command owns everything until it returns. Threads: the main thread, but for what the routes read on the loop of
 * http/: service, tokens, mcp and draining.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <stdatomic.h>
#include "auth/tokens.h"
#include "cli/cli.h"
#include "cli/notify.h"
#include "http/http.h"
#include "mcp/mcp_http.h"

#define SERVE_ROUTES 5u

struct serve {
    const struct cli *cli;
    struct service_options options;
    struct arena arena; /* of what is set at start and stays */
    const char *listen;
    const char *const *hosts;
    size_t host_count;
    const char *token_path;
    char store[512]; /* for --check: where things are kept */
    char *cert;      /* NULL: no TLS */
    char *key;
    int64_t grace_ns;
    struct service *service;
    struct tokens *tokens;
    struct mcp_http *mcp;
    struct http_server *server;
    struct http_route routes[SERVE_ROUTES];
    struct notify notify;
    bool metrics_open;
    atomic_bool draining;
};

/* The table of paths; routes of serve, which the server keeps. */
void serve_fill_routes(struct serve *serve);
int serve_authenticate(void *user, const char *token, struct principal *ret_principal,
                       struct err *err);
/* NULL when calls are taken, else why not; text holds what has to be made. */
const char *serve_unready(struct serve *serve, char *text, size_t size);

/* From here to the other /metrics shows the listener: while server and tokens are there. */
int serve_stats_begin(struct serve *serve, struct err *err);
void serve_stats_end(struct serve *serve);

/* SIGHUP: configuration, tokens and certificate, each on its own: one that is bad stays as it is, and that is logged. */
void serve_reload(struct serve *serve);
/* A sign of life for the service manager's watchdog, if the loop of http/ gives one. */
void serve_pulse(struct serve *serve);
/* "serving MCP on http://127.0.0.1:7464/mcp: 2 connections" for the service manager. */
void serve_tell_ready(struct serve *serve);

#endif
