/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tzif.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* Real files hold at most a few hundred transitions and 20 types. */
#define MAX_TRANSITIONS 8192u
#define MAX_TYPES 256u
#define MAX_CHARS 4096u
#define HEADER_SIZE 44u
/* RFC 9636 section 3.2: recommended bounds of utoff, 25 hours either way at most. */
#define MAX_OFFSET 93599

int64_t civil_days(int64_t year, int month, int day)
{
    /* Years begin in March, so that the leap day is the last one; eras of 400 years are equally long. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void civil_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *ret_month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Local seconds since 1970 of a change in a year. */
static int64_t change_local(const struct tz_change *change, int64_t year)
{
    int64_t days;
    if (change->form == 'M') {
        int64_t first = civil_days(year, change->month, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        int day = 1 + (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
        if (day > days_in_month(year, change->month))
            day -= 7; /* week 5 means the last one */
        days = first + day - 1;
    } else {
        days = civil_days(year, 1, 1) + change->day;
        if (change->form == 'J')
            days += is_leap(year) && change->day >= 60 ? 0 : -1;
    }
    return days * 86400 + change->time_s;
}

int32_t tz_rule_offset(const struct tz_rule *rule, int64_t unix_s)
{
    if (!rule->has_dst)
        return rule->std_offset;
    int64_t local = unix_s + rule->std_offset;
    int64_t year;
    int month;
    int day;
    civil_of_days(local / 86400 - (local % 86400 < 0), &year, &month, &day);
    int64_t begin = change_local(&rule->begin, year) - rule->std_offset;
    int64_t end = change_local(&rule->end, year) - rule->dst_offset;
    bool dst = begin < end ? unix_s >= begin && unix_s < end : !(unix_s >= end && unix_s < begin);
    return dst ? rule->dst_offset : rule->std_offset;
}

int32_t tzif_offset(const struct tzif *tzif, int64_t unix_s)
{
    if (!tzif->count)
        return tzif->has_rule ? tz_rule_offset(&tzif->rule, unix_s) : tzif->first_offset;
    if (unix_s < tzif->times[0])
        return tzif->first_offset;
    size_t low = 0; /* times[low] <= unix_s < times[high] */
    size_t high = tzif->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (tzif->times[middle] <= unix_s)
            low = middle;
        else
            high = middle;
    }
    if (low == tzif->count - 1 && tzif->has_rule)
        return tz_rule_offset(&tzif->rule, unix_s);
    return tzif->offsets[low];
}

static int take_number(const char **text, int max, int *ret_value)
{
    const char *p = *text;
    int value = 0;
    if (*p < '0' || *p > '9')
        return -1;
    while (*p >= '0' && *p <= '9') {
        value = value * 10 + (*p++ - '0');
        if (value > max)
            return -1;
    }
    *text = p;
    *ret_value = value;
    return 0;
}

/* [+-]hh[:mm[:ss]] */
static int take_time(const char **text, int max_hours, int32_t *ret_seconds)
{
    const char *p = *text;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    int hours;
    int minutes = 0;
    int seconds = 0;
    if (take_number(&p, max_hours, &hours))
        return -1;
    if (*p == ':') {
        p++;
        if (take_number(&p, 59, &minutes))
            return -1;
        if (*p == ':') {
            p++;
            if (take_number(&p, 59, &seconds))
                return -1;
        }
    }
    int32_t total = hours * 3600 + minutes * 60 + seconds;
    *text = p;
    *ret_seconds = negative ? -total : total;
    return 0;
}

static int skip_abbreviation(const char **text)
{
    const char *p = *text;
    size_t n = 0;
    if (*p == '<') {
        p++;
        while ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
               *p == '+' || *p == '-') {
            p++;
            n++;
        }
        if (*p++ != '>')
            return -1;
    } else {
        while ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')) {
            p++;
            n++;
        }
    }
    if (n < 3 || n > 16)
        return -1;
    *text = p;
    return 0;
}

static int take_change(const char **text, struct tz_change *ret_change)
{
    struct tz_change change = {.form = 'N', .time_s = 7200};
    const char *p = *text;
    if (*p++ != ',')
        return -1;
    if (*p == 'M') {
        change.form = 'M';
        p++;
        if (take_number(&p, 12, &change.month) || change.month < 1 || *p++ != '.' ||
            take_number(&p, 5, &change.week) || change.week < 1 || *p++ != '.' ||
            take_number(&p, 6, &change.day))
            return -1;
    } else if (*p == 'J') {
        change.form = 'J';
        p++;
        if (take_number(&p, 365, &change.day) || change.day < 1)
            return -1;
    } else if (take_number(&p, 365, &change.day)) {
        return -1;
    }
    if (*p == '/') {
        p++;
        if (take_time(&p, 167, &change.time_s))
            return -1;
    }
    *text = p;
    *ret_change = change;
    return 0;
}

