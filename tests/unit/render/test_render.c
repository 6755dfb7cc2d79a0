/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "render/axis.h"
#include "render/render.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define START (INT64_C(1773140400) * NS_PER_S)

static const struct render_terminal braille = {40, false, true};
static const struct render_terminal ascii = {40, false, false};

static void expect(struct buf *buf, const char *want)
{
    assert_false(buf->failed);
    if (strcmp(buf_text(buf), want) != 0)
        fail_msg("got:\n%s\nwanted:\n%s", buf_text(buf), want);
    buf_finish(buf);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *unit;
        const char *text;
    } rows[] = {
        {1234567, "", "1.23M"},
        {1234, "", "1234"},
        {12345, NULL, "12.3k"},
        {0, "", "0"},
        {0.2, "1", "0.2"},
        {999.96, "", "1k"},
        {-1500000, "", "-1.5M"},
        {0.000012, "", "1.2e-05"},
        {1.5, "{cores}", "1.5 cores"},
        {12, "{requests}/s", "12 requests/s"},
        {1536, "By", "1.5 KiB"},
        {512, "bytes", "512 B"},
        {1048576, "By/s", "1 MiB/s"},
        {5e9, "B", "4.66 GiB"},
        {0.0123, "s", "12.3 ms"},
        {0, "seconds", "0 s"},
        {90, "s", "90 s"},
        {600, "s", "10 min"},
        {86400, "s", "24 h"},
        {864000, "s", "10 d"},
        {2.5e-5, "s", "25 us"},
        {3e-9, "s", "3 ns"},
        {1500, "ms", "1.5 s"},
        {45.678, "%", "45.7%"},
        {NAN, "s", "NaN"},
        {-INFINITY, "By", "-Inf"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf buf = BUF(1000);
        render_value(&buf, rows[i].value, rows[i].unit);
        expect(&buf, rows[i].text);
    }
    struct buf buf = BUF(1000);
    render_value(&buf, 1e300, "");
    assert_true(buf.size < 24);
    buf_finish(&buf);
}

static void test_labels(void **state)
{
    (void)state;
    struct sonde_label labels[] = {
        {"__name__", 8, "up", 2}, {"a", 1, "x\n\"y\\", 5}, {"b", 1, "\xc3\xa4", 2}};
    struct buf buf = BUF(1000);
    render_labels(&buf, labels, 3);
    buf_add_char(&buf, ' ');
    render_labels(&buf, labels, 1);
    buf_add_char(&buf, ' ');
    render_labels(&buf, labels + 2, 1);
    buf_add_char(&buf, ' ');
    render_labels(&buf, NULL, 0);
    expect(&buf, "up{a=\"x\\n\\\"y\\\\\", b=\"\xc3\xa4\"} up {b=\"\xc3\xa4\"} {}");
}

static void test_table(void **state)
{
    (void)state;
    const char *cells[] = {"name",
                           "value",
                           "help",
                           "up",
                           "1",
                           "Whether the target answered at all",
                           "\xe6\xbc\xa2\xe5\xad\x97\x1b[31m",
                           "1234",
                           NULL};
    struct buf buf = BUF(10000);
    render_table(&buf, &braille, cells, 3, 3, 2);
    expect(&buf, "name          value  help\n"
                 "up                1  Whether the target\xe2\x80\xa6\n"
                 "\xe6\xbc\xa2\xe5\xad\x97\\x1b[31m   1234\n");
    render_table(&buf, &ascii, cells, 2, 3, 0);
    expect(&buf, "name  value  help\n"
                 "up    1      Whether the target answere~\n");
    struct render_terminal color = {40, true, true};
    render_table(&buf, &color, cells, 1, 2, 0);
    expect(&buf, "\x1b[1mname  value\x1b[0m\n");
    render_table(&buf, &braille, cells, 0, 3, 0);
    expect(&buf, "");
    const char *narrow[20];
    for (size_t i = 0; i < LENGTH(narrow); i++)
        narrow[i] = "abcdefgh";
    render_table(&buf, &ascii, narrow, 1, LENGTH(narrow), 0);
    assert_true(strncmp(buf_text(&buf), "abc~  abc~  ", 12) == 0);
    buf_finish(&buf);
}

static void test_csv(void **state)
{
    (void)state;
    const double a[] = {1, 0.1, NAN};
    const double b[] = {sample_missing(), INFINITY, 7};
    const int64_t times[] = {START, START + NS_PER_S, START + 1500 * NS_PER_MS};
    struct sonde_label label = {"job", 3, "x,\"y\"", 5};
    struct series one = {.values = a,
                         .sample_count = 3,
                         .start_ns = START,
                         .step_ns = NS_PER_S,
                         .labels = &label,
                         .label_count = 1};
    struct series two = {.values = b, .sample_count = 3, .times = times};
    const struct series *both[] = {&one, &two};
    struct buf buf = BUF(10000);
    render_csv(&buf, both, 2, zone_utc());
    expect(&buf, "time,\"{job=\"\"x,\\\"\"y\\\"\"\"\"}\",{}\r\n"
                 "2026-03-10T11:00:00Z,1,\r\n"
                 "2026-03-10T11:00:01Z,0.1,+Inf\r\n"
                 "2026-03-10T11:00:01.500Z,,7\r\n"
                 "2026-03-10T11:00:02Z,NaN,\r\n");
    render_csv(&buf, both, 0, zone_utc());
    expect(&buf, "time\r\n");
}

