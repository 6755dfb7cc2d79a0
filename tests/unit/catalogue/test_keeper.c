/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>
#include <time.h>

#include "catalogue/internal.h"
#include "fake_engine.h"

#define PATIENCE_NS (60 * NS_PER_S) /* beyond it something hangs; nothing here takes seconds */

static struct catalogue *catalogue;
static struct backend backends[70];

static void pause_ms(long ms)
{
    struct timespec wait = {.tv_nsec = ms * 1000000};
    nanosleep(&wait, NULL);
}

#define WAIT_FOR(condition)                                      \
    do {                                                         \
        int64_t until_ = clock_mono_ns() + PATIENCE_NS;          \
        while (!(condition)) {                                   \
            if (clock_mono_ns() > until_)                        \
                fail_msg("waited too long for: %s", #condition); \
            pause_ms(2);                                         \
        }                                                        \
    } while (0)

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < 70; i++)
        fake_backend(&backends[i], "b");
    fake_calls_busy(false);
    return catalogue_create(NULL, NULL, &catalogue, NULL);
}

static int teardown(void **state)
{
    (void)state;
    catalogue_destroy(catalogue);
    WAIT_FOR(fake_calls_running() == 0);
    for (size_t i = 0; i < 70; i++)
        WAIT_FOR(atomic_load(&backends[i].references) == 0);
    return 0;
}

/* Makes both of an entry's jobs due at once. */
static void due(size_t i)
{
    pthread_mutex_lock(&catalogue->lock);
    catalogue->entries[i]->check_at = catalogue->entries[i]->refresh_at = 0;
    pthread_cond_signal(&catalogue->wake);
    pthread_mutex_unlock(&catalogue->lock);
}

static int64_t seconds_to(size_t i, bool refresh)
{
    pthread_mutex_lock(&catalogue->lock);
    const struct entry *entry = catalogue->entries[i];
    int64_t at = refresh ? entry->refresh_at : entry->check_at;
    pthread_mutex_unlock(&catalogue->lock);
    return (at - clock_mono_ns()) / NS_PER_S;
}

static bool idle(size_t i)
{
    pthread_mutex_lock(&catalogue->lock);
    const struct entry *entry = catalogue->entries[i];
    int64_t now = clock_mono_ns();
    bool is =
        !entry->checking && !entry->refreshing && entry->check_at > now && entry->refresh_at > now;
    pthread_mutex_unlock(&catalogue->lock);
    return is;
}

static void test_keeps(void **state)
{
    (void)state;
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0);
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0); /* once is enough */
    assert_int_equal(catalogue_keeper_start(catalogue, NULL), 0);
    assert_int_not_equal(catalogue_keeper_start(catalogue, NULL), 0);
    due(0);
    WAIT_FOR(backends[0].asked[SONDE_KIND_HEALTH] == 1 &&
             backends[0].asked[SONDE_KIND_METRIC_NAMES] == 1 && idle(0));
    struct catalogue_snapshot *snapshot = catalogue_peek(catalogue, &backends[0]);
    assert_non_null(snapshot);
    catalogue_unref(snapshot);
    assert_in_range(seconds_to(0, false), 20, 36);
    assert_in_range(seconds_to(0, true), 230, 360);
}

static void test_backs_off(void **state)
{
    (void)state;
    backends[0].fail = SONDE_E_UNREACHABLE;
    backends[0].state = 3;
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0);
    assert_int_equal(catalogue_keeper_start(catalogue, NULL), 0);
    static const int64_t least[] = {40, 90, 190, 380, 760, 1430, 1430};
    static const int64_t most[] = {72, 144, 288, 576, 1152, 2160, 2160};
    for (unsigned i = 0; i < 7; i++) {
        due(0);
        WAIT_FOR(backends[0].asked[SONDE_KIND_METRIC_NAMES] == i + 1 && idle(0));
        assert_in_range(seconds_to(0, true), least[i], most[i]);
    }
    /* Back again: asked at once what it holds. */
    backends[0].fail = 0;
    backends[0].state = 1;
    pthread_mutex_lock(&catalogue->lock);
    catalogue->entries[0]->check_at = 0;
    pthread_cond_signal(&catalogue->wake);
    pthread_mutex_unlock(&catalogue->lock);
    WAIT_FOR(backends[0].asked[SONDE_KIND_METRIC_NAMES] == 8 && idle(0));
    assert_in_range(seconds_to(0, true), 230, 360);
}

/* The pause between checks is what the backend's health asks for; a change and a look bring the next one forward. */
static void test_pauses(void **state)
{
    (void)state;
    backends[0].pause_ns = 5 * NS_PER_S;
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0);
    assert_int_equal(catalogue_keeper_start(catalogue, NULL), 0);
    due(0);
    WAIT_FOR(backends[0].asked[SONDE_KIND_HEALTH] == 1 && idle(0));
    assert_in_range(seconds_to(0, false), 3, 6);
    backends[0].pause_ns = NS_PER_HOUR;
    due(0);
    WAIT_FOR(backends[0].asked[SONDE_KIND_HEALTH] == 2 && idle(0));
    assert_in_range(seconds_to(0, false), 2800, 4400);
    fake_health_changed(&backends[0]);
    assert_in_range(seconds_to(0, false), 0, 1);
    WAIT_FOR(backends[0].asked[SONDE_KIND_HEALTH] == 3 && idle(0));
    catalogue_look(catalogue, &backends[0]);
    assert_int_equal(atomic_load(&backends[0].interest), 1);
    WAIT_FOR(backends[0].asked[SONDE_KIND_HEALTH] == 4 && idle(0));
}

