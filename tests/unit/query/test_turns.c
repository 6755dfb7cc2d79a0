/* SPDX-License-Identifier: Apache-2.0 */
/* The engine where its requests wait for a turn and its answers for a permit to compute. */
#include "engine_fixture.h"

#include <pthread.h>
#include <stdio.h>

#include "base/thread.h"
#include "query/backend.h"

#define LONG (20 * NS_PER_S)
#define SHORT (150 * NS_PER_MS)

struct caller {
    pthread_t thread;
    struct principal principal;
    struct permits *permits;
    struct call *_Atomic call;
    struct sonde_query query;
    struct engine_item item;
    int64_t deadline_ns;
    atomic_bool over;
};

static void run(struct call *call, void *argument)
{
    struct caller *caller = argument;
    call->permit.permits = caller->permits;
    atomic_store(&caller->call, call);
    caller->item.backend = f.backend;
    caller->item.query = &caller->query;
    assert_int_equal(engine_run(f.engine, call, &caller->item, 1), 0);
    assert_false(call->permit.held);
    atomic_store(&caller->call, NULL);
}

static void *live(void *argument)
{
    struct caller *caller = argument;
    call_run(NULL, &f.budget, &caller->principal, clock_mono_ns() + caller->deadline_ns, run,
             caller, NULL);
    atomic_store(&caller->over, true);
    return NULL;
}

static void start(struct caller *caller, const char *user, uint32_t kind, bool share,
                  int64_t deadline_ns, struct permits *permits)
{
    *caller = (struct caller){.query = fixture_query(kind),
                              .item.share = share,
                              .deadline_ns = deadline_ns,
                              .permits = permits};
    snprintf(caller->principal.id, sizeof caller->principal.id, "%s", user);
    assert_int_equal(thread_start(&caller->thread, "test", 512 * 1024, live, caller), 0);
}

static struct engine_item *join(struct caller *caller)
{
    pthread_join(caller->thread, NULL);
    return &caller->item;
}

static void rule(const char *path, bool hang)
{
    fake_io_add(&(struct fake_rule){.path = path, .status = 200, .body = "n x\n", .hang = hang});
}

static void again(uint32_t per_connection, uint32_t per_user)
{
    fixture_down();
    f.settings.per_connection = per_connection;
    f.settings.per_user = per_user;
    fixture_up();
}

/* One holds the only place; others' time runs out while they wait for it. */
static void wait_in_vain(const char *holder, const char *waiter, bool share, const char *text)
{
    toy_request("/api/slow", 0);
    rule("/api/slow", true);
    struct caller slow;
    struct caller late;
    start(&slow, holder, SONDE_KIND_METRICS, false, LONG, NULL);
    assert_true(fake_io_wait_sent(1));
    start(&late, waiter, share ? SONDE_KIND_METRIC_NAMES : SONDE_KIND_METRICS, share, SHORT, NULL);
    const struct engine_item *item = join(&late);
    assert_int_equal(item->err.code, SONDE_E_DEADLINE);
    if (!strstr(item->err.text, text))
        assert_string_equal(item->err.text, text);
    assert_true(strstr(item->err.text, "no turn within 0.1"));
    assert_int_equal(item->err.wait_ms, 5000);
    assert_int_equal(fake_io_count(), 1);
    fake_io_let("/api/slow");
    assert_int_equal(join(&slow)->err.code, 0);
    result_unref(slow.item.result);
}

static void test_in_flight(void **state)
{
    (void)state;
    again(1, 0);
    wait_in_vain("a", "b", false,
                 "1 requests to this connection are under way, as many as limits.in_flight allows");
}

static void test_in_flight_of_a_flight(void **state)
{
    (void)state;
    again(1, 0);
    wait_in_vain("a", "b", true, "as many as limits.in_flight allows");
}

static void test_in_flight_per_user(void **state)
{
    (void)state;
    again(4, 1);
    wait_in_vain("a", "a", false,
                 "1 requests of yours to this connection are under way, as many as "
                 "limits.in_flight_per_user allows");
}

/* Until so many users wait for a turn. */
static void wait_for_users(unsigned users)
{
    struct gate *gate = f.backend->gate;
    int64_t until = clock_mono_ns() + LONG;
    for (unsigned waiting = 0; waiting < users;) {
        assert_true(clock_mono_ns() < until);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        pthread_mutex_lock(&gate->lock);
        waiting = 0;
        for (const struct gate_user *user = gate->users; user; user = user->next)
            waiting += user->first != NULL;
        pthread_mutex_unlock(&gate->lock);
    }
}

/* One user's twenty requests do not make another's one wait for all of them. */
static void test_flood(void **state)
{
    (void)state;
    again(2, 0);
    for (int i = 0; i < 20; i++)
        toy_request("/api/flood", SONDE_REQUEST_MORE);
    rule("/api/flood", true);
    struct caller flood[2];
    start(&flood[0], "flood", SONDE_KIND_METRICS, false, LONG, NULL);
    start(&flood[1], "flood", SONDE_KIND_METRICS, false, LONG, NULL);
    assert_true(fake_io_wait_sent(2));
    struct caller late;
    start(&late, "late", SONDE_KIND_METRICS, false, LONG, NULL);
    wait_for_users(2);
    /* Its requests come as often as the flood's of both, so it ends while they are at half. */
    size_t sent = 2;
    while (!atomic_load(&late.over)) {
        fake_io_let("/api/flood");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        sent = fake_io_count();
    }
    assert_int_equal(join(&late)->err.code, 0);
    assert_true(sent <= 50);
    result_unref(late.item.result);
    while (!atomic_load(&flood[0].over) || !atomic_load(&flood[1].over))
        fake_io_let("/api/flood");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(join(&flood[i])->err.code, 0);
        result_unref(flood[i].item.result);
    }
    assert_int_equal(fake_io_count(), 60);
    assert_true(fake_io_peak() <= 2);
}

