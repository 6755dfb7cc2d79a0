/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus adapter, or that for VictoriaMetrics, on arbitrary queries and answers. Input: one byte each for the kind, the
 * status and the size of chunks, then the PromQL up to a NUL, then the body of every answer.
 */
#include <sonde/testkit.h>

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

const struct sonde_plugin *sonde_plugin_entry_v1(const struct sonde_host *host, char *error,
                                                 size_t error_size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
#ifdef FUZZ_NO_EXEMPLARS
    static const uint32_t exemplars = SONDE_KIND_METRICS;
#else
    static const uint32_t exemplars = SONDE_KIND_EXEMPLARS;
#endif
    const uint32_t kinds[] = {SONDE_KIND_METRICS,     SONDE_KIND_PROBE, SONDE_KIND_METRIC_NAMES,
                              SONDE_KIND_LABEL_NAMES, exemplars,        SONDE_KIND_HEALTH,
                              SONDE_KIND_LABEL_VALUES};
    static const uint32_t statuses[] = {200, 200, 400, 401, 404, 405, 422, 500, 503, 302};
    static const size_t chunks[] = {0, 1, 7, 64};
    if (size < 3)
        return 0;
    const uint8_t *text = data + 3;
    const uint8_t *nul = memchr(text, 0, size - 3);
    if (nul == NULL)
        return 0;
    size_t native_size = (size_t)(nul - text);
    char *native = malloc(native_size + 1);
    if (native == NULL)
        return 0;
    memcpy(native, text, native_size + 1);
    const uint8_t *body = nul + 1;
    (void)sonde_testkit_feed(sonde_plugin_entry_v1, kinds[data[0] % (sizeof kinds / sizeof *kinds)],
                             native, statuses[data[1] % (sizeof statuses / sizeof *statuses)], body,
                             (size_t)(data + size - body),
                             chunks[data[2] % (sizeof chunks / sizeof *chunks)]);
    free(native);
    return 0;
}
