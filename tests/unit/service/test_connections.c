/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "examples.h"
#include "fake_registry.h"
#include "service/connections.h"

static struct config_mistake mistakes[CONFIG_MAX_MISTAKES];
static size_t mistake_count;
static struct config *config;
static struct connection **connections;
static size_t connection_count;

static void release(void)
{
    for (size_t i = 0; i < connection_count; i++)
        connection_unref(connections[i]);
    mem_free(connections);
    connections = NULL;
    connection_count = 0;
    config_free(config);
    config = NULL;
}

static int load_with(const char *yaml, const char *const *options, size_t n, struct err *err)
{
    release();
    *err = (struct err){0};
    int r = config_parse(yaml, strlen(yaml), "f.yaml", &config, mistakes, &mistake_count, err);
    if (r)
        return r;
    return connections_load(config, fake_registry(), options, n, &connections, &connection_count,
                            mistakes, &mistake_count, err);
}

static int load(const char *yaml, struct err *err)
{
    return load_with(yaml, NULL, 0, err);
}

static void test_least(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(load("connections:\n- name: prod\n  backend: prometheus\n"
                          "  url: http://localhost:9090/prefix\n",
                          &err),
                     0);
    assert_int_equal(connection_count, 1);
    const struct connection *c = connections[0];
    assert_string_equal(c->name, "prod");
    assert_string_equal(c->backend, "prometheus");
    assert_string_equal(c->url, "http://localhost:9090/prefix");
    assert_int_equal(c->timeout_ns, 30 * NS_PER_S);
    assert_int_equal(c->auth.type, AUTH_NONE);
    assert_int_equal(c->max_samples, 0);
    assert_false(c->is_default);
    assert_true(c->from_operator);
    release();
}

/* The id is the name's for ever: stored rows and the cache hang on it. */
static void test_id(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(load("connections: [{name: prod, backend: prometheus}, "
                          "{name: Prod, backend: prometheus}]\n",
                          &err),
                     0);
    assert_string_equal(connections[0]->id, "b7949614-249c-84bf-8b33-c49ce744e203");
    assert_int_equal(strlen(connections[0]->id), 36);
    assert_int_equal(connections[0]->id[14], '8'); /* version */
    assert_non_null(strchr("89ab", connections[0]->id[19]));
    assert_string_not_equal(connections[0]->id, connections[1]->id);
    release();
}

static void test_all_keys(void **state)
{
    (void)state;
    struct err err;
    setenv("SONDE_TEST_TOKEN", "t", 1);
    const char *yaml =
        "connections:\n"
        "- name: a.b_c-1\n  backend: vendor\n  url: https://[::1]:8443\n"
        "  description: all of it\n  default: true\n  tags: {env: prod, region: eu}\n"
        "  timeout_seconds: 2.5\n"
        "  query_limits: {max_samples: 10000, max_time_range_hours: 0.5}\n"
        "  enforce: {namespace: team-a, \"k8s.cluster\": \"a,b\"}\n"
        "  access: {users: [ann, bob@example.org]}\n"
        "  auth: {type: basic, username: me, password: \"s3cret\"}\n"
        "  tls: {ca_file: /dev/null, cert: /dev/null, key: /dev/null, server_name: x,"
        " insecure_skip_verify: true}\n"
        "  headers: {X-A: one, X-B: {env: SONDE_TEST_TOKEN}, X-C: {file: /dev/null}}\n"
        "  tenant: t1\n  proxy: http://proxy:3128\n  http2: true\n"
        "  ui: {kind: grafana, url: https://g.example, param: uid}\n"
        "  site: eu\n  api_key: {env: SONDE_TEST_TOKEN}\n  labels: {extra: [a, b], deep: {on: "
        "true}}\n"
        "  wait: 5m\n  depth: 3\n";
    if (load(yaml, &err))
        fail_msg("%s", err.text);
    const struct connection *c = connections[0];
    assert_string_equal(c->description, "all of it");
    assert_true(c->is_default);
    assert_true(c->http2);
    assert_string_equal(connection_tag(c, "env"), "prod");
    assert_int_equal(c->timeout_ns, 2500 * NS_PER_MS);
    assert_int_equal(c->max_samples, 10000);
    assert_int_equal(c->enforce_count, 2);
    assert_string_equal(c->enforce[0].key, "namespace");
    assert_string_equal(c->enforce[0].value, "team-a");
    assert_string_equal(c->enforce[1].key, "k8s.cluster");
    assert_string_equal(c->enforce[1].value, "a,b");
    assert_int_equal(c->access_user_count, 2);
    assert_string_equal(c->access_users[1], "bob@example.org");
    assert_true(connection_shared(c));
    assert_int_equal(c->max_time_range_ns, 30 * NS_PER_MIN);
    assert_int_equal(c->auth.type, AUTH_BASIC);
    assert_string_equal(c->auth.user, "me");
    assert_int_equal(c->auth.secret.kind, SECRET_LITERAL);
    assert_string_equal(secret_reveal(c->auth.secret.literal), "s3cret");
    assert_string_equal(c->tls.ca_file, "/dev/null");
    assert_string_equal(c->tls.server_name, "x");
    assert_true(c->tls.insecure_skip_verify);
    assert_int_equal(c->header_count, 3);
    assert_int_equal(c->headers[0].value.kind, SECRET_LITERAL);
    assert_int_equal(c->headers[1].value.kind, SECRET_ENV);
    assert_string_equal(c->headers[1].value.name, "SONDE_TEST_TOKEN");
    assert_int_equal(c->headers[2].value.kind, SECRET_FILE);
    assert_string_equal(c->tenant, "t1");
    assert_string_equal(c->proxy, "http://proxy:3128");
    assert_string_equal(c->ui_kind, "grafana");
    assert_string_equal(c->ui_url, "https://g.example");
    assert_string_equal(c->ui_param, "uid");
    static const char *const keys[] = {"site",           "api_key", "labels.extra",
                                       "labels.deep.on", "wait",    "depth"};
    static const char *const values[] = {"eu", NULL, "a\nb", "true", "5m", "3"};
    assert_int_equal(c->param_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(c->params[i].key, keys[i]);
        assert_true(str_eq(c->params[i].value, values[i]));
    }
    assert_int_equal(c->params[1].secret.kind, SECRET_ENV);
    release();
}

