/* SPDX-License-Identifier: Apache-2.0 */
#include "service/filters.h"

#include <string.h>

#include "base/str.h"

/* A glob as an anchored RE2 pattern. */
static char *glob_to_regex(const char *glob, struct arena *arena)
{
    char *out = arena_alloc(arena, strlen(glob) * 2 + 1);
    if (!out)
        return NULL;
    char *p = out;
    for (; *glob; glob++) {
        if (*glob == '*') {
            *p++ = '.';
            *p++ = '*';
            continue;
        }
        if (*glob == '?') {
            *p++ = '.';
            continue;
        }
        if (strchr("\\.+()[]{}|^$", *glob))
            *p++ = '\\';
        *p++ = *glob;
    }
    *p = '\0';
    return out;
}

/* Splits at commas not written `\,`, trims blanks, drops empty parts. Returns how many, or -1 without memory. */
static long split_values(const char *value, struct arena *arena, const char ***ret_values)
{
    size_t room = 1;
    for (const char *p = value; *p; p++)
        room += *p == ',';
    const char **values = arena_alloc_array(arena, room, sizeof *values);
    if (!values)
        return -1;
    long n = 0;
    const char *p = value;
    while (*p) {
        char *part = arena_alloc(arena, strlen(p) + 1);
        if (!part)
            return -1;
        size_t size = 0;
        while (*p == ' ')
            p++;
        for (; *p && *p != ','; p++) {
            if (p[0] == '\\' && p[1] == ',')
                p++;
            part[size++] = *p;
        }
        while (size && part[size - 1] == ' ')
            size--;
        part[size] = '\0';
        if (size)
            values[n++] = part;
        if (*p == ',')
            p++;
    }
    *ret_values = values;
    return n;
}

/* Several values of which at least one is a glob become one alternation. */
static int alternation(struct sonde_filter *filter, const char **values, size_t n,
                       struct arena *arena)
{
    const char *joined = "";
    for (size_t i = 0; i < n; i++) {
        char *one = glob_to_regex(values[i], arena);
        joined = one ? arena_printf(arena, "%s%s%s", joined, i ? "|" : "", one) : NULL;
        if (!joined)
            return ERR_MEMORY;
    }
    values[0] = joined;
    filter->values = values;
    filter->value_count = 1;
    return 0;
}

int filter_parse(const char *key, const char *value, struct arena *arena,
                 struct sonde_filter **ret_filter, struct err *err)
{
    struct sonde_filter *filter = arena_alloc(arena, sizeof *filter);
    if (!filter)
        return err_set(err, ERR_MEMORY, "no memory for the filters");
    *filter = (struct sonde_filter){.struct_size = sizeof *filter, .logical = key, .native = ""};
    bool negated = *value == '!';
    if (negated)
        value++;
    size_t size = strlen(value);
    if (size >= 2 && value[0] == '/' && value[size - 1] == '/') {
        const char **one = arena_alloc(arena, sizeof *one);
        char *pattern = arena_strndup(arena, value + 1, size - 2);
        if (!one || !pattern)
            return err_set(err, ERR_MEMORY, "no memory for the filters");
        one[0] = pattern;
        filter->op = negated ? SONDE_OP_NOT_REGEX : SONDE_OP_REGEX;
        filter->values = one;
        filter->value_count = 1;
        *ret_filter = filter;
        return 0;
    }
    const char **values = NULL;
    long n = split_values(value, arena, &values);
    if (n < 0)
        return err_set(err, ERR_MEMORY, "no memory for the filters");
    if (n == 0)
        return err_set(err, ERR_INVALID,
                       "filter %s is empty: write a value, `a,b` for any of several, `!a` for not, "
                       "`a*` for a glob, `/re/` for a regular expression, `*` for \"is set\"",
                       key);
    bool glob = false;
    for (long i = 0; i < n; i++)
        glob = glob || strpbrk(values[i], "*?");
    filter->values = values;
    filter->value_count = (size_t)n;
    if (n == 1 && str_eq(values[0], "*")) {
        if (negated)
            return err_set(err, ERR_INVALID,
                           "filter %s: \"!*\" (is not set) is not supported; name a value", key);
        filter->op = SONDE_OP_EXISTS;
        filter->value_count = 0;
    } else if (glob) {
        filter->op = negated ? SONDE_OP_NOT_REGEX : SONDE_OP_REGEX;
        if (alternation(filter, values, (size_t)n, arena))
            return err_set(err, ERR_MEMORY, "no memory for the filters");
    } else if (n == 1) {
        filter->op = negated ? SONDE_OP_NE : SONDE_OP_EQ;
    } else {
        filter->op = negated ? SONDE_OP_NOT_IN : SONDE_OP_IN;
    }
    *ret_filter = filter;
    return 0;
}