int tz_rule_parse(const char *text, struct tz_rule *ret_rule)
{
    struct tz_rule rule = {0};
    int32_t west;
    if (skip_abbreviation(&text) || take_time(&text, 24, &west))
        return -1;
    rule.std_offset = -west;
    if (*text) {
        if (skip_abbreviation(&text))
            return -1;
        rule.has_dst = 1;
        rule.dst_offset = rule.std_offset + 3600;
        if (*text && *text != ',') {
            if (take_time(&text, 24, &west))
                return -1;
            rule.dst_offset = -west;
        }
        if (take_change(&text, &rule.begin) || take_change(&text, &rule.end) || *text)
            return -1;
    }
    *ret_rule = rule;
    return 0;
}

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_time(const unsigned char *p, size_t width)
{
    if (width == 4)
        return (int32_t)read_u32(p);
    return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

struct counts {
    size_t isut, isstd, leap, time, type, chars;
};

static int read_header(const unsigned char *p, size_t size, struct counts *ret_counts)
{
    if (size < HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
        return -1;
    struct counts counts = {read_u32(p + 20), read_u32(p + 24), read_u32(p + 28),
                            read_u32(p + 32), read_u32(p + 36), read_u32(p + 40)};
    if (counts.time > MAX_TRANSITIONS || counts.type > MAX_TYPES || counts.chars > MAX_CHARS ||
        counts.isut > counts.type || counts.isstd > counts.type || counts.leap > MAX_TRANSITIONS)
        return -1;
    *ret_counts = counts;
    return 0;
}

static size_t block_size(const struct counts *counts, size_t width)
{
    return counts->time * (width + 1) + counts->type * 6 + counts->chars +
           counts->leap * (width + 4) + counts->isstd + counts->isut;
}

static int type_offset(const unsigned char *types, size_t index, int32_t *ret_offset)
{
    int32_t offset = (int32_t)read_u32(types + index * 6);
    if (offset < -MAX_OFFSET || offset > MAX_OFFSET)
        return -1;
    *ret_offset = offset;
    return 0;
}

static int fill(struct tzif *tzif, const unsigned char *block, const struct counts *counts,
                size_t width)
{
    const unsigned char *indices = block + counts->time * width;
    const unsigned char *types = indices + counts->time;
    if (!counts->type || counts->leap || type_offset(types, 0, &tzif->first_offset))
        return -1;
    for (size_t i = 0; i < counts->time; i++) {
        tzif->times[i] = read_time(block + i * width, width);
        if ((i && tzif->times[i] <= tzif->times[i - 1]) || indices[i] >= counts->type ||
            type_offset(types, indices[i], &tzif->offsets[i]))
            return -1;
    }
    tzif->count = counts->time;
    return 0;
}

/* What follows the last block: newline, rule or nothing, newline. */
static int read_footer(struct tzif *tzif, const unsigned char *p, size_t size)
{
    char rule[128];
    if (size < 2 || p[0] != '\n')
        return -1;
    const unsigned char *end = memchr(p + 1, '\n', size - 1);
    if (!end)
        return -1;
    size_t n = (size_t)(end - p) - 1;
    if (!n)
        return 0;
    if (n >= sizeof rule || memchr(p + 1, '\0', n))
        return -1;
    memcpy(rule, p + 1, n);
    rule[n] = '\0';
    if (tz_rule_parse(rule, &tzif->rule))
        return -1;
    tzif->has_rule = 1;
    return 0;
}

int tzif_parse(const void *data, size_t size, struct tzif **ret_tzif)
{
    const unsigned char *p = data;
    struct counts counts;
    size_t width = 4;
    if (read_header(p, size, &counts))
        return -1;
    bool modern = p[4] >= '2';
    if (modern) {
        /* The first block repeats the table with 32-bit times for old readers. */
        size_t skip = HEADER_SIZE + block_size(&counts, 4);
        if (skip > size || read_header(p + skip, size - skip, &counts))
            return -1;
        p += skip;
        size -= skip;
        width = 8;
    }
    p += HEADER_SIZE;
    size -= HEADER_SIZE;
    size_t block = block_size(&counts, width);
    if (block > size)
        return -1;
    CLEANUP(tzif_freep) struct tzif *tzif = mem_alloc(sizeof *tzif);
    if (!tzif)
        return ERR_MEMORY;
    if (counts.time) {
        tzif->times = mem_alloc_array(counts.time, sizeof *tzif->times);
        tzif->offsets = mem_alloc_array(counts.time, sizeof *tzif->offsets);
        if (!tzif->times || !tzif->offsets)
            return ERR_MEMORY;
    }
    if (fill(tzif, p, &counts, width) || (modern && read_footer(tzif, p + block, size - block)))
        return -1;
    *ret_tzif = STEAL(tzif);
    return 0;
}

void tzif_free(struct tzif *tzif)
{
    if (!tzif)
        return;
    mem_free(tzif->times);
    mem_free(tzif->offsets);
    mem_free(tzif);
}
