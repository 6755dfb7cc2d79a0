/* SPDX-License-Identifier: Apache-2.0 */
/* Several callers at once, and callers that leave. */
#include "engine_fixture.h"

#include <pthread.h>

#define LONG (10 * NS_PER_S)

struct caller {
    struct call_pool *pool;
    struct call *call;
    struct sonde_query query;
    struct engine_item item;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool over;
};

static struct call_pool *pool;
static int64_t moved; /* where the window of what is started ends; 0: as the fixture has it */

static void run(struct call *call, void *argument)
{
    struct caller *caller = argument;
    caller->item.backend = f.backend;
    caller->item.query = &caller->query;
    if (engine_run(f.engine, call, &caller->item, 1))
        caller->item.err.code = ERR_MEMORY;
    pthread_mutex_lock(&caller->lock);
    caller->over = true;
    pthread_cond_signal(&caller->cond);
    pthread_mutex_unlock(&caller->lock);
}

static void start(struct caller *caller, uint32_t kind, bool share, int64_t deadline_ns)
{
    *caller = (struct caller){.query = fixture_query(kind), .item.share = share};
    if (moved) {
        caller->query.start_ns = moved - 3600 * NS_PER_S;
        caller->query.end_ns = moved;
    }
    pthread_mutex_init(&caller->lock, NULL);
    pthread_cond_init(&caller->cond, NULL);
    struct err err = {0};
    int r = call_submit(pool, &PRINCIPAL_LOCAL, clock_mono_ns() + deadline_ns, run, caller,
                        &caller->call, &err);
    assert_int_equal(r, 0);
}

static bool over(struct caller *caller)
{
    pthread_mutex_lock(&caller->lock);
    bool is = caller->over;
    pthread_mutex_unlock(&caller->lock);
    return is;
}

static struct engine_item *join(struct caller *caller)
{
    pthread_mutex_lock(&caller->lock);
    while (!caller->over)
        pthread_cond_wait(&caller->cond, &caller->lock);
    pthread_mutex_unlock(&caller->lock);
    pthread_mutex_destroy(&caller->lock);
    pthread_cond_destroy(&caller->cond);
    return &caller->item;
}

/* Cancels unless it is over by then. */
static void cancel(struct caller *caller)
{
    pthread_mutex_lock(&caller->lock);
    if (!caller->over)
        call_cancel(caller->call);
    pthread_mutex_unlock(&caller->lock);
}

static int setup(void **state)
{
    fixture_setup(state);
    return call_pool_create(NULL, &f.budget, 8, &pool, NULL);
}

static int teardown(void **state)
{
    assert_int_equal(call_pool_destroy(pool, 10000), 0);
    return fixture_teardown(state);
}

static void hang(const char *path, const char *body)
{
    fake_io_add(&(struct fake_rule){.path = path, .status = 200, .body = body, .hang = true});
}

static void wait_joined(unsigned callers)
{
    /* Every caller has its mailbox; that it waits in it cannot be seen, only made likely. */
    while (call_pool_active(pool) < callers)
        ;
    struct timespec moment = {.tv_nsec = 50000000};
    nanosleep(&moment, NULL);
}

static void test_shared(void **state)
{
    (void)state;
    toy_request("/api/names", 0);
    hang("/api/names", "n x\n");
    struct caller callers[4];
    for (size_t i = 0; i < 4; i++)
        start(&callers[i], SONDE_KIND_METRIC_NAMES, true, LONG);
    assert_true(fake_io_wait_sent(1));
    wait_joined(4);
    fake_io_let("/api/names");
    const struct result *first = NULL;
    for (size_t i = 0; i < 4; i++) {
        struct engine_item *item = join(&callers[i]);
        assert_int_equal(item->err.code, 0);
        if (!first)
            first = item->result;
        assert_ptr_equal(item->result, first);
    }
    for (size_t i = 0; i < 4; i++)
        result_unref(callers[i].item.result);
    assert_int_equal(fake_io_count(), 1);
    assert_int_equal(atomic_load(&plan.begins), 1);
}

