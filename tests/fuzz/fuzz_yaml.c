/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file: every refusal names the file in each mistake, and what is accepted can be made into connections or refused so too. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "fake_registry.h"
#include "fuzz.h"
#include "service/connections.h"

static struct config_mistake mistakes[CONFIG_MAX_MISTAKES];

static void check_mistakes(int r, size_t n, const struct err *err)
{
    if (!r)
        return;
    if (!n || n > CONFIG_MAX_MISTAKES || err->code != r || !err->text[0])
        abort();
    for (size_t i = 0; i < n; i++)
        if (!str_starts(mistakes[i].text, "fuzz.yaml:") ||
            !utf8_valid(mistakes[i].text, strlen(mistakes[i].text)))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct err err = {0};
    size_t n = 0;
    int r = config_parse((const char *)data, size, "fuzz.yaml", &config, mistakes, &n, &err);
    check_mistakes(r, n, &err);
    if (r)
        return 0;
    struct connection **connections = NULL;
    size_t count = 0;
    r = connections_load(config, fake_registry(), NULL, 0, &connections, &count, mistakes, &n,
                         &err);
    check_mistakes(r, n, &err);
    for (size_t i = 0; i < count; i++)
        connection_unref(connections[i]);
    mem_free(connections);
    config_free(config);
    return 0;
}
