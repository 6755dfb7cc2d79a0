/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "examples.h"

static struct config_mistake mistakes[CONFIG_MAX_MISTAKES];
static size_t mistake_count;

static int parse(const char *text, struct config **ret_config, struct err *err)
{
    *err = (struct err){0};
    return config_parse(text, strlen(text), "etc/f.yaml", ret_config, mistakes, &mistake_count,
                        err);
}

static void test_defaults(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct err err;
    assert_int_equal(parse("", &config, &err), 0);
    assert_string_equal(config->timezone, "");
    assert_string_equal(config->files, "");
    assert_string_equal(config->log_level, "info");
    assert_false(config->log_json);
    assert_int_equal(config->plugin_path_count, 1);
    assert_null(config->plugins_enabled);
    assert_null(config->proxy);
    assert_int_equal(config->limit_calls, 256);
    assert_int_equal(config->limit_calls_per_minute, 120);
    assert_int_equal(config->limit_calls_per_user, 64);
    assert_int_equal(config->limit_in_flight, 16);
    assert_int_equal(config->limit_in_flight_per_user, 8);
    assert_int_equal(config->limit_timeout_ns, 30 * NS_PER_S);
    assert_int_equal(config->limit_memory, 512ull << 20);
    assert_int_equal(config->limit_body, 64ull << 20);
    assert_int_equal(config->limit_points, 2000000);
    assert_int_equal(config->limit_max_tokens, 25000);
    assert_null(config->connections);
    config_free(config);
}

static void test_all_keys(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct err err;
    const char *text =
        "timezone: UTC\n"
        "files: /\n"
        "plugins: {path: [/one, two], enable: [prometheus]}\n"
        "limits:\n"
        "  calls: 8\n  calls_per_minute: 0\n  calls_per_user: 5\n"
        "  in_flight: 4\n  in_flight_per_user: 2\n  timeout: 2m\n  memory: 1GiB\n  body: 128k\n"
        "  points: 5000\n  max_tokens: 9000\n"
        "network:\n  proxy: http://user:word@proxy:3128\n  no_proxy: localhost\n"
        "log: {level: debug, format: json}\n"
        "connections:\n- {name: a, backend: b}\n";
    if (parse(text, &config, &err))
        fail_msg("%s", err.text);
    assert_string_equal(config->timezone, "UTC");
    assert_string_equal(config->files, "/");
    assert_int_equal(config->plugin_path_count, 2);
    assert_string_equal(config->plugin_paths[0], "/one");
    assert_string_equal(config->plugin_paths[1], "etc/two"); /* beside the file */
    assert_int_equal(config->plugins_enabled_count, 1);
    assert_string_equal(config->plugins_enabled[0], "prometheus");
    assert_int_equal(config->limit_calls, 8);
    assert_int_equal(config->limit_calls_per_minute, 0);
    assert_int_equal(config->limit_calls_per_user, 5);
    assert_int_equal(config->limit_in_flight, 4);
    assert_int_equal(config->limit_in_flight_per_user, 2);
    assert_int_equal(config->limit_timeout_ns, 2 * NS_PER_MIN);
    assert_int_equal(config->limit_memory, 1ull << 30);
    assert_int_equal(config->limit_body, 128000);
    assert_int_equal(config->limit_points, 5000);
    assert_int_equal(config->limit_max_tokens, 9000);
    assert_string_equal(config->proxy, "http://user:word@proxy:3128");
    assert_int_equal(config->no_proxy_count, 1);
    assert_string_equal(config->no_proxy[0], "localhost");
    assert_string_equal(config->log_level, "debug");
    assert_true(config->log_json);
    assert_int_equal(config->connections->child_count, 1);
    config_free(config);
}

static void test_json(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct err err;
    assert_int_equal(
        parse("{\"limits\": {\"calls\": 3, \"timeout\": \"5s\"}, \"log\": null}", &config, &err),
        0);
    assert_int_equal(config->limit_calls, 3);
    assert_int_equal(config->limit_timeout_ns, 5 * NS_PER_S);
    config_free(config);
}

