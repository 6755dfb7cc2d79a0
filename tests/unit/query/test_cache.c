/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache gives to whom, for how long, and what it lets go of; on an injected clock. */
#include "engine_fixture.h"

#include "query/backend.h"
#include "query/cache.h"

/* 2026-01-01T00:00:00Z */
#define T0 (INT64_C(1767225600) * NS_PER_S)
#define HOUR NS_PER_HOUR
#define S NS_PER_S

static struct cache *cache;
static int64_t now;

static void at(int64_t ns)
{
    now = ns;
    clock_set_test(ns);
}

static void cache_up(uint64_t max_bytes, struct budget *budget)
{
    struct cache_settings settings = {
        .budget = budget, .max_bytes = max_bytes, .keep_ns = NS_PER_DAY, .table = true};
    assert_int_equal(cache_create(&settings, &cache, NULL), 0);
}

static int setup(void **state)
{
    (void)state;
    fake_io_reset();
    toy_reset();
    f = (struct fixture){0};
    cache_up((uint64_t)64 << 20, NULL);
    f.settings.cache = cache;
    fixture_up();
    f.connection->id = "0191d3a0-0000-7000-8000-000000000001";
    f.connection->owner = USER_OPERATOR_ID;
    at(T0);
    return 0;
}

static int teardown(void **state)
{
    cache_destroy(cache);
    f.settings.cache = NULL;
    clock_set_test(0);
    toy.table.settle_seconds = 0;
    return fixture_teardown(state);
}

static struct sonde_query query_of(int64_t start_ns, int64_t end_ns)
{
    struct sonde_query query = fixture_query(SONDE_KIND_METRICS);
    query.start_ns = start_ns;
    query.end_ns = end_ns;
    return query;
}

static struct query_key key_of(struct backend *backend, const struct sonde_query *query)
{
    struct query_key key;
    assert_int_equal(query_key(backend, query, now, &key), 0);
    return key;
}

static void put_sized(struct backend *backend, int64_t start_ns, int64_t end_ns, bool partial,
                      size_t bytes)
{
    struct sonde_query query = query_of(start_ns, end_ns);
    struct query_key key = key_of(backend, &query);
    struct result *result = result_new(query.kind, (size_t)32 << 20, &f.budget);
    assert_non_null(result_alloc(result, 1, bytes));
    result->fetched_at_ns = now;
    result->partial_reason = partial ? SONDE_PARTIAL_LOST : 0;
    cache_put(cache, backend, &key, result);
    result_unref(result);
}

static void put(int64_t start_ns, int64_t end_ns)
{
    put_sized(f.backend, start_ns, end_ns, false, 100);
}

static bool has_for(struct backend *backend, const struct sonde_query *query)
{
    struct query_key key = key_of(backend, query);
    struct result *result = cache_get(cache, backend, query, &key, now);
    result_unref(result);
    return result != NULL;
}

static bool has(int64_t start_ns, int64_t end_ns)
{
    struct sonde_query query = query_of(start_ns, end_ns);
    return has_for(f.backend, &query);
}

/* "The last hour", asked again and again. */
static void test_moving_window(void **state)
{
    (void)state;
    put(T0 - HOUR, T0);
    for (int64_t later = 0; later <= 20; later++) {
        at(T0 + later * S);
        assert_true(has(now - HOUR, now));
    }
    at(T0 + 21 * S);
    assert_false(has(now - HOUR, now));
    at(T0 + 5 * S);
    assert_false(has(now - HOUR - S, now)); /* longer, and since another time */
    assert_false(has(now - 2 * HOUR, now));
    struct sonde_query query = query_of(now - HOUR, now);
    query.step_ns = 2 * S;
    assert_false(has_for(f.backend, &query));
}

/* "Since 10:20", asked again: longer each time. */
static void test_growing_window(void **state)
{
    (void)state;
    put(T0 - 600 * S, T0);
    at(T0 + 15 * S);
    assert_true(has(T0 - 600 * S, now));
    at(T0 + 21 * S);
    assert_false(has(T0 - 600 * S, now));
}

