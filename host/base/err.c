/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* vsnprintf may cut inside a character; drop what is left of it. */
static void trim_cut_character(char *text)
{
    size_t size = strlen(text);
    size_t back = 0;
    while (back < 3 && back < size && ((unsigned char)text[size - 1 - back] & 0xc0) == 0x80)
        back++;
    if (back == size)
        return;
    size_t lead = size - 1 - back;
    if ((unsigned char)text[lead] >= 0x80 && utf8_sequence(text + lead, size - lead) != size - lead)
        text[lead] = '\0';
}

int err_set(struct err *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    if (n < 0)
        err->text[0] = '\0';
    else if ((size_t)n >= sizeof err->text)
        trim_cut_character(err->text);
    err->code = code;
    err->position = -1;
    err->wait_ms = 0;
    return code;
}

void err_prefix(struct err *err, const char *format, ...)
{
    if (!err)
        return;
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof err->text)
        return;
    size_t room = sizeof err->text - (size_t)n;
    if (strlen(old) < room) {
        memcpy(err->text + n, old, strlen(old) + 1);
        return;
    }
    memcpy(err->text + n, old, room - 1);
    err->text[sizeof err->text - 1] = '\0';
    trim_cut_character(err->text);
}

const char *err_class(int code)
{
    switch (code) {
    case 0:
        return "ok";
    case SONDE_E_BAD_QUERY:
        return "bad_query";
    case SONDE_E_AUTH:
        return "auth";
    case SONDE_E_FORBIDDEN:
    case ERR_FORBIDDEN:
        return "forbidden";
    case SONDE_E_NOT_FOUND:
    case ERR_NOT_FOUND:
        return "not_found";
    case SONDE_E_THROTTLED:
        return "throttled";
    case SONDE_E_BUSY:
    case ERR_BUSY:
        return "busy";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_UNAVAILABLE:
        return "unavailable";
    case SONDE_E_TIMEOUT:
    case SONDE_E_DEADLINE:
        return "timeout";
    case SONDE_E_TOO_MUCH:
        return "too_much";
    case SONDE_E_UNSUPPORTED:
        return "unsupported";
    case SONDE_E_BAD_ANSWER:
        return "bad_answer";
    case SONDE_E_CANCELLED:
        return "cancelled";
    case SONDE_E_UNREACHABLE:
        return "unreachable";
    case SONDE_E_REFUSED:
        return "refused";
    case ERR_INVALID:
        return "invalid";
    case ERR_LIMIT:
        return "limit";
    case ERR_MEMORY:
        return "memory";
    case ERR_SYSTEM:
        return "system";
    default:
        return "internal";
    }
}