static void test_fetched(void **state)
{
    (void)state;
    struct err err;
    const char *yaml =
        "connections:\n"
        "- name: a\n  backend: vendor\n  url: http://a\n"
        "  auth: {type: oauth2, token_url: 'https://login.example/oauth2/token', client_id: me,"
        " client_secret: {exec: [sh, -c, 'echo hush']}, scope: read metrics, audience: all}\n"
        "  api_key: hush\n"
        "  headers: {X-A: {exec: [/bin/sh, -c, 'echo x']}}\n";
    if (load(yaml, &err))
        fail_msg("%s", err.text);
    const struct connection_auth *auth = &connections[0]->auth;
    assert_int_equal(auth->type, AUTH_OAUTH2);
    assert_string_equal(auth->token_url, "https://login.example/oauth2/token");
    assert_string_equal(auth->client_id, "me");
    assert_string_equal(auth->oauth_scope, "read metrics");
    assert_string_equal(auth->oauth_audience, "all");
    assert_int_equal(auth->secret.kind, SECRET_EXEC);
    assert_string_equal(auth->secret.command[0], "sh");
    assert_string_equal(auth->secret.command[2], "echo hush");
    assert_null(auth->secret.command[3]);
    assert_int_equal(connections[0]->headers[0].value.kind, SECRET_EXEC);
    assert_string_equal(connections[0]->headers[0].value.command[0], "/bin/sh");
    release();
}

/* The example of the interface's description, with its keys as they stand there. */
static void test_example(void **state)
{
    (void)state;
    struct err err;
    if (load("{\"connections\": [{\"name\": \"p\", \"backend\": \"prometheus\",\n"
             "\"url\": \"https://prometheus.example.com\",\n"
             "\"auth\": {\"type\": \"bearer\", \"token\": \"abc\"},\n"
             "\"timeout_seconds\": 30,\n"
             "\"query_limits\": {\"max_samples\": 10000, \"max_time_range_hours\": 24}}]}",
             &err))
        fail_msg("%s", err.text);
    assert_int_equal(connections[0]->auth.type, AUTH_BEARER);
    assert_int_equal(connections[0]->max_time_range_ns, NS_PER_DAY);
    release();
}

#define P "connections:\n- name: p\n  backend: prometheus\n"
#define V "connections:\n- name: v\n  backend: vendor\n  api_key: k\n"

