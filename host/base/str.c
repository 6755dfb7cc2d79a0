/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_eq_nocase(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    for (; *a && *b; a++, b++)
        if (lower(*a) != lower(*b))
            return false;
    return *a == *b;
}

bool str_starts(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *string, const char *suffix)
{
    size_t n = strlen(string);
    size_t k = strlen(suffix);
    return n >= k && memcmp(string + n - k, suffix, k) == 0;
}

int str_to_int(const char *string, int64_t min, int64_t max, int64_t *ret_value)
{
    const char *p = string;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (*p < '0' || *p > '9')
        return -1;
    int64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        int digit = *p - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            (negative ? __builtin_sub_overflow(value, digit, &value)
                      : __builtin_add_overflow(value, digit, &value)))
            return -1;
    }
    if (*p || value < min || value > max)
        return -1;
    *ret_value = value;
    return 0;
}

int str_to_double(const char *string, double *ret_value)
{
    /* strtod also takes hex, "inf", "nan" and leading blanks; numbers of users have none of these. */
    if (!*string || string[strspn(string, "0123456789+-.eE")])
        return -1;
    char *end;
    errno = 0;
    double value = strtod(string, &end);
    if (*end || !isfinite(value) || errno == ERANGE)
        return -1;
    *ret_value = value;
    return 0;
}

/* "12.5" followed by a unit; moves *text behind it. */
static int number_with_unit(const char **text, double *ret_number, char unit[8])
{
    const char *p = *text;
    size_t digits = strspn(p, "0123456789.");
    char number[32];
    if (!digits || digits >= sizeof number)
        return -1;
    memcpy(number, p, digits);
    number[digits] = '\0';
    if (str_to_double(number, ret_number))
        return -1;
    p += digits;
    size_t n = 0;
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) {
        if (n == 7)
            return -1;
        unit[n++] = *p++;
    }
    unit[n] = '\0';
    *text = p;
    return 0;
}

int str_to_duration(const char *string, int64_t *ret_ns)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"", 1e9},      {"ns", 1.0},     {"us", 1e3},      {"ms", 1e6},   {"s", 1e9},
                 {"sec", 1e9},   {"m", 60e9},     {"min", 60e9},    {"h", 3600e9}, {"hour", 3600e9},
                 {"d", 86400e9}, {"w", 604800e9}, {"y", 31536000e9}};
    double total = 0;
    if (!*string)
        return -1;
    bool first = true;
    while (*string) {
        double number;
        char unit[8];
        if (number_with_unit(&string, &number, unit))
            return -1;
        if (!unit[0] && !(first && !*string))
            return -1; /* plain digits only alone */
        size_t i = 0;
        while (i < sizeof units / sizeof units[0] && strcmp(units[i].unit, unit) != 0)
            i++;
        if (i == sizeof units / sizeof units[0])
            return -1;
        total += number * units[i].ns;
        first = false;
    }
    if (!(total >= 0 && total < 9.2e18))
        return -1;
    *ret_ns = (int64_t)llround(total);
    return 0;
}

int str_to_size(const char *string, uint64_t *ret_bytes)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1},       {"b", 1},    {"k", 1e3},         {"kb", 1e3},
                 {"kib", 1024}, {"m", 1e6},  {"mb", 1e6},        {"mib", 1048576},
                 {"g", 1e9},    {"gb", 1e9}, {"gib", 1073741824}};
    double number;
    char unit[8];
    if (number_with_unit(&string, &number, unit) || *string)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!str_eq_nocase(units[i].unit, unit))
            continue;
        double bytes = number * units[i].factor;
        if (!(bytes >= 0 && bytes < 9e18))
            return -1;
        *ret_bytes = (uint64_t)bytes;
        return 0;
    }
    return -1;
}

bool str_glob(const char *pattern, const char *string)
{
    const char *star = NULL;
    const char *retry = NULL;
    while (*string) {
        if (*pattern == '*') {
            star = pattern++;
            retry = string;
        } else if (*pattern == '?' || *pattern == *string) {
            pattern++;
            string++;
        } else if (star) {
            pattern = star + 1;
            string = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

#define NEAREST_MAX 64

static size_t fold(char out[NEAREST_MAX + 1], const char *word)
{
    size_t n = 0;
    for (; *word && n < NEAREST_MAX; word++) {
        char c = lower(*word);
        if (c != '-' && c != '_' && c != '.' && c != ' ')
            out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

/* Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t cost = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < cost)
                cost = above[j] + 1;
            if (row[j - 1] + 1 < cost)
                cost = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                rows[(i - 2) % 3][j - 2] + 1 < cost)
                cost = rows[(i - 2) % 3][j - 2] + 1;
            row[j] = cost;
        }
    }
    return rows[n % 3][m];
}

const char *str_nearest(const char *word, const char *const *candidates, size_t n)
{
    char folded[NEAREST_MAX + 1];
    size_t size = fold(folded, word);
    if (!size)
        return NULL;
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        char other[NEAREST_MAX + 1];
        size_t other_size = fold(other, candidates[i]);
        size_t d = distance(folded, size, other, other_size);
        size_t allowed = (size > other_size ? size : other_size) / 3;
        if (size >= 3 && strstr(other, folded))
            d = d < 2 ? d : 2; /* "metrics" for "query_metrics" */
        else if (other_size >= 4 && strstr(folded, other))
            d = d < 2 ? d : 2;
        else if (d > (allowed ? allowed : 1))
            continue;
        if (d < best_distance) {
            best_distance = d;
            best = candidates[i];
        }
    }
    return best;
}
