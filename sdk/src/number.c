/* SPDX-License-Identifier: Apache-2.0 */
#include <sonde/json.h>

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX ((size_t)1024)
#define EXPONENT_CLAMP 100000

/* Sign, digits and exponent of a decimal number; the digits stay in the text. */
struct decimal {
    const char *whole;
    size_t whole_size;
    const char *fraction;
    size_t fraction_size;
    int32_t exponent;
    int negative;
};

static size_t count_digits(const char *text, size_t size)
{
    size_t n = 0;
    while (n < size && text[n] >= '0' && text[n] <= '9')
        n++;
    return n;
}

static int read_exponent(const char *text, size_t size, int32_t *ret_exponent)
{
    size_t i = 0;
    int negative = 0;
    if (i < size && (text[i] == '+' || text[i] == '-'))
        negative = text[i++] == '-';
    const size_t n = count_digits(text + i, size - i);
    if (!n || i + n != size)
        return -1;
    int32_t exponent = 0;
    for (; i < size; i++) {
        if (exponent < EXPONENT_CLAMP)
            exponent = exponent * 10 + (text[i] - '0');
    }
    *ret_exponent = negative ? -exponent : exponent;
    return 0;
}

static int read_decimal(const char *text, size_t size, struct decimal *ret)
{
    struct decimal d = {0};
    size_t i = 0;
    if (size > NUMBER_MAX)
        return -1;
    if (i < size && (text[i] == '+' || text[i] == '-'))
        d.negative = text[i++] == '-';
    d.whole = text + i;
    d.whole_size = count_digits(text + i, size - i);
    i += d.whole_size;
    d.fraction = text + i;
    if (i < size && text[i] == '.') {
        i++;
        d.fraction = text + i;
        d.fraction_size = count_digits(text + i, size - i);
        i += d.fraction_size;
    }
    if (d.whole_size + d.fraction_size == 0)
        return -1;
    if (i < size) {
        if (text[i] != 'e' && text[i] != 'E')
            return -1;
        if (read_exponent(text + i + 1, size - i - 1, &d.exponent))
            return -1;
    }
    *ret = d;
    return 0;
}

static uint32_t digit_at(const struct decimal *d, size_t i)
{
    if (i < d->whole_size)
        return (uint32_t)(d->whole[i] - '0');
    i -= d->whole_size;
    return i < d->fraction_size ? (uint32_t)(d->fraction[i] - '0') : 0;
}

/* d * 10^shift; with exact, a fraction that remains is an error, else it is rounded away from 0 at half. */
static int scale_to_int64(const struct decimal *d, int32_t shift, int exact, int64_t *ret_value)
{
    const size_t count = d->whole_size + d->fraction_size;
    const int64_t point = (int64_t)d->whole_size + d->exponent + shift;
    const uint64_t limit = (uint64_t)INT64_MAX + (d->negative ? 1u : 0u);
    uint64_t value = 0;
    size_t first = 0;
    while (first < count && digit_at(d, first) == 0)
        first++;
    if (first == count) {
        *ret_value = 0;
        return 0;
    }
    for (int64_t i = (int64_t)first; i < point; i++) {
        const uint32_t digit = digit_at(d, (size_t)i);
        if (value > (limit - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    if (exact) {
        for (size_t i = point > (int64_t)first ? (size_t)point : first; i < count; i++) {
            if (digit_at(d, i))
                return -1;
        }
    } else if (point >= 0 && digit_at(d, (size_t)point) >= 5) {
        if (value == limit)
            return -1;
        value++;
    }
    if (d->negative)
        *ret_value = value > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)value;
    else
        *ret_value = (int64_t)value;
    return 0;
}

int sonde_parse_int64(const char *text, size_t size, int64_t *ret_value)
{
    struct decimal d;
    if (read_decimal(text, size, &d))
        return -1;
    return scale_to_int64(&d, 0, 1, ret_value);
}

/* A timestamp as backends write it, "1729425600.123", in one pass; else -1, which says nothing about it. */
static int plain_seconds(const char *text, size_t size, int64_t *ret_ns)
{
    static const uint64_t scale[] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                     10000,      1000,      100,      10,      1};
    uint64_t value = 0;
    size_t i = 0;
    while (i < size && text[i] >= '0' && text[i] <= '9')
        value = value * 10 + (uint64_t)(text[i++] - '0');
    if (i == 0 || i > 10 || (i < size && text[i] != '.'))
        return -1;
    const size_t point = i < size ? i + 1 : i;
    for (i = point; i < size && text[i] >= '0' && text[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (i < size || size - point > 9)
        return -1;
    value *= scale[size - point];
    if (value > (uint64_t)INT64_MAX)
        return -1;
    *ret_ns = (int64_t)value;
    return 0;
}

int sonde_parse_seconds_ns(const char *text, size_t size, int64_t *ret_ns)
{
    struct decimal d;
    if (plain_seconds(text, size, ret_ns) == 0)
        return 0;
    if (read_decimal(text, size, &d))
        return -1;
    return scale_to_int64(&d, 9, 0, ret_ns);
}

static int same_word(const char *text, size_t size, const char *word)
{
    if (size != strlen(word))
        return 0;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c) != word[i])
            return 0;
    }
    return 1;
}

