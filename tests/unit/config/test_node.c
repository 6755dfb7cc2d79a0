/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "config/node.h"

static int parse(const char *text, struct arena *arena, struct node **ret_root, struct err *err)
{
    arena_init(arena, (size_t)16 << 20, NULL);
    return node_parse(text, strlen(text), "f.yaml", arena, ret_root, err);
}

static void test_tree(void **state)
{
    (void)state;
    struct arena arena;
    struct node *root;
    struct err err = {0};
    const char *text = "# comment\n"
                       "limits: {calls: 7, name: \"8\"}\n"
                       "list:\n"
                       "  - a\n"
                       "  - {b: c}\n"
                       "text: |\n"
                       "  two\n"
                       "  lines\n"
                       "nothing:\n";
    assert_int_equal(parse(text, &arena, &root, &err), 0);
    const struct node *limits = node_get(root, "limits");
    assert_int_equal(limits->type, NODE_MAP);
    assert_int_equal(limits->line, 2);
    assert_false(node_get(limits, "calls")->quoted);
    assert_true(node_get(limits, "name")->quoted);
    assert_string_equal(node_get(limits, "name")->value, "8");
    const struct node *list = node_get(root, "list");
    assert_int_equal(list->child_count, 2);
    const struct node *b = node_get(list->children[1], "b");
    assert_int_equal(b->line, 5);
    assert_string_equal(node_path(root, b, &arena), "list[1].b");
    assert_string_equal(node_path(root, root, &arena), "");
    assert_string_equal(node_get(root, "text")->value, "two\nlines\n");
    assert_true(node_is_null(node_get(root, "nothing")));
    assert_null(node_get(root, "absent"));
    arena_finish(&arena);
}

static void test_json(void **state)
{
    (void)state;
    struct arena arena;
    struct node *root;
    struct err err = {0};
    const char *text = "{\n\t\"limits\": {\"calls\": 7},\n\t\"list\": [\"\\u00e9\", null, 1]\n}\n";
    assert_int_equal(parse(text, &arena, &root, &err), 0);
    assert_string_equal(node_get(node_get(root, "limits"), "calls")->value, "7");
    const struct node *list = node_get(root, "list");
    assert_string_equal(list->children[0]->value, "\xc3\xa9");
    assert_true(node_is_null(list->children[1]));
    arena_finish(&arena);
}

static void test_empty(void **state)
{
    (void)state;
    const char *const texts[] = {"", "\n", "# only a comment\n", "---\n", "null\n", "{}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arena arena;
        struct node *root = NULL;
        struct err err = {0};
        assert_int_equal(parse(texts[i], &arena, &root, &err), 0);
        assert_int_equal(root->type, NODE_MAP);
        assert_int_equal(root->child_count, 0);
        arena_finish(&arena);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *position;
        const char *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3: ", "\"a\" is given twice, first on line 1"},
        {"m: {x: 1,\n x: 2}\n", "f.yaml:2: ", "\"x\" is given twice"},
        {"a: &anchor 1\n", "f.yaml:1: ", "anchors and aliases"},
        {"a: 1\nb: *anchor\n", "f.yaml:2: ", "anchors and aliases"},
        {"no_proxy: [*.example]\n", "f.yaml:1: ", "must stand in quotes"},
        {"a: !!str 1\n", "f.yaml:1: ", "tags"},
        {"a: !secret x\n", "f.yaml:1: ", "tags"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2: ", "a second document"},
        {"a:\n\tb: 1\n", "f.yaml:2: ", "a tab"},
        {"a: b: c\n", "f.yaml:1: ", "put a value that holds \": \" in quotes"},
        {"a: [1, 2\nb: 3\n", "f.yaml:2: ", "not valid YAML"},
        {"a: \"open\n", "f.yaml:2: ", "not valid YAML"},
        {"a: 1\n b: 2\n", "f.yaml:2: ", "indentation"},
        {"[a, b]: 1\n", "f.yaml:1: ", "a key must be plain text"},
        {"\"\": 1\n", "f.yaml:1: ", "a key is empty"},
        {"a: \"\\0\"\n", "f.yaml:1: ", "NUL"},
        {"a: 1\nb: \xff\n", "f.yaml:2: ", "save the file as UTF-8"},
        {"a: 1\nb: \x01\n", "f.yaml:2: ", "control characters"},
        {"a: [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n", "f.yaml:1: ", "more than 16 levels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct node *root = NULL;
        struct err err = {0};
        assert_int_equal(parse(cases[i].text, &arena, &root, &err), ERR_INVALID);
        if (strncmp(err.text, cases[i].position, strlen(cases[i].position)) != 0 ||
            !strstr(err.text, cases[i].message))
            fail_msg("case %zu: got \"%s\"", i, err.text);
        assert_null(root);
        arena_finish(&arena);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct buf text = BUF((size_t)4 << 20);
    for (int i = 0; i <= NODE_MAX_KEYS; i++)
        buf_printf(&text, "k%d: 1\n", i);
    struct arena arena;
    struct node *root = NULL;
    struct err err = {0};
    assert_int_equal(parse(buf_text(&text), &arena, &root, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "more than 1000 keys"));
    arena_finish(&arena);
    buf_clear(&text);
    for (int i = 0; i <= NODE_MAX_COUNT; i++)
        buf_add(&text, "- 1\n");
    assert_int_equal(parse(buf_text(&text), &arena, &root, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "more than 50000 values"));
    arena_finish(&arena);
    buf_clear(&text);
    while (text.size <= NODE_MAX_TEXT)
        buf_add(&text, "# a long comment, line after line\n");
    assert_int_equal(parse(buf_text(&text), &arena, &root, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "larger than 1 MiB"));
    arena_finish(&arena);
    buf_finish(&text);
}

static void test_no_memory(void **state)
{
    (void)state;
    const char *text = "a: {b: [1, 2, 3, 4, 5], c: text}\n";
    for (size_t max = 0; max < 4096; max += 64) {
        struct arena arena;
        struct node *root = NULL;
        struct err err = {0};
        arena_init(&arena, max, NULL);
        int r = node_parse(text, strlen(text), "f.yaml", &arena, &root, &err);
        assert_true(r == 0 ? root != NULL : r == ERR_MEMORY);
        arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
