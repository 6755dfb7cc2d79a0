/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

void check_fail(struct check *check, const struct node *node, const char *format, ...)
{
    check->total++;
    if (check->count == CONFIG_MAX_MISTAKES)
        return;
    struct err text = {0};
    struct err *where = &text;
    va_list arguments;
    va_start(arguments, format);
    struct buf what = BUF(1024);
    buf_vprintf(&what, format, arguments);
    va_end(arguments);
    const char *path = node_path(check->root, node, check->arena);
    if (*node->file)
        err_set(where, ERR_INVALID, "%s:%d: %s%s%s", node->file, node->line, path,
                *path ? ": " : "", buf_text(&what));
    else /* of a message, not of a file: it has no lines that anybody would look for */
        err_set(where, ERR_INVALID, "%s%s%s", path, *path ? ": " : "", buf_text(&what));
    buf_finish(&what);
    char *out = check->mistakes[check->count++].text;
    size_t size = sizeof check->mistakes[0].text;
    utf8_clean(out, size, text.text, strlen(text.text));
}

int check_result(const struct check *check, struct err *err)
{
    if (!check->total)
        return 0;
    if (check->total == 1)
        return err_set(err, ERR_INVALID, "%s", check->mistakes[0].text);
    return err_set(err, ERR_INVALID, "%s (and %zu more)", check->mistakes[0].text,
                   check->total - 1);
}

const char *check_found(struct check *check, const struct node *node)
{
    if (node->type == NODE_LIST)
        return "a list";
    if (node->type == NODE_MAP)
        return "a map";
    if (node_is_null(node))
        return "no value";
    char value[64];
    size_t n = utf8_clean(value, sizeof value, node->value, strlen(node->value));
    const char *more = n < strlen(node->value) ? "..." : "";
    const char *text = arena_printf(check->arena, "\"%s%s\"", value, more);
    return text ? text : "another value";
}

bool check_map(struct check *check, const struct node *node)
{
    if (node->type == NODE_MAP || node_is_null(node))
        return true;
    check_fail(check, node, "expected a map of keys and values, got %s", check_found(check, node));
    return false;
}

bool check_later_key(struct check *check, const struct node *node, const char *const *later,
                     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(later[i], node->key))
            continue;
        check_fail(check, node, "not in this version of sonde; remove the key");
        return true;
    }
    return false;
}

/* "a, b, c" of at most 24 words. */
static void add_words(struct buf *buf, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n && i < 24; i++)
        buf_printf(buf, "%s%s", i ? ", " : "", words[i]);
    if (n > 24)
        buf_printf(buf, " and %zu more", n - 24);
}

void check_unknown_key(struct check *check, const struct node *node, const char *const *keys,
                       size_t n)
{
    const char *near = str_nearest(node->key, keys, n);
    if (near) {
        check_fail(check, node, "unknown key; did you mean \"%s\"?", near);
        return;
    }
    struct buf words = BUF(1024);
    add_words(&words, keys, n);
    check_fail(check, node, "unknown key; accepted here: %s", buf_text(&words));
    buf_finish(&words);
}

void check_keys(struct check *check, const struct node *map, const char *const *keys, size_t n,
                const char *const *later, size_t later_n)
{
    for (size_t i = 0; i < map->child_count; i++) {
        const struct node *child = map->children[i];
        size_t k = 0;
        while (k < n && !str_eq(keys[k], child->key))
            k++;
        if (k == n && !check_later_key(check, child, later, later_n))
            check_unknown_key(check, child, keys, n);
    }
}

bool check_text(struct check *check, const struct node *node, const char **ret_text)
{
    if (node->type != NODE_SCALAR || node_is_null(node) || !*node->value) {
        check_fail(check, node, "expected a text, got %s", check_found(check, node));
        return false;
    }
    *ret_text = node->value;
    return true;
}

static bool is_value(const struct node *node)
{
    return node->type == NODE_SCALAR && !node_is_null(node);
}

bool check_whole(struct check *check, const struct node *node, int64_t min, int64_t max,
                 int64_t *ret_value)
{
    int64_t value;
    if (!is_value(node) || str_to_int(node->value, min, max, &value)) {
        check_fail(check, node, "expected a whole number from %" PRId64 " to %" PRId64 ", got %s",
                   min, max, check_found(check, node));
        return false;
    }
    *ret_value = value;
    return true;
}

bool check_bool(struct check *check, const struct node *node, bool *ret_value)
{
    if (is_value(node) && (str_eq(node->value, "true") || str_eq(node->value, "false"))) {
        *ret_value = str_eq(node->value, "true");
        return true;
    }
    check_fail(check, node, "expected true or false, got %s", check_found(check, node));
    return false;
}

static const char *duration_text(struct check *check, int64_t ns)
{
    const char *unit = "s";
    int64_t value = ns / NS_PER_S;
    if (ns % NS_PER_S) {
        unit = "ms";
        value = ns / NS_PER_MS;
    } else if (ns && ns % NS_PER_HOUR == 0) {
        unit = "h";
        value = ns / NS_PER_HOUR;
    }
    const char *text = arena_printf(check->arena, "%" PRId64 "%s", value, unit);
    return text ? text : "?";
}