static const struct time_window hour = {START, START + NS_PER_HOUR, START + NS_PER_HOUR, ""};

static struct series cpu(double *values)
{
    for (int i = 0; i < 241; i++)
        values[i] = i >= 120 && i < 180 ? 0.95 : 0.2;
    return (struct series){.values = values,
                           .sample_count = 241,
                           .start_ns = START,
                           .step_ns = 15 * NS_PER_S,
                           .unit = "{cores}"};
}

static void test_plot_braille(void **state)
{
    (void)state;
    double values[241];
    struct series series = cpu(values);
    values[40] = 0.7; /* one sample among 241 must be seen */
    const struct series *list[] = {&series};
    const char *names[] = {"checkout"};
    struct render_mark mark = {START + 30 * NS_PER_MIN, "deploy v2"};
    struct buf buf = BUF(100000);
    render_plot(&buf, &braille, list, names, 1, &hour, zone_utc(), &mark, 1);
    expect(&buf, "                      ▾ deploy v2\n"
                 "  1 ┤                 ⢠⠤⠤⠤⠤⠤⠤⠤⢤\n"
                 "    │                 ⢸       ⢸\n"
                 "0.8 ┤                 ⢸       ⢸\n"
                 "    │      ⡄          ⢸       ⢸\n"
                 "0.6 ┤      ⡇          ⢸       ⢸\n"
                 "    │      ⡇          ⡎        ⡇\n"
                 "    │     ⢀⡇          ⡇        ⡇\n"
                 "0.4 ┤     ⢸⡇          ⡇        ⡇\n"
                 "    │     ⢸⡇          ⡇        ⡇\n"
                 "0.2 ┤⠤⠤⠤⠤⠤⠼⠧⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠇        ⠧⠤⠤⠤⠤⠤⠤⠤⠤\n"
                 "    │                 ┊\n"
                 "  0 ┤                 ┊\n"
                 "    └┬────────────────┬────────────────┬\n"
                 "     11:00          11:30          12:00\n"
                 "⠤ checkout  min 0.2 cores  max 0.95 cores  last 0.2 cores\n"
                 "2026-03-10T11:00:00Z to 2026-03-10T12:00:00Z (UTC)\n");
}

static void test_plot_ascii(void **state)
{
    (void)state;
    double values[241];
    double other[241];
    struct series series = cpu(values);
    struct series second = cpu(other);
    for (int i = 0; i < 241; i++)
        other[i] = i < 100 ? 0.5 : sample_missing();
    const struct series *list[] = {&series, &second};
    const char *names[] = {"checkout", "a name that is longer than the line has room for"};
    struct render_mark marks[] = {{START + 59 * NS_PER_MIN, "late one"},
                                  {START - NS_PER_MIN, "outside"}};
    struct buf buf = BUF(100000);
    render_plot(&buf, &ascii, list, names, 2, &hour, zone_utc(), marks, 2);
    expect(&buf, "                             late one v\n"
                 "  1 +                                 :\n"
                 "    |                 *********       :\n"
                 "0.8 +                 *       *       :\n"
                 "    |                 *       *       :\n"
                 "0.6 +                 *       *       :\n"
                 "    |ooooooooooooooo  *        *      :\n"
                 "    |                 *        *      :\n"
                 "0.4 +                 *        *      :\n"
                 "    |                 *        *      :\n"
                 "0.2 +******************        *********\n"
                 "    |                                 :\n"
                 "  0 +                                 :\n"
                 "    ++----------------+----------------+\n"
                 "     11:00          11:30          12:00\n"
                 "* checkout  min 0.2 cores  max 0.95 cores  last 0.2 cores\n"
                 "o a name ~  min 0.5 cores  max 0.5 cores  last 0.5 cores\n"
                 "2026-03-10T11:00:00Z to 2026-03-10T12:00:00Z (UTC)\n");
}

