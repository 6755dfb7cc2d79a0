/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "base/json.h"

#define COUNT 500

static struct json_object *parse(const struct answer *answer)
{
    struct json_object *object = NULL;
    struct err err = {0};
    if (json_parse(answer->json, answer->json_size, 32, &object, &err))
        fail_msg("%s in %s", err.text, answer->json);
    return object;
}

static void test_exact(void **state)
{
    (void)state;
    struct name_row rows[] = {
        {"http_requests_total", "1", "Requests.", "", 12, SONDE_TYPE_COUNTER, true},
        {"up", "", "", "", 0, SONDE_TYPE_UNKNOWN, false}};
    struct answer_name names[] = {{&rows[0], "a, b"}, {&rows[1], NULL}};
    struct answer_names input = {
        .rows_key = "metrics", .names = names, .name_count = 2, .total = 2};
    struct answer answer;
    assert_int_equal(answer_names(&input, &answer), 0);
    assert_string_equal(answer.json,
                        "{\"metrics\":[{\"name\":\"http_requests_total\",\"type\":\"counter\","
                        "\"type_guessed\":true,\"unit\":\"1\",\"count\":12,\"help\":\"Requests.\","
                        "\"connections\":\"a, b\"},{\"name\":\"up\"}],\"total\":2,\"returned\":2}");
    assert_string_equal(answer.text, "2 of 2 shown\n"
                                     "http_requests_total (counter?, 1) x12: Requests. [a, b]\n"
                                     "up\n");
    answer_finish(&answer);
    /* Bare values are strings. */
    names[0].row = &rows[1];
    names[0].connections = NULL;
    input.rows_key = "values";
    input.total = 900;
    input.total_at_least = true;
    assert_int_equal(answer_names(&input, &answer), 0);
    assert_string_equal(answer.json, "{\"values\":[\"up\",\"up\"],\"truncated\":true,\"total\":900,"
                                     "\"total_at_least\":true,\"returned\":2}");
    answer_finish(&answer);
    input.name_count = 0;
    input.total = 0;
    input.total_at_least = false;
    assert_int_equal(answer_names(&input, &answer), 0);
    assert_string_equal(answer.json, "{\"values\":[],\"total\":0,\"returned\":0}");
    assert_string_equal(answer.text, "0 of 0 shown\nno values\n");
    answer_finish(&answer);
}

static size_t remember(void *user, size_t next_skip, char out[65])
{
    *(size_t *)user = next_skip;
    memset(out, 'c', 64);
    out[64] = '\0';
    return 64;
}

/* Pages of any budget hold it and together show every name once. */
static void test_pages(void **state)
{
    (void)state;
    static char texts[COUNT][64];
    static struct name_row rows[COUNT];
    static struct answer_name names[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "some_metric_of_the_application_%zu", i);
        rows[i] =
            (struct name_row){.name = texts[i],
                              .unit = "seconds",
                              .type = SONDE_TYPE_GAUGE,
                              .help = "A help text of some length \xc3\xa4\xc3\xb6\n with a line "
                                      "break, as exporters like to write it at length."};
        names[i] = (struct answer_name){&rows[i], i % 2 ? "prom-eu, prom-us" : NULL};
    }
    static const size_t budgets[] = {200, 317, 1000, 6000, 25000};
    for (size_t b = 0; b < sizeof budgets / sizeof budgets[0]; b++) {
        size_t skip = 0;
        size_t pages = 0;
        while (skip < COUNT) {
            size_t next = 0;
            struct answer_names input = {.envelope = {.budget = budgets[b]},
                                         .rows_key = "metrics",
                                         .names = names,
                                         .name_count = COUNT,
                                         .total = COUNT,
                                         .skip = skip,
                                         .make_cursor = remember,
                                         .user = &next};
            struct answer answer;
            assert_int_equal(answer_names(&input, &answer), 0);
            assert_true(tokens_json(answer.json, answer.json_size) <= budgets[b]);
            assert_true(tokens_text(answer.text, answer.text_size) <= budgets[b]);
            CLEANUP(json_putp) struct json_object *object = parse(&answer);
            struct json_object *shown = json_member(object, "metrics");
            size_t count = json_object_array_length(shown);
            assert_true(count > 0);
            for (size_t i = 0; i < count; i++)
                assert_string_equal(json_string_of(json_object_array_get_idx(shown, i), "name"),
                                    texts[skip + i]);
            assert_int_equal(next, skip + count < COUNT ? skip + count : 0);
            skip += count;
            pages++;
            answer_finish(&answer);
        }
        assert_true(budgets[b] < 25000 || pages <= 2);
    }
}

static void test_error(void **state)
{
    (void)state;
    struct answer answer;
    assert_int_equal(answer_error(ERR_INVALID, "unknown argument \"qury\", did you mean \"query\"?",
                                  NULL, &answer),
                     0);
    assert_true(answer.is_error);
    assert_string_equal(answer.json,
                        "{\"error\":{\"class\":\"invalid\",\"message\":\"unknown argument "
                        "\\\"qury\\\", did you mean \\\"query\\\"?\"}}");
    assert_string_equal(answer.text,
                        "error (invalid): unknown argument \"qury\", did you mean \"query\"?\n");
    answer_finish(&answer);

    static char message[5000];
    memset(message, 'm', sizeof message - 1);
    struct answer_connection connections[] = {
        {.name = "prom", .error = message, .error_class = "bad_query", .executed = message}};
    struct envelope envelope = {.connections = connections,
                                .connection_count = 1,
                                .query_executed = message,
                                .next = {{"list_connections", "{}", "to see what there is"}},
                                .next_count = 1};
    for (size_t budget = 200; budget < 6000; budget += 331) {
        envelope.budget = budget;
        assert_int_equal(answer_error(SONDE_E_BAD_QUERY, message, &envelope, &answer), 0);
        assert_true(tokens_json(answer.json, answer.json_size) <= budget);
        assert_true(tokens_text(answer.text, answer.text_size) <= budget);
        CLEANUP(json_putp) struct json_object *object = parse(&answer);
        assert_non_null(json_string_of(json_member(object, "error"), "message"));
        assert_non_null(strstr(answer.text, "mmmmmmmm"));
        answer_finish(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
