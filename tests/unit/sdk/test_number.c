/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sonde/json.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In memory of just that size: nothing may rely on a NUL. */
static int parse_double(const char *text, double *ret_value)
{
    const size_t size = strlen(text);
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    const int rc = sonde_parse_double(copy, size, ret_value);
    free(copy);
    return rc;
}

static void assert_double(const char *text)
{
    double value = 42;
    const double wanted = strtod(text, NULL);
    assert_int_equal(parse_double(text, &value), 0);
    if (memcmp(&value, &wanted, sizeof(value)))
        fail_msg("%s gave %.17g instead of %.17g", text, value, wanted);
}

static void test_double_exact(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        "0.1",
                                        "0.95",
                                        "1e22",
                                        "1e23",
                                        "1e-22",
                                        "123456789012345e22",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "1.7976931348623157e308",
                                        "1.8e308",
                                        "-1e400",
                                        "5e-324",
                                        "2e-324",
                                        "2.2250738585072011e-308",
                                        "0.000000000000000000000000000001",
                                        "1234567890123456789",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "99999999999999999999999",
                                        "0.01234567890123456789",
                                        "1.7954208E9",
                                        ".5",
                                        "5.",
                                        "+3",
                                        "1E+2",
                                        "9007199254740993e-1",
                                        "4503599627370497.5",
                                        "9223372036854775807.5",
                                        "10000000000000000000000000000000000000000e-40",
                                        "0e99999999999",
                                        "1e-99999999999"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_double(texts[i]);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Doubles of any bits, printed with 15 to 19 digits, and halves between doubles. */
static void test_double_random(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    char text[64];
    for (int i = 0; i < 200000; i++) {
        double value;
        uint64_t bits = next_random(&seed);
        if (i & 1)
            bits = (bits & ~(UINT64_C(0x7ff) << 52)) | (UINT64_C(1023) - 30 + bits % 60) << 52;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof(text), "%.*g", 15 + i % 5, value);
        assert_double(text);
        snprintf(text, sizeof(text), "%" PRIu64 "e%d", next_random(&seed) >> (i % 12), i % 61 - 30);
        assert_double(text);
        snprintf(text, sizeof(text), "%" PRIu64 ".5",
                 (next_random(&seed) >> 11) | UINT64_C(1) << 52);
        assert_double(text);
    }
}

static void test_double_words(void **state)
{
    (void)state;
    double value = 0;
    assert_int_equal(parse_double("NaN", &value), 0);
    assert_true(isnan(value));
    assert_int_equal(parse_double("+Inf", &value), 0);
    assert_true(isinf(value) && value > 0);
    assert_int_equal(parse_double("-Inf", &value), 0);
    assert_true(isinf(value) && value < 0);
    assert_int_equal(parse_double("Infinity", &value), 0);
    static const char *const wrong[] = {"",   "-",  ".",   "1x",   "0x10", "1e",    "1e+",
                                        " 1", "1 ", "1,5", "Info", "nano", "1_000", "--1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        value = 42;
        assert_int_equal(parse_double(wrong[i], &value), -1);
        assert_true(value == 42);
    }
}

static void test_double_long(void **state)
{
    (void)state;
    char text[1100];
    double value = 42;
    memset(text, '0', sizeof(text));
    memcpy(text, "0.", 2);
    text[1023] = '1';
    text[1024] = '\0';
    assert_int_equal(parse_double(text, &value), 0);
    assert_true(value == 0.0);
    text[1024] = '1';
    text[1025] = '\0';
    assert_int_equal(parse_double(text, &value), -1);
}

static void test_int64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        int64_t value;
    } cases[] = {{"0", 0, 0},
                 {"-0", 0, 0},
                 {"9223372036854775807", 0, INT64_MAX},
                 {"-9223372036854775808", 0, INT64_MIN},
                 {"9223372036854775808", -1, 0},
                 {"-9223372036854775809", -1, 0},
                 {"99999999999999999999", -1, 0},
                 {"12.0", 0, 12},
                 {"12.5", -1, 0},
                 {"1.5e1", 0, 15},
                 {"1.25e1", -1, 0},
                 {"1e18", 0, INT64_C(1000000000000000000)},
                 {"1e19", -1, 0},
                 {"1000e-3", 0, 1},
                 {"1e-1", -1, 0},
                 {"0e999999999", 0, 0},
                 {"1e999999999", -1, 0},
                 {"00012", 0, 12},
                 {"", -1, 0},
                 {"abc", -1, 0},
                 {"NaN", -1, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = 7;
        assert_int_equal(sonde_parse_int64(cases[i].text, strlen(cases[i].text), &value),
                         cases[i].code);
        assert_true(value == (cases[i].code ? 7 : cases[i].value));
    }
}

static void test_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        int64_t ns;
    } cases[] = {{"1729425600.123", 0, INT64_C(1729425600123000000)},
                 {"1729425600", 0, INT64_C(1729425600000000000)},
                 {"1729425600.", 0, INT64_C(1729425600000000000)},
                 {"1.7954208E9", 0, INT64_C(1795420800000000000)},
                 {"1.729425600123e+09", 0, INT64_C(1729425600123000000)},
                 {"1729425600.123456789", 0, INT64_C(1729425600123456789)},
                 {"1729425600.1234567895", 0, INT64_C(1729425600123456790)},
                 {"1729425600.1234567894", 0, INT64_C(1729425600123456789)},
                 {"-1.5", 0, -1500000000},
                 {"-0.0000000005", 0, -1},
                 {"0.0000000004", 0, 0},
                 {"9223372036.854775807", 0, INT64_MAX},
                 {"9223372036.854775808", -1, 0},
                 {"9223372036.8547758075", -1, 0},
                 {"9999999999.999999999", -1, 0},
                 {"-9223372036.854775808", 0, INT64_MIN},
                 {"1e10", -1, 0},
                 {"", -1, 0},
                 {".", -1, 0},
                 {"1.2.3", -1, 0},
                 {"12:30", -1, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = 7;
        assert_int_equal(sonde_parse_seconds_ns(cases[i].text, strlen(cases[i].text), &ns),
                         cases[i].code);
        if (ns != (cases[i].code ? 7 : cases[i].ns))
            fail_msg("%s gave %" PRId64, cases[i].text, ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_double_exact), cmocka_unit_test(test_double_random),
        cmocka_unit_test(test_double_words), cmocka_unit_test(test_double_long),
        cmocka_unit_test(test_int64),        cmocka_unit_test(test_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
