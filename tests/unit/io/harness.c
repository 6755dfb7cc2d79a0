/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmocka_all.h"
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

extern char **environ;

void server_start(struct server *server, const char *const *extra)
{
    server_start_script(server, "badserver.py", extra);
}

void server_start_script(struct server *server, const char *name, const char *const *extra)
{
    const char *top = getenv("top_srcdir");
    char script[1024];
    snprintf(script, sizeof script, "%s/tests/support/%s", top ? top : ".", name);
    char *arguments[16] = {(char *)(uintptr_t) "python3", script};
    for (size_t i = 2; extra && *extra && i < 15; i++)
        arguments[i] = (char *)(uintptr_t)*extra++;
    int in[2];
    int out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    int r = posix_spawnp(&server->pid, "python3", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (r) {
        fprintf(stderr, "skipped: python3 cannot be started\n");
        exit(77);
    }
    close(in[0]);
    close(out[1]);
    server->input = in[1];
    FILE *lines = fdopen(out[0], "r");
    char line[32] = "";
    assert_non_null(fgets(line, sizeof line, lines));
    fclose(lines);
    line[strcspn(line, "\n")] = '\0';
    int64_t port = 0;
    assert_int_equal(str_to_int(line, 1, 65535, &port), 0);
    server->port = (int)port;
}

void server_stop(struct server *server)
{
    close(server->input);
    waitpid(server->pid, NULL, 0);
}

void got_free(struct got *got)
{
    free(got->body);
    got->body = NULL;
}

struct connection *connection_to(const char *url)
{
    struct connection *connection = connection_new();
    assert_non_null(connection);
    connection->url = arena_strdup(&connection->arena, url);
    connection->from_operator = true;
    return connection;
}

struct io_target *target_of(struct io *io, struct connection *connection)
{
    struct io_target *target = NULL;
    struct err err = {0};
    if (io_target_create(io, connection, connection->url, NULL, NULL, 0, &target, &err) < 0)
        fail_msg("%s", err.text);
    return target;
}

struct io_target *target_to(struct io *io, int port)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    struct connection *connection = connection_to(url);
    struct io_target *target = target_of(io, connection);
    connection_unref(connection);
    return target;
}

static struct exchange *start(struct io *io, struct mailbox *mailbox, struct io_target *target,
                              const struct sonde_request *request, void *owner, int64_t timeout_ms)
{
    struct exchange *exchange = NULL;
    struct err err = {0};
    struct exchange_request given = {.request = request,
                                     .target = target,
                                     .owner = owner,
                                     .deadline_ns = clock_mono_ns() + timeout_ms * NS_PER_MS};
    if (exchange_start(io, mailbox, &given, &exchange, &err) < 0)
        fail_msg("%s", err.text);
    assert_non_null(exchange);
    return exchange;
}

struct exchange *start_get(struct io *io, struct mailbox *mailbox, struct io_target *target,
                           const char *path, void *owner, int64_t timeout_ms)
{
    struct sonde_request request = {
        .struct_size = sizeof request, .tag = 7, .method = "GET", .path = path};
    return start(io, mailbox, target, &request, owner, timeout_ms);
}

static void take_head(struct got *got, const struct sonde_response_head *head)
{
    size_t at = 0;
    got->heads++;
    got->status = head->status;
    for (size_t i = 0; i < head->header_count && at < sizeof got->headers; i++)
        at += (size_t)snprintf(got->headers + at, sizeof got->headers - at, "%s: %s\n",
                               head->headers[i].key, head->headers[i].value);
}

static void take(struct got *got, const struct message *message)
{
    assert_int_equal(got->ends, 0); /* nothing after END */
    assert_int_equal(message->tag, 7);
    if (message->type == MESSAGE_HEAD) {
        assert_int_equal(got->size, 0);
        take_head(got, message->head);
    } else if (message->type == MESSAGE_DATA) {
        assert_int_equal(got->heads, 1);
        assert_true(message->size > 0 && message->size <= 128 * 1024);
        if (got->size + message->size + 1 > got->capacity) {
            got->capacity = 2 * (got->size + message->size + 1);
            got->body = realloc(got->body, got->capacity);
            assert_non_null(got->body);
        }
        memcpy(got->body + got->size, message->data, message->size);
        got->size += message->size;
        got->body[got->size] = '\0';
    } else {
        assert_int_equal(message->type, MESSAGE_END);
        got->ends++;
        got->outcome = message->outcome;
        got->got_bytes = message->got_bytes;
        got->body_bytes = message->body_bytes;
        got->wire_bytes = message->wire_bytes;
        snprintf(got->text, sizeof got->text, "%s", message->text);
    }
}

void drain(struct mailbox *mailbox, void *owner, struct got *ret_got)
{
    *ret_got = (struct got){0};
    while (!ret_got->ends) {
        struct message *message = mailbox_wait(mailbox, clock_mono_ns() + 60 * NS_PER_S);
        assert_non_null(message);
        assert_ptr_equal(message->owner, owner);
        take(ret_got, message);
        mailbox_release(mailbox, message);
    }
    assert_int_equal(ret_got->body_bytes, ret_got->size);
}

void ask(struct io *io, struct io_target *target, const struct sonde_request *request,
         int64_t timeout_ms, struct got *ret_got)
{
    struct mailbox *mailbox;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    start(io, mailbox, target, request, ret_got, timeout_ms);
    drain(mailbox, ret_got, ret_got);
    mailbox_destroy(mailbox);
}

void get(struct io *io, struct io_target *target, const char *path, struct got *ret_got)
{
    struct sonde_request request = {
        .struct_size = sizeof request, .tag = 7, .method = "GET", .path = path};
    ask(io, target, &request, 60000, ret_got);
}

bool is_pattern(const char *data, size_t size, size_t at)
{
    char line[32];
    for (size_t i = 0; i < size;) {
        size_t where = (at + i) % (1u << 20);
        snprintf(line, sizeof line, "%015zu\n", where / 16);
        size_t n = 16 - where % 16;
        if (n > size - i)
            n = size - i;
        if (memcmp(data + i, line + where % 16, n) != 0)
            return false;
        i += n;
    }
    return true;
}

int open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;
    if (!folder)
        return -1;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

long resident_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        if (str_starts(line, "VmRSS:"))
            kib = atol(line + 6);
    fclose(file);
    return kib;
}

bool seen_holds(struct io *io, struct io_target *target, const char *text)
{
    for (int i = 0; i < 200; i++) {
        struct got got;
        get(io, target, "/_seen", &got);
        bool found = got.body && strstr(got.body, text);
        got_free(&got);
        if (found)
            return true;
        usleep(50000);
    }
    return false;
}
