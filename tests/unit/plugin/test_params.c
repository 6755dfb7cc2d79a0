/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "plugin/params.h"

#define PARAM(name, kind, bits, value)                                                       \
    {                                                                                        \
        .struct_size = sizeof(struct sonde_param), .type = kind, .flags = bits, .key = name, \
        .def = value, .help = "help of " name                                                \
    }

static const struct sonde_param rows[] = {
    PARAM("site", SONDE_PARAM_STRING, SONDE_PARAM_REQUIRED, NULL),
    PARAM("default_limit", SONDE_PARAM_INTEGER, 0, "100"),
    PARAM("poll.every", SONDE_PARAM_DURATION, 0, "1.5s"),
    PARAM("strict", SONDE_PARAM_BOOLEAN, 0, NULL),
    PARAM("namespaces", SONDE_PARAM_LIST, 0, NULL),
    PARAM("api_key", SONDE_PARAM_STRING, SONDE_PARAM_SECRET, NULL)};
static const struct sonde_param *const params[] = {&rows[0], &rows[1], &rows[2],
                                                   &rows[3], &rows[4], &rows[5]};
static const struct sonde_auth_scheme scheme = {.struct_size = sizeof scheme, .name = "keys"};
static const struct sonde_auth_scheme *const schemes[] = {&scheme};
static const struct adapter adapter = {.table = {.name = "toy",
                                                 .params = params,
                                                 .param_count = 6,
                                                 .auth_schemes = schemes,
                                                 .auth_scheme_count = 1}};
static struct connection_param given[8];
static struct connection connection;

static int setup(void **state)
{
    (void)state;
    memset(given, 0, sizeof given);
    memset(&connection, 0, sizeof connection);
    connection.params = given;
    given[0] = (struct connection_param){.key = "site", .value = "eu"};
    connection.param_count = 1;
    return 0;
}

static void add(const char *key, const char *value)
{
    given[connection.param_count++] = (struct connection_param){.key = key, .value = value};
}

static void refused(const char *text)
{
    struct err err = {0};
    assert_int_equal(params_check(&adapter, &connection, &err), ERR_INVALID);
    if (!strstr(err.text, text))
        assert_string_equal(err.text, text);
    setup(NULL);
}

static void test_refused(void **state)
{
    (void)state;
    add("defaultlimit", "5");
    refused("backend toy has no parameter \"defaultlimit\": did you mean \"default_limit\"?");
    add("zzzzzzzz", "5");
    refused("it knows site, default_limit, poll.every, strict, namespaces, api_key");
    add("default_limit", "many");
    refused("default_limit: expected a whole number, got \"many\"");
    add("strict", "maybe");
    refused("strict: expected true or false");
    add("poll.every", "soon");
    refused("poll.every: expected a duration such as");
    add("site", "us");
    refused("site is given twice");
    given[0].value = NULL;
    given[0].secret.kind = SECRET_ENV;
    refused("site is no secret of backend toy");
    connection.param_count = 0;
    refused("backend toy needs the parameter site: help of site");
    connection.auth.type = AUTH_SCHEME;
    connection.auth.scheme = "key";
    refused("did you mean \"keys\"");
}

static const char *value_of(const struct sonde_pair *pairs, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].key, key) == 0)
            return pairs[i].value;
    return NULL;
}

static void test_filled(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16, NULL);
    const struct sonde_pair *pairs = NULL;
    size_t n = 0;
    assert_int_equal(params_fill(&adapter, &connection, &arena, &pairs, &n, NULL), 0);
    assert_string_equal(value_of(pairs, n, "site"), "eu");
    assert_string_equal(value_of(pairs, n, "default_limit"), "100");
    assert_string_equal(value_of(pairs, n, "poll.every"), "1500");
    assert_string_equal(value_of(pairs, n, "api_key"), "");
    assert_null(value_of(pairs, n, "strict"));
    add("strict", "Yes");
    add("default_limit", "+007");
    add("namespaces", "a\nb");
    add("api_key", NULL);
    given[connection.param_count - 1].secret =
        (struct secret_ref){.kind = SECRET_ENV, .name = "KEY"};
    connection.auth.type = AUTH_SCHEME;
    connection.auth.scheme = "keys";
    assert_int_equal(params_fill(&adapter, &connection, &arena, &pairs, &n, NULL), 0);
    assert_string_equal(value_of(pairs, n, "strict"), "true");
    assert_string_equal(value_of(pairs, n, "default_limit"), "7");
    assert_string_equal(value_of(pairs, n, "namespaces"), "a\nb");
    assert_string_equal(value_of(pairs, n, "api_key"), "set");
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_refused, setup),
                                       cmocka_unit_test_setup(test_filled, setup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