/* The later answer serves, whichever came in last; a shorter wait for the end of the window never makes an answer older than 30 s. */
static void test_never_staler(void **state)
{
    (void)state;
    put(T0 - HOUR, T0);
    at(T0 + 10 * S);
    put(now - HOUR, now);
    at(T0 + 11 * S);
    put(T0 + 2 * S - HOUR, T0 + 2 * S); /* asked before, answered late */
    at(T0 + 30 * S);
    assert_true(has(now - HOUR, now)); /* the second's */
    at(T0 + 31 * S);
    assert_false(has(now - HOUR, now));
    /* These end 19 s ago, so they end now; what would serve ends 29 s ago, then 31. */
    at(T0 + 39 * S);
    assert_true(has(T0 + 20 * S - HOUR, T0 + 20 * S));
    at(T0 + 41 * S);
    assert_false(has(T0 + 22 * S - HOUR, T0 + 22 * S));
}

static void test_no_window(void **state)
{
    (void)state;
    put(0, 0);
    at(T0 + 20 * S);
    assert_true(has(0, 0));
    at(T0 + 20 * S + 1);
    assert_false(has(0, 0));
}

static void test_alerts_are_of_now(void **state)
{
    (void)state;
    struct sonde_query query = query_of(T0 - 5 * HOUR, T0 - 4 * HOUR);
    query.kind = SONDE_KIND_ALERTS;
    assert_int_equal(key_of(f.backend, &query).when, QUERY_NOW);
}

static void test_past(void **state)
{
    (void)state;
    int64_t end = T0 - 301 * S;
    put(end - HOUR, end);
    put_sized(f.backend, end - 2 * HOUR, end, true, 10); /* partial */
    assert_false(has(end - HOUR - S, end));
    assert_false(has(end - HOUR - S, end - S));
    at(T0 + 15 * S);
    assert_true(has(end - 2 * HOUR, end));
    at(T0 + 16 * S);
    assert_false(has(end - 2 * HOUR, end));
    at(T0 + NS_PER_DAY);
    assert_true(has(end - HOUR, end));
    at(T0 + NS_PER_DAY + 1);
    assert_false(has(end - HOUR, end));
}

/* Between now and past: exactly the same window, for 20 s. The adapter says where the past begins. */
static void test_recent(void **state)
{
    (void)state;
    int64_t end = T0 - 100 * S;
    put(end - HOUR, end);
    at(T0 + 20 * S);
    assert_true(has(end - HOUR, end));
    assert_false(has(end - HOUR + S, end + S));
    at(T0 + 20 * S + 1);
    assert_false(has(end - HOUR, end));
    toy.table.settle_seconds = 900;
    at(T0);
    put(T0 - HOUR, T0 - 900 * S);
    at(T0 + HOUR);
    assert_false(has(T0 - HOUR, T0 - 900 * S));
    at(T0);
    put(T0 - HOUR, T0 - 901 * S);
    at(T0 + HOUR);
    assert_true(has(T0 - HOUR, T0 - 901 * S));
}

/* What was fetched while the window still ended now is not what it holds once it is past. */
static void test_now_is_no_past(void **state)
{
    (void)state;
    put(T0 - HOUR, T0);
    at(T0 + 2 * HOUR);
    assert_false(has(T0 - HOUR, T0));
}

static void test_clock_set_back(void **state)
{
    (void)state;
    put(T0 - HOUR, T0);
    put(T0 - 9 * HOUR, T0 - 8 * HOUR);
    at(T0 - 60 * S);
    assert_false(has(now - HOUR, now));
    assert_false(has(T0 - 9 * HOUR, T0 - 8 * HOUR));
    put(now - HOUR, now);
    at(T0 - 50 * S);
    assert_true(has(now - HOUR, now));
}

