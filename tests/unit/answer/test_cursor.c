/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "answer/cursor.h"
#include "base/clock.h"
#include "base/str.h"

#define T0 (INT64_C(1773140400) * NS_PER_S)

static struct result *result_some(void)
{
    struct result *result = result_new(SONDE_KIND_METRICS, 1u << 20, NULL);
    assert_non_null(result);
    assert_non_null(arena_alloc(&result->arena, 1000));
    return result;
}

static struct cursor_page page_of(struct result **results, size_t n, size_t skip)
{
    return (struct cursor_page){.owner = "user",
                                .tool = "query_metrics",
                                .digest = "d1",
                                .window = {1, 2, 3, "note"},
                                .results = results,
                                .result_count = n,
                                .state = "{\"a\":1}",
                                .skip = skip};
}

static void test_round_trip(void **state)
{
    (void)state;
    struct cursor_store *store = NULL;
    assert_int_equal(cursor_store_create(4, 1u << 20, &store), 0);
    struct result *result = result_some();
    const char *names[] = {"prom"};
    struct cursor_page page = page_of(&result, 1, 12);
    page.connection_names = names;
    char handle[65];
    size_t size = cursor_put(store, &page, handle);
    assert_true(size > 16 && size <= 64);
    assert_int_equal(strlen(handle), size);
    assert_int_equal(result->references, 2);

    struct arena arena;
    arena_init(&arena, 1u << 20, NULL);
    struct cursor_page got;
    struct err err = {0};
    assert_int_equal(cursor_get(store, handle, "user", "query_metrics", "d1", &arena, &got, &err),
                     0);
    assert_int_equal(got.skip, 12);
    assert_string_equal(got.state, "{\"a\":1}");
    assert_string_equal(got.connection_names[0], "prom");
    assert_int_equal(got.window.end_ns, 2);
    assert_ptr_equal(got.results[0], result);
    assert_int_equal(result->references, 3);
    cursor_page_release(&got);

    assert_int_equal(cursor_get(store, handle, "other", "query_metrics", "d1", &arena, &got, &err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "call query_metrics again"));
    assert_int_equal(
        cursor_get(store, "nonsense", "user", "query_metrics", "d1", &arena, &got, &err),
        ERR_NOT_FOUND);
    assert_int_equal(cursor_get(store, handle, "user", "list_metrics", "d1", &arena, &got, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.text, "query_metrics, not by list_metrics"));
    assert_int_equal(cursor_get(store, handle, "user", "query_metrics", "d2", &arena, &got, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.text, "arguments differ"));
    assert_int_equal(result->references, 2);
    cursor_store_destroy(store);
    assert_int_equal(result->references, 1);
    result_unref(result);
    arena_finish(&arena);
}

static void test_bounds_and_expiry(void **state)
{
    (void)state;
    clock_set_test(T0);
    struct cursor_store *store = NULL;
    assert_int_equal(cursor_store_create(3, 64u << 10, &store), 0);
    struct result *result = result_some();
    char handles[4][65];
    struct arena arena;
    arena_init(&arena, 1u << 20, NULL);
    struct cursor_page got;
    struct err err = {0};
    for (size_t i = 0; i < 4; i++) {
        struct cursor_page page = page_of(&result, 1, i);
        assert_int_not_equal(cursor_put(store, &page, handles[i]), 0);
    }
    /* Three fit: the first one went. */
    assert_int_equal(
        cursor_get(store, handles[0], "user", "query_metrics", "d1", &arena, &got, &err),
        ERR_NOT_FOUND);
    assert_int_equal(result->references, 4);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(
            cursor_get(store, handles[i], "user", "query_metrics", "d1", &arena, &got, &err), 0);
        assert_int_equal(got.skip, i);
        cursor_page_release(&got);
    }
    /* One that alone is too large gets no cursor, and costs the others nothing. */
    struct result *large = result_some();
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(&large->arena, 1000));
    struct cursor_page page = page_of(&large, 1, 0);
    char handle[65];
    assert_int_equal(cursor_put(store, &page, handle), 0);
    assert_int_equal(large->references, 1);
    assert_int_equal(result->references, 4);
    result_unref(large);

    clock_set_test(T0 + 15 * NS_PER_MIN - 1);
    assert_int_equal(
        cursor_get(store, handles[3], "user", "query_metrics", "d1", &arena, &got, &err), 0);
    cursor_page_release(&got);
    clock_set_test(T0 + 15 * NS_PER_MIN);
    assert_int_equal(
        cursor_get(store, handles[3], "user", "query_metrics", "d1", &arena, &got, &err),
        ERR_NOT_FOUND);
    assert_int_equal(result->references, 1);
    clock_set_test(0);
    cursor_store_destroy(store);
    result_unref(result);
    arena_finish(&arena);
}

static void *put_and_get(void *argument)
{
    struct cursor_store *store = argument;
    struct result *result = result_new(SONDE_KIND_METRICS, 1u << 20, NULL);
    if (!result)
        return argument;
    for (size_t i = 0; i < 500; i++) {
        struct arena arena;
        arena_init(&arena, 1u << 20, NULL);
        struct cursor_page page = page_of(&result, 1, i);
        struct cursor_page got;
        char handle[65];
        if (cursor_put(store, &page, handle) &&
            cursor_get(store, handle, "user", "query_metrics", "d1", &arena, &got, NULL) == 0)
            cursor_page_release(&got);
        arena_finish(&arena);
    }
    result_unref(result);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct cursor_store *store = NULL;
    assert_int_equal(cursor_store_create(5, 1u << 20, &store), 0);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_get, store), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed = store;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    cursor_store_destroy(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bounds_and_expiry),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