/* One mistake each: where it is, which key, what is said. */
static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *start; /* file, line and key */
        const char *message;
    } cases[] = {
        {"limts: {}\n", "etc/f.yaml:1: limts: ", "did you mean \"limits\"?"},
        {"\n\nzzz: 1\n", "etc/f.yaml:3: zzz: ", "accepted here: timezone, files, plugins"},
        {"store: mysql://u:secret@h/d\n",
         "etc/f.yaml:1: store: ", "expected a file's path, postgresql://"},
        {"network: {allow: [10.0.0.0/33]}\n",
         "etc/f.yaml:1: network.allow: ", "no range of addresses such as 10.0.0.0/8"},
        {"keys: {file: a, environment: B}\n", "etc/f.yaml:1: keys.environment: ", "not both"},
        {"history: {keep: forever}\n", "etc/f.yaml:1: history.keep: ", "duration"},
        {"cache: {memory: many}\n", "etc/f.yaml:1: cache.memory: ", "64MiB"},
        {"oauth: {issuer: https://id.example}\n", "etc/f.yaml:1: oauth: ", "audience is missing"},
        {"limits: {calls_per_minute: -1}\n",
         "etc/f.yaml:1: limits.calls_per_minute: ", "expected a whole number from 0 to 1000000"},
        {"limits: {calls_per_user: 0}\n",
         "etc/f.yaml:1: limits.calls_per_user: ", "expected a whole number from 1 to 4096"},
        {"limits: {in_flight_per_user: 300}\n",
         "etc/f.yaml:1: limits.in_flight_per_user: ", "from 1 to 256, got \"300\""},
        {"limits:\n  calls: many\n",
         "etc/f.yaml:2: limits.calls: ", "expected a whole number from 1 to 4096, got \"many\""},
        {"limits: {calls: 0}\n", "etc/f.yaml:1: limits.calls: ", "got \"0\""},
        {"limits: {calls: 1.5}\n", "etc/f.yaml:1: limits.calls: ", "got \"1.5\""},
        {"limits: {in_flight: [1]}\n", "etc/f.yaml:1: limits.in_flight: ", "got a list"},
        {"limits: {timeout: 30 parsecs}\n", "etc/f.yaml:1: limits.timeout: ",
         "expected a duration from 100ms to 1h such as 30s, got \"30 parsecs\""},
        {"limits: {timeout: 2h}\n", "etc/f.yaml:1: limits.timeout: ", "from 100ms to 1h"},
        {"limits: {memory: lots}\n",
         "etc/f.yaml:1: limits.memory: ", "expected a size from 16MiB to"},
        {"limits: {body: 1}\n", "etc/f.yaml:1: limits.body: ", "from 64KiB to 4GiB"},
        {"limits: {max_tokens: 1}\n", "etc/f.yaml:1: limits.max_tokens: ", "from 500 to 200000"},
        {"limits: 12\n", "etc/f.yaml:1: limits: ", "expected a map of keys and values, got \"12\""},
        {"log: {level: verbose}\n",
         "etc/f.yaml:1: log.level: ", "expected one of debug, info, warn, error, got \"verbose\""},
        {"log: {level: warning}\n", "etc/f.yaml:1: log.level: ", "did you mean \"warn\"?"},
        {"log: {format: xml}\n", "etc/f.yaml:1: log.format: ", "text, json"},
        {"timezone: Europe/Berlim\n", "etc/f.yaml:1: timezone: ", "Europe/Berlin"},
        {"timezone: [a]\n", "etc/f.yaml:1: timezone: ", "expected a text, got a list"},
        {"timezone:\n", "etc/f.yaml:1: timezone: ", "got no value"},
        {"files: /nonexistent/folder\n", "etc/f.yaml:1: files: ", "No such file"},
        {"files: /dev/null\n", "etc/f.yaml:1: files: ", "not a folder"},
        {"plugins: {path: {a: b}}\n", "etc/f.yaml:1: plugins.path: ", "expected a list of texts"},
        {"plugins: {path: [[a]]}\n", "etc/f.yaml:1: plugins.path[0]: ", "got a list"},
        {"plugins: {enabled: [a]}\n", "etc/f.yaml:1: plugins.enabled: ", "\"enable\""},
        {"network: {proxy: proxy:3128}\n",
         "etc/f.yaml:1: network.proxy: ", "must begin with http:// or https://"},
        {"network: {proxy: \"http://u:topsecret@p:99999\"}\n",
         "etc/f.yaml:1: network.proxy: ", "port must be a number"},
        {"connections: {name: a}\n", "etc/f.yaml:1: connections: ", "expected a list"},
        {"- a\n- b\n", "etc/f.yaml:1: ", "expected a map of keys"},
        {"just text\n", "etc/f.yaml:1: ", "expected a map of keys"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = NULL;
        struct err err;
        assert_int_equal(parse(cases[i].text, &config, &err), ERR_INVALID);
        const char *text = mistakes[0].text;
        if (mistake_count != 1 || strncmp(text, cases[i].start, strlen(cases[i].start)) != 0 ||
            !strstr(text, cases[i].message) || strcmp(text, err.text) != 0)
            fail_msg("case %zu: %zu mistakes, \"%s\"", i, mistake_count, text);
        assert_null(strstr(text, "topsecret"));
        assert_null(config);
    }
}

