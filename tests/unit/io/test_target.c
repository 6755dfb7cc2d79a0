/* SPDX-License-Identifier: Apache-2.0 */
/* Where a connection may send, and how it logs in. */
#include "config.h"

#include "cmocka_all.h"
#include "harness.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "io/address.h"

static struct server server;
static struct io *io;

static int setup(void **state)
{
    (void)state;
    struct io_settings settings = {0};
    server_start(&server, NULL);
    return io_create(&settings, &io, NULL);
}

static int teardown(void **state)
{
    (void)state;
    io_destroy(io);
    server_stop(&server);
    return 0;
}

struct place {
    const char *address;
    bool operator_may;
    bool others_may;
};

static void test_addresses(void **state)
{
    (void)state;
    static const struct place places[] = {
        {"93.184.216.34", true, true},
        {"2606:4700::1111", true, true},
        {"127.0.0.1", true, false},
        {"127.9.9.9", true, false},
        {"::1", true, false},
        {"10.1.2.3", true, false},
        {"172.16.0.1", true, false},
        {"172.31.255.255", true, false},
        {"172.32.0.1", true, true},
        {"192.168.1.1", true, false},
        {"100.64.0.1", true, false},
        {"169.254.1.1", true, false},
        {"fe80::1", true, false},
        {"fd12::1", true, false},
        {"169.254.169.254", false, false},
        {"169.254.170.2", false, false},
        {"100.100.100.200", false, false},
        {"fd00:ec2::254", false, false},
        {"::ffff:169.254.169.254", false, false},
        {"64:ff9b::a9fe:a9fe", false, false},
        {"2002:a9fe:a9fe::1", false, false},
        {"::ffff:127.0.0.1", true, false},
        {"0.0.0.0", false, false},
        {"0.1.2.3", false, false},
        {"::", false, false},
        {"224.0.0.1", false, false},
        {"ff02::1", false, false},
        {"255.255.255.255", false, false},
        {"240.0.0.1", false, false},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct sockaddr_storage address;
        assert_true(address_parse(places[i].address, &address));
        const char *to_operator = address_refusal((struct sockaddr *)&address, true, NULL);
        const char *to_others = address_refusal((struct sockaddr *)&address, false, NULL);
        if (!to_operator != places[i].operator_may || !to_others != places[i].others_may)
            fail_msg("%s: operator %s, others %s", places[i].address,
                     to_operator ? to_operator : "may", to_others ? to_others : "may");
    }
    struct sockaddr_storage address;
    assert_false(address_parse("localhost", &address));
    assert_false(address_parse("127.1", &address));
}

static int create(const char *url, bool from_operator, struct err *err)
{
    struct connection *connection = connection_to(url);
    struct io_target *target = NULL;
    connection->from_operator = from_operator;
    *err = (struct err){0};
    int r = io_target_create(io, connection, url, NULL, NULL, 0, &target, err);
    io_target_unref(target);
    connection_unref(connection);
    return r;
}

