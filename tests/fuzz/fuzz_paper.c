/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A paged adapter fed with any answer: the first byte chooses the chunk, the second the status. A breach of the
 * contract aborts in the testkit.
 */
#include <sonde/testkit.h>

#include "fuzz.h"

const struct sonde_plugin *sonde_plugin_entry_v1(const struct sonde_host *host, char *error,
                                                 size_t error_size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t statuses[] = {200, 200, 200, 400, 401, 429, 500, 503};
    if (size < 2)
        return 0;
    sonde_testkit_feed(sonde_plugin_entry_v1, SONDE_KIND_METRICS, "a,b;c", statuses[data[1] % 8],
                       data + 2, size - 2, data[0]);
    return 0;
}