static void test_leader_leaves(void **state)
{
    (void)state;
    toy_request("/api/names", 0);
    hang("/api/names", "n x\n");
    struct caller leader;
    struct caller joiner;
    start(&leader, SONDE_KIND_METRIC_NAMES, true, LONG);
    assert_true(fake_io_wait_sent(1));
    start(&joiner, SONDE_KIND_METRIC_NAMES, true, LONG);
    wait_joined(2);
    cancel(&leader);
    wait_joined(2);
    /* It drives on for the other. */
    assert_false(fake_io_sent(0).cancelled);
    assert_false(over(&joiner));
    fake_io_let("/api/names");
    assert_int_equal(join(&joiner)->err.code, 0);
    assert_int_equal(joiner.item.result->name_count, 1);
    assert_int_equal(join(&leader)->err.code, SONDE_E_CANCELLED);
    assert_null(leader.item.result);
    result_unref(joiner.item.result);
    assert_int_equal(fake_io_count(), 1);
}

static void test_joiner_leaves(void **state)
{
    (void)state;
    toy_request("/api/names", 0);
    hang("/api/names", "n x\n");
    struct caller leader;
    struct caller joiner;
    start(&leader, SONDE_KIND_METRIC_NAMES, true, LONG);
    assert_true(fake_io_wait_sent(1));
    start(&joiner, SONDE_KIND_METRIC_NAMES, true, 60 * NS_PER_MS);
    assert_int_equal(join(&joiner)->err.code, SONDE_E_DEADLINE);
    assert_false(fake_io_sent(0).cancelled);
    fake_io_let("/api/names");
    assert_int_equal(join(&leader)->err.code, 0);
    result_unref(leader.item.result);
}

static void test_last_waiter_leaves(void **state)
{
    (void)state;
    toy_request("/api/names", 0);
    hang("/api/names", "n x\n");
    struct caller leader;
    struct caller joiner;
    start(&leader, SONDE_KIND_METRIC_NAMES, true, LONG);
    assert_true(fake_io_wait_sent(1));
    start(&joiner, SONDE_KIND_METRIC_NAMES, true, LONG);
    wait_joined(2);
    cancel(&leader);
    cancel(&joiner);
    assert_int_equal(join(&leader)->err.code, SONDE_E_CANCELLED);
    assert_int_equal(join(&joiner)->err.code, SONDE_E_CANCELLED);
    assert_true(fake_io_sent(0).cancelled);
    assert_int_equal(atomic_load(&plan.last_reason), SONDE_E_CANCELLED);
}

/* What came until the deadline is there for who waits that long, though the flight was to go on. */
static void test_partial_at_the_deadline(void **state)
{
    (void)state;
    toy_request("/api/first", SONDE_REQUEST_MORE);
    toy_request("/api/slow", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/first", .status = 200, .body = "n x\n"});
    hang("/api/slow", "n y\n");
    struct caller early;
    struct caller late;
    start(&late, SONDE_KIND_METRIC_NAMES, true, 600 * NS_PER_MS);
    assert_true(fake_io_wait_sent(2));
    start(&early, SONDE_KIND_METRIC_NAMES, true, 60 * NS_PER_MS);
    assert_int_equal(join(&early)->err.code, SONDE_E_DEADLINE);
    assert_null(early.item.result);
    assert_false(fake_io_sent(1).cancelled);
    assert_int_equal(join(&late)->err.code, SONDE_E_DEADLINE);
    assert_non_null(late.item.result);
    assert_int_equal(late.item.result->name_count, 1);
    assert_int_equal(late.item.result->partial_reason, SONDE_PARTIAL_TIMEOUT);
    result_unref(late.item.result);
    assert_true(fake_io_sent(1).cancelled);
}

/* "The last hour" of a moment ago is the same question; of long ago it is not. */
static void test_moving_window_joins(void **state)
{
    (void)state;
    int64_t now = clock_unix_ns();
    toy_request("/api/query", 0);
    hang("/api/query", "s 1\np 1 1 2\n");
    struct caller callers[4];
    static const int64_t later[] = {0, 5, 11, 10};
    static const size_t sent[] = {1, 1, 2, 3};
    for (size_t i = 0; i < 4; i++) {
        moved = now + later[i] * NS_PER_S;
        clock_set_test(moved);
        start(&callers[i], SONDE_KIND_METRICS, true, LONG);
        assert_true(fake_io_wait_sent(sent[i]));
        wait_joined((unsigned)i + 1);
    }
    clock_set_test(0);
    moved = 0;
    assert_int_equal(fake_io_count(), 3);
    for (int i = 0; i < 3; i++)
        fake_io_let("/api/query");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(join(&callers[i])->err.code, 0);
        result_unref(callers[i].item.result);
    }
}