static void test_all_collected(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct err err;
    assert_int_equal(parse("limits: {calls: x, memory: y}\nstore: ftp://a\nlog:\n  level: loud\n",
                           &config, &err),
                     ERR_INVALID);
    assert_int_equal(mistake_count, 4);
    assert_non_null(strstr(err.text, "(and 3 more)"));
    struct buf text = BUF(65536);
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "unknown%d: 1\n", i);
    assert_int_equal(parse(buf_text(&text), &config, &err), ERR_INVALID);
    assert_int_equal(mistake_count, CONFIG_MAX_MISTAKES);
    assert_non_null(strstr(err.text, "(and 99 more)"));
    buf_finish(&text);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/sonde-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[128];
    snprintf(path, sizeof path, "%s/sonde", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/sonde/sonde.yaml", folder);
    struct config *config = NULL;
    struct err err = {0};

    assert_int_equal(config_load(path, &config, mistakes, &mistake_count, &err), ERR_NOT_FOUND);
    assert_int_equal(mistake_count, 1);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(config_load(folder, &config, mistakes, &mistake_count, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "a folder"));

    write_file(path, "limits: {calls: 9}\n", 0602);
    assert_int_equal(config_load(path, &config, mistakes, &mistake_count, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "chmod o-w"));

    write_file(path, "limits: {calls: 9}\n", 0604);
    assert_int_equal(config_load(path, &config, mistakes, &mistake_count, &err), 0);
    assert_true(config->others_read);
    config_free(config);
    write_file(path, "limits: {calls: 9}\n", 0600);
    setenv("XDG_CONFIG_HOME", folder, 1);
    assert_int_equal(config_load(NULL, &config, mistakes, &mistake_count, &err), 0);
    assert_int_equal(config->limit_calls, 9);
    assert_string_equal(config->path, path);
    assert_false(config->others_read);
    config_free(config);
    unlink(path);
    snprintf(path, sizeof path, "%s/sonde", folder);
    rmdir(path);
    rmdir(folder);
}

static void test_shipped(void **state)
{
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%s/etc/sonde.yaml",
             getenv("top_srcdir") ? getenv("top_srcdir") : ".");
    char *text = NULL;
    size_t size;
    struct err err = {0};
    struct config *config = NULL;
    if (file_read(path, 1 << 20, &text, &size, &err))
        fail_msg("%s", err.text);
    if (config_parse(text, size, path, &config, mistakes, &mistake_count, &err))
        fail_msg("as shipped: %s", err.text);
    assert_null(config->connections);
    config_free(config);
    struct buf all = BUF(1 << 20);
    examples_uncomment(text, &all);
    mem_free(text);
    config = NULL;
    int r = config_parse(buf_text(&all), all.size, path, &config, mistakes, &mistake_count, &err);
    for (size_t i = 0; r && i < mistake_count; i++)
        print_error("%s\n", mistakes[i].text);
    assert_int_equal(r, 0);
    assert_true(config->connections->child_count >= 3);
    config_free(config);
    buf_finish(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_all_keys),
        cmocka_unit_test(test_json),          cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_all_collected), cmocka_unit_test(test_files),
        cmocka_unit_test(test_shipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
