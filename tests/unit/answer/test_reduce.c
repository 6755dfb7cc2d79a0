/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "answer/histogram.h"
#include "answer/write.h"
#include "base/clock.h"

#define N 241

static uint64_t seed = 1;

static double uniform(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double gauss(void)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += uniform();
    return sum - 6;
}

static struct series series_of(const double *values, size_t n)
{
    return (struct series){.values = values,
                           .sample_count = n,
                           .start_ns = 1000 * NS_PER_S,
                           .step_ns = 15 * NS_PER_S,
                           .unit = ""};
}

static struct series_summary summarise(const double *values, size_t n)
{
    struct series series = series_of(values, n);
    struct series_summary summary;
    series_summarise(&series, &summary);
    return summary;
}

enum kind {
    CONSTANT,
    GAUSS,
    UNIFORM,
    HEAVY,
    FLICKER,
    BIG_GAUSS,
    STEADY_KINDS,
    STEP = STEADY_KINDS,
    STEP_NOISY,
    SPIKE,
    SPIKE_NOISY,
    DROP,
    STEP_FROM_ZERO,
    KINDS
};

static void make(enum kind kind, double *v)
{
    for (int i = 0; i < N; i++) {
        switch (kind) {
        case CONSTANT:
            v[i] = 42;
            break;
        case GAUSS:
            v[i] = 10 + gauss();
            break;
        case UNIFORM:
            v[i] = uniform();
            break;
        case HEAVY:
            v[i] = -log(1 - uniform());
            break;
        case FLICKER:
            v[i] = uniform() < 0.1 ? 6 : 5;
            break;
        case BIG_GAUSS:
            v[i] = 1e9 + 3e8 * gauss();
            break;
        case STEP:
            v[i] = i < 150 ? 0.2 : 0.95;
            break;
        case STEP_NOISY:
            v[i] = (i < 90 ? 10 : 14) + gauss();
            break;
        case SPIKE:
            v[i] = i == 77 ? 9 : 3;
            break;
        case SPIKE_NOISY:
            v[i] = 10 + gauss() + (i >= 100 && i < 104 ? 25 : 0);
            break;
        case DROP:
            v[i] = 100 + gauss() - (i == 200 ? 60 : 0);
            break;
        case STEP_FROM_ZERO:
            v[i] = i < 200 ? 0 : 3;
            break;
        default:
            fail();
        }
    }
}

static void test_interest(void **state)
{
    (void)state;
    double v[N];
    for (int round = 0; round < 300; round++) {
        double steady = 0;
        for (enum kind kind = 0; kind < KINDS; kind++) {
            make(kind, v);
            struct series_summary summary = summarise(v, N);
            if (kind < STEADY_KINDS)
                steady = summary.interest > steady ? summary.interest : steady;
            else if (!(summary.interest > steady))
                fail_msg("round %d: kind %d has %g, a steady one %g", round, (int)kind,
                         summary.interest, steady);
        }
    }
}

static void test_trends(void **state)
{
    (void)state;
    static const struct {
        enum kind kind;
        const char *trend;
        int64_t changed_s;
    } rows[] = {
        {CONSTANT, "flat", 0},
        {STEP, "step up", 1000 + 150 * 15},
        {STEP_FROM_ZERO, "step up", 1000 + 200 * 15},
        {STEP_NOISY, "step up", -1},
        {SPIKE, "spike", 1000 + 77 * 15},
        {SPIKE_NOISY, "spike", -1},
        {DROP, "drop", 1000 + 200 * 15},
    };
    double v[N];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make(rows[i].kind, v);
        struct series_summary summary = summarise(v, N);
        assert_string_equal(summary.trend, rows[i].trend);
        if (rows[i].changed_s >= 0)
            assert_int_equal(summary.changed_ns, rows[i].changed_s * NS_PER_S);
    }
    for (int i = 0; i < N; i++)
        v[i] = 5 + i * 0.1 + gauss();
    assert_string_equal(summarise(v, N).trend, "rising");
    for (int i = 0; i < N; i++)
        v[i] = 500 - i;
    assert_string_equal(summarise(v, N).trend, "falling");
    double up = summarise(v, N).interest;
    struct series counter = series_of(v, N);
    counter.type = SONDE_TYPE_COUNTER;
    struct series_summary summary;
    series_summarise(&counter, &summary);
    assert_true(summary.interest < up / 5);
    for (int i = 0; i < N; i++)
        v[i] = i < 100 ? 0.95 : 0.2;
    assert_string_equal(summarise(v, N).trend, "step down");
    double few[] = {1, 2, 4};
    assert_string_equal(summarise(few, 3).trend, "rising");
    assert_string_equal(summarise(few, 1).trend, "flat");
}

