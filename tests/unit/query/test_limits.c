/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom: the gate's turns, the buckets of users, the permits to compute. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "query/admission.h"
#include "query/call.h"
#include "query/gate.h"

#define LONG (30 * NS_PER_S)

static struct principal user(const char *id)
{
    struct principal principal = {.name = "somebody"};
    snprintf(principal.id, sizeof principal.id, "%s", id);
    return principal;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* ---- The gate ---- */

static char order[128]; /* one letter for each place granted after a wait */

struct spot {
    struct gate_place place;
    char letter;
};

static void woken(void *argument)
{
    struct spot *spot = argument;
    size_t n = strlen(order);
    assert_true(n < sizeof order - 1);
    order[n] = spot->letter;
    order[n + 1] = '\0';
}

static bool enter(struct gate *gate, struct spot *spot, const char *id)
{
    struct principal principal = user(id);
    spot->letter = strcmp(id, USER_KEEPER_ID) == 0 ? 'k' : id[0];
    spot->place = (struct gate_place){.wake = woken, .argument = spot};
    return gate_enter(gate, &spot->place, &principal);
}

static int gate_setup(void **state)
{
    (void)state;
    order[0] = '\0';
    return 0;
}

/* Lets everybody through that is granted, until nobody is. */
static void drain(struct gate *gate, struct spot *spots, size_t n)
{
    for (size_t left = 1; left;) {
        left = 0;
        for (size_t i = 0; i < n; i++)
            if (gate_granted(gate, &spots[i].place)) {
                gate_leave(gate, &spots[i].place);
                left++;
            }
    }
}

static struct stat_family waiting_stat = {
    .name = "test_waiting", .help = "Waiting.", .type = STAT_GAUGE};
static struct stat_family waited_stat = {
    .name = "test_waited_seconds", .help = "Waited.", .type = STAT_HISTOGRAM};

static void test_turns(void **state)
{
    (void)state;
    struct gate gate;
    struct gate_stats stats = {stat_child(&waiting_stat, NULL), stat_child(&waited_stat, NULL)};
    gate_init(&gate, 2, 0, &stats);
    struct spot flood[20];
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(enter(&gate, &flood[i], "flood"), i < 2);
    /* Whoever comes late waits for one turn of the others at most, not for the twenty. */
    struct spot late[2];
    assert_false(enter(&gate, &late[0], "late"));
    assert_false(enter(&gate, &late[1], "late"));
    assert_int_equal(gate_waits(&gate, &late[0].place), GATE_WAITS_FOR_ANY);
    assert_int_equal(stat_value(stats.waiting), 20);
    for (size_t i = 0; i < 4; i++)
        gate_leave(&gate, &flood[i].place);
    assert_string_equal(order, "flfl");
    assert_true(gate_granted(&gate, &late[0].place) && gate_granted(&gate, &late[1].place));
    gate_leave(&gate, &late[0].place);
    gate_leave(&gate, &late[1].place);
    drain(&gate, flood, 20);
    assert_string_equal(order, "flflffffffffffffffff");
    assert_int_equal(stat_value(stats.waiting), 0);
    assert_int_equal(stat_value(stats.waited), 20);
    assert_int_equal(gate.used, 0);
    assert_null(gate.users);
    gate_finish(&gate);
}

static const struct gate_stats no_stats = {NULL, NULL};

static void test_own_limit(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate, 4, 2, &no_stats);
    struct spot a[6];
    struct spot b[2];
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(enter(&gate, &a[i], "a"), i < 2);
    assert_int_equal(gate_waits(&gate, &a[2].place), GATE_WAITS_FOR_OWN);
    assert_int_equal(gate_waits(&gate, &a[0].place), GATE_NO_WAIT);
    /* Places that one may not take are free for another. */
    assert_true(enter(&gate, &b[0], "b"));
    assert_true(enter(&gate, &b[1], "b"));
    /* A place of b's that becomes free is not a's either. */
    gate_leave(&gate, &b[0].place);
    assert_string_equal(order, "");
    gate_leave(&gate, &a[1].place);
    assert_string_equal(order, "a");
    assert_true(gate_granted(&gate, &a[2].place));
    /* Who leaves the queue takes nobody's turn. */
    gate_leave(&gate, &a[3].place);
    gate_leave(&gate, &a[3].place);
    gate_leave(&gate, &a[0].place);
    assert_true(gate_granted(&gate, &a[4].place));
    assert_false(gate_granted(&gate, &a[5].place));
    drain(&gate, a, 6);
    gate_leave(&gate, &b[1].place);
    assert_string_equal(order, "aaa");
    assert_int_equal(gate.used, 0);
    assert_null(gate.users);
    gate_finish(&gate);
}