/* ---- Permits ---- */

static char blank[4096]; /* lines without a word: read, and nothing comes of them */

static void large_answer(void)
{
    memset(blank, '\n', sizeof blank);
    toy_request("/api/large", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/large",
                                    .status = 200,
                                    .body = blank,
                                    .body_size = sizeof blank,
                                    .repeat = 256});
}

static atomic_size_t read_bytes;

static int32_t count_data(struct toy_op *op, uint32_t tag, const void *data, size_t size)
{
    atomic_fetch_add(&read_bytes, size);
    return toy_data(op, tag, data, size);
}

struct held {
    struct permits *permits;
    struct call holder;
};

static void hold(struct held *held)
{
    atomic_store(&read_bytes, 0);
    plan.data = count_data;
    assert_int_equal(permits_create(1, &held->permits), 0);
    held->holder = (struct call){.permit = {.permits = held->permits},
                                 .principal = {.id = "holder", .name = "holder"}};
    assert_int_equal(permit_take(&held->holder, INT64_MAX, true, NULL), 0);
}

static void let_go(struct held *held)
{
    permit_release(&held->holder);
    permits_destroy(held->permits);
}

static void wait_read(void)
{
    while (atomic_load(&read_bytes) < PERMIT_FREE_BYTES)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void test_large_waits(void **state)
{
    (void)state;
    large_answer();
    struct held held;
    hold(&held);
    struct caller caller;
    start(&caller, "a", SONDE_KIND_METRICS, false, LONG, held.permits);
    wait_read();
    /* What may be read without a permit was, and no more. */
    assert_int_equal(atomic_load(&read_bytes), PERMIT_FREE_BYTES);
    assert_false(atomic_load(&caller.over));
    permit_release(&held.holder);
    assert_int_equal(join(&caller)->err.code, 0);
    assert_int_equal(atomic_load(&read_bytes), 256 * sizeof blank);
    result_unref(caller.item.result);
    let_go(&held);
}

static void test_large_cancelled(void **state)
{
    (void)state;
    large_answer();
    struct held held;
    hold(&held);
    struct caller caller;
    start(&caller, "a", SONDE_KIND_METRICS, false, LONG, held.permits);
    wait_read();
    int64_t before = clock_mono_ns();
    call_cancel(atomic_load(&caller.call));
    assert_int_equal(join(&caller)->err.code, SONDE_E_CANCELLED);
    assert_true(clock_mono_ns() - before < LONG / 2); /* not because its time was up */
    assert_int_equal(atomic_load(&read_bytes), PERMIT_FREE_BYTES);
    assert_int_equal(atomic_load(&plan.response_ends), 1);
    let_go(&held);
}

static void test_large_late(void **state)
{
    (void)state;
    large_answer();
    struct held held;
    hold(&held);
    struct caller caller;
    start(&caller, "a", SONDE_KIND_METRICS, false, 2 * SHORT, held.permits);
    assert_int_equal(join(&caller)->err.code, SONDE_E_DEADLINE);
    assert_int_equal(atomic_load(&plan.response_ends), 1);
    let_go(&held);
}

/* Whoever leads a flight reads on for those who joined, though its own caller has left. */
static void test_large_flight_goes_on(void **state)
{
    (void)state;
    large_answer();
    struct held held;
    hold(&held);
    struct caller leader;
    struct caller joined;
    start(&leader, "a", SONDE_KIND_METRIC_NAMES, true, LONG, held.permits);
    wait_read();
    start(&joined, "b", SONDE_KIND_METRIC_NAMES, true, LONG, held.permits);
    while (!atomic_load(&joined.call))
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    call_cancel(atomic_load(&leader.call));
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_false(atomic_load(&joined.over));
    permit_release(&held.holder);
    assert_int_equal(join(&joined)->err.code, 0);
    assert_int_equal(join(&leader)->err.code, SONDE_E_CANCELLED);
    assert_int_equal(fake_io_count(), 1);
    result_unref(joined.item.result);
    let_go(&held);
}

static void test_large_flight_abandoned(void **state)
{
    (void)state;
    large_answer();
    struct held held;
    hold(&held);
    struct caller leader;
    start(&leader, "a", SONDE_KIND_METRIC_NAMES, true, LONG, held.permits);
    wait_read();
    call_cancel(atomic_load(&leader.call));
    /* Without the permit ever coming. */
    assert_int_equal(join(&leader)->err.code, SONDE_E_CANCELLED);
    let_go(&held);
}

#define T(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_in_flight),  T(test_in_flight_of_a_flight), T(test_in_flight_per_user),
        T(test_flood),      T(test_large_waits),           T(test_large_cancelled),
        T(test_large_late), T(test_large_flight_goes_on),  T(test_large_flight_abandoned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