/* One mistake each: where it is, which key, what is said. */
static const struct {
    const char *yaml;
    const char *start;
    const char *message;
} mistake_cases[] = {
    {"connections: [a]\n", "f.yaml:1: connections[0]: ", "expected a map"},
    {"connections:\n- backend: prometheus\n", "f.yaml:2: connections[0]: ", "\"name\" is missing"},
    {"connections:\n- name: a\n", "f.yaml:2: connections[0]: ", "\"backend\" is missing"},
    {"connections: [{name: all, backend: prometheus}]\n",
     "f.yaml:1: connections[0].name: ", "every connection"},
    {"connections: [{name: -a, backend: prometheus}]\n",
     "f.yaml:1: connections[0].name: ", "letters, digits"},
    {"connections: [{name: a b, backend: prometheus}]\n",
     "f.yaml:1: connections[0].name: ", "letters, digits"},
    {"connections: [{name: a, backend: promethues}]\n",
     "f.yaml:1: connections[0].backend: ", "did you mean \"prometheus\"?"},
    {"connections: [{name: a, backend: broken}]\n",
     "f.yaml:1: connections[0].backend: ", "was refused: it is broken"},
    {P "  urll: x\n", "f.yaml:4: connections[0].urll: ", "did you mean \"url\"?"},
    {P "  url: localhost:9090\n", "f.yaml:4: connections[0].url: ", "must begin with http://"},
    {P "  url: http://me:topsecret@h\n", "f.yaml:4: connections[0].url: ", "use auth"},
    {P "  url: http://h/?a=b\n", "f.yaml:4: connections[0].url: ", "leave out"},
    {P "  url: http://:80\n", "f.yaml:4: connections[0].url: ", "names no host"},
    {P "  url: http://h:0\n", "f.yaml:4: connections[0].url: ", "1 to 65535"},
    {P "  url: \"http://h h\"\n", "f.yaml:4: connections[0].url: ", "blank"},
    {P "  url: file:x\n", "f.yaml:4: connections[0].url: ", "absolute path"},
    {P "  url:\n", "f.yaml:4: connections[0].url: ", "got no value"},
    {P "  default: yes\n",
     "f.yaml:4: connections[0].default: ", "expected true or false, got \"yes\""},
    {P "  timeout_seconds: 0\n", "f.yaml:4: connections[0].timeout_seconds: ", "from 100ms to 1h"},
    {P "  tags: [a]\n", "f.yaml:4: connections[0].tags: ", "expected a map"},
    {P "  tags: {a: \"x,y\"}\n", "f.yaml:4: connections[0].tags.a: ", "KEY=VALUE"},
    {P "  query_limits: {max_samples: -1}\n",
     "f.yaml:4: connections[0].query_limits.max_samples: ", "expected a whole number"},
    {P "  query_limits: {max_time_range_hours: 0}\n",
     "f.yaml:4: connections[0].query_limits.max_time_range_hours: ", "more than 0"},
    {P "  query_limits: {max_sample: 1}\n",
     "f.yaml:4: connections[0].query_limits.max_sample: ", "max_samples"},
    {P "  auth: Bearer topsecret\n", "f.yaml:4: connections[0].auth: ", "expected a map"},
    {P "  auth: {token: topsecret}\n", "f.yaml:4: connections[0].auth: ", "\"type\" is missing"},
    {P "  auth: {type: berer, token: topsecret}\n",
     "f.yaml:4: connections[0].auth.type: ", "did you mean \"bearer\"?"},
    {P "  auth: {type: oauth2, client_id: a, client_secret: b}\n",
     "f.yaml:4: connections[0].auth: ",
     "the key \"token_url\" is missing, which type oauth2 needs"},
    {P "  auth: {type: oauth2, token_url: http://a/t, client_id: a}\n",
     "f.yaml:4: connections[0].auth: ", "\"client_secret\" is missing"},
    {P "  auth: {type: oauth2, token_url: 'http://u:hush@a/t', client_id: a, client_secret: b}\n",
     "f.yaml:4: connections[0].auth.token_url: ", "not a URL such as https://login.example"},
    {P "  auth: {type: oauth2, token_url: http://a/t, client_id: a, client_secret: b, token: c}\n",
     "f.yaml:4: connections[0].auth.token: ", "unknown key"},
    {P "  auth: {type: aws}\n", "f.yaml:4: connections[0].auth.type: ", "not in this version"},
    {P "  auth: {type: bearer}\n", "f.yaml:4: connections[0].auth: ", "\"token\" is missing"},
    {P "  auth: {type: basic, username: a}\n",
     "f.yaml:4: connections[0].auth: ", "\"password\" is missing"},
    {P "  auth: {type: basic, username: \"a:b\", password: topsecret}\n",
     "f.yaml:4: connections[0].auth.username: ", "':'"},
    {P "  auth: {type: bearer, token: [topsecret]}\n",
     "f.yaml:4: connections[0].auth.token: ", "got a list"},
    {P "  auth: {type: bearer, token: \"top\\nsecret\"}\n",
     "f.yaml:4: connections[0].auth.token: ", "line break"},
    {P "  auth: {type: bearer, token: {env: SONDE_NOT_SET}}\n",
     "f.yaml:4: connections[0].auth.token.env: ", "SONDE_NOT_SET is not set"},
    {P "  auth: {type: bearer, token: {env: \"a b\"}}\n",
     "f.yaml:4: connections[0].auth.token.env: ", "name of an environment variable"},
    {P "  auth: {type: bearer, token: {file: /nonexistent}}\n",
     "f.yaml:4: connections[0].auth.token.file: ", "No such file"},
    {P "  auth: {type: bearer, token: {file: /tmp}}\n",
     "f.yaml:4: connections[0].auth.token.file: ", "a folder"},
    {P "  auth: {type: bearer, token: {exec: [no-such-program-here]}}\n",
     "f.yaml:4: connections[0].auth.token.exec: ", "no such program in PATH"},
    {P "  auth: {type: bearer, token: {exec: [/nowhere/at/all]}}\n",
     "f.yaml:4: connections[0].auth.token.exec: ", "cannot run /nowhere/at/all: "},
    {P "  auth: {type: bearer, token: {exec: [bin/token]}}\n",
     "f.yaml:4: connections[0].auth.token.exec: ", "expected the program's whole path"},
    {P "  auth: {type: bearer, token: {exec: []}}\n",
     "f.yaml:4: connections[0].auth.token.exec: ", "expected a program and its arguments"},
    {P "  auth: {type: bearer, token: {env: A, file: B}}\n",
     "f.yaml:4: connections[0].auth.token: ", "expected one of"},
    {P "  auth: {type: bearer, token: {}}\n",
     "f.yaml:4: connections[0].auth.token: ", "got 0 keys"},
    {P "  auth: {type: header, header: \"a b\", value: topsecret}\n",
     "f.yaml:4: connections[0].auth.header: ", "name of a header"},
    {P "  auth: {type: none, token: topsecret}\n",
     "f.yaml:4: connections[0].auth.token: ", "unknown key"},
    {P "  tls: {ca_file: /nonexistent}\n",
     "f.yaml:4: connections[0].tls.ca_file: ", "No such file"},
    {P "  tls: {cert: /dev/null}\n", "f.yaml:4: connections[0].tls: ", "\"key\" is missing"},
    {P "  tls: {ca_pem: x}\n", "f.yaml:4: connections[0].tls.ca_pem: ", "PEM"},
    {P "  tls: {insecure: true}\n",
     "f.yaml:4: connections[0].tls.insecure: ", "insecure_skip_verify"},
    {P "  headers: [topsecret]\n", "f.yaml:4: connections[0].headers: ", "expected a map"},
    {P "  headers: {\"a b\": topsecret}\n",
     "f.yaml:4: connections[0].headers.a b: ", "name of a header"},
    {P "  proxy: proxy\n", "f.yaml:4: connections[0].proxy: ", "must begin with"},
    {P "  ui: {url: g}\n", "f.yaml:4: connections[0].ui.url: ", "must begin with"},
    {P "  enforce: [a]\n", "f.yaml:4: connections[0].enforce: ", "expected a map"},
    {P "  enforce: {namespace: [a]}\n",
     "f.yaml:4: connections[0].enforce.namespace: ", "got a list"},
    {P "  enforce: {namespace: \"\"}\n",
     "f.yaml:4: connections[0].enforce.namespace: ", "expected"},
    {P "  access: [a]\n", "f.yaml:4: connections[0].access: ", "expected {users: "},
    {P "  access: {}\n", "f.yaml:4: connections[0].access: ", "expected {users: "},
    {P "  access: {users: []}\n", "f.yaml:4: connections[0].access.users: ", "names nobody"},
    {P "  access: {users: [a], groups: [b]}\n",
     "f.yaml:4: connections[0].access.groups: ", "unknown key"},
    {P "  mask: [a]\n", "f.yaml:4: connections[0].mask: ", "not in this version"},
    {P "  term_match: word\n", "f.yaml:4: connections[0].term_match: ", "not in this version"},
    {P "- name: p\n  backend: vendor\n  api_key: k\n",
     "f.yaml:4: connections[1].name: ", "taken by the connection on line 2"},
    {P "  default: true\n- {name: q, backend: prometheus, default: true}\n",
     "f.yaml:5: connections[1].default: ", "\"p\" on line 2 is already the default"},
    {"connections:\n- name: v\n  backend: vendor\n", "f.yaml:2: connections[0]: ",
     "\"api_key\" is missing, which backend vendor needs: the key to the API"},
    {V "  depth: deep\n", "f.yaml:5: connections[0].depth: ", "expected a whole number"},
    {V "  wait: soon\n", "f.yaml:5: connections[0].wait: ", "expected a duration"},
    {V "  labels: {deep: {on: 1}}\n", "f.yaml:5: connections[0].labels.deep.on: ", "true or false"},
    {V "  labels: {extr: [a]}\n",
     "f.yaml:5: connections[0].labels.extr: ", "did you mean \"labels.extra\"?"},
    {V "  labels: a\n", "f.yaml:5: connections[0].labels: ", "unknown key"},
    {V "  site: {env: A}\n", "f.yaml:5: connections[0].site: ", "expected a text, got a map"},
    {V "  labels: {extra: [a]}\n  labels.extra: b\n",
     "f.yaml:6: connections[0].labels.extra: ", "given twice"},
    {V "  auth: {type: vendorr}\n",
     "f.yaml:5: connections[0].auth.type: ", "did you mean \"vendor\"?"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistake_cases / sizeof mistake_cases[0]; i++) {
        struct err err;
        assert_int_equal(load(mistake_cases[i].yaml, &err), ERR_INVALID);
        const char *text = mistakes[0].text;
        if (mistake_count != 1 ||
            strncmp(text, mistake_cases[i].start, strlen(mistake_cases[i].start)) != 0 ||
            !strstr(text, mistake_cases[i].message) || strcmp(text, err.text) != 0)
            fail_msg("case %zu: %zu mistakes, \"%s\"", i, mistake_count, text);
        assert_null(strstr(text, "topsecret"));
        assert_null(connections);
    }
    release();
}

