/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `sonde serve` share.
 *
 * Ownership: the command owns everything until it returns. Threads: the main thread, but for what the routes read on the loop of
 * http/: service, accounts, mcp and draining.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <stdatomic.h>
#include "auth/accounts.h"
#include "cli/cli.h"
#include "cli/notify.h"
#include "http/http.h"
#include "mcp/mcp_http.h"
#include "rest/rest.h"

#define SERVE_ROUTES_MAX 32u

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
    struct accounts *accounts;
    atomic_uint checking; /* requests whose token is being checked on another thread */
    struct config_oauth oauth;
    const char
        *metadata_url;    /* of this server as an OAuth resource; NULL: no authorization server */
    const char *metadata; /* the document there */
    struct mcp_http *mcp;
    struct rest *rest;
    struct http_server *server;
    struct http_route routes[SERVE_ROUTES_MAX];
    size_t route_count;
    struct notify notify;
    bool metrics_open;
    atomic_bool draining;
};

/* The table of paths, those of REST too: routes of serve, which the server keeps. */
int serve_fill_routes(struct serve *serve, struct err *err);

/* serve_auth.c */
/* Copies what is configured of the authorization server. 0 or ERR_MEMORY. */
int serve_take_oauth(struct serve *serve, const struct config_oauth *oauth, struct err *err);
/* Accounts over the token file and the service's store. */
int serve_open_accounts(struct serve *serve, struct err *err);
int serve_authenticate(void *user, const char *token, struct principal *ret_principal,
                       struct err *err);
void serve_authenticate_later(void *user, const char *token, struct http_request *request);
void serve_handle_metadata(void *user, struct http_request *request);

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
