/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a time zone file (TZif, RFC 8536 and its successor RFC 9636) and POSIX TZ rules: bytes to a
 * table that answers "which offset at this second". No files are opened here.
 *
 * Ownership: tzif_free. Threads: immutable once parsed.
 */
#ifndef BASE_TZIF_H
#define BASE_TZIF_H

#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"

/* One of the two yearly changes of a POSIX TZ string. */
struct tz_change {
    char form; /* 'M' month.week.weekday, 'J' day 1 to 365 without 29 February, 'N' day 0 to 365 */
    int month;
    int week;
    int day;
    int32_t time_s; /* local seconds after midnight, -167 h to 167 h */
};

struct tz_rule {
    int32_t std_offset;
    int32_t dst_offset;
    int has_dst;
    struct tz_change begin;
    struct tz_change end;
};

struct tzif {
    size_t count; /* transitions */
    int64_t *times;
    int32_t *offsets;     /* offsets[i] holds from times[i] on */
    int32_t first_offset; /* before the first transition */
    int has_rule;         /* for times after the last transition */
    struct tz_rule rule;
};

/* 0, or -1 when the bytes are not a TZif file this reader takes (leap-second tables are refused). ERR_MEMORY. */
int tzif_parse(const void *data, size_t size, struct tzif **ret_tzif);
/* A POSIX TZ string with its rule, "CET-1CEST,M3.5.0,M10.5.0/3". 0 or -1. */
int tz_rule_parse(const char *text, struct tz_rule *ret_rule);
/* Seconds east of UTC at a UTC second. */
int32_t tz_rule_offset(const struct tz_rule *rule, int64_t unix_s);
int32_t tzif_offset(const struct tzif *tzif, int64_t unix_s);
void tzif_free(struct tzif *tzif);
DEFINE_CLEANUP(struct tzif *, tzif_free);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. |year| up to 10^15. */
int64_t civil_days(int64_t year, int month, int day);
void civil_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int days_in_month(int64_t year, int month);

#endif