static int read_word(const char *text, size_t size, double *ret_value)
{
    int negative = 0;
    if (size && (*text == '+' || *text == '-')) {
        negative = *text == '-';
        text++;
        size--;
    }
    if (same_word(text, size, "nan")) {
        *ret_value = (double)NAN;
        return 0;
    }
    if (!same_word(text, size, "inf") && !same_word(text, size, "infinity"))
        return -1;
    *ret_value = negative ? -(double)INFINITY : (double)INFINITY;
    return 0;
}

/* strtod reads by the thread's locale, so the thread gets the C locale for the moment. */
static int slow_double(const char *text, size_t size, double *ret_value)
{
    char copy[NUMBER_MAX + 1];
    memcpy(copy, text, size);
    copy[size] = '\0';
    const locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return -1;
    const locale_t before = uselocale(c_locale);
    *ret_value = strtod(copy, NULL);
    uselocale(before);
    freelocale(c_locale);
    return 0;
}

#if LDBL_MANT_DIG == 64
/*
 * Up to 19 digits and powers of ten up to 27 are exact in a long double of 64 bits, so one operation gives
 * the value rounded to 64 bits. Rounding that to 53 is right unless it lies just half-way between two
 * doubles, where the first rounding may have hidden on which side it was.
 */
static int long_double(uint64_t mantissa, int32_t exponent, double *ret_value)
{
    static const long double powers[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                         1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                         1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                         1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    if (exponent < -27 || exponent > 27)
        return -1;
    const long double m = (long double)mantissa;
    const long double value = exponent < 0 ? m / powers[-exponent] : m * powers[exponent];
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if ((bits & 0x7ffu) == 0x400u)
        return -1;
    *ret_value = (double)value;
    return 0;
}
#else
static int long_double(uint64_t mantissa, int32_t exponent, double *ret_value)
{
    (void)mantissa;
    (void)exponent;
    (void)ret_value;
    return -1;
}
#endif

/* 0 when the value is surely the nearest double. */
static int fast_double(const struct decimal *d, double *ret_value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    uint64_t mantissa = 0;
    size_t i = 0;
    const char *at = d->whole;
    const char *end = at + d->whole_size;
    while (at < end && *at == '0')
        at++;
    i = (size_t)(end - at);
    if (i > 19)
        return -1;
    for (; at < end; at++)
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    at = d->fraction;
    end = at + d->fraction_size;
    while (!mantissa && at < end && *at == '0')
        at++;
    if (i + (size_t)(end - at) > 19)
        return -1;
    for (; at < end; at++)
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    const int32_t exponent = d->exponent - (int32_t)d->fraction_size;
    if (mantissa == 0) {
        *ret_value = 0.0;
        return 0;
    }
    /* With x87 arithmetic the line below would round twice. */
    if (FLT_EVAL_METHOD != 0 || mantissa > (UINT64_C(1) << 53) || exponent < -22 || exponent > 22)
        return long_double(mantissa, exponent, ret_value);
    const double m = (double)mantissa;
    *ret_value = exponent < 0 ? m / powers[-exponent] : m * powers[exponent];
    return 0;
}

int sonde_parse_double(const char *text, size_t size, double *ret_value)
{
    struct decimal d;
    double value;
    if (read_decimal(text, size, &d))
        return read_word(text, size, ret_value);
    if (fast_double(&d, &value) == 0) {
        *ret_value = d.negative ? -value : value;
        return 0;
    }
    return slow_double(text, size, ret_value);
}
