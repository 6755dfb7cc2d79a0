/* SPDX-License-Identifier: Apache-2.0 */
#include "http_program.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void obey(struct service *service, struct mcp_http *mcp, struct http_server *server,
                 const char *line)
{
    if (!strcmp(line, "drain\n")) {
        mcp_http_drain(mcp);
        puts("draining");
    } else if (!strcmp(line, "counts\n")) {
        unsigned running;
        unsigned cancelled;
        fake_service_counts(service, &running, &cancelled);
        struct http_counts counts = {0};
        http_server_counts(server, &counts);
        printf("running %u cancelled %u requests %" PRIu64 " connections %u\n", running, cancelled,
               counts.requests, counts.connections);
    } else {
        printf("what is %s", line);
    }
    fflush(stdout);
}

int http_program_run(struct service *service, const struct mcp_http_settings *settings,
                     http_authenticate_fn authenticate)
{
    struct err err = {0};
    struct mcp_http *mcp = NULL;
    if (mcp_http_create(service, settings, &mcp, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct http_route route = {.path = "/mcp",
                               .methods = HTTP_GET | HTTP_POST | HTTP_DELETE,
                               .handle = mcp_http_handle,
                               .user = mcp};
    struct http_settings http = {
        .listen = "127.0.0.1:0", .routes = &route, .route_count = 1, .authenticate = authenticate};
    struct http_server *server = NULL;
    if (http_server_start(&http, &server, &err)) {
        fprintf(stderr, "%s\n", err.text);
        mcp_http_destroy(mcp, 0);
        return 1;
    }
    printf("%u\n", (unsigned)http_server_port(server));
    fflush(stdout);
    char line[256];
    while (fgets(line, sizeof line, stdin))
        obey(service, mcp, server, line);
    mcp_http_drain(mcp);
    http_server_drain(server);
    http_server_stop(server);
    mcp_http_destroy(mcp, 10000);
    return 0;
}
