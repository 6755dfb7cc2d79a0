/* SPDX-License-Identifier: Apache-2.0 */
/* file: endpoints: what they serve, and what lies outside. */
#include "config.h"

#include "cmocka_all.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static char top[] = "/tmp/sonde-test-files-XXXXXX";
static struct io *io;
static struct io_target *target;

static void make(const char *name, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", top, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i += 16)
        fprintf(file, "%015zu\n", i % (1u << 20) / 16);
    fclose(file);
}

static int setup(void **state)
{
    (void)state;
    char path[512];
    char url[1024];
    assert_non_null(mkdtemp(top));
    static const char *const folders[] = {"in", "in/sub", "out"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", top, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    make("in/b.json", 32);
    make("in/a b.json", 5000000 / 16 * 16);
    make("in/sub/c", 16);
    make("in/.hidden", 16);
    make("out/secret", 16);
    snprintf(path, sizeof path, "%s/in/link-out", top);
    assert_int_equal(symlink("../out/secret", path), 0);
    snprintf(path, sizeof path, "%s/in/link-in", top);
    assert_int_equal(symlink("b.json", path), 0);
    snprintf(path, sizeof path, "%s/in/fifo", top);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/in", top);
    struct io_settings settings = {.files = path};
    assert_int_equal(io_create(&settings, &io, NULL), 0);
    snprintf(url, sizeof url, "file://%s", path);
    struct connection *connection = connection_to(url);
    target = target_of(io, connection);
    connection_unref(connection);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    io_target_unref(target);
    io_destroy(io);
    static const char *const names[] = {"in/b.json",  "in/a b.json", "in/sub/c",   "in/.hidden",
                                        "out/secret", "in/link-out", "in/link-in", "in/fifo",
                                        "in/sub",     "in",          "out",        ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", top, names[i]);
        remove(path);
    }
    return 0;
}

static void test_list(void **state)
{
    (void)state;
    struct got got;
    get(io, target, "/", &got);
    assert_int_equal(got.status, 200);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    const char *a = strstr(got.body, "{\"name\":\"a b.json\",\"size\":5000000,\"mtime_ns\":1");
    const char *b = strstr(got.body, "{\"name\":\"b.json\",\"size\":32,\"mtime_ns\":");
    assert_true(a && b && a < b);
    assert_null(strstr(got.body, "hidden"));
    assert_null(strstr(got.body, "fifo"));
    got_free(&got);
    get(io, target, "/sub/", &got);
    assert_non_null(strstr(got.body, "\"c\""));
    got_free(&got);
}

static void test_read(void **state)
{
    (void)state;
    struct got got;
    get(io, target, "/a%20b.json?x", &got);
    assert_int_equal(got.status, 200);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    assert_int_equal(got.size, 5000000);
    assert_true(is_pattern(got.body, got.size, 0));
    assert_non_null(strstr(got.headers, "content-length: 5000000\n"));
    got_free(&got);
    get(io, target, "/link-in", &got);
    assert_int_equal(got.size, 32);
    got_free(&got);
    get(io, target, "/sub/c", &got);
    assert_int_equal(got.size, 16);
    got_free(&got);
}

static void test_ranges(void **state)
{
    (void)state;
    struct got got;
    struct sonde_pair range = {"Range", "bytes=4999992-"};
    struct sonde_request request = {.struct_size = sizeof request,
                                    .tag = 7,
                                    .method = "GET",
                                    .path = "/a%20b.json",
                                    .headers = &range,
                                    .header_count = 1};
    ask(io, target, &request, 20000, &got);
    assert_int_equal(got.status, 206);
    assert_int_equal(got.size, 8);
    assert_non_null(strstr(got.headers, "content-range: bytes 4999992-4999999/5000000\n"));
    got_free(&got);
    range.value = "bytes=16-31";
    ask(io, target, &request, 20000, &got);
    assert_string_equal(got.body, "000000000000001\n");
    got_free(&got);
    range.value = "bytes=5000000-";
    ask(io, target, &request, 20000, &got);
    assert_int_equal(got.status, 416);
    got_free(&got);
}

static void test_outside(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint32_t status;
    } cases[] = {{"/nothing", 404}, {"/link-out", 403}, {"/sub", 404},
                 {"/fifo", 404},    {"/b.json/", 404},  {"/sub/..%2f..%2fout%2fsecret", 0},
                 {"/a%00b", 400},   {"/%zz", 400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct got got;
        get(io, target, cases[i].path, &got);
        if (got.status != cases[i].status)
            fail_msg("%s: status %u, %s", cases[i].path, got.status, got.text);
        if (!cases[i].status)
            assert_int_equal(got.outcome, SONDE_OUTCOME_REFUSED);
        got_free(&got);
    }
    struct got got;
    struct sonde_request request = {
        .struct_size = sizeof request, .tag = 7, .method = "DELETE", .path = "/b.json"};
    ask(io, target, &request, 20000, &got);
    assert_int_equal(got.status, 405);
    got_free(&got);
}

static void test_targets(void **state)
{
    (void)state;
    char url[1024];
    struct err err = {0};
    struct io_target *other = NULL;
    static const char *const bad[] = {"/out", "/in/link-out", "/in/../out", "/nothing", "/inner"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(url, sizeof url, "file://%s%s", top, bad[i]);
        struct connection *connection = connection_to(url);
        assert_int_equal(io_target_create(io, connection, url, NULL, NULL, 0, &other, &err),
                         ERR_INVALID);
        assert_true(str_starts(err.text, "url: "));
        connection_unref(connection);
    }
    snprintf(url, sizeof url, "file://%s/in/b.json", top);
    struct connection *connection = connection_to(url);
    connection->from_operator = false;
    assert_int_equal(io_target_create(io, connection, url, NULL, NULL, 0, &other, &err),
                     ERR_INVALID);
    connection->from_operator = true;
    other = target_of(io, connection);
    struct got got;
    get(io, other, "/", &got); /* one file: a folder of that one */
    assert_non_null(strstr(got.body, "b.json"));
    assert_null(strstr(got.body, "a b.json"));
    got_free(&got);
    get(io, other, "/b.json", &got);
    assert_int_equal(got.size, 32);
    got_free(&got);
    get(io, other, "/sub/c", &got);
    assert_int_equal(got.status, 404);
    got_free(&got);
    io_target_unref(other);
    connection_unref(connection);
}

static void test_window_limit_and_cancel(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    struct message *held[8];
    size_t n = 0;
    size_t size = 0;
    struct message *message;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    struct exchange *exchange = start_get(io, mailbox, target, "/a%20b.json", NULL, 60000);
    while ((message = mailbox_wait(mailbox, clock_mono_ns() + 200 * NS_PER_MS))) {
        assert_true(n < 8);
        size += message->type == MESSAGE_DATA ? message->size : 0;
        held[n++] = message;
    }
    assert_int_equal(size, 256 * 1024);
    for (size_t i = 0; i < n; i++)
        mailbox_release(mailbox, held[i]);
    message = mailbox_wait(mailbox, clock_mono_ns() + 60 * NS_PER_S);
    assert_int_equal(message->type, MESSAGE_DATA);
    assert_true(is_pattern(message->data, message->size, size));
    exchange_cancel(exchange);
    while (message->type != MESSAGE_END) {
        mailbox_release(mailbox, message);
        message = mailbox_wait(mailbox, clock_mono_ns() + 60 * NS_PER_S);
        assert_non_null(message);
    }
    assert_string_equal(message->text, "cancelled");
    mailbox_release(mailbox, message);
    mailbox_destroy(mailbox);
    struct got got;
    struct sonde_request request = {.struct_size = sizeof request,
                                    .tag = 7,
                                    .method = "GET",
                                    .path = "/a%20b.json",
                                    .max_size = 4999999};
    ask(io, target, &request, 20000, &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_TOO_LARGE);
    assert_non_null(strstr(got.text, "limits.body"));
    got_free(&got);
}

static void test_destroyed_while_waiting(void **state)
{
    (void)state;
    char path[512];
    char url[1024];
    snprintf(path, sizeof path, "%s/in", top);
    snprintf(url, sizeof url, "file:%s", path);
    struct io_settings settings = {.files = path};
    struct io *own;
    struct mailbox *mailbox;
    assert_int_equal(io_create(&settings, &own, NULL), 0);
    assert_int_equal(mailbox_create(own, &mailbox), 0);
    struct connection *connection = connection_to(url);
    struct io_target *there = target_of(own, connection);
    connection_unref(connection);
    start_get(own, mailbox, there, "/a%20b.json", NULL, 60000);
    usleep(50000);
    io_destroy(own);
    struct got got;
    drain(mailbox, NULL, &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_LOST);
    got_free(&got);
    mailbox_destroy(mailbox);
    io_target_unref(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_window_limit_and_cancel),
        cmocka_unit_test(test_destroyed_while_waiting),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
