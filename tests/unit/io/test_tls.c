/* SPDX-License-Identifier: Apache-2.0 */
/* TLS: who is trusted, under which name, and what is said when nobody is. */
#include "config.h"

#include "cmocka_all.h"
#include "harness.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

extern char **environ;

static char folder[] = "/tmp/sonde-test-tls-XXXXXX";
static char certificate[256];
static char key[256];
static struct server server;        /* any client */
static struct server asking_server; /* wants a certificate of the client */
static struct io *io;

/* A self-signed certificate for backend.test and the address; false without the tool. */
static bool make_certificate(void)
{
    const char *arguments[] = {"openssl",
                               "req",
                               "-x509",
                               "-newkey",
                               "ec",
                               "-pkeyopt",
                               "ec_paramgen_curve:prime256v1",
                               "-nodes",
                               "-days",
                               "2",
                               "-subj",
                               "/CN=Sonde Test",
                               "-addext",
                               "subjectAltName=DNS:backend.test,IP:127.0.0.1",
                               "-keyout",
                               key,
                               "-out",
                               certificate,
                               NULL};
    pid_t pid;
    int status = 1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    int r = posix_spawnp(&pid, "openssl", &actions, NULL, (char **)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (!r)
        waitpid(pid, &status, 0);
    return !r && status == 0;
}

static int setup(void **state)
{
    (void)state;
    struct io_settings settings = {0};
    const char *plain[] = {"--tls", certificate, key, NULL};
    const char *asking[] = {"--tls", certificate, key, certificate, NULL};
    server_start(&server, plain);
    server_start(&asking_server, asking);
    return io_create(&settings, &io, NULL);
}

static int teardown(void **state)
{
    (void)state;
    io_destroy(io);
    server_stop(&server);
    server_stop(&asking_server);
    return 0;
}

static void get_with(const struct connection_tls *tls, const char *host, int port, struct got *got,
                     struct io_probe *probe)
{
    char url[128];
    snprintf(url, sizeof url, "https://%s:%d", host, port);
    struct connection *connection = connection_to(url);
    connection->tls = *tls;
    struct io_target *target = target_of(io, connection);
    get(io, target, "/echo", got);
    if (probe)
        io_target_probe(target, probe);
    io_target_unref(target);
    connection_unref(connection);
}

static void expect_ok(const struct connection_tls *tls, const char *host, int port)
{
    struct got got;
    get_with(tls, host, port, &got, NULL);
    if (got.outcome || got.status != 200)
        fail_msg("%s", got.text);
    got_free(&got);
}

static void expect_failure(const struct connection_tls *tls, const char *host, int port,
                           const char *says)
{
    struct got got;
    struct io_probe probe;
    get_with(tls, host, port, &got, &probe);
    assert_int_equal(got.outcome, SONDE_OUTCOME_LOST);
    assert_int_equal(got.heads, 0);
    if (!strstr(got.text, says))
        fail_msg("\"%s\" does not say \"%s\"", got.text, says);
    if (strstr(got.text, "TLS with")) /* the stage that `connection test` names */
        assert_int_equal(probe.stage, 4);
    got_free(&got);
}

static void test_trust(void **state)
{
    (void)state;
    struct io_probe probe;
    struct got got;
    struct connection_tls tls = {.ca_file = certificate};
    get_with(&tls, "127.0.0.1", server.port, &got, &probe);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    got_free(&got);
    assert_true(str_starts(probe.tls, "TLSv1."));
    assert_non_null(strstr(probe.tls, "Sonde Test"));
    assert_true(probe.tls_ns > 0);
    assert_int_equal(probe.stage, 6);
    assert_string_equal(probe.setting, "");
    assert_non_null(strstr(probe.ca, certificate));
    /* Made a moment ago for two days. */
    int64_t left = probe.expires_ns - clock_unix_ns();
    assert_true(left > NS_PER_DAY && left <= 2 * NS_PER_DAY);
    /* The connection that was opened under that trust is not lent to one without. */
    expect_failure(&(struct connection_tls){0}, "127.0.0.1", server.port, "tls.ca_file");
    expect_ok(&(struct connection_tls){.insecure_skip_verify = true}, "127.0.0.1", server.port);
    expect_failure(&(struct connection_tls){0}, "127.0.0.1", server.port, "tls.ca_file");
    char *pem;
    size_t size;
    assert_int_equal(file_read(certificate, 65536, &pem, &size, NULL), 0);
    expect_ok(&(struct connection_tls){.ca_pem = pem}, "127.0.0.1", server.port);
    mem_free(pem);
    expect_failure(&(struct connection_tls){.ca_file = "/nowhere.pem"}, "127.0.0.1", server.port,
                   "check that tls.ca_file exists");
}

static void test_names(void **state)
{
    (void)state;
    struct got got;
    struct connection_tls tls = {.ca_file = certificate};
    expect_failure(&tls, "localhost", server.port, "tls.server_name");
    tls.server_name = "backend.test";
    get_with(&tls, "localhost", server.port, &got, NULL);
    if (got.outcome)
        fail_msg("%s", got.text);
    char host[64];
    snprintf(host, sizeof host, "\r\nHost: localhost:%d\r\n", server.port);
    assert_non_null(strstr(got.body, host));
    got_free(&got);
    tls.server_name = "other.test";
    expect_failure(&tls, "localhost", server.port, "other.test");
}

static void test_client_certificate(void **state)
{
    (void)state;
    struct connection_tls tls = {.ca_file = certificate, .cert = certificate, .key = key};
    expect_ok(&tls, "127.0.0.1", asking_server.port);
    /* Nor is a connection that showed a certificate lent to one that has none. */
    tls.cert = tls.key = NULL;
    expect_failure(&tls, "127.0.0.1", asking_server.port, "127.0.0.1");
    tls.cert = "/nowhere.pem";
    expect_failure(&tls, "127.0.0.1", asking_server.port, "tls.cert");
}

static void test_not_tls(void **state)
{
    (void)state;
    struct server plain;
    struct got got;
    server_start(&plain, NULL);
    expect_failure(&(struct connection_tls){0}, "127.0.0.1", plain.port, "TLS with 127.0.0.1");
    struct io_target *target = target_to(io, server.port); /* http:// to a TLS port */
    get(io, target, "/ok", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_LOST);
    got_free(&got);
    io_target_unref(target);
    server_stop(&plain);
}

static void test_big_over_tls(void **state)
{
    (void)state;
    char url[128];
    struct got got;
    snprintf(url, sizeof url, "https://127.0.0.1:%d", server.port);
    struct connection *connection = connection_to(url);
    connection->tls.ca_file = certificate;
    struct io_target *target = target_of(io, connection);
    get(io, target, "/body?n=20000003", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    assert_int_equal(got.size, 20000003);
    assert_true(is_pattern(got.body, got.size, 0));
    got_free(&got);
    get(io, target, "/cut?n=1000000", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_LOST);
    got_free(&got);
    io_target_unref(target);
    connection_unref(connection);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
    snprintf(key, sizeof key, "%s/key.pem", folder);
    int r = 77;
    if (make_certificate()) {
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_trust),
            cmocka_unit_test(test_names),
            cmocka_unit_test(test_client_certificate),
            cmocka_unit_test(test_not_tls),
            cmocka_unit_test(test_big_over_tls),
        };
        r = cmocka_run_group_tests(tests, setup, teardown);
    } else {
        fprintf(stderr, "skipped: the openssl tool cannot make a certificate\n");
    }
    unlink(certificate);
    unlink(key);
    rmdir(folder);
    return r;
}