bool check_duration(struct check *check, const struct node *node, int64_t min_ns, int64_t max_ns,
                    int64_t *ret_ns)
{
    int64_t ns;
    if (!is_value(node) || str_to_duration(node->value, &ns) || ns < min_ns || ns > max_ns) {
        check_fail(check, node, "expected a duration from %s to %s such as 30s, got %s",
                   duration_text(check, min_ns), duration_text(check, max_ns),
                   check_found(check, node));
        return false;
    }
    *ret_ns = ns;
    return true;
}

static const char *size_text(struct check *check, uint64_t bytes)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    size_t u = 0;
    while (u < 3 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        u++;
    }
    const char *text = arena_printf(check->arena, "%" PRIu64 "%s", bytes, units[u]);
    return text ? text : "?";
}

bool check_size(struct check *check, const struct node *node, uint64_t min, uint64_t max,
                uint64_t *ret_bytes)
{
    uint64_t bytes;
    if (!is_value(node) || str_to_size(node->value, &bytes) || bytes < min || bytes > max) {
        check_fail(check, node, "expected a size from %s to %s such as 64MiB, got %s",
                   size_text(check, min), size_text(check, max), check_found(check, node));
        return false;
    }
    *ret_bytes = bytes;
    return true;
}

bool check_choice(struct check *check, const struct node *node, const char *const *values, size_t n,
                  size_t *ret_index)
{
    for (size_t i = 0; is_value(node) && i < n; i++) {
        if (!str_eq(values[i], node->value))
            continue;
        *ret_index = i;
        return true;
    }
    struct buf words = BUF(1024);
    add_words(&words, values, n);
    const char *near = is_value(node) ? str_nearest(node->value, values, n) : NULL;
    check_fail(check, node, "expected one of %s, got %s%s%s%s", buf_text(&words),
               check_found(check, node), near ? "; did you mean \"" : "", near ? near : "",
               near ? "\"?" : "");
    buf_finish(&words);
    return false;
}

bool check_texts(struct check *check, const struct node *node, const char *const **ret_texts,
                 size_t *ret_count)
{
    if (node->type == NODE_MAP || node_is_null(node)) {
        check_fail(check, node, "expected a list of texts, got %s", check_found(check, node));
        return false;
    }
    size_t n = node->type == NODE_LIST ? node->child_count : 1;
    const char **texts = arena_alloc_array(check->arena, n ? n : 1, sizeof *texts);
    if (!texts) {
        check_fail(check, node, "no memory for it");
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < n; i++)
        good &= check_text(check, node->type == NODE_LIST ? node->children[i] : node, &texts[i]);
    if (!good)
        return false;
    *ret_texts = texts;
    *ret_count = n;
    return true;
}

const char *check_resolve_path(const char *file, const char *path, struct arena *arena)
{
    if (path[0] == '/')
        return path;
    if (path[0] == '~' && path[1] == '/') {
        const char *home = getenv("HOME");
        return home && *home ? arena_printf(arena, "%s%s", home, path + 1) : NULL;
    }
    const char *slash = strrchr(file, '/');
    if (!slash)
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

bool check_path(struct check *check, const struct node *node, const char **ret_path)
{
    const char *text;
    if (!check_text(check, node, &text))
        return false;
    const char *path = check_resolve_path(node->file, text, check->arena);
    if (!path) {
        check_fail(check, node, "cannot find the home folder for \"%s\"; write the whole path",
                   text);
        return false;
    }
    *ret_path = path;
    return true;
}

static bool port_ok(const char *port, const char *end)
{
    int64_t number;
    char digits[8];
    size_t size = (size_t)(end - port);
    if (size >= sizeof digits)
        return false;
    memcpy(digits, port, size);
    digits[size] = '\0';
    return !str_to_int(digits, 1, 65535, &number);
}

const char *check_url_text(const char *url, bool may_login)
{
    const char *host = str_starts(url, "http://")    ? url + 7
                       : str_starts(url, "https://") ? url + 8
                                                     : NULL;
    if (!host)
        return "it must begin with http:// or https://";
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return "it holds a blank or control character";
    const char *end = host + strcspn(host, "/?#");
    const char *at = memchr(host, '@', (size_t)(end - host));
    if (at && !may_login)
        return "a login does not belong in it; use auth: {type: basic, username: ..., password: "
               "...}";
    if (strpbrk(end, "?#"))
        return "leave out what follows '?' or '#'";
    if (at)
        host = at + 1;
    const char *bracket = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : NULL;
    const char *colon = bracket ? (bracket[1] == ':' ? bracket + 1 : NULL)
                                : memchr(host, ':', (size_t)(end - host));
    if (colon && !port_ok(colon + 1, end))
        return "its port must be a number from 1 to 65535";
    if ((colon ? colon : end) == host)
        return "it names no host";
    return NULL;
}

bool check_proxy(struct check *check, const struct node *node, const char **ret_proxy)
{
    if (!is_value(node)) {
        check_fail(check, node, "expected a proxy such as http://proxy:3128, got %s",
                   check_found(check, node));
        return false;
    }
    const char *wrong = check_url_text(node->value, true);
    if (wrong) {
        check_fail(check, node, "not a proxy such as http://proxy:3128: %s", wrong);
        return false;
    }
    *ret_proxy = node->value;
    return true;
}
