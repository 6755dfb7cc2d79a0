/* SPDX-License-Identifier: Apache-2.0 */
/* Logins that must be fetched: from a token server, and by running a program. */
#include "config.h"

#include "cmocka_all.h"
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "io/provider.h"

#define SECRET "s3cret+/ %"
#define AT_ONCE 20

static struct server server;
static struct io *io;
static struct io_target *plain; /* without a login */
static char folder[64];

static int setup(void **state)
{
    (void)state;
    struct io_settings settings = {0};
    snprintf(folder, sizeof folder, "%s", "/tmp/sonde-login-XXXXXX");
    server_start_script(&server, "tokenserver.py", NULL);
    if (!mkdtemp(folder) || io_create(&settings, &io, NULL))
        return -1;
    plain = target_to(io, server.port);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    io_target_unref(plain);
    io_destroy(io);
    server_stop(&server);
    return rmdir(folder);
}

static void expect(struct io_target *target, const char *path, uint32_t status, const char *body)
{
    struct got got = {0};
    get(io, target, path, &got);
    if (got.outcome != SONDE_OUTCOME_OK)
        fail_msg("%s: %s", path, got.text);
    assert_int_equal(got.status, status);
    if (body)
        assert_string_equal(got.body, body);
    got_free(&got);
}

static void expect_refused(struct io_target *target, const char *says)
{
    struct got got = {0};
    get(io, target, "/data", &got);
    assert_int_equal(got.heads, 0);
    assert_int_equal(got.outcome, SONDE_OUTCOME_REFUSED);
    if (!strstr(got.text, says))
        fail_msg("no \"%s\" in: %s", says, got.text);
    assert_null(strstr(got.text, "s3cret"));
    struct io_probe probe;
    io_target_probe(target, &probe);
    assert_true(probe.stage < 0);
    assert_true(str_starts(probe.setting, "auth"));
    got_free(&got);
}

static int64_t tokens_asked(void)
{
    struct got got = {0};
    int64_t n = -1;
    get(io, plain, "/_count", &got);
    got.body[strcspn(got.body, " ")] = '\0';
    assert_int_equal(str_to_int(got.body, 0, 1000000, &n), 0);
    got_free(&got);
    return n;
}

/* Starts many at once, and wants every one to be answered well. */
static void many(struct io_target *target, const char *path)
{
    struct mailbox *mailbox;
    int ends = 0;
    int well = 0;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    for (int i = 0; i < AT_ONCE; i++)
        start_get(io, mailbox, target, path, NULL, 30000);
    while (ends < AT_ONCE) {
        struct message *message = mailbox_wait(mailbox, clock_mono_ns() + 60 * NS_PER_S);
        assert_non_null(message);
        well += message->type == MESSAGE_HEAD && message->head->status == 200;
        ends += message->type == MESSAGE_END;
        mailbox_release(mailbox, message);
    }
    assert_int_equal(well, AT_ONCE);
    mailbox_destroy(mailbox);
}

/* ---- OAuth 2 ---- */

static struct connection *client(const char *query)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    struct connection *connection = connection_to(url);
    struct connection_auth *auth = &connection->auth;
    auth->type = AUTH_OAUTH2;
    auth->token_url =
        arena_printf(&connection->arena, "http://127.0.0.1:%d/token%s", server.port, query);
    auth->client_id = "sonde client";
    auth->secret =
        (struct secret_ref){.kind = SECRET_LITERAL, .literal = secret_new(SECRET, strlen(SECRET))};
    expect(plain, "/_reset", 200, NULL);
    return connection;
}

static struct io_target *client_target(const char *query)
{
    struct connection *connection = client(query);
    struct io_target *target = target_of(io, connection);
    connection_unref(connection);
    return target;
}