static void test_scheme(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(load(V "  auth: {type: vendor}\n", &err), 0);
    assert_int_equal(connections[0]->auth.type, AUTH_SCHEME);
    assert_string_equal(connections[0]->auth.scheme, "vendor");
    release();
}

static void test_collected(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(
        load("connections:\n- {name: a, backend: x}\n- {nam: b, backend: prometheus}\n", &err),
        ERR_INVALID);
    assert_int_equal(mistake_count, 3); /* backend, missing name, unknown key */
    release();
}

static void test_warning(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(load(P "  auth: {type: bearer, token: topsecret}\n", &err), 0);
    const struct node *token =
        node_get(node_get(config->connections->children[0], "auth"), "token");
    struct arena arena;
    arena_init(&arena, 65536, NULL);
    assert_null(connections_secret_warning(config, token, &arena));
    config->others_read = true;
    const char *text = connections_secret_warning(config, token, &arena);
    assert_non_null(strstr(text, "f.yaml:4: connections[0].auth.token: "));
    assert_non_null(strstr(text, "chmod 600 f.yaml"));
    assert_null(strstr(text, "topsecret"));
    assert_null(connections_secret_warning(config, NULL, &arena));
    arena_finish(&arena);
    release();
}

static void test_options(void **state)
{
    (void)state;
    struct err err;
    const char *const options[] = {"prometheus=http://localhost:9090",
                                   "prometheus=https://other/a=b", "dev:prometheus=http://dev",
                                   "otlpfile=/tmp/../tmp"};
    if (load_with("limits: {timeout: 5s}\nconnections: [{name: prod, backend: prometheus}]\n",
                  options, 4, &err))
        fail_msg("%s", err.text);
    assert_int_equal(connection_count, 5);
    assert_string_equal(connections[0]->name, "prod");
    assert_string_equal(connections[1]->name, "prometheus");
    assert_string_equal(connections[1]->url, "http://localhost:9090");
    assert_int_equal(connections[1]->timeout_ns, 5 * NS_PER_S);
    assert_true(connections[1]->from_operator);
    assert_string_equal(connections[2]->name, "prometheus-2");
    assert_string_equal(connections[3]->name, "dev");
    assert_string_equal(connections[4]->name, "otlpfile");
    assert_string_equal(connections[4]->url, "file:///tmp");
    release();
}

