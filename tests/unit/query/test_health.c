/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "query/health.h"

#define UNIX0 (INT64_C(1750000000) * NS_PER_S)

static struct health health;
static int64_t now; /* monotonic; the wall clock goes with it */

static int setup(void **state)
{
    (void)state;
    now = 1000 * NS_PER_S;
    health_init(&health, 30 * NS_PER_S);
    return 0;
}

static struct backend_health show(void)
{
    struct backend_health shown;
    health_show(&health, now, UNIX0 + now, &shown);
    return shown;
}

static bool hear(enum health_verdict verdict, bool check, int64_t after_s, const char *reason)
{
    now += after_s * NS_PER_S;
    struct health_note note = {
        .verdict = verdict, .check = check, .took_ns = 20 * NS_PER_MS, .reason = reason};
    return health_hear(&health, &note, now, UNIX0 + now);
}

static bool good(int64_t after_s)
{
    return hear(VERDICT_GOOD, true, after_s, "");
}

static bool dead(int64_t after_s)
{
    return hear(VERDICT_HARD, true, after_s, "cannot connect");
}

static void test_unknown(void **state)
{
    (void)state;
    struct backend_health shown = show();
    assert_int_equal(shown.state, STATE_UNKNOWN);
    assert_true(shown.uptime_24h < 0);
    assert_int_equal(shown.p95_ms, -1);
    assert_false(hear(VERDICT_NONE, true, 1, "cancelled"));
    assert_int_equal(show().state, STATE_UNKNOWN);
    assert_int_equal(show().checked_ns, 0);
}

/* What never answered is unhealthy at once, what answered is healthy at once. */
static void test_first(void **state)
{
    (void)state;
    assert_true(dead(1));
    assert_int_equal(show().state, STATE_UNHEALTHY);
    assert_string_equal(show().reason, "cannot connect");
    setup(NULL);
    assert_true(good(1));
    struct backend_health shown = show();
    assert_int_equal(shown.state, STATE_HEALTHY);
    assert_string_equal(shown.reason, "");
    assert_int_equal(shown.checks, 1);
    assert_int_equal(shown.last_success_ns, UNIX0 + now);
    assert_int_equal(shown.changed_ns, UNIX0 + now);
}

/* Down needs two in a row, and up again too; a failure in between begins anew. */
static void test_hysteresis(void **state)
{
    (void)state;
    good(1);
    assert_true(dead(30)); /* trouble */
    assert_int_equal(show().state, STATE_DEGRADED);
    assert_string_equal(show().reason, "cannot connect");
    assert_true(good(1));
    assert_int_equal(show().state, STATE_HEALTHY); /* one alone is no outage */
    dead(30);
    assert_true(dead(1));
    assert_int_equal(show().state, STATE_UNHEALTHY);
    assert_true(good(5));
    assert_int_equal(show().state, STATE_DEGRADED);
    assert_non_null(strstr(show().reason, "answers again"));
    assert_non_null(strstr(show().reason, "cannot connect"));
    assert_true(good(5));
    assert_int_equal(show().state, STATE_HEALTHY);
    assert_int_equal(show().checks_failed, 3);
    assert_int_equal(show().last_failure_ns, UNIX0 + now - 10 * NS_PER_S);
}

static void test_login(void **state)
{
    (void)state;
    good(1);
    hear(VERDICT_FINAL, false, 1, "401");
    assert_int_equal(show().state, STATE_UNHEALTHY);
    assert_string_equal(show().reason, "401");
}

/* A call that ends badly makes nothing unhealthy however often; checks that do for a while say that it does not serve. */
static void test_soft(void **state)
{
    (void)state;
    good(1);
    for (int i = 0; i < 10; i++)
        hear(VERDICT_SOFT, false, 1, "busy");
    assert_int_equal(show().state, STATE_DEGRADED);
    good(1);
    assert_int_equal(show().state, STATE_HEALTHY);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(show().state, STATE_UNHEALTHY);
        hear(VERDICT_SOFT, true, 1, "busy");
    }
    assert_int_equal(show().state, STATE_UNHEALTHY);
}