static void test_bounded(void **state)
{
    (void)state;
    struct cache_settings settings = {.max_bytes = 1000000, .keep_ns = NS_PER_DAY};
    cache_configure(cache, &settings);
    for (int64_t i = 0; i < 50; i++) {
        put_sized(f.backend, i * S, T0 - HOUR, false, 50000);
        assert_true(has(0, T0 - HOUR)); /* used again and again, so it stays */
    }
    struct cache_state how;
    cache_state(cache, &how);
    assert_true(how.bytes <= 1000000 && how.entries >= 10 && how.entries < 20);
    assert_true(has(49 * S, T0 - HOUR));
    assert_false(has(20 * S, T0 - HOUR));
    /* One that would push out more than a quarter of the others is not kept. */
    put_sized(f.backend, 60 * S, T0 - HOUR, false, 300000);
    assert_false(has(60 * S, T0 - HOUR));
    settings.max_bytes = 0;
    cache_configure(cache, &settings);
    cache_state(cache, &how);
    assert_int_equal(how.entries, 0);
    assert_int_equal(how.bytes, 0);
    put(0, T0 - HOUR);
    assert_false(has(0, T0 - HOUR));
}

static struct backend *open_for(const char *id, const char *owner, uint64_t content)
{
    struct connection *connection = connection_new();
    connection->id = id;
    connection->owner = owner;
    connection->content = content;
    connection->name = "shop";
    connection->backend = "toy";
    connection->url = "http://toys";
    struct backend *backend = NULL;
    assert_int_equal(backend_open(f.engine, connection, &backend, NULL), 0);
    connection_unref(connection);
    return backend;
}

#define ID_A "0191d3a0-0000-7000-8000-00000000000a"
#define ID_B "0191d3a0-0000-7000-8000-00000000000b"

static void test_whose(void **state)
{
    (void)state;
    struct sonde_query query = query_of(T0 - 9 * HOUR, T0 - 8 * HOUR);
    struct backend *backends[] = {
        open_for(ID_A, "ann", 0),
        open_for(ID_B, "ben", 0), /* of the process alone */
        open_for(ID_A, "ann", 7),
        open_for(ID_B, "ben", 7), /* known beyond it */
        open_for(ID_A, "ben", 7),
        open_for(ID_A, "ann", 8), /* another's; changed */
        open_for(ID_A, USER_OPERATOR_ID, 7),
        open_for(ID_A, "ann", 7) /* shared; ann's once more */
    };
    for (size_t i = 0; i < 7; i++) {
        assert_false(has_for(backends[i], &query));
        put_sized(backends[i], query.start_ns, query.end_ns, false, 10);
        for (size_t k = 0; k <= i; k++)
            assert_true(has_for(backends[k], &query));
    }
    /* The same connection of the same user, opened again, finds what it had. */
    assert_true(has_for(backends[7], &query));
    backend_retire(backends[2]);
    assert_false(has_for(backends[2], &query));
    assert_false(has_for(backends[7], &query));
    assert_true(has_for(backends[0], &query));
    /* A call that was under way when it was retired keeps nothing. */
    put_sized(backends[2], query.start_ns, query.end_ns, false, 10);
    assert_false(has_for(backends[7], &query));
    for (size_t i = 0; i < 8; i++)
        backend_unref(backends[i]);
}

static void test_gives_way(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 1000000);
    cache_destroy(cache);
    cache_up(1000000, &budget);
    struct sonde_query query = query_of(0, T0 - HOUR);
    struct query_key key = key_of(f.backend, &query);
    for (int64_t i = 0; i < 8; i++) {
        struct result *result = result_new(query.kind, 200000, &budget);
        assert_non_null(result_alloc(result, 1, 100000));
        result->fetched_at_ns = now;
        key.start_ns = i;
        cache_put(cache, f.backend, &key, result);
        result_unref(result);
    }
    struct cache_state how;
    cache_state(cache, &how);
    assert_int_equal(how.entries, 8);
    assert_int_equal(budget_take(&budget, 400000), 0);
    cache_state(cache, &how);
    assert_true(how.entries < 8 && how.entries >= 3);
    assert_int_equal(budget_take(&budget, 600001), -1);
    cache_state(cache, &how);
    assert_int_equal(how.entries, 0);
    assert_int_equal(atomic_load(&budget.used), 400000);
    cache_destroy(cache);
    assert_int_equal(budget_take(&budget, 600001), -1);
    cache_up(1000, NULL);
}