static void test_bad_options(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        int code;
        const char *message;
    } cases[] = {
        {"http://localhost:9090", ERR_INVALID, "expected BACKEND=URL"},
        {"http://localhost/?a=b", ERR_INVALID, "expected BACKEND=URL"},
        {"prometheus", ERR_INVALID, "expected BACKEND=URL"},
        {"prometheus=", ERR_INVALID, "expected BACKEND=URL"},
        {"=http://h", ERR_INVALID, "expected BACKEND=URL"},
        {"a:=http://h", ERR_INVALID, "expected BACKEND=URL"},
        {"a b:prometheus=http://h", ERR_INVALID, "not a name"},
        {"prometheus=localhost:9090", ERR_INVALID, "did you mean http://localhost:9090?"},
        {"prometheus=http://u:topsecret@h", ERR_INVALID, "use auth"},
        {"u:topsecret@h", ERR_INVALID, "expected BACKEND=URL"},
        {"promethius=http://h", ERR_NOT_FOUND, "did you mean \"prometheus\"?"},
        {"otlpfile=/nonexistent", ERR_INVALID, "No such file"},
        {"prod:prometheus=http://h", ERR_INVALID, "already a connection named prod"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err;
        int r = load_with("connections: [{name: prod, backend: prometheus}]\n", &cases[i].option, 1,
                          &err);
        if (r != cases[i].code || !strstr(err.text, cases[i].message))
            fail_msg("%s: %d \"%s\"", cases[i].option, r, err.text);
        assert_null(strstr(err.text, "topsecret"));
        assert_int_equal(mistake_count, 0);
    }
    release();
}