/* A reload: higher limits let in who waits, lower ones hold as places are left. */
static void test_new_limits(void **state)
{
    (void)state;
    struct gate gate;
    unsigned max;
    unsigned per_user;
    gate_init(&gate, 2, 1, &no_stats);
    struct spot a[4];
    struct spot b[2];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(enter(&gate, &a[i], "a"), i < 1);
    assert_true(enter(&gate, &b[0], "b"));
    gate_set_max(&gate, 4, 3);
    gate_limits(&gate, &max, &per_user);
    assert_int_equal(max, 4);
    assert_int_equal(per_user, 3);
    assert_string_equal(order, "aa");
    assert_true(gate_granted(&gate, &a[2].place));
    assert_false(gate_granted(&gate, &a[3].place));
    gate_set_max(&gate, 1, 0);
    assert_false(enter(&gate, &b[1], "b"));
    gate_leave(&gate, &a[0].place);
    gate_leave(&gate, &a[1].place);
    gate_leave(&gate, &a[2].place);
    assert_string_equal(order, "aa"); /* one place, and b has it */
    gate_leave(&gate, &b[0].place);
    assert_string_equal(order, "aaa");
    drain(&gate, a, 4);
    drain(&gate, b, 2);
    assert_int_equal(gate.used, 0);
    gate_finish(&gate);
}

/* The keeper comes last, but comes; and users come first, however much it has. */
static void test_keeper(void **state)
{
    (void)state;
    struct gate gate;
    gate_init(&gate, 1, 0, &no_stats);
    struct spot keeper[4];
    struct spot a[20];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(enter(&gate, &keeper[i], USER_KEEPER_ID), i < 1);
    for (size_t i = 0; i < 20; i++)
        assert_false(enter(&gate, &a[i], "a"));
    gate_leave(&gate, &keeper[0].place);
    for (size_t i = 0; i < 20; i++) {
        drain(&gate, a, 20);
        drain(&gate, keeper, 4);
    }
    assert_string_equal(order, "aaaaaaakaaaaaaakaaaaaak");
    assert_int_equal(gate.used, 0);
    gate_finish(&gate);
    order[0] = '\0';
    /* Of many places it has a quarter, so that users find room. */
    gate_init(&gate, 8, 0, &no_stats);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(enter(&gate, &keeper[i], USER_KEEPER_ID), i < 2);
    for (size_t i = 0; i < 6; i++)
        assert_true(enter(&gate, &a[i], "a"));
    drain(&gate, a, 6);
    assert_string_equal(order, "");
    drain(&gate, keeper, 4);
    assert_string_equal(order, "kk");
    gate_finish(&gate);
}

/* ---- Calls of one user ---- */