/* Three times down within five minutes: degraded until two minutes are calm. */
static void test_flapping(void **state)
{
    (void)state;
    good(1);
    for (int i = 0; i < 3; i++) {
        dead(5);
        dead(1);
        assert_int_equal(show().state, STATE_UNHEALTHY);
        good(5);
        assert_int_equal(show().state, STATE_DEGRADED);
        good(5);
        assert_int_equal(show().state, i < 2 ? STATE_HEALTHY : STATE_DEGRADED);
    }
    assert_non_null(strstr(show().reason, "comes and goes"));
    assert_in_range(health_pause(&health, now), NS_PER_S, 5 * NS_PER_S);
    good(100);
    assert_int_equal(show().state, STATE_DEGRADED);
    good(20);
    assert_int_equal(show().state, STATE_HEALTHY);
    /* Three times in an hour is another matter. */
    for (int i = 0; i < 3; i++) {
        dead(1200);
        dead(1);
        good(5);
        good(5);
        assert_int_equal(show().state, STATE_HEALTHY);
    }
}

static void test_partial(void **state)
{
    (void)state;
    good(1);
    struct health_note note = {
        .verdict = VERDICT_GOOD, .partial = true, .reason = "2 of 5 stores did not answer"};
    health_hear(&health, &note, now, UNIX0 + now);
    assert_int_equal(show().state, STATE_HEALTHY);
    health_hear(&health, &note, now, UNIX0 + now);
    assert_int_equal(show().state, STATE_DEGRADED);
    assert_non_null(strstr(show().reason, "2 of 5 stores"));
    for (int i = 0; i < 7; i++)
        hear(VERDICT_GOOD, false, 1, "");
    assert_int_equal(show().state, STATE_HEALTHY);
    health_hear(&health, &note, now, UNIX0 + now);
    health_hear(&health, &note, now, UNIX0 + now);
    assert_int_equal(show().state, STATE_DEGRADED);
    good(301); /* long ago */
    assert_int_equal(show().state, STATE_HEALTHY);
}

static void slow_check(int64_t took_ms)
{
    struct health_note note = {
        .verdict = VERDICT_GOOD, .check = true, .took_ns = took_ms * NS_PER_MS};
    now += NS_PER_S;
    health_hear(&health, &note, now, UNIX0 + now);
}

static void test_slow(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        slow_check(10);
    assert_int_equal(show().p95_ms, 10);
    slow_check(4000); /* one of twenty is not what 95 % take */
    assert_int_equal(show().p95_ms, 10);
    assert_int_equal(show().state, STATE_HEALTHY);
    slow_check(1200);
    assert_int_equal(show().state, STATE_HEALTHY); /* below a quarter of five seconds */
    slow_check(1300);
    slow_check(1300);
    assert_int_equal(show().state, STATE_DEGRADED);
    assert_non_null(strstr(show().reason, "slow"));
    for (int i = 0; i < 20; i++)
        slow_check(1100); /* not well below it */
    assert_int_equal(show().state, STATE_DEGRADED);
    for (int i = 0; i < 20; i++)
        slow_check(900);
    assert_int_equal(show().state, STATE_HEALTHY);
    /* A connection with a short timeout is slow sooner; few times say nothing. */
    health_init(&health, 2 * NS_PER_S);
    for (int i = 0; i < 4; i++)
        slow_check(600);
    assert_int_equal(show().state, STATE_HEALTHY);
    slow_check(600);
    assert_int_equal(show().state, STATE_DEGRADED);
}