static void test_one_token_for_many(void **state)
{
    (void)state;
    struct connection *connection = client("?expires=3600&mode=slow");
    connection->auth.oauth_scope = "read metrics";
    connection->auth.oauth_audience = "https://metrics.example/?a&b";
    struct io_target *target = target_of(io, connection);
    struct io_target *other = target_of(io, connection); /* another endpoint of the connection */
    connection_unref(connection);
    many(target, "/data");
    many(other, "/data");
    expect(plain, "/_count", 200,
           "1 {\"audience\": \"https://metrics.example/?a&b\", \"grant_type\": "
           "\"client_credentials\", \"scope\": \"read metrics\"}");
    io_target_unref(target);
    io_target_unref(other);
}

static void test_expiry(void **state)
{
    (void)state;
    struct io_target *target = client_target("?expires=1");
    expect(target, "/data", 200, "data");
    usleep(1000000);
    expect(target, "/data", 200, "data");
    assert_int_equal(tokens_asked(), 2);
    io_target_unref(target);
    target = client_target(""); /* the server does not say */
    expect(target, "/data", 200, "data");
    expect(target, "/data", 200, "data");
    assert_int_equal(tokens_asked(), 1);
    io_target_unref(target);
}

static void test_refused_token(void **state)
{
    (void)state;
    struct io_target *target = client_target("?expires=3600");
    expect(target, "/data", 200, "data");
    expect(plain, "/revoke", 200, NULL);
    expect(target, "/data", 200, "data"); /* asked for another token on the way */
    assert_int_equal(tokens_asked(), 2);
    expect(plain, "/revoke", 200, NULL);
    many(target, "/data");
    assert_int_equal(tokens_asked(), 3);
    expect(target, "/denied", 401, "never");
    assert_int_equal(tokens_asked(), 4);
    io_target_unref(target);
    target = client_target(
        "?expires=3600"); /* a token that was fetched just for it is not fetched again */
    expect(target, "/denied", 401, "never");
    assert_int_equal(tokens_asked(), 1);
    io_target_unref(target);
}

static void test_login_in_form(void **state)
{
    (void)state;
    struct io_target *target = client_target("?expires=3600&mode=form");
    expect(target, "/data", 200, "data");
    assert_int_equal(tokens_asked(), 2);
    io_target_unref(target);
}

static void test_token_server_fails(void **state)
{
    (void)state;
    static const struct {
        const char *query, *says;
    } cases[] = {{"?mode=error", "400: invalid_scope (no such\\nscope)"},
                 {"?mode=html", "it is no JSON"},
                 {"?mode=bare", "it holds no access_token"},
                 {"?mode=mac", "its token_type is not Bearer"},
                 {"?mode=big", "too large"},
                 {"?expires=-5", "it has expired already"},
                 {"/nowhere/../else", "'..' segment"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct io_target *target = client_target(cases[i].query);
        expect_refused(target, cases[i].says);
        io_target_unref(target);
    }
    struct connection *connection = client("");
    secret_free(connection->auth.secret.literal);
    connection->auth.secret.literal = secret_new("s3cret!", 7);
    struct io_target *target = target_of(io, connection);
    connection_unref(connection);
    expect_refused(target, "401: invalid_client");
    expect_refused(target, "auth.client_secret");
    io_target_unref(target);
    connection = client("");
    connection->auth.token_url = "http://127.0.0.1:1/token";
    target = target_of(io, connection);
    connection_unref(connection);
    expect_refused(target, "auth.token_url: no token was had: cannot connect to 127.0.0.1:1: "
                           "Connection refused");
    io_target_unref(target);
}

static void test_address_policy(void **state)
{
    (void)state;
    struct connection *connection = client("");
    connection->from_operator = false;
    connection->url = "http://192.0.2.1";
    struct io_target *target = target_of(io, connection);
    connection_unref(connection);
    expect_refused(target, "auth.token_url: ");
    assert_int_equal(tokens_asked(), 0);
    io_target_unref(target);
}

static struct message *next(struct mailbox *mailbox)
{
    struct message *message = mailbox_wait(mailbox, clock_mono_ns() + 30 * NS_PER_S);
    assert_non_null(message);
    return message;
}

static void test_waiting_ends(void **state)
{
    (void)state;
    struct io_target *target = client_target("?mode=hang");
    struct mailbox *mailbox;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    struct exchange *exchange = start_get(io, mailbox, target, "/data", NULL, 60000);
    while (!tokens_asked())
        usleep(1000);
    exchange_cancel(exchange);
    struct message *message = next(mailbox);
    assert_int_equal(message->type, MESSAGE_END);
    assert_string_equal(message->text, "cancelled");
    mailbox_release(mailbox, message);
    start_get(io, mailbox, target, "/data", NULL, 100);
    message = next(mailbox);
    assert_int_equal(message->type, MESSAGE_END);
    assert_int_equal(message->outcome, SONDE_OUTCOME_TIMED_OUT);
    assert_non_null(strstr(message->text, "fetching the login"));
    mailbox_release(mailbox, message);
    mailbox_destroy(mailbox);
    io_target_unref(target);
}

/* ---- Programs ---- */

static struct io_target *program_target(const char *script)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    struct connection *connection = connection_to(url);
    const char **command = arena_alloc_array(&connection->arena, 5, sizeof *command);
    command[0] = "sh";
    command[1] = "-c";
    command[2] = arena_strdup(&connection->arena, script);
    command[3] = folder;
    connection->auth.type = AUTH_BEARER;
    connection->auth.secret = (struct secret_ref){.kind = SECRET_EXEC, .command = command};
    struct io_target *target = target_of(io, connection);
    connection_unref(connection);
    return target;
}

