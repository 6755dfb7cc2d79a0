/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/tzif.h"
#include "base/zone.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct zone *open_zone(const char *name)
{
    struct zone *zone = NULL;
    struct err err = {0};
    if (zone_open(name, &zone, &err))
        fail_msg("%s: %s", name, err.text);
    return zone;
}

static void test_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        int64_t unix_s;
        const char *text;
    } rows[] = {
        {"UTC", 0, "1970-01-01T00:00:00Z"},
        {"z", 1772359200, "2026-03-01T10:00:00Z"},
        {"+00:00", 1772359200, "2026-03-01T10:00:00Z"},
        {"+02:00", 1772359200, "2026-03-01T12:00:00+02:00"},
        {"-0530", 1772359200, "2026-03-01T04:30:00-05:30"},
        {"+2", 1772359200, "2026-03-01T12:00:00+02:00"},
        {"UTC+2", 1772359200, "2026-03-01T12:00:00+02:00"},
        {"Europe/Berlin", 1774745999, "2026-03-29T01:59:59+01:00"},
        {"Europe/Berlin", 1774746000, "2026-03-29T03:00:00+02:00"},
        {"Europe/Berlin", 1792889999, "2026-10-25T02:59:59+02:00"},
        {"Europe/Berlin", 1792890000, "2026-10-25T02:00:00+01:00"},
        {"America/New_York", 1772953199, "2026-03-08T01:59:59-05:00"},
        {"America/New_York", 1772953200, "2026-03-08T03:00:00-04:00"},
        /* After the table's end, by the rule in the footer. */
        {"Europe/Berlin", 4118346000, "2100-07-04T03:00:00+02:00"},
        {"Europe/Berlin", 4102444800, "2100-01-01T01:00:00+01:00"},
        /* South of the equator summer spans the new year. */
        {"Australia/Sydney", 4102444800, "2100-01-01T11:00:00+11:00"},
        {"Australia/Sydney", 4118346000, "2100-07-04T11:00:00+10:00"},
        {"Asia/Kolkata", 1772359200, "2026-03-01T15:30:00+05:30"},
        {"Asia/Kathmandu", 1772359200, "2026-03-01T15:45:00+05:45"},
        /* Ireland's winter time is the "daylight" time of its rule. */
        {"Europe/Dublin", 4102444800, "2100-01-01T00:00:00+00:00"},
        {"Europe/Dublin", 4118346000, "2100-07-04T02:00:00+01:00"},
        /* Local mean time had seconds; the offset is cut to minutes, the instant stays. */
        {"Europe/Berlin", -2500000000, "1890-10-11T20:26:20+00:53"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        CLEANUP(zone_unrefp) struct zone *zone = open_zone(rows[i].zone);
        char text[48];
        size_t size = time_format(text, sizeof text, rows[i].unix_s * NS_PER_S, zone, 9);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(size, strlen(text));
    }
}

static void test_fractions(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        int digits;
        const char *text;
    } rows[] = {
        {1500000000, 9, "1970-01-01T00:00:01.500Z"},
        {1500000000, 0, "1970-01-01T00:00:01Z"},
        {1000001000, 9, "1970-01-01T00:00:01.000001Z"},
        {1000001000, 3, "1970-01-01T00:00:01Z"},
        {1123456789, 9, "1970-01-01T00:00:01.123456789Z"},
        {1123456789, 6, "1970-01-01T00:00:01.123456Z"},
        {-1, 9, "1969-12-31T23:59:59.999999999Z"},
        {INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, 9, "1677-09-21T00:12:43.145224192Z"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[48];
        time_format(text, sizeof text, rows[i].ns, zone_utc(), rows[i].digits);
        assert_string_equal(text, rows[i].text);
    }
    char small[8];
    assert_int_equal(time_format(small, sizeof small, 0, zone_utc(), 0), 0);
}