static atomic_uint told;

static void on_health(void *user)
{
    assert_ptr_equal(user, &told);
    atomic_fetch_add(&told, 1);
}

static void count_backend(void *user, struct backend *backend)
{
    assert_true(backend == &backends[0] || backend == &backends[1]);
    *(unsigned *)user += 1;
}

/* Who wants to know is told of those that are watched, and may go through them. */
static void test_watchers(void **state)
{
    (void)state;
    atomic_store(&told, 0);
    catalogue_on_health(catalogue, on_health, &told);
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0);
    assert_int_equal(catalogue_watch(catalogue, &backends[1]), 0);
    fake_health_changed(&backends[0]);
    fake_health_changed(&backends[2]);
    assert_int_equal(atomic_load(&told), 1);
    unsigned n = 0;
    assert_int_equal(catalogue_each(catalogue, count_backend, &n), 0);
    assert_int_equal(n, 2);
    catalogue_unwatch(catalogue, &backends[1]);
    n = 0;
    assert_int_equal(catalogue_each(catalogue, count_backend, &n), 0);
    assert_int_equal(n, 1);
}

/* Not more than 64 at work, and all get their turn. */
static void test_side_by_side(void **state)
{
    (void)state;
    for (size_t i = 0; i < 70; i++) {
        backends[i].hang = true;
        assert_int_equal(catalogue_watch(catalogue, &backends[i]), 0);
    }
    for (size_t i = 0; i < 70; i++)
        due(i);
    assert_int_equal(catalogue_keeper_start(catalogue, NULL), 0);
    WAIT_FOR(fake_calls_running() == 64);
    pause_ms(20);
    assert_int_equal(fake_calls_running(), 64);
    pthread_mutex_lock(&catalogue->lock);
    assert_int_equal(catalogue->job_count, 64);
    pthread_mutex_unlock(&catalogue->lock);
    /* the end: cancelled, not waited for */
    catalogue_keeper_stop(catalogue);
    WAIT_FOR(fake_calls_running() == 0);
}

static void test_busy(void **state)
{
    (void)state;
    fake_calls_busy(true);
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0);
    due(0);
    assert_int_equal(catalogue_keeper_start(catalogue, NULL), 0);
    WAIT_FOR(idle(0)); /* put off */
    assert_int_equal(backends[0].asked[SONDE_KIND_HEALTH], 0);
    fake_calls_busy(false);
    due(0);
    WAIT_FOR(backends[0].asked[SONDE_KIND_HEALTH] == 1);
}

static size_t entry_count(void)
{
    pthread_mutex_lock(&catalogue->lock);
    size_t count = catalogue->entry_count;
    pthread_mutex_unlock(&catalogue->lock);
    return count;
}

/* A connection that a reload took away: what runs on it ends, its entry goes, and a call that still holds it brings none back. */
static void test_unwatch(void **state)
{
    (void)state;
    backends[0].hang = true;
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0);
    assert_int_equal(catalogue_watch(catalogue, &backends[1]), 0);
    due(0);
    assert_int_equal(catalogue_keeper_start(catalogue, NULL), 0);
    WAIT_FOR(atomic_load(&backends[0].at_once) == 2);
    catalogue_unwatch(catalogue, &backends[0]);
    WAIT_FOR(entry_count() == 1);
    WAIT_FOR(atomic_load(&backends[0].references) == 0);
    assert_int_equal(atomic_load(&backends[1].references), 1);
    backends[0].hang = false;
    struct call *call = fake_call();
    struct backend *backend = &backends[0];
    struct catalogue_snapshot *snapshot = NULL;
    struct err err = {0};
    assert_int_equal(catalogue_fetch(catalogue, call, &backend, 1, &snapshot, &err), 0);
    assert_non_null(snapshot);
    catalogue_unref(snapshot);
    fake_call_free(call);
    assert_int_equal(entry_count(), 1);
    assert_null(catalogue_peek(catalogue, &backends[0]));
    catalogue_unwatch(catalogue, &backends[0]); /* once more does no harm */
    catalogue_unwatch(catalogue, &backends[1]);
    WAIT_FOR(entry_count() == 0);
}

static void test_stop_unstarted(void **state)
{
    (void)state;
    assert_int_equal(catalogue_watch(catalogue, &backends[0]), 0);
    catalogue_keeper_stop(catalogue);
    assert_int_not_equal(catalogue_keeper_start(catalogue, NULL), 0);
    assert_int_equal(backends[0].asked[SONDE_KIND_HEALTH], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backs_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pauses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watchers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_side_by_side, setup, teardown),
        cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unwatch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_unstarted, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