static void test_plot_edges(void **state)
{
    (void)state;
    double values[241];
    struct series series = cpu(values);
    const struct series *list[10];
    const char *names[10];
    for (size_t i = 0; i < 10; i++) {
        list[i] = &series;
        names[i] = "x";
    }
    struct buf buf = BUF(1000000);
    struct time_window elsewhere = {START - NS_PER_HOUR, START - NS_PER_MIN, START, ""};
    render_plot(&buf, &braille, list, names, 1, &elsewhere, zone_utc(), NULL, 0);
    expect(&buf, "no samples to draw, 2026-03-10T10:00:00Z to 2026-03-10T10:59:00Z (UTC)\n");
    render_plot(&buf, &braille, list, names, 0, &hour, zone_utc(), NULL, 0);
    assert_non_null(strstr(buf_text(&buf), "no samples"));
    buf_clear(&buf);
    render_plot(&buf, &braille, list, names, 10, &hour, zone_utc(), NULL, 0);
    assert_non_null(strstr(buf_text(&buf), "2 more series not drawn\n"));
    buf_clear(&buf);
    struct render_terminal color = {100, true, true};
    struct render_mark marks[40];
    for (size_t i = 0; i < 40; i++)
        marks[i] = (struct render_mark){START + (int64_t)i * NS_PER_MIN, "\x1b[31mevil"};
    render_plot(&buf, &color, list, names, 3, &hour, zone_utc(), marks, 40);
    assert_non_null(strstr(buf_text(&buf), "\x1b[36m"));
    assert_null(strstr(buf_text(&buf), "\x1b[31mevil"));
    assert_non_null(strstr(buf_text(&buf), "8 more marks\n"));
    buf_clear(&buf);
    /* Extremes of doubles, one sample, constants. */
    static const double sets[][3] = {
        {1.7e308, -1.7e308, 0}, {5e-324, 0, 5e-324},   {3, 3, 3}, {0, 0, 0}, {NAN, INFINITY, 1},
        {-1e-9, -2e-9, -1e-9},  {1e15, 1e15 + 1, 1e15}};
    for (size_t i = 0; i < LENGTH(sets); i++) {
        struct series odd = {.values = sets[i],
                             .sample_count = 3,
                             .start_ns = START,
                             .step_ns = 20 * NS_PER_MIN,
                             .unit = i % 2 ? "By" : ""};
        const struct series *one = &odd;
        for (int columns = 40; columns <= 400; columns += 180) {
            struct render_terminal terminal = {columns, i % 2, true};
            render_plot(&buf, &terminal, &one, names, 1, &hour, zone_utc(), NULL, 0);
            assert_false(buf.failed);
            assert_non_null(strstr(buf_text(&buf), "last "));
            buf_clear(&buf);
        }
    }
    buf_finish(&buf);
}

static void test_axes(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        const char *unit;
        size_t count;
        const char *first, *last;
    } rows[] = {
        {0.2, 0.95, "", 6, "0", "1"},
        {95, 99, "%", 5, "95%", "99%"},
        {-3, 7, "", 7, "-4", "8"},
        {0, 3e9, "By", 4, "0 B", "3 GiB"},
        {0.01, 0.04, "s", 5, "0 s", "40 ms"},
        {1000.1, 1000.4, "", 4, "1000.1", "1000.4"},
        {7, 7, "", 5, "6", "8"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct axis axis;
        axis_make(&axis, rows[i].low, rows[i].high, rows[i].unit);
        if (axis.tick_count != rows[i].count || strcmp(axis.labels[0], rows[i].first) != 0 ||
            strcmp(axis.labels[axis.tick_count - 1], rows[i].last) != 0)
            fail_msg("row %zu: %zu ticks, \"%s\" to \"%s\"", i, axis.tick_count, axis.labels[0],
                     axis.labels[axis.tick_count - 1]);
        assert_true(axis.low <= rows[i].low && axis.high >= rows[i].high);
    }
    /* Local days, across a change of offset. */
    struct zone *zone = NULL;
    if (zone_open("Europe/Berlin", &zone, NULL))
        skip();
    struct time_window days = {INT64_C(1774656000) * NS_PER_S, INT64_C(1774915200) * NS_PER_S, 0,
                               ""};
    struct time_ticks ticks;
    time_ticks_make(&ticks, &days, zone, 40);
    assert_int_equal(ticks.count, 3);
    assert_string_equal(ticks.labels[0], "03-29");
    assert_string_equal(ticks.labels[1], "03-30");
    assert_int_equal(ticks.ns[1] - ticks.ns[0], 23 * NS_PER_HOUR);
    zone_unref(zone);
}

static void test_terminal(void **state)
{
    (void)state;
    struct render_terminal terminal;
    setenv("COLUMNS", "120", 1);
    setenv("LC_ALL", "", 1);
    setenv("LC_CTYPE", "de_DE.UTF-8", 1);
    setenv("LANG", "C", 1);
    FILE *file = tmpfile();
    assert_non_null(file);
    render_terminal_detect(fileno(file), &terminal);
    assert_int_equal(terminal.columns, 120);
    assert_true(terminal.unicode);
    assert_false(terminal.color);
    setenv("COLUMNS", "3", 1);
    setenv("LC_ALL", "C", 1);
    render_terminal_detect(fileno(file), &terminal);
    assert_int_equal(terminal.columns, 40);
    assert_false(terminal.unicode);
    setenv("COLUMNS", "9999", 1);
    render_terminal_detect(fileno(file), &terminal);
    assert_int_equal(terminal.columns, 400);
    setenv("COLUMNS", "many", 1);
    render_terminal_detect(fileno(file), &terminal);
    assert_int_equal(terminal.columns, 80);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_labels),
        cmocka_unit_test(test_table),        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_plot_braille), cmocka_unit_test(test_plot_ascii),
        cmocka_unit_test(test_plot_edges),   cmocka_unit_test(test_axes),
        cmocka_unit_test(test_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