static void test_local_to_utc(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        struct civil civil;
        int kind;
        int64_t unix_s;
    } rows[] = {
        {"Europe/Berlin", {2026, 3, 1, 10, 0, 0, 0, 0}, ZONE_EXACT, 1772355600},
        {"Europe/Berlin", {2026, 3, 29, 2, 30, 0, 0, 0}, ZONE_GAP, 1774744200},
        {"Europe/Berlin", {2026, 3, 29, 3, 0, 0, 0, 0}, ZONE_EXACT, 1774746000},
        {"Europe/Berlin", {2026, 10, 25, 2, 30, 0, 0, 0}, ZONE_FOLD, 1792891800},
        {"Europe/Berlin", {2026, 10, 25, 3, 0, 0, 0, 0}, ZONE_EXACT, 1792893600},
        {"Europe/Berlin", {2026, 10, 25, 1, 59, 59, 0, 0}, ZONE_EXACT, 1792886399},
        {"America/New_York", {2026, 3, 8, 2, 30, 0, 0, 0}, ZONE_GAP, 1772951400},
        {"America/New_York", {2026, 11, 1, 1, 30, 0, 0, 0}, ZONE_FOLD, 1793514600},
        /* Samoa left out a whole day. */
        {"Pacific/Apia", {2011, 12, 30, 12, 0, 0, 0, 0}, ZONE_GAP, 1325196000},
        {"UTC", {1969, 12, 31, 23, 59, 59, 0, 0}, ZONE_EXACT, -1},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        CLEANUP(zone_unrefp) struct zone *zone = open_zone(rows[i].zone);
        int64_t ns = 0;
        assert_int_equal(zone_unix(zone, &rows[i].civil, &ns), rows[i].kind);
        assert_int_equal(ns, rows[i].unix_s * NS_PER_S);
    }
    struct civil far = {.year = INT64_MAX, .month = 1, .day = 1};
    int64_t ns = 0;
    zone_unix(zone_utc(), &far, &ns);
    assert_int_equal(ns, INT64_MAX);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Berlin", "America/Sao_Paulo", "Africa/Casablanca",
                                        "Asia/Tehran",   "America/Nuuk",      "UTC"};
    for (size_t n = 0; n < LENGTH(names); n++) {
        CLEANUP(zone_unrefp) struct zone *zone = open_zone(names[n]);
        for (int64_t s = -3000000000; s < 8000000000; s += 9876543) {
            struct civil civil;
            int64_t back = 0;
            zone_civil(zone, s * NS_PER_S, &civil);
            int kind = zone_unix(zone, &civil, &back);
            assert_int_not_equal(kind, ZONE_GAP);
            if (kind == ZONE_EXACT)
                assert_int_equal(back, s * NS_PER_S);
        }
    }
}

static void test_refused_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "../../etc/passwd", "/etc/passwd", "Europe/../../x", "",           "Europe",
        "Europe/",          ".hidden",     "Europe//Berlin", "+25:00",     "+1:00",
        "+02:60",           "zone.tab",    "a\nb",           "leapseconds"};
    for (size_t i = 0; i < LENGTH(names); i++) {
        struct zone *zone = NULL;
        struct err err = {0};
        assert_int_equal(zone_open(names[i], &zone, &err), ERR_INVALID);
        assert_null(zone);
        assert_null(strchr(err.text, '\n'));
        assert_non_null(strstr(err.text, "Europe/Berlin"));
    }
    struct zone *zone = NULL;
    struct err err = {0};
    assert_int_equal(zone_open("europe/berln", &zone, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "did you mean \"Europe/Berlin\"?"));
    assert_int_equal(zone_open("Berlin", &zone, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "did you mean \"Europe/Berlin\"?"));
}

static void test_names_and_cache(void **state)
{
    (void)state;
    struct zone *first = open_zone("Europe/Berlin");
    struct zone *second = open_zone("Europe/Berlin");
    assert_ptr_equal(first, second);
    assert_string_equal(zone_name(first), "Europe/Berlin");
    zone_unref(first);
    zone_unref(second);
    struct zone *offset = open_zone("-0530");
    assert_string_equal(zone_name(offset), "-05:30");
    zone_unref(offset);
    zone_unref(zone_utc());
    assert_string_equal(zone_name(zone_utc()), "UTC");
}

static void test_without_files(void **state)
{
    (void)state;
    setenv("TZDIR", "/nowhere", 1);
    struct zone *zone = NULL;
    struct err err = {0};
    assert_int_equal(zone_open("Asia/Tokyo", &zone, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "tzdata"));
    assert_int_equal(zone_open("Etc/UTC", &zone, &err), 0);
    assert_ptr_equal(zone, zone_utc());
    unsetenv("TZDIR");
}