static void test_bucket(void **state)
{
    (void)state;
    struct admission *admission = NULL;
    assert_int_equal(admission_create(120, 0, &admission), 0);
    struct principal a = user("a");
    struct principal b = user("b");
    struct err err = {0};
    int64_t now = 1000 * NS_PER_S;
    for (int i = 0; i < 120; i++)
        assert_int_equal(admission_enter(admission, &a, now, &err), 0);
    assert_int_equal(admission_enter(admission, &a, now, &err), ERR_LIMIT);
    assert_string_equal(
        err.text, "120 calls a minute are allowed (limits.calls_per_minute); try again in 1 s");
    assert_int_equal(err.wait_ms, 500);
    /* Refused ones cost nothing; another user has a bucket of their own; the keeper needs none. */
    assert_int_equal(admission_enter(admission, &a, now, &err), ERR_LIMIT);
    assert_int_equal(err.wait_ms, 500);
    assert_int_equal(admission_enter(admission, &b, now, &err), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(admission_enter(admission, &PRINCIPAL_KEEPER, now, &err), 0);
    /* It fills evenly, one each half second, and never beyond the full. */
    now += 500 * NS_PER_MS;
    assert_int_equal(admission_enter(admission, &a, now, &err), 0);
    assert_int_equal(admission_enter(admission, &a, now, &err), ERR_LIMIT);
    now += 10 * NS_PER_S;
    for (int i = 0; i < 20; i++)
        assert_int_equal(admission_enter(admission, &a, now, &err), 0);
    assert_int_equal(admission_enter(admission, &a, now, &err), ERR_LIMIT);
    now += 3600 * NS_PER_S;
    for (int i = 0; i < 120; i++)
        assert_int_equal(admission_enter(admission, &a, now, &err), 0);
    assert_int_equal(admission_enter(admission, &a, now, &err), ERR_LIMIT);
    admission_destroy(admission);
    /* A slow bucket says how slow. */
    assert_int_equal(admission_create(1, 0, &admission), 0);
    assert_int_equal(admission_enter(admission, &a, now, &err), 0);
    assert_int_equal(admission_enter(admission, &a, now + 20 * NS_PER_S, &err), ERR_LIMIT);
    assert_string_equal(err.text,
                        "1 call a minute is allowed (limits.calls_per_minute); try again in 40 s");
    admission_destroy(admission);
    /* 0: off; and a limit may come later. */
    assert_int_equal(admission_create(0, 0, &admission), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(admission_enter(admission, &a, now, &err), 0);
    admission_set_limits(admission, 1, 0);
    assert_int_equal(admission_enter(admission, &a, now, &err), 0);
    assert_int_equal(admission_enter(admission, &a, now, &err), ERR_LIMIT);
    admission_set_limits(admission, 0, 5000);
    assert_int_equal(admission_enter(admission, &a, now, &err), ERR_BUSY);
    admission_destroy(admission);
}

static void test_running(void **state)
{
    (void)state;
    struct admission *admission = NULL;
    assert_int_equal(admission_create(1000, 2, &admission), 0);
    struct principal a = user("a");
    struct principal b = user("b");
    struct err err = {0};
    assert_int_equal(admission_enter(admission, &a, 5, &err), 0);
    assert_int_equal(admission_enter(admission, &a, 5, &err), 0);
    assert_int_equal(admission_enter(admission, &a, 5, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "2 of your calls are running"));
    assert_non_null(strstr(err.text, "limits.calls_per_user"));
    assert_int_equal(err.wait_ms, 1000);
    assert_int_equal(admission_enter(admission, &b, 5, &err), 0);
    admission_leave(admission, &a);
    assert_int_equal(admission_enter(admission, &a, 5, &err), 0);
    admission_destroy(admission);
}

static void test_users_bounded(void **state)
{
    (void)state;
    struct admission *admission = NULL;
    assert_int_equal(admission_create(2, 0, &admission), 0);
    struct principal busy = user("busy");
    assert_int_equal(admission_enter(admission, &busy, 0, NULL), 0); /* runs all the time */
    assert_int_equal(admission_enter(admission, &busy, 0, NULL), 0);
    for (unsigned i = 0; i < ADMISSION_MAX_USERS + 500; i++) {
        char id[16];
        snprintf(id, sizeof id, "u%u", i);
        struct principal one = user(id);
        assert_int_equal(admission_enter(admission, &one, 0, NULL), 0);
        assert_int_equal(admission_enter(admission, &one, 0, NULL), 0);
        admission_leave(admission, &one);
        admission_leave(admission, &one);
    }
    assert_int_equal(admission_users(admission), ADMISSION_MAX_USERS);
    /* The idle longest went, and has a full bucket again; the newest and whoever runs did not. */
    struct principal old = user("u0");
    struct principal late = user("u10499");
    assert_int_equal(admission_enter(admission, &late, 0, NULL), ERR_LIMIT);
    assert_int_equal(admission_enter(admission, &busy, 0, NULL), ERR_LIMIT);
    assert_int_equal(admission_enter(admission, &old, 0, NULL), 0);
    admission_leave(admission, &old);
    admission_leave(admission, &busy);
    admission_leave(admission, &busy);
    /* Full buckets are forgotten, two a call. */
    for (int i = 0; i < 6000; i++) {
        if (!admission_enter(admission, &old, 600 * NS_PER_S, NULL))
            admission_leave(admission, &old);
    }
    assert_int_equal(admission_users(admission), 1);
    admission_destroy(admission);
}

static void *come_and_go(void *argument)
{
    struct admission *admission = argument;
    for (int i = 0; i < 2000; i++) {
        char id[16];
        snprintf(id, sizeof id, "u%d", i % 7);
        struct principal one = user(id);
        if (!admission_enter(admission, &one, clock_mono_ns(), NULL))
            admission_leave(admission, &one);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    struct admission *admission = NULL;
    assert_int_equal(admission_create(100000, 2, &admission), 0);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(thread_start(&threads[i], "test", 512 * 1024, come_and_go, admission), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    /* Nobody is running any more: two fit again. */
    struct principal one = user("u3");
    assert_int_equal(admission_enter(admission, &one, clock_mono_ns(), NULL), 0);
    assert_int_equal(admission_enter(admission, &one, clock_mono_ns(), NULL), 0);
    assert_int_equal(admission_enter(admission, &one, clock_mono_ns(), NULL), ERR_BUSY);
    admission_destroy(admission);
}

/* ---- Permits ---- */

struct worker {
    struct call call;
    pthread_t thread;
    int64_t deadline_ns;
    int result;
    struct err err;
    atomic_bool over;
    atomic_bool go; /* gives it back */
};

static atomic_uint served; /* in which order */
static struct worker *_Atomic serving[16];

static void *compute(void *argument)
{
    struct worker *worker = argument;
    worker->result = permit_take(&worker->call, worker->deadline_ns, true, &worker->err);
    if (!worker->result) {
        atomic_store(&serving[atomic_fetch_add(&served, 1)], worker);
        while (!atomic_load(&worker->go))
            nap();
        permit_release(&worker->call);
    }
    atomic_store(&worker->over, true);
    return NULL;
}

static void worker_start(struct worker *worker, struct permits *permits, const char *id,
                         int64_t deadline_ns)
{
    memset(worker, 0, sizeof *worker);
    worker->call.permit.permits = permits;
    worker->call.principal = user(id);
    worker->deadline_ns = deadline_ns;
    assert_int_equal(thread_start(&worker->thread, "test", 512 * 1024, compute, worker), 0);
}

/* Waits until n permits are waited for. */
static void wait_waiting(int64_t n)
{
    struct buf buf = BUF((size_t)1 << 20);
    char want[64];
    snprintf(want, sizeof want, "\nsonde_permits_waiting %d\n", (int)n);
    do {
        nap();
        buf_clear(&buf);
        stats_write(&buf);
    } while (!strstr(buf_text(&buf), want));
    buf_finish(&buf);
}

static void wait_served(unsigned n)
{
    while (!atomic_load(&serving[n - 1]))
        nap();
}

static void worker_end(struct worker *worker)
{
    atomic_store(&worker->go, true);
    pthread_join(worker->thread, NULL);
}

static int permit_setup(void **state)
{
    (void)state;
    atomic_store(&served, 0);
    for (size_t i = 0; i < 16; i++)
        atomic_store(&serving[i], NULL);
    return 0;
}

static void test_permit_turns(void **state)
{
    (void)state;
    struct permits *permits = NULL;
    assert_int_equal(permits_create(1, &permits), 0);
    static struct worker flood[5];
    static struct worker late;
    for (size_t i = 0; i < 5; i++) {
        worker_start(&flood[i], permits, "flood", INT64_MAX);
        if (i == 0)
            wait_served(1);
        wait_waiting((int64_t)i);
    }
    worker_start(&late, permits, "late", INT64_MAX);
    wait_waiting(5);
    worker_end(&flood[0]);
    wait_served(2);
    assert_int_equal(atomic_load(&served), 2); /* one at a time */
    assert_ptr_equal(serving[1], &flood[1]);
    worker_end(&flood[1]);
    wait_served(3);
    assert_ptr_equal(serving[2], &late);
    worker_end(&late);
    for (size_t i = 2; i < 5; i++)
        worker_end(&flood[i]);
    assert_int_equal(atomic_load(&served), 6);
    permits_destroy(permits);
}

static void test_permit_cancel_and_deadline(void **state)
{
    (void)state;
    struct permits *permits = NULL;
    assert_int_equal(permits_create(1, &permits), 0);
    static struct worker first;
    static struct worker waits;
    worker_start(&first, permits, "a", INT64_MAX);
    wait_served(1);
    worker_start(&waits, permits, "b", INT64_MAX);
    wait_waiting(1);
    atomic_store(&waits.call.cancelled, true);
    permits_wake(&waits.call);
    pthread_join(waits.thread, NULL);
    assert_int_equal(waits.result, SONDE_E_CANCELLED);
    worker_start(&waits, permits, "b", clock_mono_ns() + 30 * NS_PER_MS);
    pthread_join(waits.thread, NULL);
    assert_int_equal(waits.result, SONDE_E_DEADLINE);
    assert_non_null(strstr(waits.err.text, "waited for a processor"));
    /* A permit that is free is had, however late it is; twice is once. */
    worker_end(&first);
    struct call call = {.permit = {.permits = permits}, .principal = user("c")};
    assert_int_equal(permit_take(&call, 1, true, NULL), 0);
    assert_int_equal(permit_take(&call, 1, true, NULL), 0);
    permit_yield(&call); /* nobody waits */
    assert_true(call.permit.held);
    permit_release(&call);
    permit_release(&call);
    assert_false(call.permit.held);
    permits_destroy(permits);
    /* Alone in the process nothing is asked for. */
    struct call alone = {.principal = user("d")};
    assert_int_equal(permit_take(&alone, 1, true, NULL), 0);
    permit_yield(&alone);
    permit_release(&alone);
    permits_wake(&alone);
}

/* Whoever computes for long lets others in between. */
static void test_permit_yield(void **state)
{
    (void)state;
    struct permits *permits = NULL;
    assert_int_equal(permits_create(1, &permits), 0);
    struct call call = {.permit = {.permits = permits}, .principal = user("a")};
    assert_int_equal(permit_take(&call, INT64_MAX, true, NULL), 0);
    static struct worker other;
    worker_start(&other, permits, "b", INT64_MAX);
    wait_waiting(1);
    while (call.permit.held)
        permit_yield(&call);
    wait_served(1);
    assert_int_equal(permit_take(&call, clock_mono_ns() + NS_PER_MS, true, NULL), SONDE_E_DEADLINE);
    worker_end(&other);
    assert_int_equal(permit_take(&call, clock_mono_ns() + LONG, true, NULL), 0);
    permit_release(&call);
    permits_destroy(permits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_turns, gate_setup),
        cmocka_unit_test_setup(test_own_limit, gate_setup),
        cmocka_unit_test_setup(test_new_limits, gate_setup),
        cmocka_unit_test_setup(test_keeper, gate_setup),
        cmocka_unit_test(test_bucket),
        cmocka_unit_test(test_running),
        cmocka_unit_test(test_users_bounded),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test_setup(test_permit_turns, permit_setup),
        cmocka_unit_test_setup(test_permit_cancel_and_deadline, permit_setup),
        cmocka_unit_test_setup(test_permit_yield, permit_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