static void test_option_folder(void **state)
{
    (void)state;
    char base[] = "/tmp/sonde-folder-XXXXXX";
    assert_non_null(mkdtemp(base));
    char one[64], two[64], options[2][96];
    snprintf(one, sizeof one, "%s/ab c", base);
    snprintf(two, sizeof two, "%s/abd", base);
    assert_int_equal(mkdir(one, 0700), 0);
    assert_int_equal(mkdir(two, 0700), 0);
    snprintf(options[0], sizeof options[0], "otlpfile=%s", one);
    snprintf(options[1], sizeof options[1], "x:otlpfile=%s", two);
    const char *const list[] = {"prometheus=http://h", options[0], options[1]};
    struct arena arena;
    arena_init(&arena, 65536, NULL);
    assert_null(connections_option_folder(list, 1, &arena));
    assert_string_equal(connections_option_folder(list, 2, &arena), one);
    assert_string_equal(connections_option_folder(list, 3, &arena), base);
    arena_finish(&arena);
    struct err err;
    assert_int_equal(load_with("", &list[1], 1, &err), 0);
    assert_non_null(strstr(connections[0]->url, "/ab%20c"));
    release();
    rmdir(one);
    rmdir(two);
    rmdir(base);
}

/* Every connection of the shipped file's examples can be made. */
static void test_shipped(void **state)
{
    (void)state;
    char path[4096];
    setenv("PROM_TOKEN", "a token", 1); /* what its examples name */
    snprintf(path, sizeof path, "%s/etc/sonde.yaml",
             getenv("top_srcdir") ? getenv("top_srcdir") : ".");
    char *text CLEANUP(mem_freep) = NULL;
    size_t size;
    struct err err = {0};
    assert_int_equal(file_read(path, 1 << 20, &text, &size, &err), 0);
    struct buf all = BUF(1 << 20);
    examples_uncomment(text, &all);
    setenv("HOME", "/", 1);
    int r = load(buf_text(&all), &err);
    buf_finish(&all);
    if (r)
        fail_msg("%s", err.text);
    assert_true(connection_count >= 3);
    release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least),       cmocka_unit_test(test_id),
        cmocka_unit_test(test_all_keys),    cmocka_unit_test(test_example),
        cmocka_unit_test(test_mistakes),    cmocka_unit_test(test_fetched),
        cmocka_unit_test(test_scheme),      cmocka_unit_test(test_collected),
        cmocka_unit_test(test_warning),     cmocka_unit_test(test_options),
        cmocka_unit_test(test_bad_options), cmocka_unit_test(test_option_folder),
        cmocka_unit_test(test_shipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