static void test_numbers(void **state)
{
    (void)state;
    double v[100];
    for (int i = 0; i < 100; i++)
        v[i] = (i * 37) % 100 + 1;
    struct series_summary summary = summarise(v, 100);
    assert_int_equal(summary.count, 100);
    assert_true(summary.min == 1 && summary.max == 100 && summary.p95 == 95);
    assert_true(fabs(summary.avg - 50.5) < 1e-9);
    assert_true(summary.first == 1 && summary.last == v[99]);
    assert_int_equal(summary.max_ns, (1000 + 27 * 15) * NS_PER_S);
    assert_true(v[27] == 100);
    /* Sums beyond the largest double. */
    double huge[] = {1.7e308, 1.7e308, 1.7e308};
    assert_true(isfinite(summarise(huge, 3).avg));
    double none[] = {NAN, INFINITY, -INFINITY};
    summary = summarise(none, 3);
    assert_int_equal(summary.count, 0);
    summary = summarise(none, 0);
    assert_int_equal(summary.count, 0);
    double mixed[] = {1, NAN, 2, sample_missing(), 3};
    summary = summarise(mixed, 5);
    assert_int_equal(summary.count, 3);
    assert_true(summary.interest > 0);
    /* More samples than fit on the stack. */
    double *large = calloc(5000, sizeof *large);
    assert_non_null(large);
    for (int i = 0; i < 5000; i++)
        large[i] = i;
    summary = summarise(large, 5000);
    assert_true(summary.p95 == 4749);
    free(large);
}

static void test_downsample(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t n = (size_t)(uniform() * 300);
        size_t want = (size_t)(uniform() * 70);
        double v[300];
        size_t present = 0;
        for (size_t i = 0; i < n; i++) {
            v[i] = uniform() < 0.1 ? sample_missing() : uniform() < 0.05 ? NAN : gauss();
            present += !sample_is_missing(v[i]);
        }
        struct series series = series_of(v, n);
        size_t indices[70];
        size_t got = downsample_min_max(&series, want, indices);
        assert_true(got <= want);
        assert_true(got <= present);
        if (present <= want)
            assert_int_equal(got, present);
        double low = INFINITY;
        double high = -INFINITY;
        double kept_low = INFINITY;
        double kept_high = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            low = v[i] < low ? v[i] : low;
            high = v[i] > high ? v[i] : high;
        }
        for (size_t i = 0; i < got; i++) {
            assert_true(indices[i] < n && (!i || indices[i] > indices[i - 1]));
            assert_false(sample_is_missing(v[indices[i]]));
            kept_low = v[indices[i]] < kept_low ? v[indices[i]] : kept_low;
            kept_high = v[indices[i]] > kept_high ? v[indices[i]] : kept_high;
        }
        if (want >= 4)
            assert_true(low == kept_low && high == kept_high);
        if (want >= 2 && got >= 2) {
            for (size_t i = 0; i < indices[0]; i++)
                assert_true(sample_is_missing(v[i]));
            for (size_t i = indices[got - 1] + 1; i < n; i++)
                assert_true(sample_is_missing(v[i]));
        }
    }
}

static void test_quantiles(void **state)
{
    (void)state;
    const double lower[] = {0, 1, 2};
    const double upper[] = {1, 2, 4};
    const double counts[] = {10, 0, 10};
    struct histogram_point point = {
        .bucket_count = 3, .lower = lower, .upper = upper, .counts = counts, .count = 20};
    assert_true(fabs(histogram_quantile(&point, 0.25) - 0.5) < 1e-9);
    assert_true(fabs(histogram_quantile(&point, 0.5) - 1) < 1e-9);
    assert_true(fabs(histogram_quantile(&point, 0.75) - 2 * sqrt(2)) < 1e-9);
    assert_true(fabs(histogram_quantile(&point, 1) - 4) < 1e-9);
    const double open_lower[] = {-INFINITY, 5};
    const double open_upper[] = {5, INFINITY};
    const double ones[] = {1, 1};
    struct histogram_point open = {
        .bucket_count = 2, .lower = open_lower, .upper = open_upper, .counts = ones, .count = 2};
    assert_true(histogram_quantile(&open, 0.1) == 5 && histogram_quantile(&open, 0.9) == 5);
    struct histogram_point empty = {0};
    assert_true(isnan(histogram_quantile(&empty, 0.5)));
}