static void test_local(void **state)
{
    (void)state;
    static const struct {
        const char *tz;
        const char *name;
        const char *text;
    } rows[] = {
        {"Asia/Tokyo", "Asia/Tokyo", "2026-03-01T19:00:00+09:00"},
        {":Asia/Tokyo", "Asia/Tokyo", "2026-03-01T19:00:00+09:00"},
        {"", "UTC", "2026-03-01T10:00:00Z"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "local", "2026-03-01T11:00:00+01:00"},
        {"/usr/share/zoneinfo/Asia/Tokyo", "local", "2026-03-01T19:00:00+09:00"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        setenv("TZ", rows[i].tz, 1);
        CLEANUP(zone_unrefp) struct zone *zone = open_zone("local");
        char text[48];
        time_format(text, sizeof text, 1772359200 * NS_PER_S, zone, 0);
        assert_string_equal(text, rows[i].text);
        assert_string_equal(zone_name(zone), rows[i].name);
    }
    setenv("TZ", "No/Such", 1);
    struct zone *zone = NULL;
    struct err err = {0};
    assert_int_equal(zone_open("local", &zone, &err), ERR_INVALID);
    assert_true(str_starts(err.text, "environment variable TZ"));
    unsetenv("TZ");
    assert_int_equal(zone_open("local", &zone, &err), 0);
    zone_unref(zone);
}

static void test_rules(void **state)
{
    (void)state;
    static const char *const good[] = {"UTC0",
                                       "<+03>-3",
                                       "EST5EDT,M3.2.0,M11.1.0",
                                       "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
                                       "XXX3EDT4,0/0,J365/23",
                                       "EET-2EEST,M3.4.4/50,M10.4.4/50",
                                       "IST-1GMT0,M10.5.0,M3.5.0/1"};
    static const char *const bad[] = {"",
                                      "U0",
                                      "UTC",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "UTC0,",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,J0,J1",
                                      "EST5EDT,366,1",
                                      "EST5EDT,M3.2.0,M11.1.0x",
                                      "<+03-3",
                                      "EST99"};
    struct tz_rule rule;
    for (size_t i = 0; i < LENGTH(good); i++)
        assert_int_equal(tz_rule_parse(good[i], &rule), 0);
    for (size_t i = 0; i < LENGTH(bad); i++)
        assert_int_equal(tz_rule_parse(bad[i], &rule), -1);
    /* RFC 8536 appendix: daylight time all year round. */
    assert_int_equal(tz_rule_parse("XXX3EDT4,0/0,J365/23", &rule), 0);
    for (int64_t s = 1767225600; s < 1767225600 + 800 * 86400; s += 3601)
        assert_int_equal(tz_rule_offset(&rule, s), -4 * 3600);
    assert_int_equal(tz_rule_parse("EST5EDT,J60/0,J61/0", &rule), 0);
    /* J60 is the first of March in leap years too. */
    assert_int_equal(tz_rule_offset(&rule, civil_days(2028, 3, 1) * 86400 + 6 * 3600), -4 * 3600);
    assert_int_equal(tz_rule_offset(&rule, civil_days(2028, 2, 29) * 86400 + 6 * 3600), -5 * 3600);
    assert_int_equal(tz_rule_offset(&rule, civil_days(2027, 3, 1) * 86400 + 6 * 3600), -4 * 3600);
}

/* Every cut and every changed byte of a real file is refused or read, never overrun. */
static void test_damaged_files(void **state)
{
    (void)state;
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    if (!file)
        skip();
    unsigned char data[8192];
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    struct tzif *tzif = NULL;
    assert_int_equal(tzif_parse(data, size, &tzif), 0);
    tzif_free(tzif);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *copy = malloc(cut ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, data, cut);
        assert_int_equal(tzif_parse(copy, cut, &tzif), -1);
        free(copy);
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, data, size);
        copy[i] = (unsigned char)~copy[i];
        if (tzif_parse(copy, size, &tzif) == 0) {
            tzif_offset(tzif, 0);
            tzif_free(tzif);
        }
        free(copy);
    }
}

int main(void)
{
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0) {
        puts("skipped: no zone files (package tzdata)");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets),       cmocka_unit_test(test_fractions),
        cmocka_unit_test(test_local_to_utc),  cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused_names), cmocka_unit_test(test_names_and_cache),
        cmocka_unit_test(test_without_files), cmocka_unit_test(test_local),
        cmocka_unit_test(test_rules),         cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
