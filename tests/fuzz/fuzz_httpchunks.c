/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body, read again by a few lines that know no mercy: what both accept must be the same. The first byte chooses the reads. */
#include "fuzz.h"
#include "fuzz_http.h"

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static const char *input;
static size_t input_size;

/* Accepted bodies are plain: sizes are taken by strtoull, line ends by looking for CR LF. */
static void check(const struct message *message)
{
    const char *p = input;
    const char *end = input + input_size;
    size_t decoded = 0;
    for (;;) {
        char *after;
        unsigned long long n = strtoull(p, &after, 16);
        if (after == p || *p == '+' || *p == '-' || *p == ' ' || (p[0] == '0' && p[1] == 'x'))
            abort();
        const char *line_end = memchr(after, '\n', (size_t)(end - after));
        if (!line_end || line_end[-1] != '\r' || (after + 1 != line_end && *after != ';'))
            abort();
        p = line_end + 1;
        if (!n)
            break;
        if (n > (size_t)(end - p) || decoded + n > message->body_size ||
            memcmp(message->body + decoded, p, n) != 0 || memcmp(p + n, "\r\n", 2) != 0)
            abort();
        decoded += n;
        p += n + 2;
    }
    if (decoded != message->body_size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    size_t head = sizeof HEAD - 1;
    char *text = malloc(head + size);
    if (!text)
        abort();
    memcpy(text, HEAD, head);
    memcpy(text + head, data + 1, size - 1);
    text[head + size - 1] = 0; /* for strtoull */
    input = text + head;
    input_size = size - 1;
    fuzz_message(text, head + size - 1, (size_t)data[0] + 2, check);
    free(text);
    return 0;
}