/* A large answer that many wait for is worked on once, with one permit, also when the one who drives it has left. */
static void test_large_and_left(void **state)
{
    (void)state;
    toy_request("/api/large", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/large",
                                    .status = 200,
                                    .body = "s 1\np 1 1 2\n",
                                    .repeat = 200000,
                                    .chunk = 65536,
                                    .hang = true});
    struct caller callers[3];
    for (size_t i = 0; i < 3; i++) {
        start(&callers[i], SONDE_KIND_METRICS, true, LONG);
        assert_true(fake_io_wait_sent(1));
    }
    wait_joined(3);
    cancel(&callers[0]);
    fake_io_let("/api/large");
    assert_int_equal(join(&callers[1])->err.code, 0);
    assert_int_equal(join(&callers[2])->err.code, 0);
    assert_ptr_equal(callers[1].item.result, callers[2].item.result);
    assert_true(callers[1].item.result->wire_bytes >= 200000);
    join(&callers[0]);
    for (size_t i = 0; i < 3; i++)
        result_unref(callers[i].item.result);
    assert_int_equal(fake_io_count(), 1);
    assert_int_equal(atomic_load(&plan.begins), 1);
}

static int32_t begin(struct toy_op *op)
{
    /* Only PROBE asks; the rest is done at once. */
    op->next = op->query->kind == SONDE_KIND_PROBE ? 0 : plan.count;
    op->answered = op->next;
    return SONDE_OK;
}

static void test_one_probe_for_all(void **state)
{
    (void)state;
    toy.table.caps |= SONDE_CAP(SONDE_KIND_PROBE);
    plan.begin = begin;
    toy_request("/api/probe", 0);
    hang("/api/probe", "");
    struct caller callers[4];
    for (size_t i = 0; i < 4; i++)
        start(&callers[i], SONDE_KIND_METRICS, false, LONG);
    assert_true(fake_io_wait_sent(1));
    wait_joined(4);
    /* The one that probes gives up; the others still get theirs. */
    cancel(&callers[0]);
    fake_io_let("/api/probe");
    for (size_t i = 0; i < 4; i++) {
        struct engine_item *item = join(&callers[i]);
        assert_true(item->err.code == 0 || (i == 0 && item->err.code == SONDE_E_CANCELLED));
        result_unref(item->result);
    }
    assert_int_equal(fake_io_count(), 1);
}

static void test_cancel(void **state)
{
    (void)state;
    toy_request("/api/slow", SONDE_REQUEST_MORE);
    toy_request("/api/slow", 0);
    hang("/api/slow", "n x\n");
    struct caller caller;
    start(&caller, SONDE_KIND_METRICS, false, LONG);
    assert_true(fake_io_wait_sent(2));
    cancel(&caller);
    assert_int_equal(join(&caller)->err.code, SONDE_E_CANCELLED);
    assert_true(fake_io_sent(0).cancelled && fake_io_sent(1).cancelled);
    assert_int_equal(atomic_load(&plan.response_ends), 2);
    assert_int_equal(atomic_load(&plan.last_reason), SONDE_E_CANCELLED);
}

static int32_t leave_stop(struct toy_op *op, uint32_t tag, const struct sonde_response_head *head)
{
    struct sonde_request request = {
        .struct_size = sizeof request, .method = "POST", .path = "/api/stop?id=1"};
    op->sink->at_end(op->ctx, 0, &request);
    return toy_head(op, tag, head);
}

/* What a request creates is known from its answer only: it is waited for, handed over, and the stop it asks for is sent. */
static void test_creates_is_not_cut(void **state)
{
    (void)state;
    toy_request("/api/start", SONDE_REQUEST_CREATES | SONDE_REQUEST_MORE);
    toy_request("/api/other", 0);
    hang("/api/start", "id 1\n");
    hang("/api/other", "");
    plan.head = leave_stop;
    struct caller caller;
    start(&caller, SONDE_KIND_METRICS, false, LONG);
    assert_true(fake_io_wait_sent(2));
    cancel(&caller);
    wait_joined(1);
    assert_false(over(&caller));
    assert_false(fake_io_sent(0).cancelled);
    assert_true(fake_io_sent(1).cancelled);
    fake_io_let("/api/start");
    assert_int_equal(join(&caller)->err.code, SONDE_E_CANCELLED);
    assert_int_equal(fake_io_count(), 3);
    assert_string_equal(fake_io_sent(2).path, "/api/stop?id=1");
    assert_int_equal(atomic_load(&plan.last_outcome), SONDE_OUTCOME_OK);
}