static void test_expiry(void **state)
{
    (void)state;
    good(1);
    health_expires(&health, UNIX0 + now + 8 * NS_PER_DAY, "the certificate", now, UNIX0 + now);
    assert_int_equal(show().state, STATE_HEALTHY);
    now += 2 * NS_PER_DAY;
    good(0);
    assert_int_equal(show().state, STATE_DEGRADED);
    assert_string_equal(show().reason, "the certificate expires in 6 days; renew it");
    health_expires(&health, UNIX0 + now + 90 * NS_PER_DAY, "the certificate", now, UNIX0 + now);
    assert_int_equal(show().state, STATE_HEALTHY);
    health_expires(&health, UNIX0 + now - 1, "the token", now, UNIX0 + now);
    assert_string_equal(show().reason, "the token has expired; renew it");
}

static void assert_near(double value, double wanted, double by)
{
    if (value < wanted - by || value > wanted + by)
        fail_msg("%f is not near %f", value, wanted);
}

static void test_uptime(void **state)
{
    (void)state;
    good(1);
    for (int i = 0; i < 90; i++)
        good(60);
    assert_near(show().uptime_24h, 1, 0);
    dead(60); /* the minute before it was well, as far as known */
    for (int i = 0; i < 9; i++)
        dead(60);
    good(60);
    /* 91 minutes up, 10 down */
    assert_near(show().uptime_24h, 91.0 / 101, 1e-9);
    /* Nothing is known of a long silence. */
    now += 10 * NS_PER_HOUR;
    assert_near(show().uptime_24h, 93.5 / 103.5, 1e-9);
    good(0);
    /* A day later the outage is forgotten. */
    for (int i = 0; i < 1440; i++)
        good(60);
    assert_near(show().uptime_24h, 1, 0);
    /* A few seconds are seen too. */
    dead(10);
    good(5);
    struct backend_health shown = show();
    assert_true(shown.uptime_24h < 1);
    assert_near(shown.uptime_24h, 1 - 5.0 / 86400, 1e-6);
    /* Gone for days: all of it is old. */
    now += 3 * NS_PER_DAY;
    assert_true(show().uptime_24h < 0);
}

/* Quick while it is not well, then growing to a minute; close while somebody cares, else every half minute. */
static void test_pause(void **state)
{
    (void)state;
    good(1);
    assert_int_equal(health_pause(&health, now), 30 * NS_PER_S);
    health_interest(&health, now);
    assert_int_equal(health_pause(&health, now), 4 * NS_PER_S);
    good(601);
    assert_int_equal(health_pause(&health, now), 30 * NS_PER_S);
    dead(30);
    assert_int_equal(health_pause(&health, now), NS_PER_S);
    dead(1);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(health_pause(&health, now), 5 * NS_PER_S);
        dead(5);
    }
    static const int64_t grown[] = {10, 20, 40, 60, 60, 60};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(health_pause(&health, now), grown[i] * NS_PER_S);
        dead(grown[i]);
    }
    good(60);
    assert_int_equal(health_pause(&health, now), 5 * NS_PER_S);
    good(5);
    assert_int_equal(health_pause(&health, now), 4 * NS_PER_S); /* it was down not long ago */
}

static void test_store(void **state)
{
    (void)state;
    assert_false(health_to_store(&health, now));
    good(1);
    assert_true(health_to_store(&health, now));
    good(30);
    assert_false(health_to_store(&health, now));
    dead(1);
    assert_true(health_to_store(&health, now));
    assert_false(health_to_store(&health, now));
    assert_true(health_to_store(&health, now + 5 * NS_PER_MIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_unknown, setup),
        cmocka_unit_test_setup(test_first, setup),
        cmocka_unit_test_setup(test_hysteresis, setup),
        cmocka_unit_test_setup(test_login, setup),
        cmocka_unit_test_setup(test_soft, setup),
        cmocka_unit_test_setup(test_flapping, setup),
        cmocka_unit_test_setup(test_partial, setup),
        cmocka_unit_test_setup(test_slow, setup),
        cmocka_unit_test_setup(test_expiry, setup),
        cmocka_unit_test_setup(test_uptime, setup),
        cmocka_unit_test_setup(test_pause, setup),
        cmocka_unit_test_setup(test_store, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
