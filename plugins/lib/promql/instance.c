/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)

static const struct sonde_param scrape_interval = {
    .struct_size = sizeof scrape_interval,
    .type = SONDE_PARAM_DURATION,
    .key = "scrape_interval",
    .def = "30s",
    .help =
        "How often targets are scraped: rates without a window look back at least four times that",
};
const struct sonde_param *const promql_params[PROMQL_PARAMS] = {&scrape_interval};

int32_t promql_open_instance(const struct sonde_host *host, const struct promql_dialect *dialect,
                             const struct sonde_open *open, struct promql_instance **ret_instance)
{
    struct promql_instance *instance = host->alloc(open->ctx, sizeof *instance);
    if (instance == NULL)
        return host->fail(open->ctx, SONDE_E_INTERNAL, -1, "no memory for this connection");
    const char *interval = sonde_pair_get(open->params, open->param_count32, "scrape_interval");
    int64_t ms = 30000;
    if (interval != NULL &&
        (sonde_parse_int64(interval, strlen(interval), &ms) != 0 || ms < 100 || ms > 86400000))
        return host->fail(open->ctx, SONDE_E_BAD_QUERY, -1,
                          "scrape_interval lies between 100ms and 24h");
    instance->host = host;
    instance->dialect = dialect;
    instance->scrape_ns = ms * NS_PER_MS;
    *ret_instance = instance;
    return 0;
}

void promql_close_instance(void *instance)
{
    (void)instance; /* the memory is the host's */
}
