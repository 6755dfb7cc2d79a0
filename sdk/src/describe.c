/* SPDX-License-Identifier: Apache-2.0 */
#include <sonde/json.h>
#include <sonde/text.h>

#include "utf8.h"

#include <stdio.h>
#include <string.h>

/* What is looked at: an error body worth reading is short. */
#define BODY_MAX ((size_t)65536)
#define PHRASE_MAX ((size_t)1024)
#define RANK_NONE 100

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int is_blank(unsigned char c)
{
    return c <= 0x20 || c == 0x7f;
}

static int same_name(const char *text, size_t size, const char *name)
{
    if (size != strlen(name))
        return 0;
    for (size_t i = 0; i < size; i++) {
        if (lower(text[i]) != name[i])
            return 0;
    }
    return 1;
}

/* Offset of word (lower case) in text whatever its case, or size. */
static size_t find(const char *text, size_t size, size_t from, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = from; i + n <= size; i++) {
        size_t k = 0;
        while (k < n && lower(text[i + k]) == word[k])
            k++;
        if (k == n)
            return i;
    }
    return size;
}

/* One line: white space and control characters become one blank, what is no UTF-8 a question mark, a cut ends in "...". */
static size_t add_line(char *buf, size_t buf_size, const char *text, size_t size)
{
    size_t out = 0;
    int gap = 0;
    for (size_t i = 0; i < size;) {
        if (is_blank((unsigned char)text[i])) {
            gap = out > 0;
            i++;
            continue;
        }
        const size_t n = utf8_size((const unsigned char *)text + i, size - i);
        const size_t needed = (gap ? 1u : 0u) + (n ? n : 1u);
        if (out + needed + 4 > buf_size) {
            for (int k = 0; k < 3 && out + 1 < buf_size; k++)
                buf[out++] = '.';
            break;
        }
        if (gap)
            buf[out++] = ' ';
        gap = 0;
        if (n)
            memcpy(buf + out, text + i, n);
        else
            buf[out] = '?';
        out += n ? n : 1;
        i += n ? n : 1;
    }
    buf[out] = '\0';
    return out;
}

/* The best phrase of a JSON document so far. */
struct phrase {
    int rank; /* smaller is better; the first of equals stays */
    int key_rank;
    uint32_t key_depth;
    size_t size;
    char text[PHRASE_MAX];
};

static int rank_of_key(const char *key, size_t size)
{
    static const struct {
        const char *name;
        int rank;
    } ranks[] = {{"message", 1}, {"error_description", 1},
                 {"detail", 1},  {"reason", 2},
                 {"msg", 2},     {"errormessage", 2},
                 {"text", 3},    {"description", 3},
                 {"error", 4},   {"errors", 4},
                 {"cause", 4},   {"title", 5}};
    for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
        if (same_name(key, size, ranks[i].name))
            return ranks[i].rank;
    }
    return RANK_NONE;
}

static int on_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct phrase *best = user;
    if (type == SONDE_JSON_KEY) {
        best->key_rank = rank_of_key(text, size);
        best->key_depth = depth;
    }
    if (type != SONDE_JSON_STRING)
        return 0;
    /* Strings of an array count under the key that holds it: {"errors":["..."]}. */
    const int rank = depth == 0 ? 6 : depth > best->key_depth + 1 ? RANK_NONE : best->key_rank;
    size_t blanks = 0;
    while (blanks < size && is_blank((unsigned char)text[blanks]))
        blanks++;
    if (rank >= best->rank || blanks == size)
        return 0;
    best->rank = rank;
    best->size = size < PHRASE_MAX ? size : PHRASE_MAX;
    memcpy(best->text, text, best->size);
    return 0;
}

