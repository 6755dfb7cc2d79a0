/* SPDX-License-Identifier: Apache-2.0 */
#include "http/uri.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define SHOWN 60

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uri_decode(const char *text, size_t size, bool blanks, char *out, struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(err, ERR_INVALID,
                               "a percent sign must be followed by two hexadecimal digits: write "
                               "%%25 for the sign itself");
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && blanks) {
            c = ' ';
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return err_set(err, ERR_INVALID, "control characters are not taken in a URL");
        out[n++] = c;
    }
    out[n] = 0;
    if (!utf8_valid(out, n))
        return err_set(err, ERR_INVALID, "what a URL encodes must be UTF-8");
    return 0;
}

/* One "name=value" of size bytes, decoded in place. */
static int take_pair(char *text, size_t size, struct uri_query *query, struct err *err)
{
    char *equals = memchr(text, '=', size);
    if (!size || equals == text)
        return err_set(err, ERR_INVALID,
                       "the query string has a parameter without a name: it is written "
                       "name=value&name=value");
    size_t name_size = equals ? (size_t)(equals - text) : size;
    char shown[SHOWN];
    utf8_clean(shown, sizeof shown, text, name_size); /* never cut within a character */
    if (!equals)
        return err_set(err, ERR_INVALID, "parameter %s has no value: write name=value", shown);
    if (query->count == URI_MAX_PAIRS)
        return err_set(err, ERR_INVALID, "the query string has more than %u parameters",
                       URI_MAX_PAIRS);
    char *value = equals + 1;
    size_t value_size = size - name_size - 1;
    int r = uri_decode(text, name_size, true, text, err);
    if (r)
        return r;
    utf8_clean(shown, sizeof shown, text, strlen(text));
    r = uri_decode(value, value_size, true, value, err);
    if (r) {
        err_prefix(err, "parameter %s: ", shown);
        return r;
    }
    if (uri_query_get(query, text))
        return err_set(err, ERR_INVALID, "parameter %s is given twice", shown);
    query->pairs[query->count++] = (struct uri_pair){text, value};
    return 0;
}

int uri_query_parse(const char *query, struct uri_query *ret_query, struct err *err)
{
    struct uri_query parsed = {0};
    int r = 0;
    if (*query) {
        /* Decoding never lengthens, so each piece is decoded where it stands; its '&' or the end becomes its NUL. */
        parsed.text = mem_strdup(query);
        if (!parsed.text)
            return err_set(err, ERR_MEMORY, "no memory for the query string");
        char *at = parsed.text;
        for (char *next = at; !r && next; at = next) {
            next = strchr(at, '&');
            size_t size = next ? (size_t)(next - at) : strlen(at);
            if (next)
                *next++ = 0;
            r = take_pair(at, size, &parsed, err);
        }
    }
    if (r)
        uri_query_finish(&parsed);
    else
        *ret_query = parsed;
    return r;
}

void uri_query_finish(struct uri_query *query)
{
    mem_free(query->text);
    *query = (struct uri_query){0};
}

const char *uri_query_get(const struct uri_query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++)
        if (str_eq(query->pairs[i].name, name))
            return query->pairs[i].value;
    return NULL;
}
