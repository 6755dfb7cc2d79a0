/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/timeinput.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-03-10 12:00:00 UTC, a Tuesday: 13:00 in Berlin, 08:00 in New York (summer time since the 8th). */
#define NOW INT64_C(1773144000)

struct row {
    const char *zone;
    const char *start;
    const char *end;
    int64_t now_s;
    const char *want_start;
    const char *want_end;
    const char *want_note; /* part of the note; "" none */
};

#define BERLIN "Europe/Berlin"
#define YORK "America/New_York"

static const struct row rows[] = {
    /* Nothing, words, durations. */
    {"UTC", NULL, NULL, NOW, "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "", " ", NOW, "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "now-1h30m", "now", NOW, "2026-03-10T10:30:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "NOW - 1h", NULL, NOW, "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "1h", NULL, NOW, "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "-2d", "1d", NOW, "2026-03-08T12:00:00Z", "2026-03-09T12:00:00Z", ""},
    {"UTC", "30m ago", NULL, NOW, "2026-03-10T11:30:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "2 h ago", "1.5h", NOW, "2026-03-10T10:00:00Z", "2026-03-10T10:30:00Z", ""},
    {"UTC", "today", NULL, NOW, "2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z", ""},
    {BERLIN, "today", NULL, NOW, "2026-03-10T00:00:00+01:00", "2026-03-10T13:00:00+01:00", ""},
    {BERLIN, "yesterday", "today", NOW, "2026-03-09T00:00:00+01:00", "2026-03-10T00:00:00+01:00",
     ""},
    {BERLIN, "yesterday", "yesterday", NOW, "2026-03-09T00:00:00+01:00",
     "2026-03-10T00:00:00+01:00", "end of that day"},
    {BERLIN, "yesterday 10:00", NULL, NOW, "2026-03-09T10:00:00+01:00", "2026-03-10T13:00:00+01:00",
     ""},
    {BERLIN, "Yesterday at 10:00", "yesterday 11:00:30", NOW, "2026-03-09T10:00:00+01:00",
     "2026-03-09T11:00:30+01:00", ""},
    {BERLIN, "today 9:15", "10:20", NOW, "2026-03-10T09:15:00+01:00", "2026-03-10T10:20:00+01:00",
     ""},
    /* Clock times. */
    {"UTC", "10:20", NULL, NOW, "2026-03-10T10:20:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "13:00", NULL, NOW, "2026-03-09T13:00:00Z", "2026-03-10T12:00:00Z", ""},
    {"UTC", "12:00", "12:00", NOW + 1, "2026-03-10T12:00:00Z", "2026-03-10T12:00:01Z", "future"},
    {"UTC", "10:20", "10:40", NOW, "2026-03-10T10:20:00Z", "2026-03-10T10:40:00Z", ""},
    {"UTC", "23:50", "00:10", NOW, "2026-03-09T23:50:00Z", "2026-03-10T00:10:00Z", ""},
    {"UTC", "2026-03-01", "10:20", NOW, "2026-03-01T00:00:00Z", "2026-03-01T10:20:00Z", ""},
    {"UTC", "2026-03-01T11:00", "10:20", NOW, "2026-03-01T11:00:00Z", "2026-03-02T10:20:00Z", ""},
    {"UTC", NULL, "10:20", NOW, "2026-03-10T09:20:00Z", "2026-03-10T10:20:00Z", ""},
    {"UTC", NULL, "13:20", NOW, "2026-03-09T12:20:00Z", "2026-03-09T13:20:00Z", ""},
    {"UTC", "10:20", "13:20", NOW, "2026-03-10T10:20:00Z", "2026-03-10T12:00:00Z", "cut to now"},
    {"UTC", "10:20:30.25", "10:21", NOW, "2026-03-10T10:20:30.250Z", "2026-03-10T10:21:00Z", ""},
    {"UTC", "10:20+02:00", NULL, NOW, "2026-03-10T08:20:00Z", "2026-03-10T12:00:00Z", ""},
    {YORK, "07:30", NULL, NOW, "2026-03-10T07:30:00-04:00", "2026-03-10T08:00:00-04:00", ""},
    /* ISO 8601. */
    {"UTC", "2026-03-01", "2026-03-02", NOW, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", ""},
    {"UTC", "2026-03-01", "2026-03-01", NOW, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z",
     "end of that day"},
    {BERLIN, "2026-03-01T10:00", "2026-03-01 11:00", NOW, "2026-03-01T10:00:00+01:00",
     "2026-03-01T11:00:00+01:00", ""},
    {BERLIN, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5Z", NOW, "2026-03-01T11:00:00+01:00",
     "2026-03-01T11:00:00.500+01:00", ""},
    {BERLIN, "2026-03-01T10:00:00+02:00", "2026-03-01T10:00-0500", NOW, "2026-03-01T09:00:00+01:00",
     "2026-03-01T16:00:00+01:00", ""},
    {"UTC", "2026-03-01T10:00:00.123456789Z", "2026-03-01t10:00:01z", NOW,
     "2026-03-01T10:00:00.123456789Z", "2026-03-01T10:00:01Z", ""},
    {"UTC", "2024-02-29", "2024-02-29T24:00", NOW, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z",
     ""},
    {"UTC", "2026-03-01 10:00 Europe/Berlin", NULL, NOW, "2026-03-01T09:00:00Z",
     "2026-03-10T12:00:00Z", ""},
    /* Epochs. */
    {"UTC", "1772359200", "1772362800", NOW, "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", ""},
    {"UTC", "1772359200123", "1772359200123456", NOW, "2026-03-01T10:00:00.123Z",
     "2026-03-01T10:00:00.123456Z", ""},
    {"UTC", "1772359200.5", "1772359200500000001", NOW, "2026-03-01T10:00:00.500Z",
     "2026-03-01T10:00:00.500000001Z", ""},
    /* Summer time: gaps and folds take the later offset and say so. */
    {BERLIN, "2026-03-29T02:30", "2026-03-29T04:00", NOW + 30 * 86400, "2026-03-29T01:30:00+01:00",
     "2026-03-29T04:00:00+02:00", "start 02:30 does not exist in Europe/Berlin"},
    {BERLIN, "2025-10-26T02:30", "2025-10-26T03:00", NOW, "2025-10-26T02:30:00+01:00",
     "2025-10-26T03:00:00+01:00", "start 02:30 occurs twice in Europe/Berlin"},
    {YORK, "2026-03-08T02:30", "2026-03-08T04:00", NOW, "2026-03-08T01:30:00-05:00",
     "2026-03-08T04:00:00-04:00", "does not exist in America/New_York"},
    {YORK, "2025-11-02T00:30", "2025-11-02T01:30", NOW, "2025-11-02T00:30:00-04:00",
     "2025-11-02T01:30:00-05:00", "end 01:30 occurs twice"},
    /* "yesterday" of the day after the change has 23 hours. */
    {BERLIN, "yesterday", "today", 1774864800, "2026-03-29T00:00:00+01:00",
     "2026-03-30T00:00:00+02:00", ""},
    /* A clock time on the day of a gap: the note is of the day that was taken only. */
    {BERLIN, "02:30", NULL, 1774785600, "2026-03-29T01:30:00+01:00", "2026-03-29T14:00:00+02:00",
     "does not exist"},
    {BERLIN, "02:30", NULL, 1774872000, "2026-03-30T02:30:00+02:00", "2026-03-30T14:00:00+02:00",
     ""},
    {BERLIN, "14:30", "02:45", 1774872000, "2026-03-29T14:30:00+02:00", "2026-03-30T02:45:00+02:00",
     ""},

    /* The future. */
    {"UTC", "now-1h", "now+1h", NOW, "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z",
     "end 2026-03-10T13:00:00Z lies in the future: cut to now"},
    {"UTC", "today", "2027-01-01", NOW, "2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z",
     "cut to now"},
    {"UTC", "2026-03-10", "2026-03-10", NOW, "2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z",
     "cut to now"},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct row *row = &rows[i];
        struct zone *zone = NULL;
        struct time_window window = {0};
        struct err err = {0};
        assert_int_equal(zone_open(row->zone, &zone, &err), 0);
        int r = time_window_parse(row->start, row->end, zone, row->now_s * NS_PER_S, NS_PER_HOUR,
                                  &window, &err);
        if (r)
            fail_msg("row %zu: %s", i, err.text);
        char start[48];
        char end[48];
        time_format(start, sizeof start, window.start_ns, zone, 9);
        time_format(end, sizeof end, window.end_ns, zone, 9);
        if (strcmp(start, row->want_start) != 0 || strcmp(end, row->want_end) != 0)
            fail_msg("row %zu: %s to %s", i, start, end);
        if (row->want_note[0] ? !strstr(window.note, row->want_note) : window.note[0])
            fail_msg("row %zu: note \"%s\"", i, window.note);
        assert_int_equal(window.now_ns, row->now_s * NS_PER_S);
        zone_unref(zone);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        const char *end;
        const char *want;
    } bad[] = {
        {"garbage", NULL, "start \"garbage\": not a time"},
        {NULL, "soon", "end \"soon\": not a time"},
        {"12:5", NULL, "time of day"},
        {"25:00", NULL, "time of day"},
        {"10:60", NULL, "time of day"},
        {"2026-02-30", NULL, "no such date"},
        {"2026-13-01", NULL, "no such date"},
        {"2025-02-29", NULL, "no such date"},
        {"1969-01-01", NULL, "1970"},
        {"9999-01-01", NULL, "1970"},
        {"2026-3-1", NULL, "not a time"},
        {"2026-03-01T25:00", NULL, "time of day"},
        {"2026-03-01T10:00 Mars/Base", NULL, "unknown time zone"},
        {"20260301", NULL, "10, 13, 16 or 19 digits"},
        {"9999999999999999999", NULL, "too large"},
        {"1772359200.1234567890", NULL, "fraction"},
        {"1772359200123.5", NULL, "fraction"},
        {"now*1h", NULL, "-DURATION"},
        {"now-", NULL, "not a time"},
        {"now-1q", NULL, "not a time"},
        {"now-5", NULL, "not a time"},
        {"-5", NULL, "not a time"},
        {"1h-2h", NULL, "not a time"},
        {"now-60y", NULL, "before 1970"},
        {"10:00\n\x01; DROP", NULL, "unknown time zone"},
        {"\xff\xfe", NULL, "not a time"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         NULL, "too long"},
        {"now", "now-1h", "is not before end"},
        {"1h", "1h", "is not before end"},
        {"now+1h", NULL, "is not before end"},
        {"now+1h", "now+2h", "lies in the future"},
    };
    for (size_t i = 0; i < LENGTH(bad); i++) {
        struct time_window window = {.start_ns = 7};
        struct err err = {0};
        int r = time_window_parse(bad[i].start, bad[i].end, zone_utc(), NOW * NS_PER_S, NS_PER_HOUR,
                                  &window, &err);
        if (r != ERR_INVALID || !strstr(err.text, bad[i].want))
            fail_msg("row %zu: %d \"%s\"", i, r, err.text);
        assert_int_equal(window.start_ns, 7);
        for (const char *p = err.text; *p; p++)
            assert_true((unsigned char)*p >= 0x20);
    }
    /* Both ends are named, as written and as read. */
    struct time_window window;
    struct err err = {0};
    assert_int_equal(
        time_window_parse("now", "yesterday 10:00", zone_utc(), NOW * NS_PER_S, 1, &window, &err),
        ERR_INVALID);
    assert_string_equal(err.text,
                        "start 2026-03-10T12:00:00Z (now) is not before end 2026-03-09T10:00:00Z "
                        "(yesterday 10:00); now is 2026-03-10T12:00:00Z. Swap them, or give an "
                        "earlier start, such as start \"now-1h\".");
    assert_int_equal(time_window_parse("x", NULL, zone_utc(), NOW * NS_PER_S, 1, &window, NULL),
                     ERR_INVALID);
}

int main(void)
{
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0) {
        puts("skipped: no zone files (package tzdata)");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
