/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses flags and the size of the chunks, the rest is the document: read whole and in chunks it must
 * give the same events and the same end. Numbers must be those of strtod.
 */
#include <sonde/json.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

struct trace {
    uint64_t hash;
    uint64_t events;
};

static void mix(struct trace *trace, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        trace->hash = (trace->hash ^ bytes[i]) * UINT64_C(1099511628211);
}

static void check_number(const char *text, size_t size)
{
    char copy[1025];
    double value;
    int64_t integer;
    int64_t ns;
    if (size >= sizeof(copy))
        return;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (sonde_parse_double(text, size, &value) || value != strtod(copy, NULL))
        abort();
    if (sonde_parse_int64(text, size, &integer) == 0 && (double)integer != value)
        abort();
    if (sonde_parse_seconds_ns(text, size, &ns) == 0 &&
        fabs((double)ns / 1e9 - value) > fabs(value) * 1e-15 + 1e-9)
        abort();
}

static int on_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct trace *trace = user;
    mix(trace, &type, sizeof(type));
    mix(trace, &depth, sizeof(depth));
    mix(trace, &size, sizeof(size));
    mix(trace, text, size);
    trace->events++;
    if (type == SONDE_JSON_NUMBER)
        check_number(text, size);
    return 0;
}

static int read_document(const uint8_t *data, size_t size, size_t chunk, uint32_t flags,
                         struct trace *ret_trace)
{
    struct sonde_json json;
    *ret_trace = (struct trace){0};
    int rc = sonde_json_init(&json, on_event, ret_trace, flags, 32, 64);
    for (size_t from = 0; from < size && !rc; from += chunk) {
        const size_t n = size - from < chunk ? size - from : chunk;
        uint8_t *copy = malloc(n);
        if (!copy)
            abort();
        memcpy(copy, data + from, n);
        rc = sonde_json_feed(&json, copy, n);
        free(copy);
    }
    if (!rc)
        rc = sonde_json_end(&json);
    sonde_json_free(&json);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace whole;
    struct trace cut;
    if (size < 2)
        return 0;
    const uint32_t flags = data[0] & (SONDE_JSON_LINES | SONDE_JSON_LENIENT);
    const size_t chunk = (size_t)(data[0] >> 2) + 1;
    const int whole_rc = read_document(data + 1, size - 1, size, flags, &whole);
    const int cut_rc = read_document(data + 1, size - 1, chunk, flags, &cut);
    if (whole_rc != cut_rc || whole.events != cut.events || whole.hash != cut.hash)
        abort();
    return 0;
}