/* A file of the test's folder, which is $0 to its programs. */
static size_t size_of(const char *name)
{
    char path[128];
    char *data;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_read(path, 4096, &data, &size, NULL))
        return 0;
    mem_free(data);
    return size;
}

static void forget(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

/* The newest valid token, had by one login of another client. */
static void make_valid_token(void)
{
    struct io_target *target = client_target("?expires=3600");
    expect(target, "/data", 200, NULL);
    io_target_unref(target);
}

static void test_program(void **state)
{
    (void)state;
    make_valid_token(); /* token-1 */
    struct io_target *target = program_target("printf x >>$0/runs; sleep 0.3; echo token-1");
    many(target, "/data");
    many(target, "/data");
    assert_int_equal(size_of("runs"), 1);
    expect(target, "/denied", 401, "never"); /* run again, and no better */
    assert_int_equal(size_of("runs"), 2);
    io_target_unref(target);
    forget("runs");

    target = program_target("printf x >>$0/runs; echo '{\"token\":\"token-1\",\"expires_in\":1}'");
    expect(target, "/data", 200, "data");
    usleep(1000000);
    expect(target, "/data", 200, "data");
    assert_int_equal(size_of("runs"), 2);
    io_target_unref(target);
    forget("runs");

    /* Another value each time: the second is the right one. */
    target = program_target("printf x >>$0/runs; echo token-$(($(wc -c <$0/runs) % 2))");
    expect(target, "/data", 200, "data");
    expect(plain, "/revoke", 200, NULL);
    make_valid_token();
    forget("runs");
    io_target_unref(target);
    target = program_target("printf x >>$0/runs; echo token-$(($(wc -c <$0/runs) - 1))");
    expect(target, "/data", 401, NULL); /* fetched for this one: not twice */
    expect(target, "/data", 200, "data");
    assert_int_equal(size_of("runs"), 2);
    io_target_unref(target);
    forget("runs");
}

static void test_program_of_two_headers(void **state)
{
    (void)state;
    static const char *const one[] = {"echo", "first", NULL};
    static const char *const two[] = {"printf", "second", NULL};
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    struct connection *connection = connection_to(url);
    struct connection_header headers[] = {{"X-One", {.kind = SECRET_EXEC, .command = one}},
                                          {"X-Two", {.kind = SECRET_EXEC, .command = two}}};
    connection->headers = headers;
    connection->header_count = 2;
    struct io_target *target = target_of(io, connection);
    expect(target, "/header", 200, "first|second");
    io_target_unref(target);
    connection->header_count = 0;
    connection_unref(connection);
}

static void test_program_fails(void **state)
{
    (void)state;
    static const struct {
        const char *script, *says;
    } cases[] = {
        {"exit 3", "auth.token: sh ended with status 3"},
        {"kill -9 $$", "auth.token: sh was ended by signal 9"},
        {":", "auth.token: what sh printed cannot be used: it is empty"},
        {"echo a; echo s3cret", "line break or control character at byte 1"},
        {"printf 's3cret\\0x'", "control character at byte 6"},
        {"echo '{s3cret'", "begins with '{' but is no JSON"},
        {"echo '{\"value\":\"s3cret\"}'", "without the key \"token\""},
        {"echo '{\"token\":\"s3cret\",\"expires_in\":\"soon\"}'", "no number of seconds"},
        {"echo '{\"token\":\"s3cret\",\"expires_at\":\"2001-02-03T04:05:06Z\"}'",
         "expired already"},
        {"echo '{\"token\":\"s3cret\",\"expires_at\":\"tomorrow\"}'", "expires_at is neither"},
        {"printf %s '{\"token\":\"s3cret\\n\"}'", "line break or control character at byte 6"},
        {"head -c 70000 /dev/zero | tr '\\0' x", "printed more than 65536 bytes"},
        {"head -c 20000 /dev/zero | tr '\\0' x", "larger than 16384 bytes"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct io_target *target = program_target(cases[i].script);
        expect_refused(target, cases[i].says);
        io_target_unref(target);
    }
    static const char *const none[] = {"/nowhere/to/be/found", NULL};
    atomic_bool stop = false;
    struct fetched fetched;
    struct err err = {0};
    assert_int_equal(exec_fetch(none, "auth.token", &stop, &fetched, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "cannot run /nowhere/to/be/found"));
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *output;
        int64_t at_s; /* since 1970 */
    } cases[] = {{"{\"token\":\"x\",\"expires_at\":\"2150-01-01T00:00:00Z\"}", 5680281600},
                 {"{\"token\":\"x\",\"expires_at\":\"2150-01-01T02:30:00.25+02:30\"}", 5680281600},
                 {"{\"token\":\"x\",\"expires_at\":1900000000}", 1900000000},
                 {"{\"token\":\"x\",\"expires_at\":\"1900000000\"}", 1900000000}};
    clock_set_test(1899999000 * NS_PER_S);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *const command[] = {"echo", cases[i].output, NULL};
        atomic_bool stop = false;
        struct fetched fetched = {0};
        struct err err = {0};
        if (exec_fetch(command, "auth.token", &stop, &fetched, &err))
            fail_msg("%s: %s", cases[i].output, err.text);
        int64_t life_s = cases[i].at_s - 1899999000;
        assert_int_equal(fetched.lifetime_ns, life_s < 1000000000 ? life_s * NS_PER_S : INT64_MAX);
        assert_string_equal(secret_reveal(fetched.value), "x");
        secret_free(fetched.value);
    }
    clock_set_test(0);
}

