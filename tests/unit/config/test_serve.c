/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "config/serve.h"

static struct config_mistake mistakes[CONFIG_MAX_MISTAKES];
static size_t mistake_count;

static int parse(const char *text, struct config **ret_config, struct err *err)
{
    *err = (struct err){0};
    return config_parse(text, strlen(text), "/etc/f.yaml", ret_config, mistakes, &mistake_count,
                        err);
}

static void test_defaults(void **state)
{
    (void)state;
    CLEANUP(config_freep) struct config *config = NULL;
    struct err err;
    assert_int_equal(parse("tls:\n", &config, &err), 0);
    assert_string_equal(config->serve.listen, "127.0.0.1:7464");
    assert_null(config->serve.cert);
    assert_null(config->serve.key);
    assert_int_equal(config->serve.host_count, 0);
    assert_null(config->serve.tokens);
    assert_false(config->serve.metrics_open);
    assert_int_equal(config_check_serve(config, mistakes, &mistake_count, &err), 0);
}

static void test_all_keys(void **state)
{
    (void)state;
    CLEANUP(config_freep) struct config *config = NULL;
    struct err err;
    const char *text = "listen: \"[::1]:0\"\n"
                       "tls: {cert: c.pem, key: /k.pem}\n"
                       "hosts: [sonde.example.com, Sonde, \"2001:db8::1\"]\n"
                       "tokens: sub/tokens\n"
                       "metrics: {open: true}\n";
    assert_int_equal(parse(text, &config, &err), 0);
    assert_string_equal(config->serve.listen, "[::1]:0");
    assert_string_equal(config->serve.cert, "/etc/c.pem");
    assert_string_equal(config->serve.key, "/k.pem");
    assert_int_equal(config->serve.host_count, 3);
    assert_string_equal(config->serve.hosts[1], "Sonde");
    assert_string_equal(config->serve.tokens, "/etc/sub/tokens");
    assert_true(config->serve.metrics_open);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
        const char *what;
    } cases[] = {
        {"listen: 7464\n", "listen: ", "expected ADDRESS:PORT"},
        {"listen: localhost:7464\n", "listen: ", "in digits"},
        {"listen: 127.0.0.1:99999\n", "listen: ", "from 0 to 65535"},
        {"listen: \"127.0.0.1:\"\n", "listen: ", "from 0 to 65535"},
        {"listen: \"::1:7464\"\n", "listen: ", "in brackets"},
        {"listen: \"[127.0.0.1]:7464\"\n", "listen: ", "in digits"},
        {"listen: [a, b]\n", "listen: ", "got a list"},
        {"tls: {cert: a}\n", "tls: ", "key is missing"},
        {"tls: {key: a}\n", "tls: ", "cert is missing"},
        {"tls: {cert: a, kee: b}\n", "tls.kee: ", "did you mean \"key\""},
        {"tls: yes\n", "tls: ", "expected a map"},
        {"hosts: [https://a.example]\n", "hosts[0]: ", "no scheme"},
        {"hosts: [a, \"b:8080\"]\n", "hosts[1]: ", "any port"},
        {"hosts: [\"*.example\"]\n", "hosts[0]: ", "each one written out"},
        {"hosts: a b\n", "hosts: ", "each one written out"},
        {"tokens: [a]\n", "tokens: ", "got a list"},
        {"metrics: {open: maybe}\n", "metrics.open: ", "true or false"},
        {"metrics: {opne: true}\n", "metrics.opne: ", "did you mean \"open\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *config = NULL;
        struct err err;
        char where[64] = "/etc/f.yaml:1: ";
        strncat(where, cases[i].where, sizeof where - strlen(where) - 1);
        assert_int_equal(parse(cases[i].text, &config, &err), ERR_INVALID);
        if (strncmp(err.text, where, strlen(where)) != 0 || !strstr(err.text, cases[i].what))
            fail_msg("%s: expected \"%s...%s\", got \"%s\"", cases[i].text, where, cases[i].what,
                     err.text);
    }
}

/* Whether the files are there is asked only where the server runs: a command of another user reads the same file. */
static void test_files(void **state)
{
    (void)state;
    CLEANUP(config_freep) struct config *config = NULL;
    struct err err;
    assert_int_equal(parse("\ntls:\n  cert: /dev/null\n  key: /nowhere/k.pem\n", &config, &err), 0);
    assert_int_equal(config_check_serve(config, mistakes, &mistake_count, &err), ERR_INVALID);
    assert_int_equal(mistake_count, 1);
    assert_string_equal(mistakes[0].text,
                        "/etc/f.yaml:4: tls.key: /nowhere/k.pem: No such file or directory");
}

static void test_local(void **state)
{
    (void)state;
    assert_true(config_listen_is_local("127.0.0.1:1"));
    assert_true(config_listen_is_local("127.8.0.1:1"));
    assert_true(config_listen_is_local("[::1]:1"));
    assert_false(config_listen_is_local("0.0.0.0:1"));
    assert_false(config_listen_is_local("[::]:1"));
    assert_false(config_listen_is_local("192.168.127.1:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults),
                                       cmocka_unit_test(test_all_keys),
                                       cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_files), cmocka_unit_test(test_local)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
