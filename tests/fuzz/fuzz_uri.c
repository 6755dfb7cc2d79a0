/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line is a path, the rest a query string. What is decoded must be the same again after it was encoded, no name comes twice, and a
 * path that fits a route has as many parts as that.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "fuzz.h"
#include "http/internal.h"
#include "http/uri.h"

static void encode(struct buf *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        if (plain)
            buf_add_char(out, (char)*c);
        else
            buf_printf(out, "%%%02x", *c);
    }
}

static void check_again(const struct uri_query *query)
{
    struct buf text = BUF(1 << 22);
    struct uri_query again = {0};
    for (size_t i = 0; i < query->count; i++) {
        buf_add(&text, i ? "&" : "");
        encode(&text, query->pairs[i].name);
        buf_add_char(&text, '=');
        encode(&text, query->pairs[i].value);
        /* The first of a name is the only one. */
        if (uri_query_get(query, query->pairs[i].name) != query->pairs[i].value)
            abort();
    }
    if (uri_query_parse(buf_text(&text), &again, NULL) || again.count != query->count)
        abort();
    for (size_t i = 0; i < query->count; i++)
        if (!str_eq(again.pairs[i].name, query->pairs[i].name) ||
            !str_eq(again.pairs[i].value, query->pairs[i].value))
            abort();
    uri_query_finish(&again);
    buf_finish(&text);
}

static void check_path(const char *path)
{
    size_t slashes = 0;
    for (const char *c = path; *c; c++)
        slashes += *c == '/';
    if (route_fits("/a/{id}", path) && (slashes != 2 || !str_starts(path, "/a/") || !path[3]))
        abort();
    if (route_fits("/{a}/{b}/test", path) && (slashes != 3 || !str_ends(path, "/test")))
        abort();
    char *out = mem_alloc(strlen(path) + 1);
    if (!out)
        abort();
    if (!uri_decode(path, strlen(path), false, out, NULL)) {
        if (!utf8_valid(out, strlen(out)) || strlen(out) > strlen(path))
            abort();
    }
    mem_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = memchr(data, '\n', size);
    size_t path_size = end ? (size_t)(end - (const char *)data) : size;
    char *path = mem_strndup((const char *)data, path_size);
    char *text = end ? mem_strndup(end + 1, size - path_size - 1) : mem_strdup("");
    struct uri_query query = {0};
    struct err err = {0};
    if (!path || !text)
        abort();
    check_path(path);
    if (!uri_query_parse(text, &query, &err))
        check_again(&query);
    else if (!utf8_valid(err.text, strlen(err.text)) && utf8_valid(text, strlen(text)))
        abort();
    uri_query_finish(&query);
    mem_free(path);
    mem_free(text);
    return 0;
}