static void test_urls(void **state)
{
    (void)state;
    struct err err;
    static const char *const good[] = {"http://localhost:9090", "https://prom.example/prefix/",
                                       "HTTP://Host", "http://[::1]:9090", "http://10.0.0.1"};
    static const char *const bad[] = {
        "",
        "localhost:9090/x y",
        "ftp://host/",
        "gopher://host/",
        "unix:///run/x",
        "http://ann:secret@host/",
        "http://ann@host/",
        "http://host:0/",
        "http://host:99999/",
        "http://host/?a=b",
        "http://host/#x",
        "http://ho st/",
        "http://169.254.169.254/latest",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0:9090",
        "http://0:9090",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "file:///etc",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (create(good[i], true, &err) < 0)
            fail_msg("%s: %s", good[i], err.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (create(bad[i], true, &err) != ERR_INVALID)
            fail_msg("%s is accepted", bad[i]);
        if (!str_starts(err.text, "url: ") && !str_starts(err.text, "path "))
            fail_msg("%s: \"%s\"", bad[i], err.text);
        assert_null(strstr(err.text, "secret"));
    }
    static const char *const own[] = {"http://127.0.0.1",         "http://[::1]", "http://10.0.0.1",
                                      "http://0x7f.1/",           "http://127.1", "http://host:22",
                                      "http://[::ffff:127.0.0.1]"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (create(own[i], false, &err) != ERR_INVALID)
            fail_msg("%s is open to everybody", own[i]);
    assert_int_equal(create("http://93.184.216.34:9090", false, &err), 0);
}

static void test_prefix_and_headers(void **state)
{
    (void)state;
    char url[128];
    struct got got;
    struct err err = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/echo/", server.port);
    struct connection *connection = connection_to(url);
    struct sonde_pair header = {"X-Grafana-Org", "7"};
    struct io_target *target;
    assert_int_equal(
        io_target_create(io, connection, url, "/proxy/uid/", &header, 1, &target, &err), 0);
    get(io, target, "/api/v1/query?query=up", &got);
    assert_ptr_equal(strstr(got.body, "GET /echo/proxy/uid/api/v1/query?query=up HTTP/1.1\r\n"),
                     got.body);
    assert_non_null(strstr(got.body, "\r\nX-Grafana-Org: 7\r\n"));
    got_free(&got);
    io_target_unref(target);
    struct sonde_pair owned = {"Authorization", "x"};
    assert_int_equal(io_target_create(io, connection, url, NULL, &owned, 1, &target, &err),
                     ERR_INVALID);
    assert_int_equal(io_target_create(io, connection, url, "/a/../b", NULL, 0, &target, &err),
                     ERR_INVALID);
    connection_unref(connection);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct connection *with_token(const char *path, struct secret_ref secret)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    struct connection *connection = connection_to(url);
    connection->auth.type = AUTH_BEARER;
    connection->auth.secret = secret;
    return connection;
}

static void expect_status(struct io_target *target, const char *path, uint32_t status)
{
    struct got got;
    get(io, target, path, &got);
    if (got.outcome || got.status != status)
        fail_msg("%s: outcome %u, status %u: %s", path, got.outcome, got.status, got.text);
    got_free(&got);
}

static void test_token_in_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/sonde-test-token-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "first\n");
    struct connection *connection =
        with_token("", (struct secret_ref){.kind = SECRET_FILE, .name = path});
    struct io_target *target = target_of(io, connection);
    expect_status(target, "/auth?token=first", 200);
    /* Another size or time is seen before sending. */
    write_file(path, "the second\n");
    expect_status(target, "/auth?token=the+second", 200);
    /* A 401 is believed after one more look. */
    expect_status(target, "/auth?token=other", 401);
    unlink(path);
    struct got got;
    get(io, target, "/ok", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_REFUSED);
    assert_non_null(strstr(got.text, "auth.token"));
    assert_non_null(strstr(got.text, path));
    got_free(&got);
    io_target_unref(target);
    connection_unref(connection);
}

/* The file changes while the request with the old token is under way: sent once more with the new one. */
static void test_token_changes_under_way(void **state)
{
    (void)state;
    char path[] = "/tmp/sonde-test-token-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "old");
    struct connection *connection =
        with_token("", (struct secret_ref){.kind = SECRET_FILE, .name = path});
    struct io_target *target = target_of(io, connection);
    struct mailbox *mailbox;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    struct sonde_request request = {.struct_size = sizeof request,
                                    .tag = 7,
                                    .method = "GET",
                                    .path = "/auth?token=newer",
                                    .delay_ms = 100};
    struct exchange_request given = {
        .request = &request, .target = target, .deadline_ns = INT64_MAX};
    assert_int_equal(exchange_start(io, mailbox, &given, NULL, NULL), 0);
    write_file(path, "newer");
    struct got got;
    drain(mailbox, NULL, &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    assert_int_equal(got.heads, 1);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "welcome\n");
    got_free(&got);
    mailbox_destroy(mailbox);
    io_target_unref(target);
    connection_unref(connection);
    unlink(path);
}

static void test_token_in_the_environment(void **state)
{
    (void)state;
    struct got got;
    setenv("SONDE_TEST_TOKEN", "from env", 1);
    struct connection *connection =
        with_token("", (struct secret_ref){.kind = SECRET_ENV, .name = "SONDE_TEST_TOKEN"});
    struct io_target *target = target_of(io, connection);
    expect_status(target, "/auth?token=from+env", 200);
    io_target_unref(target);
    unsetenv("SONDE_TEST_TOKEN");
    target = target_of(io, connection);
    get(io, target, "/ok", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_REFUSED);
    assert_non_null(strstr(got.text, "SONDE_TEST_TOKEN is not set"));
    got_free(&got);
    io_target_unref(target);
    /* Only the operator's may. */
    struct err err = {0};
    connection->from_operator = false;
    assert_int_equal(
        io_target_create(io, connection, "http://93.184.216.34", NULL, NULL, 0, &target, &err),
        ERR_INVALID);
    assert_non_null(strstr(err.text, "auth.token"));
    connection_unref(connection);
}

