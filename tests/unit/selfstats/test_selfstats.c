/* SPDX-License-Identifier: Apache-2.0 */
/* Counting from many threads, and the page to the byte. */
#include "cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "selfstats/limit_hits.h"
#include "selfstats/selfstats.h"

static struct stat_family calls = {.name = "test_calls_total",
                                   .help = "Calls, by tool.\nA \\ and a line end in the help.",
                                   .type = STAT_COUNTER,
                                   .labels = {"tool", "outcome"}};
static struct stat_family depth = {
    .name = "test_depth", .help = "How many wait.", .type = STAT_GAUGE};
static struct stat_family busy = {
    .name = "test_busy_seconds_total", .help = "Time.", .type = STAT_COUNTER, .seconds = true};
static struct stat_family took = {
    .name = "test_call_seconds", .help = "How long.", .type = STAT_HISTOGRAM, .labels = {"tool"}};

static char page_text[256 * 1024];

static const char *page(void)
{
    struct buf buf = BUF(sizeof page_text);
    stats_write(&buf);
    assert_false(buf.failed);
    snprintf(page_text, sizeof page_text, "%s", buf_text(&buf));
    buf_finish(&buf);
    return page_text;
}

static void collect_depth(void *user)
{
    stat_set(stat_child(&depth, NULL), *(int64_t *)user);
}

static void test_page(void **state)
{
    (void)state;
    static const char *const odd[] = {"b\\\"\n", "ok"};
    static const char *const plain[] = {"a", "error"};
    stat_add(stat_child(&calls, odd), 2);
    stat_add(stat_child(&calls, plain), 1);
    stat_add(stat_child(&busy, NULL), 1500 * NS_PER_MS);
    struct stat_child *child = stat_child(&took, plain);
    stat_observe(child, -5);
    stat_observe(child, NS_PER_MS);
    stat_observe(child, NS_PER_MS + 1);
    stat_observe(child, 3 * NS_PER_S);
    stat_observe(child, 90 * NS_PER_S);
    assert_int_equal(stat_value(child), 5);
    int64_t waiting = -3;
    assert_int_equal(stats_collect(collect_depth, &waiting), 0);
    static const char want[] =
        "# HELP test_busy_seconds_total Time.\n"
        "# TYPE test_busy_seconds_total counter\n"
        "test_busy_seconds_total 1.5\n"
        "# HELP test_call_seconds How long.\n"
        "# TYPE test_call_seconds histogram\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.001\"} 2\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.0025\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.005\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.01\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.025\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.05\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.1\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.25\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"0.5\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"1\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"2.5\"} 3\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"5\"} 4\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"10\"} 4\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"30\"} 4\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"60\"} 4\n"
        "test_call_seconds_bucket{tool=\"a\",le=\"+Inf\"} 5\n"
        "test_call_seconds_sum{tool=\"a\"} 93.002000001\n"
        "test_call_seconds_count{tool=\"a\"} 5\n"
        "# HELP test_calls_total Calls, by tool.\\nA \\\\ and a line end in the help.\n"
        "# TYPE test_calls_total counter\n"
        "test_calls_total{tool=\"a\",outcome=\"error\"} 1\n"
        "test_calls_total{tool=\"b\\\\\\\"\\n\",outcome=\"ok\"} 2\n"
        "# HELP test_depth How many wait.\n"
        "# TYPE test_depth gauge\n"
        "test_depth -3\n";
    assert_string_equal(page(), want);
    waiting = 7;
    assert_non_null(strstr(page(), "\ntest_depth 7\n"));
    stats_uncollect(collect_depth, &waiting);
    waiting = 8;
    assert_non_null(strstr(page(), "\ntest_depth 7\n"));
}

static void test_collectors_bounded(void **state)
{
    (void)state;
    static int64_t value = 1;
    for (int i = 0; i < 64; i++)
        assert_int_equal(stats_collect(collect_depth, &value), 0);
    assert_int_equal(stats_collect(collect_depth, &value), ERR_LIMIT);
    for (int i = 0; i < 64; i++)
        stats_uncollect(collect_depth, &value);
    stats_uncollect(collect_depth, &value); /* harmless */
    assert_int_equal(stats_collect(collect_depth, &value), 0);
    stats_uncollect(collect_depth, &value);
}

static struct stat_family many = {
    .name = "test_many_total", .help = "Bounded.", .type = STAT_COUNTER, .labels = {"n"}};

static void test_children_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        const char *values[] = {text};
        stat_add(stat_child(&many, values), 1);
    }
    static const char *const other[] = {"other"};
    static const char *const first[] = {"0"};
    static const char *const late[] = {"1999"};
    assert_int_equal(stat_value(stat_child(&many, other)), 2000 - (STAT_MAX_CHILDREN - 1));
    assert_int_equal(stat_value(stat_child(&many, first)), 1);
    assert_ptr_equal(stat_child(&many, late), stat_child(&many, other));
    /* A text too long or not UTF-8 is one child, too. */
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const char *values[] = {text};
    static struct stat_family one = {
        .name = "test_one_total", .help = "One.", .type = STAT_COUNTER, .labels = {"x"}};
    assert_ptr_equal(stat_child(&one, values), stat_child(&one, values));
    text[0] = (char)0xff;
    assert_ptr_equal(stat_child(&one, values), stat_child(&one, values));
    assert_int_equal(one.child_count, 2);
}

#define THREADS 4
#define ROUNDS 20000

static struct stat_family shared = {
    .name = "test_shared_total", .help = "Shared.", .type = STAT_COUNTER, .labels = {"n"}};
static struct stat_family timed = {
    .name = "test_timed_seconds", .help = "Timed.", .type = STAT_HISTOGRAM};

static void *count_much(void *argument)
{
    (void)argument;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    for (int i = 0; i < ROUNDS; i++) {
        stat_add(stat_child(&shared, &names[i % 7]), 1);
        stat_observe(stat_child(&timed, NULL), i * NS_PER_US);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
    /* A page made meanwhile has a +Inf bucket equal to its count. */
    for (int i = 0; i < 20; i++) {
        const char *inf = strstr(page(), "test_timed_seconds_bucket{le=\"+Inf\"} ");
        const char *count = strstr(page_text, "test_timed_seconds_count ");
        if (!inf)
            continue;
        assert_non_null(count);
        inf = strchr(inf, ' ') + 1;
        count = strchr(count, ' ') + 1;
        assert_memory_equal(inf, count, strcspn(inf, "\n") + 1);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    int64_t sum = 0;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    for (int i = 0; i < 7; i++)
        sum += stat_value(stat_child(&shared, &names[i]));
    assert_int_equal(sum, THREADS * ROUNDS);
    assert_int_equal(stat_value(stat_child(&timed, NULL)), THREADS * ROUNDS);
}

static void test_limits(void **state)
{
    (void)state;
    limits_show();
    assert_non_null(strstr(page(), "\nsonde_limit_hits_total{limit=\"calls_per_user\"} 0\n"));
    struct budget budget;
    budget_init(&budget, (size_t)48 << 20);
    struct err err = {0};
    assert_int_equal(limit_memory(&err, &budget, "a test"), ERR_BUSY);
    assert_string_equal(err.text, "no memory left for a test: the 48 MiB of limits.memory are in "
                                  "use; ask for less, or try again in 1 s");
    assert_int_equal(err.wait_ms, 1000);
    assert_non_null(strstr(page(), "\nsonde_limit_hits_total{limit=\"memory\"} 1\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page), /* first: the page holds no more than it touches */
        cmocka_unit_test(test_collectors_bounded),
        cmocka_unit_test(test_children_bounded),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
