/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/secret.h"
#include "base/err.h"

static void arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20, NULL);
    for (size_t size = 1; size < 3000; size += 37) {
        unsigned char *p = arena_alloc(&arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    arena_finish(&arena);
}

static void arena_stops_at_its_maximum_and_its_budget(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 100000);
    struct arena arena;
    arena_init(&arena, 50000, &budget);
    assert_non_null(arena_alloc(&arena, 30000));
    assert_null(arena_alloc(&arena, 30000));
    assert_true(arena.failed);
    struct arena second;
    arena_init(&second, 1 << 20, &budget);
    assert_null(arena_alloc(&second, 80000));
    assert_non_null(arena_alloc(&second, 20000));
    arena_finish(&arena);
    arena_finish(&second);
    assert_int_equal(budget.used, 0);
    arena_init(&arena, SIZE_MAX, NULL);
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 2, 3));
    arena_finish(&arena);
}

static void arena_grows_in_place_and_by_copy(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 22, NULL);
    int *numbers = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 20000; i++) {
        if ((size_t)i == capacity) {
            numbers =
                arena_grow(&arena, numbers, capacity, capacity ? capacity * 2 : 4, sizeof *numbers);
            assert_non_null(numbers);
            capacity = capacity ? capacity * 2 : 4;
            if (i % 3 == 0)
                assert_non_null(arena_alloc(&arena, 8)); /* something behind it: a copy is needed */
        }
        numbers[i] = i;
    }
    for (int i = 0; i < 20000; i++)
        assert_int_equal(numbers[i], i);
    assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    arena_finish(&arena);
}

static void buf_keeps_its_maximum_and_sticks_to_failure(void **state)
{
    (void)state;
    struct buf buf = BUF(10);
    buf_add(&buf, "12345");
    buf_add(&buf, "67890");
    assert_false(buf.failed);
    buf_add_char(&buf, 'x');
    assert_true(buf.failed);
    buf_add(&buf, "");
    assert_true(buf.failed);
    assert_null(buf_steal(&buf));
    buf = BUF(1000);
    buf_printf(&buf, "%s %d", "a", 5);
    assert_string_equal(buf_text(&buf), "a 5");
    buf_truncate(&buf, 1);
    assert_string_equal(buf_text(&buf), "a");
    buf_finish(&buf);
    assert_string_equal(buf_text(&buf), "");
}

static void json_string_of(const char *in, size_t size, const char *want)
{
    struct buf buf = BUF(1000);
    buf_json_string(&buf, in, size);
    assert_string_equal(buf_text(&buf), want);
    buf_finish(&buf);
}

static void buf_writes_json(void **state)
{
    (void)state;
    json_string_of("a\"\\/\n\t\r\x01", 8, "\"a\\\"\\\\/\\n\\t\\r\\u0001\"");
    json_string_of("\xc3\xa9\xff\0z", 5, "\"\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz\"");
    json_string_of("\xed\xa0\x80", 3,
                   "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate is no character */
    struct buf buf = BUF(1000);
    buf_add_char(&buf, '{');
    buf_json_key(&buf, "a");
    buf_json_double(&buf, 0.95);
    buf_json_key(&buf, "b");
    buf_json_double(&buf, 1.0 / 3);
    buf_json_key(&buf, "c");
    buf_json_int(&buf, INT64_MIN);
    buf_json_key(&buf, "d");
    buf_json_double(&buf, -1.0 / 0.0);
    buf_json_key(&buf, "e");
    buf_json_double(&buf, 0.1 + 0.2);
    assert_string_equal(buf_text(&buf),
                        "{\"a\":0.95,\"b\":0.3333333333333333,\"c\":-9223372036854775808,"
                        "\"d\":\"-Inf\",\"e\":0.30000000000000004");
    buf_finish(&buf);
}

static void map_holds_replaces_removes_in_order(void **state)
{
    (void)state;
    struct map map;
    map_init(&map, 2000);
    char key[16];
    static int values[3000];
    for (int i = 0; i < 2000; i++) {
        int n = snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(map_set(&map, key, (size_t)n, &values[i], NULL), 0);
    }
    assert_int_equal(map_set(&map, "more", 4, &values[0], NULL), ERR_LIMIT);
    for (int i = 0; i < 2000; i += 2) {
        int n = snprintf(key, sizeof key, "k%d", i);
        assert_ptr_equal(map_remove(&map, key, (size_t)n), &values[i]);
        assert_null(map_remove(&map, key, (size_t)n));
    }
    void *old = NULL;
    assert_int_equal(map_set(&map, "k1", 2, &values[2999], &old), 0);
    assert_ptr_equal(old, &values[1]);
    for (int i = 2000; i < 3000; i++) {
        int n = snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(map_set(&map, key, (size_t)n, &values[i], NULL), 0);
    }
    assert_int_equal(map.count, 2000);
    size_t position = 0;
    size_t seen = 0;
    struct map_entry *entry;
    while ((entry = map_next(&map, &position)))
        if (++seen == 1)
            assert_string_equal(entry->key, "k1");
    assert_int_equal(seen, 2000);
    assert_ptr_equal(map_get(&map, "k2999", 5), &values[2999]);
    assert_null(map_get(&map, "k0", 2));
    map_finish(&map);
}

static void secrets_compare_and_reveal(void **state)
{
    (void)state;
    CLEANUP(secret_freep) struct secret *a = secret_new("abc", 3);
    CLEANUP(secret_freep) struct secret *b = secret_new("abd", 3);
    CLEANUP(secret_freep) struct secret *c = secret_new("abc", 3);
    assert_string_equal(secret_reveal(a), "abc");
    assert_false(secret_equal(a, b));
    assert_true(secret_equal(a, c));
    assert_int_equal(secret_size(a), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_stops_at_its_maximum_and_its_budget),
        cmocka_unit_test(arena_grows_in_place_and_by_copy),
        cmocka_unit_test(buf_keeps_its_maximum_and_sticks_to_failure),
        cmocka_unit_test(buf_writes_json),
        cmocka_unit_test(map_holds_replaces_removes_in_order),
        cmocka_unit_test(secrets_compare_and_reveal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
