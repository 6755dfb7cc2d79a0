/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that knows the parser library. http.h stays out: http_parser.h has names in common with it. */
#include "config.h"

#include "http/parse.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_LLHTTP
#include <llhttp.h>
typedef llhttp_t library_parser;
typedef llhttp_settings_t library_settings;
#else
#include <http_parser.h>
typedef http_parser library_parser;
typedef http_parser_settings library_settings;
#endif

_Static_assert(sizeof(library_parser) <= PARSER_LIBRARY_BYTES, "room for the library's parser");
_Static_assert(_Alignof(library_parser) <= 8, "alignment of the library's parser");

static library_parser *library_of(struct parser *parser)
{
    return (library_parser *)(void *)parser->library;
}

static const library_settings settings;

#ifdef HAVE_LLHTTP

static void library_init(library_parser *library)
{
    llhttp_init(library, HTTP_REQUEST, &settings); /* strict: no lenient flag is set */
}

static int library_execute(library_parser *library, const char *data, size_t size)
{
    return llhttp_execute(library, data, size) == HPE_OK ? 0 : -1;
}

static bool library_keep_alive(const library_parser *library)
{
    return llhttp_should_keep_alive(library) != 0;
}

const char *parser_name(void)
{
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
    return "llhttp " TEXT(LLHTTP_VERSION_MAJOR) "." TEXT(LLHTTP_VERSION_MINOR) "." TEXT(
        LLHTTP_VERSION_PATCH);
}

#define HAS_LENGTH F_CONTENT_LENGTH

#else

static void library_init(library_parser *library)
{
    http_parser_init(library, HTTP_REQUEST);
}

static int library_execute(library_parser *library, const char *data, size_t size)
{
    size_t used = http_parser_execute(library, &settings, data, size);
    return used == size && HTTP_PARSER_ERRNO(library) == HPE_OK ? 0 : -1;
}

static bool library_keep_alive(const library_parser *library)
{
    return http_should_keep_alive(library) != 0;
}

const char *parser_name(void)
{
    static char name[48];
    unsigned long version = http_parser_version();
    snprintf(name, sizeof name, "http-parser %lu.%lu.%lu", version >> 16 & 255, version >> 8 & 255,
             version & 255);
    return name;
}

#define HAS_LENGTH F_CONTENTLENGTH

#endif

static int on_headers_complete(library_parser *library)
{
    struct parser *parser = library->data;
    parser->head_done = true;
    parser->framing = (struct framing){
        .has_length = (library->flags & HAS_LENGTH) != 0,
        .chunked = (library->flags & F_CHUNKED) != 0,
        .keep_alive = library_keep_alive(library),
    };
    if (parser->framing.has_length)
        parser->framing.content_length = library->content_length;
    /* Upgrade is an offer the server may ignore: the message goes on as HTTP/1.1. */
    library->upgrade = 0;
    return 0;
}

static int on_body(library_parser *library, const char *at, size_t size)
{
    (void)at;
    struct parser *parser = library->data;
    parser->body_bytes += size;
    return 0;
}

static int on_message_complete(library_parser *library)
{
    struct parser *parser = library->data;
    parser->done = true;
    return 0;
}

static int on_chunk_header(library_parser *library)
{
    struct parser *parser = library->data;
    /* A size that does not fit is no size: the caller's limits are far below. */
    parser->chunk_size =
        library->content_length > INT64_MAX ? INT64_MAX : (int64_t)library->content_length;
    return 0;
}

static const library_settings settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = on_chunk_header,
};

void parser_init(struct parser *parser)
{
    memset(parser, 0, sizeof *parser);
    parser->chunk_size = -1;
    library_init(library_of(parser));
    library_of(parser)->data = parser;
}

int parser_head(struct parser *parser, const char *head, size_t size, struct framing *ret_framing)
{
    if (library_execute(library_of(parser), head, size) != 0 || !parser->head_done)
        return -1;
    *ret_framing = parser->framing;
    return 0;
}

int parser_feed(struct parser *parser, const char *data, size_t size)
{
    parser->body_bytes = 0;
    parser->chunk_size = -1;
    return library_execute(library_of(parser), data, size);
}
