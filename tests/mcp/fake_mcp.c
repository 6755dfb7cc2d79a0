/* SPDX-License-Identifier: Apache-2.0 */
/* `sonde mcp` over the service for tests. */
#include <unistd.h>

#include "fake_service.h"
#include "mcp/mcp.h"

int main(void)
{
    struct service *service = fake_service_create(30000);
    int status = mcp_stdio_run(service, STDIN_FILENO, STDOUT_FILENO);
    fake_service_destroy(service);
    return status;
}
