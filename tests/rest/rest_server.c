/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST on the real listener and a fake service. It prints "listening ADDRESS" and ends with its standard input, from which it takes the
 * lines store MODE (ok, gone, broken), limit MODE (off, minute, busy), threads MODE (free, busy) and cancelled.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "fake_calls.h"
#include "fake_manage.h"
#include "rest/rest.h"

#define TIMEOUT_MS 3000

static const struct principal users[] = {
    {.id = "u-reader", .name = "reader", .rights = RIGHT_READ},
    {.id = "u-manager", .name = "manager", .rights = RIGHT_READ | RIGHT_MANAGE},
    {.id = "u-other", .name = "other", .rights = RIGHT_READ | RIGHT_MANAGE},
    {.id = "u-admin", .name = "admin", .rights = RIGHTS_ALL},
    {.id = "u-nobody", .name = "nobody"}};

/* The token is the name. */
static int authenticate(void *user, const char *token, struct principal *ret_principal,
                        struct err *err)
{
    (void)user;
    for (size_t i = 0; token && i < ARRAY_SIZE(users); i++)
        if (str_eq(users[i].name, token)) {
            *ret_principal = users[i];
            return 0;
        }
    err_set(err, ERR_INVALID, token ? "This token is not known." : "A token is needed.");
    return 401;
}

static void obey(struct service *service, const char *line)
{
    unsigned running = 0, cancelled = 0;
    if (str_starts(line, "store "))
        fake_manage_fail(str_eq(line + 6, "gone")     ? ERR_UNAVAILABLE
                         : str_eq(line + 6, "broken") ? ERR_SYSTEM
                                                      : 0);
    else if (str_starts(line, "limit "))
        fake_enter_fail(str_eq(line + 6, "minute") ? ERR_LIMIT
                        : str_eq(line + 6, "busy") ? ERR_BUSY
                                                   : 0,
                        str_eq(line + 6, "minute") ? 1500 : 0);
    else if (str_starts(line, "threads "))
        fake_service_refuse(service, str_eq(line + 8, "busy"));
    fake_service_counts(service, &running, &cancelled);
    printf("%u running %u cancelled\n", running, cancelled);
    fflush(stdout);
}

int main(void)
{
    char line[256];
    struct err err = {0};
    struct service *service = fake_service_create(TIMEOUT_MS);
    struct rest *rest = NULL;
    struct http_server *server = NULL;
    log_setup(LOG_NONE, 0);
    for (size_t i = 0; i < ARRAY_SIZE(users); i++)
        fake_history_fill(&users[i], 7);
    if (rest_create(service, &rest, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct http_settings settings = {.listen = "127.0.0.1:0", .authenticate = authenticate};
    settings.routes = rest_routes(rest, &settings.route_count);
    if (http_server_start(&settings, &server, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("listening %s\n", http_server_address(server));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        obey(service, line);
    }
    http_server_stop(server);
    rest_destroy(rest);
    fake_service_destroy(service);
    fake_manage_finish();
    return 0;
}