/* It gets no descriptors, signals or standard input of ours. */
static void test_program_alone(void **state)
{
    (void)state;
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    static const char *const command[] = {
        "sh", "-c",
        "cat; for fd in 3 4 5 6 7 8 9; do (: <&$fd) 2>/dev/null && echo open $fd; done; echo alone",
        NULL};
    atomic_bool stop = false;
    struct fetched fetched = {0};
    struct err err = {0};
    int kept[4];
    for (size_t i = 0; i < 4; i++)
        kept[i] = dup(STDERR_FILENO); /* without close-on-exec */
    if (exec_fetch(command, "auth.token", &stop, &fetched, &err))
        fail_msg("%s", err.text);
    assert_string_equal(secret_reveal(fetched.value), "alone");
    secret_free(fetched.value);
    for (size_t i = 0; i < 4; i++)
        close(kept[i]);
#endif
}

static int64_t number_in(const char *name)
{
    char path[128];
    char *data;
    size_t size;
    int64_t n = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (int i = 0; i < 5000 && !n; i++) {
        if (!file_read(path, 64, &data, &size, NULL)) {
            data[strcspn(data, "\n")] = '\0';
            if (str_to_int(data, 1, INT32_MAX, &n))
                n = 0;
            mem_free(data);
        }
        usleep(1000);
    }
    return n;
}