static void test_creates_grace_ends(void **state)
{
    (void)state;
    engine_set_creates_grace(f.engine, 100 * NS_PER_MS);
    toy_request("/api/start", SONDE_REQUEST_CREATES);
    hang("/api/start", "");
    struct caller caller;
    start(&caller, SONDE_KIND_METRICS, false, LONG);
    assert_true(fake_io_wait_sent(1));
    cancel(&caller);
    assert_int_equal(join(&caller)->err.code, SONDE_E_CANCELLED);
    assert_true(fake_io_sent(0).cancelled);
    assert_int_equal(atomic_load(&plan.response_ends), 1);
}

static void test_gate_across_calls(void **state)
{
    (void)state;
    assert_int_equal(call_pool_destroy(pool, 10000), 0);
    fixture_down();
    f.settings.per_connection = 1;
    fixture_up();
    assert_int_equal(call_pool_create(NULL, &f.budget, 8, &pool, NULL), 0);
    toy_request("/api/slow", 0);
    hang("/api/slow", "n x\n");
    struct caller callers[3];
    for (size_t i = 0; i < 3; i++)
        start(&callers[i], SONDE_KIND_METRICS, false, LONG);
    assert_true(fake_io_wait_sent(1));
    wait_joined(3);
    assert_int_equal(fake_io_count(), 1);
    /* One leaves while it waits or flies; the turn goes to the others all the same. */
    cancel(&callers[1]);
    join(&callers[1]);
    for (size_t sent = 1; sent <= 3 && !(over(&callers[0]) && over(&callers[2])); sent++) {
        fake_io_let("/api/slow");
        wait_joined(0);
    }
    while (!over(&callers[0]) || !over(&callers[2]))
        fake_io_let("/api/slow");
    assert_int_equal(join(&callers[0])->err.code, 0);
    assert_int_equal(join(&callers[2])->err.code, 0);
    assert_true(fake_io_peak() <= 1);
    for (size_t i = 0; i < 3; i++)
        result_unref(callers[i].item.result);
}

static void test_pool_is_full(void **state)
{
    (void)state;
    toy_request("/api/slow", 0);
    hang("/api/slow", "n x\n");
    struct caller callers[8];
    for (size_t i = 0; i < 8; i++)
        start(&callers[i], SONDE_KIND_METRICS, false, LONG);
    assert_true(fake_io_wait_sent(8));
    struct err err = {0};
    struct call *call = NULL;
    assert_int_equal(
        call_submit(pool, &PRINCIPAL_LOCAL, clock_mono_ns() + LONG, run, NULL, &call, &err),
        ERR_BUSY);
    assert_string_equal(err.text, "all 8 call threads are busy (limits.calls), try again in 1 s");
    assert_true(err.wait_ms == 1000);
    for (size_t i = 0; i < 8; i++)
        cancel(&callers[i]);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(join(&callers[i])->err.code, SONDE_E_CANCELLED);
}

static void test_pool_stops(void **state)
{
    (void)state;
    toy_request("/api/slow", 0);
    hang("/api/slow", "n x\n");
    struct caller callers[4];
    for (size_t i = 0; i < 4; i++)
        start(&callers[i], SONDE_KIND_METRICS, false, LONG);
    assert_true(fake_io_wait_sent(4));
    assert_int_equal(call_pool_destroy(pool, 10000), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(join(&callers[i])->err.code, SONDE_E_CANCELLED);
    assert_int_equal(call_pool_create(NULL, &f.budget, 1, &pool, NULL), 0);
}

#define T(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_shared),
                                       T(test_leader_leaves),
                                       T(test_joiner_leaves),
                                       T(test_last_waiter_leaves),
                                       T(test_partial_at_the_deadline),
                                       T(test_moving_window_joins),
                                       T(test_large_and_left),
                                       T(test_one_probe_for_all),
                                       T(test_cancel),
                                       T(test_creates_is_not_cut),
                                       T(test_creates_grace_ends),
                                       T(test_gate_across_calls),
                                       T(test_pool_is_full),
                                       T(test_pool_stops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