struct runner {
    struct engine_item items[2];
    size_t count;
};

static void run(struct call *call, void *argument)
{
    struct runner *runner = argument;
    assert_int_equal(engine_run(f.engine, call, runner->items, runner->count), 0);
}

static void run_items(struct runner *runner)
{
    assert_int_equal(call_run(NULL, &f.budget, &PRINCIPAL_LOCAL, clock_mono_ns() + 10 * NS_PER_S,
                              run, runner, NULL),
                     0);
}

static void test_engine_asks_once(void **state)
{
    (void)state;
    f.settings.cache = cache;
    struct sonde_query query = query_of(T0 - HOUR, T0);
    struct runner runner = {
        .count = 1,
        .items[0] = {.backend = f.backend, .query = &query, .share = true, .may_cache = true}};
    toy_request("/api/query", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/query", .status = 500, .times = 1});
    fake_io_add(&(struct fake_rule){.path = "/api/query", .status = 200, .body = "s 1\np 1 1 2\n"});
    run_items(&runner);
    assert_int_not_equal(runner.items[0].err.code, 0);
    result_unref(runner.items[0].result);
    size_t failed = fake_io_count();
    /* An error is not kept. */
    run_items(&runner);
    assert_int_equal(runner.items[0].err.code, 0);
    assert_int_equal(runner.items[0].cached_ns, 0);
    struct result *first = runner.items[0].result;
    at(T0 + 7 * S);
    query.start_ns += 7 * S;
    query.end_ns += 7 * S;
    run_items(&runner);
    assert_int_equal(runner.items[0].err.code, 0);
    assert_ptr_equal(runner.items[0].result, first);
    assert_true(runner.items[0].cached_ns == T0);
    result_unref(runner.items[0].result);
    assert_int_equal(fake_io_count(), failed + 1);
    /* Who does not want it from there gets it from the backend. */
    runner.items[0].may_cache = false;
    run_items(&runner);
    assert_ptr_not_equal(runner.items[0].result, first);
    assert_int_equal(runner.items[0].cached_ns, 0);
    result_unref(runner.items[0].result);
    result_unref(first);
    assert_int_equal(fake_io_count(), failed + 2);
}

static int32_t one_request(struct toy_op *op, struct sonde_request *request)
{
    return op->query->kind == SONDE_KIND_EXEMPLARS ? SONDE_E_UNSUPPORTED : toy_next(op, request);
}

/* Exemplars that the backend does not have are not asked for again with every answer from the cache. */
static void test_decoration(void **state)
{
    (void)state;
    plan.next = one_request;
    toy.table.caps |= SONDE_CAP(SONDE_KIND_EXEMPLARS);
    struct sonde_query query = query_of(T0 - HOUR, T0);
    struct sonde_query extra = query;
    extra.kind = SONDE_KIND_EXEMPLARS;
    struct runner runner = {
        .count = 2,
        .items = {{.backend = f.backend, .query = &query, .share = true, .may_cache = true},
                  {.backend = f.backend,
                   .query = &extra,
                   .share = true,
                   .may_cache = true,
                   .decorates = true}}};
    toy_request("/api/query", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/query", .status = 200, .body = "s 1\np 1 1 2\n"});
    run_items(&runner);
    assert_int_equal(runner.items[1].err.code, SONDE_E_UNSUPPORTED);
    result_unref(runner.items[0].result);
    unsigned begins = atomic_load(&plan.begins);
    run_items(&runner);
    assert_int_equal(runner.items[0].err.code, 0);
    assert_int_equal(runner.items[1].err.code, 0);
    assert_null(runner.items[1].result);
    result_unref(runner.items[0].result);
    assert_int_equal(atomic_load(&plan.begins), begins);
}

/* A question as a person has it: in words that mean another window each time. */
struct question {
    int64_t length; /* the last so long; 0: since T0 */
    int64_t until;  /* with an end that stays; 0: now */
};

static int64_t fetches;

/* Asks as the service does: now in whole seconds. Returns when what it got was fetched. */
static int64_t ask(const struct question *question)
{
    int64_t whole = now / S * S;
    int64_t end = question->until ? question->until : whole;
    struct sonde_query query = query_of(question->length ? end - question->length : T0, end);
    struct runner runner = {
        .count = 1,
        .items[0] = {.backend = f.backend, .query = &query, .share = true, .may_cache = true}};
    size_t before = fake_io_count();
    run_items(&runner);
    assert_int_equal(runner.items[0].err.code, 0);
    fetches += (int64_t)(fake_io_count() - before);
    int64_t fetched = runner.items[0].result->fetched_at_ns;
    assert_true(fetched == (runner.items[0].cached_ns ? runner.items[0].cached_ns : now));
    result_unref(runner.items[0].result);
    return fetched;
}

static void answer_all(void)
{
    toy_request("/api/query", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/query", .status = 200, .body = "s 1\np 1 1 2\n"});
}

/* Eight questions, each asked ten times 5 s apart. */
static void test_repeats(void **state)
{
    (void)state;
    answer_all();
    at(T0 + HOUR);
    struct question questions[8];
    for (int64_t i = 0; i < 6; i++)
        questions[i] = (struct question){.length = (i + 1) * 600 * S};
    questions[6] = (struct question){.length = 0};
    questions[7] = (struct question){.length = HOUR, .until = now - HOUR};
    fetches = 0;
    int64_t past = 0;
    for (int64_t round = 0; round < 10; round++, at(T0 + HOUR + round * 5 * S))
        for (size_t i = 0; i < 8; i++) {
            int64_t before = fetches;
            ask(&questions[i]);
            past += i == 7 ? fetches - before : 0;
        }
    int64_t repeats = INT64_C(8) * 9;
    assert_true(fetches - 8 < repeats * 3 / 10); /* over 70 % of the repeats are not fetched */
    assert_int_equal(past, 1);                   /* a past window once */
}

/* Many ask at any time. */
static void test_served_within_20_s(void **state)
{
    (void)state;
    answer_all();
    uint64_t random = 1;
    struct question questions[10];
    int64_t answered[10] = {0};
    for (int64_t i = 0; i < 10; i++)
        questions[i] = (struct question){.length = i % 3 ? (i + 1) * 60 * S : 0};
    questions[0].length = 9 * HOUR;
    int64_t alike = 0;
    int64_t served = 0;
    at(T0 + HOUR);
    for (int step = 0; step < 3000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        at(now + (int64_t)(random >> 32) % (2 * S));
        /* Those since T0 are one question. */
        size_t i = (random >> 20) % 10;
        size_t like = questions[i].length ? i : 3;
        fetches = 0;
        bool again = answered[like] && now - answered[like] <= 20 * S;
        int64_t fetched = ask(&questions[i]);
        assert_true(now - fetched <= 30 * S);
        if (fetches)
            answered[like] = now;
        alike += again;
        served += again && !fetches;
    }
    assert_true(alike > 1000);
    assert_true(served * 100 > alike * 95);
}

#define T(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_moving_window),
                                       T(test_growing_window),
                                       T(test_never_staler),
                                       T(test_no_window),
                                       T(test_alerts_are_of_now),
                                       T(test_past),
                                       T(test_recent),
                                       T(test_now_is_no_past),
                                       T(test_clock_set_back),
                                       T(test_bounded),
                                       T(test_whose),
                                       T(test_gives_way),
                                       T(test_engine_asks_once),
                                       T(test_decoration),
                                       T(test_repeats),
                                       T(test_served_within_20_s)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