static bool group_is_gone(int64_t group)
{
    for (int i = 0; i < 5000; i++) {
        if (kill((pid_t)-group, 0) && errno == ESRCH)
            return true;
        usleep(1000);
    }
    return false;
}

/* The one test that waits for the limit of 10 s. */
static void test_program_hangs(void **state)
{
    (void)state;
    struct io_target *target = program_target("echo $$ >$0/pid; sleep 61 & sleep 62; echo x");
    int64_t begun = clock_mono_ns();
    expect_refused(target, "sh did not end within 10 s and was stopped");
    assert_true(clock_mono_ns() - begun >= 9 * NS_PER_S);
    assert_true(group_is_gone(number_in("pid")));
    io_target_unref(target);
    forget("pid");
}

/* Nine hang, more than there are threads for; what needs no program, and what was fetched before, goes on. Stopping does not wait for them. */
static void test_hanging_does_not_spread(void **state)
{
    (void)state;
    struct io_settings settings = {0};
    struct io *own;
    struct io *shared = io;
    struct mailbox *mailbox;
    struct io_target *targets[9];
    make_valid_token();
    assert_int_equal(io_create(&settings, &own, NULL), 0);
    assert_int_equal(mailbox_create(own, &mailbox), 0);
    io = own;
    struct io_target *fetched = program_target("echo token-1");
    struct io_target *without = target_to(io, server.port);
    expect(fetched, "/data", 200, "data");
    for (size_t i = 0; i < 9; i++) {
        targets[i] = program_target("echo $$ >$0/pid; sleep 63; echo x");
        start_get(io, mailbox, targets[i], "/data", NULL, 60000);
    }
    int64_t group = number_in("pid");
    expect(fetched, "/data", 200, "data");
    expect(without, "/data", 401, NULL);
    io_target_unref(fetched);
    io_target_unref(without);
    int64_t begun = clock_mono_ns();
    io_destroy(own);
    assert_true(clock_mono_ns() - begun < 8 * NS_PER_S);
    assert_true(group_is_gone(group));
    for (size_t i = 0; i < 9; i++) {
        struct message *message = next(mailbox);
        assert_int_equal(message->type, MESSAGE_END);
        mailbox_release(mailbox, message);
        io_target_unref(targets[i]);
    }
    mailbox_destroy(mailbox);
    io = shared;
    forget("pid");
}

static void test_not_for_users(void **state)
{
    (void)state;
    static const char *const command[] = {"id", NULL};
    struct connection *connection = connection_to("http://192.0.2.1");
    struct io_target *target = NULL;
    struct err err = {0};
    connection->from_operator = false;
    connection->auth.type = AUTH_BEARER;
    connection->auth.secret = (struct secret_ref){.kind = SECRET_EXEC, .command = command};
    assert_int_equal(
        io_target_create(io, connection, connection->url, NULL, NULL, 0, &target, &err),
        ERR_INVALID);
    assert_non_null(strstr(err.text, "only the operator's"));
    connection->auth.type = AUTH_OAUTH2;
    connection->auth.token_url = "http://192.0.2.1/token";
    connection->auth.client_id = "x";
    assert_int_equal(
        io_target_create(io, connection, connection->url, NULL, NULL, 0, &target, &err),
        ERR_INVALID);
    assert_non_null(strstr(err.text, "auth.client_secret"));
    connection_unref(connection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_token_for_many),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_refused_token),
        cmocka_unit_test(test_login_in_form),
        cmocka_unit_test(test_token_server_fails),
        cmocka_unit_test(test_address_policy),
        cmocka_unit_test(test_waiting_ends),
        cmocka_unit_test(test_program),
        cmocka_unit_test(test_program_of_two_headers),
        cmocka_unit_test(test_program_fails),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_program_alone),
        cmocka_unit_test(test_program_hangs),
        cmocka_unit_test(test_hanging_does_not_spread),
        cmocka_unit_test(test_not_for_users),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
