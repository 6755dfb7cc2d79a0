/* SPDX-License-Identifier: Apache-2.0 */
/* MCP over HTTP over the service for tests: fake_http [MAX_SESSIONS [IDLE_MS]]. The tokens "alpha" and "beta" are let in. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "fake_service.h"
#include "http_program.h"

static int authenticate(void *user, const char *token, struct principal *ret_principal,
                        struct err *err)
{
    (void)user;
    if (str_eq(token, "alpha"))
        *ret_principal = (struct principal){.id = "t-alpha", .name = "alpha"};
    else if (str_eq(token, "beta"))
        *ret_principal = (struct principal){.id = "t-beta", .name = "beta"};
    else {
        err_set(err, ERR_INVALID, "no such token");
        return 401;
    }
    return 0;
}

int main(int argc, char **argv)
{
    mem_setup();
    log_setup(LOG_WARN, 0);
    int64_t max_sessions = 0;
    int64_t idle_ms = 0;
    if ((argc > 1 && str_to_int(argv[1], 0, 1000000, &max_sessions)) ||
        (argc > 2 && str_to_int(argv[2], 0, 1000000, &idle_ms)))
        return 2;
    struct mcp_http_settings settings = {.max_sessions = (uint32_t)max_sessions,
                                         .session_idle_ns = idle_ms * NS_PER_MS};
    struct service *service = fake_service_create(30000);
    int status = http_program_run(service, &settings, authenticate);
    fake_service_destroy(service);
    return status;
}
