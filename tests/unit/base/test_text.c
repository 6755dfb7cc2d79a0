/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

static void numbers_are_strict(void **state)
{
    (void)state;
    int64_t n = 7;
    assert_int_equal(str_to_int("-12", -100, 100, &n), 0);
    assert_int_equal(n, -12);
    assert_int_equal(str_to_int("9223372036854775807", INT64_MIN, INT64_MAX, &n), 0);
    static const char *const bad[] = {"",  " 1",  "1 ", "0x1", "1.0", "9223372036854775808",
                                      "+", "--1", "101"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(str_to_int(bad[i], -100, 100, &n), -1);
    double d = 0;
    assert_int_equal(str_to_double("1e3", &d), 0);
    assert_true(d == 1000);
    static const char *const bad_doubles[] = {"", "nan", "inf", "0x1p3", "1e999", " 1", "1,5"};
    for (size_t i = 0; i < ARRAY_SIZE(bad_doubles); i++)
        assert_int_equal(str_to_double(bad_doubles[i], &d), -1);
}

static void durations_and_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"1h30m", 5400 * INT64_C(1000000000)},
                {"250ms", 250000000},
                {"15", 15 * INT64_C(1000000000)},
                {"0", 0},
                {"1.5s", 1500000000},
                {"2d", 172800 * INT64_C(1000000000)}};
    int64_t ns;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_int_equal(str_to_duration(good[i].text, &ns), 0);
        assert_true(ns == good[i].ns);
    }
    static const char *const bad[] = {"", "h", "1x", "1h 30m", "-5m", "1h30", "1e3s", "999999999y"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(str_to_duration(bad[i], &ns), -1);
    uint64_t bytes;
    assert_int_equal(str_to_size("64MiB", &bytes), 0);
    assert_int_equal(bytes, 64 << 20);
    assert_int_equal(str_to_size("10k", &bytes), 0);
    assert_int_equal(bytes, 10000);
    assert_int_equal(str_to_size("10 k", &bytes), -1);
    assert_int_equal(str_to_size("-1", &bytes), -1);
}

static void globs(void **state)
{
    (void)state;
    assert_true(str_glob("prom-*", "prom-eu"));
    assert_true(str_glob("*a*b*", "xxaybz"));
    assert_true(str_glob("a?c", "abc"));
    assert_true(str_glob("*", ""));
    assert_false(str_glob("a?c", "ac"));
    assert_false(str_glob("prom", "prom-eu"));
}

static void nearest_match(void **state)
{
    (void)state;
    static const char *const tools[] = {"query_metrics", "list_metrics", "list_connections"};
    assert_string_equal(str_nearest("query_metric", tools, 3), "query_metrics");
    assert_string_equal(str_nearest("querymetrics", tools, 3), "query_metrics");
    assert_string_equal(str_nearest("list_conections", tools, 3), "list_connections");
    assert_string_equal(str_nearest("connections", tools, 3), "list_connections");
    assert_null(str_nearest("frobnicate", tools, 3));
    assert_null(str_nearest("", tools, 3));
    static const char *const keys[] = {"connection_id", "time_range"};
    assert_string_equal(str_nearest("conection_id", keys, 2), "connection_id");
    assert_string_equal(str_nearest("timerange", keys, 2), "time_range");
}

static void utf8(void **state)
{
    (void)state;
    assert_true(utf8_valid("z\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    static const char *const bad[] = {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82", "\x80",         "\xc3"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
    char out[16];
    assert_int_equal(utf8_clean(out, sizeof out, "a\0b\x1b\xff", 5), 11);
    assert_string_equal(out, "a\xef\xbf\xbd"
                             "b\xef\xbf\xbd\xef\xbf\xbd");
    char narrow[4];
    assert_int_equal(utf8_clean(narrow, sizeof narrow, "ab\xc3\xa9", 4), 2); /* no half character */
    assert_int_equal(utf8_columns("e\xcc\x81\xe6\x97\xa5", 6), 3);
}

static void errors_keep_whole_characters(void **state)
{
    (void)state;
    struct err err;
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text);
    memcpy(long_text + 1534, "\xe2\x82\xac", 3);
    long_text[1999] = '\0';
    assert_int_equal(err_set(&err, ERR_INVALID, "%s", long_text), ERR_INVALID);
    assert_true(utf8_valid(err.text, strlen(err.text)));
    err_set(&err, ERR_LIMIT, "too many");
    err_prefix(&err, "%s:%d: ", "f.yaml", 3);
    assert_string_equal(err.text, "f.yaml:3: too many");
}

static void json_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"{'a':1}",
                                      "{\"a\":NaN}",
                                      "{\"a\":1,\"a\":2}",
                                      "[18446744073709551616]",
                                      "{\"a\\u0000b\":1}",
                                      "[1,]",
                                      "",
                                      "[[[[[[[[[[1]]]]]]]]]]",
                                      "\"\\ud800\"",
                                      "[1] x"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct json_object *object = NULL;
        struct err err = {0};
        assert_int_not_equal(json_parse(bad[i], strlen(bad[i]), 8, &object, &err), 0);
        assert_null(object);
        assert_true(err.text[0] != '\0');
    }
    CLEANUP(json_putp) struct json_object *object = NULL;
    const char text[] = "{\"a\":{\"a\":0.95},\"b\":\"x/y\",\"c\":9007199254740993,\"d\":[]}";
    struct err err = {0};
    assert_int_equal(json_parse(text, strlen(text), 8, &object, &err), 0);
    struct buf buf = BUF(1000);
    buf_json_object(&buf, object);
    assert_string_equal(buf_text(&buf), text);
    buf_finish(&buf);
    assert_string_equal(json_string_of(object, "b"), "x/y");
    assert_null(json_string_of(object, "c"));
}

static void files_are_bounded(void **state)
{
    (void)state;
    char path[] = "/tmp/sonde-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    char *data = NULL;
    size_t size = 0;
    struct err err = {0};
    assert_int_equal(file_read(path, 10, &data, &size, &err), 0);
    assert_int_equal(size, 10);
    assert_string_equal(data, "0123456789");
    mem_free(data);
    assert_int_equal(file_read(path, 9, &data, &size, &err), ERR_LIMIT);
    /* An empty file is an empty text, whatever the memory held before. */
    char *before = mem_alloc(101);
    memset(before, 'A', 101);
    mem_free(before);
    assert_int_equal(file_read("/dev/null", 100, &data, &size, &err), 0);
    assert_int_equal(size, 0);
    assert_string_equal(data, "");
    mem_free(data);
    unlink(path);
    assert_int_equal(file_read(path, 10, &data, &size, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, path));
}

static void ids_sort_by_time_and_never_repeat(void **state)
{
    (void)state;
    char before[37] = "";
    for (int i = 0; i < 5000; i++) {
        char id[37];
        uuid7(id);
        assert_true(strcmp(id, before) > 0);
        assert_int_equal(id[14], '7');
        memcpy(before, id, sizeof before);
    }
    char handle[33];
    rand_handle(handle, 32);
    assert_int_equal(strlen(handle), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(durations_and_sizes),
        cmocka_unit_test(globs),
        cmocka_unit_test(nearest_match),
        cmocka_unit_test(utf8),
        cmocka_unit_test(errors_keep_whole_characters),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(files_are_bounded),
        cmocka_unit_test(ids_sort_by_time_and_never_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
