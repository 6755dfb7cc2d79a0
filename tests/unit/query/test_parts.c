/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: ids, storable text, facts, retries, what makes two queries one. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "query/facts.h"
#include "query/query_key.h"
#include "query/retry.h"
#include "query/text.h"

static void test_trace_ids(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"4BF92F3577B34DA6A3CE929D0E0E4736", "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"f92f3577b34da6a3ce929d0e0e4736", "00f92f3577b34da6a3ce929d0e0e4736"},
        {"a3ce929d0e0e4736", "0000000000000000a3ce929d0e0e4736"},
        {"S/kvNXezTaajzpKdDg5HNg==", "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"S_kvNXezTaajzpKdDg5HNg", "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"11803532876627986230", "0000000000000000a3ce929d0e0e4736"},
        {"100985939111033328018442752961257817910", "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"", ""},
        {"0", ""},
        {"00000000000000000000000000000000", ""},
        {"not an id", ""},
        {"4bf92f3577b34da6a3ce929d0e0e47361", ""},
        {"99999999999999999999999999999999999999999", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[33];
        assert_int_equal(text_trace_id(out, rows[i].text), rows[i].want[0] != '\0');
        assert_string_equal(out, rows[i].want);
    }
    char out[33];
    assert_false(text_trace_id(out, NULL));
}

static void test_span_ids(void **state)
{
    (void)state;
    char out[17];
    assert_true(text_span_id(out, "F067AA0BA902B7"));
    assert_string_equal(out, "00f067aa0ba902b7");
    assert_true(text_span_id(out, "APBnqgupArc="));
    assert_string_equal(out, "00f067aa0ba902b7");
    assert_true(text_span_id(out, "18446744073709551615"));
    assert_string_equal(out, "ffffffffffffffff");
    assert_false(text_span_id(out, "4bf92f3577b34da6a3ce929d0e0e4736"));
}

static void test_storable(void **state)
{
    (void)state;
    char out[64];
    assert_true(text_storable("abc\n\x1b", 5));
    assert_false(text_storable("a\0b", 3));
    assert_false(text_storable("a\xc3", 2));
    size_t n = text_store(out, "a\0\xc3\xa9\xc3", 5);
    assert_int_equal(n, 9);
    assert_memory_equal(out, "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd", 9);
}

static void test_facts(void **state)
{
    (void)state;
    struct facts facts;
    facts_init(&facts);
    struct arena arena;
    arena_init(&arena, 1 << 20, NULL);
    uint32_t n = 99;
    assert_non_null(facts_snapshot(&facts, &arena, &n));
    assert_int_equal(n, 0);
    char key[16];
    for (int i = 0; i < 32; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(facts_set(&facts, key, "v", 0), 0);
    }
    assert_int_equal(facts_set(&facts, "one more", "v", 0), ERR_LIMIT);
    assert_int_equal(facts_set(&facts, "k0", "other", 0), 0);
    assert_true(facts_until(&facts) == INT64_MAX);
    const struct sonde_pair *pairs = facts_snapshot(&facts, &arena, &n);
    assert_int_equal(n, 32);
    assert_string_equal(pairs[0].value, "other");
    char big[1100];
    memset(big, 'x', sizeof big);
    big[1022] = '\0';
    assert_int_equal(facts_set(&facts, "k1", big, 0), 0);
    big[1022] = 'x';
    big[1023] = '\0';
    assert_int_equal(facts_set(&facts, "k1", big, 0), ERR_LIMIT);
    /* A fact that has ended makes room. */
    assert_int_equal(facts_set(&facts, "k2", "soon gone", 1), 0);
    struct timespec moment = {.tv_nsec = 5000000};
    nanosleep(&moment, NULL);
    assert_int_equal(facts_set(&facts, "new", "v", 0), 0);
    arena_finish(&arena);
    facts_finish(&facts);
}

static void test_rates(void **state)
{
    (void)state;
    struct facts facts;
    facts_init(&facts);
    assert_true(rate_take(&facts, "a") == 0);
    rate_set(&facts, "a", 2, 60000);
    assert_true(rate_take(&facts, "a") == 0);
    assert_true(rate_take(&facts, "a") == 0);
    assert_true(rate_take(&facts, "a") > clock_mono_ns());
    assert_true(rate_take(&facts, "b") == 0);
    rate_set(&facts, "a", 0, 0);
    assert_true(rate_take(&facts, "a") == 0);
    facts_finish(&facts);
}

static void test_retries(void **state)
{
    (void)state;
    assert_true(retry_class(SONDE_E_THROTTLED, 0, 1, 0));
    assert_true(retry_class(SONDE_E_THROTTLED, SONDE_REQUEST_CREATES, 2, 0));
    assert_false(retry_class(SONDE_E_THROTTLED, 0, 3, 0));
    assert_false(retry_class(SONDE_E_THROTTLED, 0, 1, 1));
    assert_false(retry_class(SONDE_E_BUSY, 0, 1, 0));
    assert_true(retry_class(SONDE_E_BUSY, SONDE_REQUEST_IDEMPOTENT, 1, 0));
    static const int32_t never[] = {SONDE_E_TIMEOUT, SONDE_E_AUTH, SONDE_E_BAD_ANSWER,
                                    SONDE_E_STALE_FACTS};
    for (size_t i = 0; i < 4; i++)
        assert_false(retry_class(never[i], SONDE_REQUEST_IDEMPOTENT, 1, 0));
    for (int i = 0; i < 100; i++) {
        int64_t first = retry_wait_ns(1, 0);
        int64_t second = retry_wait_ns(2, 0);
        assert_true(first >= 150 * NS_PER_MS && first <= 250 * NS_PER_MS);
        assert_true(second >= 600 * NS_PER_MS && second <= 1000 * NS_PER_MS);
    }
    assert_true(retry_wait_ns(1, 1500) == 1500 * NS_PER_MS);
    assert_true(retry_wait_ns(1, INT64_MAX) == INT64_MAX);
}

static bool same(const struct sonde_query *a, const struct sonde_query *b)
{
    struct buf left = BUF(65536);
    struct buf right = BUF(65536);
    query_words(&left, a);
    query_words(&right, b);
    bool equal = left.size == right.size && memcmp(left.data, right.data, left.size) == 0;
    buf_finish(&left);
    buf_finish(&right);
    return equal;
}

static void test_keys(void **state)
{
    (void)state;
    const struct sonde_query base = {
        .kind = SONDE_KIND_LABEL_VALUES, .name = "job", .scope = "", .native = ""};
    struct sonde_query other = base;
    assert_true(same(&base, &other));
    other.deadline_ms = 5; /* when it must be there changes nothing in what is asked */
    assert_true(same(&base, &other));
    other.name = "jo";
    other.scope = "b";
    assert_false(same(&base, &other));
    const char *ab[] = {"a", "b"};
    const char *one[] = {"a\0\1b"};
    other = base;
    struct sonde_query third = base;
    other.by = ab;
    other.by_count = 2;
    third.by = one;
    third.by_count = 1;
    assert_false(same(&other, &third));
    const char *values[] = {"x"};
    struct sonde_filter filter = {
        .op = SONDE_OP_EQ, .logical = "pod", .native = "", .values = values, .value_count = 1};
    const struct sonde_filter *filters[] = {&filter};
    other = base;
    other.filters = filters;
    other.filter_count = 1;
    assert_false(same(&base, &other));
    third = other;
    struct sonde_filter negated = filter;
    negated.op = SONDE_OP_NE;
    const struct sonde_filter *others[] = {&negated};
    third.filters = others;
    assert_false(same(&other, &third));
    const struct sonde_filter *ordered[] = {&filter, &negated};
    const struct sonde_filter *turned[] = {&negated, &filter};
    other.filters = ordered;
    third.filters = turned;
    other.filter_count = third.filter_count = 2;
    assert_true(same(&other, &third)); /* all of them hold */
    other = base;
    third = base;
    other.native = "up == 1";
    other.native_size = 7;
    third.native = " up == 1\n";
    third.native_size = 9;
    assert_true(same(&other, &third));
    third.native = "up  == 1";
    third.native_size = 8;
    assert_false(same(&other, &third)); /* space may lie in a string */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_ids), cmocka_unit_test(test_span_ids),
        cmocka_unit_test(test_storable),  cmocka_unit_test(test_facts),
        cmocka_unit_test(test_rates),     cmocka_unit_test(test_retries),
        cmocka_unit_test(test_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