static void test_scheme_of_an_adapter(void **state)
{
    (void)state;
    struct sonde_placement key = {sizeof key, SONDE_PLACE_HEADER, "DD-API-KEY", "{api_key}"};
    struct sonde_placement site = {sizeof site, SONDE_PLACE_HEADER, "X-Site", "at {site}!"};
    struct sonde_placement query = {sizeof query, SONDE_PLACE_QUERY, "app", "{app_key}"};
    const struct sonde_placement *const placements[] = {&key, &site, &query};
    struct sonde_auth_scheme scheme = {sizeof scheme, 0, "keys", placements, 3};
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    struct connection *connection = connection_to(url);
    connection->auth.type = AUTH_SCHEME;
    connection->params = arena_alloc_array(&connection->arena, 3, sizeof *connection->params);
    connection->param_count = 3;
    connection->params[0].key = "api_key";
    connection->params[0].secret =
        (struct secret_ref){.kind = SECRET_LITERAL, .literal = secret_new("k1", 2)};
    connection->params[1].key = "app_key";
    connection->params[1].secret =
        (struct secret_ref){.kind = SECRET_LITERAL, .literal = secret_new("k&2", 3)};
    connection->params[2].key = "site";
    connection->params[2].value = "eu";
    struct io_target *target = target_of(io, connection);
    struct err err = {0};
    assert_int_equal(io_target_use_scheme(target, &scheme, &err), 0);
    struct got got;
    get(io, target, "/echo?a=1", &got);
    assert_ptr_equal(strstr(got.body, "GET /echo?a=1&app=k%262 HTTP/1.1\r\n"), got.body);
    assert_non_null(strstr(got.body, "\r\nDD-API-KEY: k1\r\n"));
    assert_non_null(strstr(got.body, "\r\nX-Site: at eu!\r\n"));
    got_free(&got);
    io_target_unref(target);
    connection_unref(connection);
}

/* A line break in a secret would add a header. */
static void test_broken_secret(void **state)
{
    (void)state;
    struct got got;
    struct connection *connection = with_token(
        "", (struct secret_ref){.kind = SECRET_LITERAL, .literal = secret_new("a\r\nX: b", 7)});
    struct io_target *target = target_of(io, connection);
    get(io, target, "/ok", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_REFUSED);
    assert_non_null(strstr(got.text, "auth.token: the value holds a line break"));
    got_free(&got);
    io_target_unref(target);
    connection_unref(connection);
}

/* The server stands in for a proxy: it gets the whole URL, and no name of the target's is looked up. */
static void test_proxy(void **state)
{
    (void)state;
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", server.port);
    const char *no_proxy[] = {"direct.invalid"};
    struct io_settings settings = {.proxy = proxy, .no_proxy = no_proxy, .no_proxy_count = 1};
    struct io *own;
    struct got got;
    assert_int_equal(io_create(&settings, &own, NULL), 0);
    struct connection *connection = connection_to("http://prom.invalid:9090/echo");
    struct io_target *target = target_of(own, connection);
    get(own, target, "/x", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    assert_ptr_equal(strstr(got.body, "GET http://prom.invalid:9090/echo/x HTTP/1.1\r\n"),
                     got.body);
    got_free(&got);
    io_target_unref(target);
    connection_unref(connection);
    connection = connection_to("http://a.direct.invalid:9090/");
    target = target_of(own, connection);
    get(own, target, "/x", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_LOST); /* straight to a name that is not known */
    got_free(&got);
    io_target_unref(target);
    connection_unref(connection);
    io_destroy(own);
    /* The environment's is not used, but named. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    assert_string_equal(io_environment_proxy(), "http_proxy");
    target = target_to(io, server.port);
    expect_status(target, "/ok", 200);
    io_target_unref(target);
    unsetenv("http_proxy");
    assert_non_null(strstr(io_versions(), "libcurl "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_prefix_and_headers),
        cmocka_unit_test(test_token_in_a_file),
        cmocka_unit_test(test_token_changes_under_way),
        cmocka_unit_test(test_token_in_the_environment),
        cmocka_unit_test(test_scheme_of_an_adapter),
        cmocka_unit_test(test_broken_secret),
        cmocka_unit_test(test_proxy),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
