/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte is the size of the buffer: whatever the body, one line of valid UTF-8 comes out. */
#include <sonde/json.h>
#include <sonde/text.h>

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static int ignore(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    (void)user;
    (void)type;
    (void)depth;
    (void)text;
    (void)size;
    return 0;
}

/* As a JSON string: the reader refuses control characters and what is no UTF-8. */
static void check_line(const char *line)
{
    struct sonde_json json;
    if (sonde_json_init(&json, ignore, NULL, 0, 1, 0))
        abort();
    int rc = sonde_json_feed(&json, "\"", 1);
    for (const char *c = line; *c && !rc; c++)
        rc = sonde_json_feed(&json, *c == '"' || *c == '\\' ? "/" : c, 1);
    if (rc || sonde_json_feed(&json, "\"", 1) || sonde_json_end(&json))
        abort();
    sonde_json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t buf_size = (size_t)data[0] + 1;
    char *buf = malloc(buf_size);
    char *body = malloc(size);
    if (!buf || !body)
        abort();
    memcpy(body, data + 1, size - 1);
    memset(buf, 'x', buf_size);
    sonde_describe_body(body, size - 1, buf, buf_size);
    if (!memchr(buf, '\0', buf_size))
        abort();
    check_line(buf);
    free(buf);
    free(body);
    return 0;
}
