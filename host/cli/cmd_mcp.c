/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "mcp/mcp.h"

#define GRACE_MS 400 /* an agent waits for the end of its server: 1 s in all */

int cmd_mcp(const struct cli *cli)
{
    struct service *service = NULL;
    process_forbid_dumps();
    int status = cli_open(cli, &service);
    if (status)
        return status;
    struct err err = {0};
    if (service_start_keeper(service, &err))
        log_line(LOG_WARN, "keeper", "runs without background refresh: %s", err.text);
    status = mcp_stdio_run(service, STDIN_FILENO, STDOUT_FILENO);
    service_destroy(service, GRACE_MS);
    return status;
}
