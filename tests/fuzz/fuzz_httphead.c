/* SPDX-License-Identifier: Apache-2.0 */
/* A whole request: scan, parser, checks; then names, tokens and lists of its headers. The first byte chooses the reads. */
#include "fuzz.h"
#include "fuzz_http.h"
#include "http/guard.h"

static const char *local(void *user)
{
    (void)user;
    return "192.168.1.7";
}

static void check(const struct message *message)
{
    static const char *const hosts[] = {"sonde.example.org"};
    static const struct guard_names names = {hosts, 1};
    const char *host = message_header(message, "Host");
    if (message_header_count(message, "Host") != 1 || !host ||
        message_header_count(message, "Content-Length") +
                message_header_count(message, "Transfer-Encoding") >
            1)
        abort();
    if (message->path[0] != '/' && strcmp(message->path, "*") != 0)
        abort();
    if (strpbrk(message->path, " ?#\r\n") || strpbrk(message->query, " #\r\n"))
        abort();
    for (uint16_t i = 0; i < message->line_count; i++) {
        const char *name = message->text + message->lines[i].name;
        const char *value = message->text + message->lines[i].value;
        if (!*name || strpbrk(name, " \t:\r\n") || strpbrk(value, "\r\n") || *value == ' ')
            abort();
        head_list_has(value, "close");
        guard_bearer(value);
        guard_origin(&names, value, local, NULL);
    }
    guard_token_in_query(message->query);
    if (guard_authority(&names, host, local, NULL) > 0 && strpbrk(host, "@/, \t"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    fuzz_message((const char *)data + 1, size - 1, (size_t)data[0] + 2, check);
    return 0;
}