static size_t describe_json(const char *body, size_t size, char *buf, size_t buf_size)
{
    struct sonde_json json;
    struct phrase best;
    best.rank = RANK_NONE;
    best.key_rank = RANK_NONE;
    best.key_depth = 0;
    best.size = 0;
    if (sonde_json_init(&json, on_event, &best, SONDE_JSON_LENIENT, 0, BODY_MAX))
        return 0;
    /* A body cut short or broken has said its piece up to there. */
    if (sonde_json_feed(&json, body, size) == 0)
        sonde_json_end(&json);
    sonde_json_free(&json);
    return best.size ? add_line(buf, buf_size, best.text, best.size) : 0;
}

/* The text between an opening tag and the next '<'. */
static size_t describe_tag(const char *body, size_t size, const char *tag, char *buf,
                           size_t buf_size)
{
    const size_t at = find(body, size, 0, tag);
    if (at == size)
        return 0;
    size_t from = at + strlen(tag);
    while (from < size && body[from] != '>')
        from++;
    if (from >= size)
        return 0;
    from++;
    size_t to = from;
    while (to < size && body[to] != '<')
        to++;
    return add_line(buf, buf_size, body + from, to - from);
}

/* HTML and XML: the title, heading or message, else the text without its tags. */
static size_t describe_markup(const char *body, size_t size, char *buf, size_t buf_size)
{
    static const char *const tags[] = {"<title", "<h1", "<message"};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        const size_t n = describe_tag(body, size, tags[i], buf, buf_size);
        if (n)
            return n;
    }
    char text[PHRASE_MAX];
    size_t out = 0;
    int in_tag = 0;
    for (size_t i = 0; i < size && out < sizeof(text); i++) {
        if (body[i] == '<')
            in_tag = 1;
        if (!in_tag)
            text[out++] = body[i];
        else if (body[i] == '>')
            in_tag = 0;
    }
    return add_line(buf, buf_size, text, out);
}

static int is_binary(const char *body, size_t size)
{
    size_t odd = 0;
    for (size_t i = 0; i < size;) {
        const unsigned char c = (unsigned char)body[i];
        const size_t n = utf8_size((const unsigned char *)body + i, size - i);
        if (c == 0)
            return 1;
        if (!n || (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != 0x1b))
            odd++;
        i += n ? n : 1;
    }
    return odd * 10 > size;
}

static size_t describe_plain(const char *body, size_t size, char *buf, size_t buf_size)
{
    size_t from = 0;
    while (from < size && is_blank((unsigned char)body[from]))
        from++;
    size_t to = from;
    while (to < size && body[to] != '\n' && body[to] != '\r')
        to++;
    return add_line(buf, buf_size, body + from, to - from);
}

void sonde_describe_body(const char *body, size_t size, char *buf, size_t buf_size)
{
    if (!buf_size)
        return;
    buf[0] = '\0';
    const size_t seen = size < BODY_MAX ? size : BODY_MAX;
    size_t from = 0;
    while (from < seen && is_blank((unsigned char)body[from]))
        from++;
    if (from == seen) {
        snprintf(buf, buf_size, "%s", size ? "the answer is blank" : "the answer is empty");
        return;
    }
    if (is_binary(body + from, seen - from)) {
        snprintf(buf, buf_size, "the answer is %zu bytes of binary data", size);
        return;
    }
    size_t n = 0;
    if (body[from] == '{' || body[from] == '[' || body[from] == '"')
        n = describe_json(body + from, seen - from, buf, buf_size);
    else if (body[from] == '<')
        n = describe_markup(body + from, seen - from, buf, buf_size);
    if (!n)
        describe_plain(body + from, seen - from, buf, buf_size);
}

int32_t sonde_class_of_status(uint32_t status)
{
    switch (status) {
    case 401:
        return SONDE_E_AUTH;
    case 403:
        return SONDE_E_FORBIDDEN;
    case 404:
        return SONDE_E_NOT_FOUND;
    case 408:
    case 504:
        return SONDE_E_TIMEOUT;
    case 413:
        return SONDE_E_TOO_MUCH;
    case 429:
        return SONDE_E_THROTTLED;
    case 502:
    case 503:
        return SONDE_E_BUSY;
    default:
        return SONDE_E_BAD_ANSWER;
    }
}