/* Counted once with o200k_base and with a Claude tokenizer; the larger number stands here. */
static void test_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t real;
        double above; /* accepted excess */
    } rows[] = {
        {"{\"metric\":{\"pod\":\"checkout-33\"},\"values\":[[1773140400,\"0.203799\"],"
         "[1773140505,\"0.219945\"],[1773140610,\"0.201352\"]],\"summary\":{\"min\":0.20015,"
         "\"max\":0.9697,\"avg\":0.45914,\"p95\":0.96706,\"last\":0.95466,"
         "\"trend\":\"step up\",\"changed_at\":1773142815}}",
         102, 1.2},
        {"{pod=\"checkout-33\"}: min 0.20015 max 0.9697 avg 0.45914 p95 0.96706 last 0.95466 step "
         "up "
         "at 11:40:15 11:00:00=0.203799 11:01:45=0.219945 11:03:30=0.201352",
         81, 1.2},
        {"The connection was refused: nothing listens at that address. Check that the server runs "
         "and "
         "that the port is right, then call list_connections again.",
         30, 1.35},
        {"{\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"span_id\":\"00f067aa0ba902b7\","
         "\"pod\":\"checkout-7d9f8b6c5-x2lqj\"}",
         61, 1.25},
        {"sum by (le, service) (rate(http_server_request_duration_seconds_bucket{status=~\"5..\","
         "job=\"api\"}[5m]))",
         36, 1.4},
        {"\xe8\xbf\x9e\xe6\x8e\xa5\xe8\xa2\xab\xe6\x8b\x92\xe7\xbb\x9d\xef\xbc\x8c"
         "\xe8\xaf\xb7\xe6\xa3\x80\xe6\x9f\xa5",
         12, 1.9},
    };
    assert_int_equal(tokens_json("", 0), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t json = tokens_json(rows[i].text, strlen(rows[i].text));
        size_t text = tokens_text(rows[i].text, strlen(rows[i].text));
        if ((double)json < 0.9 * (double)rows[i].real ||
            (double)text < 0.9 * (double)rows[i].real ||
            (double)json > rows[i].above * (double)rows[i].real)
            fail_msg("row %zu: estimated %zu, really %zu", i, json, rows[i].real);
    }
}

static void test_number_text(void **state)
{
    (void)state;
    static const struct {
        double value;
        int digits;
        const char *text;
    } rows[] = {
        {0, 6, "0"},
        {-0.0, 6, "0"},
        {1, 6, "1"},
        {1234567890123, 6, "1234567890123"},
        {0.1, 6, "0.1"},
        {1.0 / 3, 6, "0.333333"},
        {123456.789, 5, "123457"},
        {1e-7, 6, "1e-07"},
        {2.5e20, 6, "2.5e+20"},
        {-12.34567, 5, "-12.346"},
        {NAN, 6, "NaN"},
        {INFINITY, 6, "+Inf"},
        {-INFINITY, 6, "-Inf"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        number_text(text, rows[i].value, rows[i].digits);
        assert_string_equal(text, rows[i].text);
    }
    /* As printf writes it, but for the last digit of halves. */
    for (int i = 0; i < 20000; i++) {
        double value = (uniform() - 0.5) * pow(10, uniform() * 10 - 4);
        int digits = 3 + (int)(uniform() * 4);
        char text[32];
        size_t size = number_text(text, value, digits);
        assert_int_equal(size, strlen(text));
        if (fabs(strtod(text, NULL) - value) > 0.51 * pow(10, ceil(log10(fabs(value))) - digits))
            assert_true(fabs(value) >= pow(10, digits) && fabs(strtod(text, NULL) - value) <= 0.5);
        assert_true(strlen(text) <= (size_t)digits + 6);
    }
    struct buf buf = BUF(1000);
    write_seconds(&buf, 1500 * NS_PER_MS);
    buf_add_char(&buf, ' ');
    write_seconds(&buf, -NS_PER_MS);
    buf_add_char(&buf, ' ');
    write_line(&buf,
               "a\n\x1b[31m\xe2\x80\xae\xc2\x85\xff"
               "b",
               14, 100);
    buf_add_char(&buf, ' ');
    write_line(&buf, "\xc3\xa4\xc3\xa4", 4, 3);
    assert_string_equal(buf_text(&buf),
                        "1.5 -0.001 a\\n\\x1b[31m\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                        "b \xc3\xa4...");
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interest),    cmocka_unit_test(test_trends),
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_downsample),
        cmocka_unit_test(test_quantiles),   cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_number_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
