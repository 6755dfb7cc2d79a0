/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over the real network layer: a loopback server of a few lines, the zoo's actor as adapter. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "plugin/registry.h"
#include "query/engine.h"

enum answer { WHOLE, CUT, SILENT, CLOSED };

static int listener = -1;
static int port;
static _Atomic(int) answer;
static _Atomic(unsigned) accepted;
static pthread_t thread;
static struct registry *registry;
static struct io *io;
static struct engine *engine;
static struct budget budget;

static void serve(int fd)
{
    static const char whole[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody";
    static const char cut[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 400\r\nConnection: close\r\n\r\nbody";
    char request[4096];
    if (recv(fd, request, sizeof request, 0) <= 0)
        return;
    if (atomic_load(&answer) == WHOLE)
        send(fd, whole, sizeof whole - 1, MSG_NOSIGNAL);
    if (atomic_load(&answer) == CUT)
        send(fd, cut, sizeof cut - 1, MSG_NOSIGNAL);
    /* Until the other side has had enough. */
    while (atomic_load(&answer) == SILENT && recv(fd, request, sizeof request, 0) > 0)
        ;
}

static void *accept_all(void *argument)
{
    (void)argument;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        atomic_fetch_add(&accepted, 1);
        serve(fd);
        close(fd);
    }
}

static int setup(void **state)
{
    (void)state;
    char folder[4096];
    const char *top = getenv("top_builddir");
    snprintf(folder, sizeof folder, "%s/zoo.d", top ? top : ".");
    const char *paths[] = {folder};
    const char *names[] = {"zoo_actor"};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) ||
        listen(listener, 16) || getsockname(listener, (struct sockaddr *)&address, &size))
        return -1;
    port = ntohs(address.sin_port);
    budget_init(&budget, (size_t)256 << 20);
    struct io_settings io_settings = {.budget = &budget};
    struct engine_settings settings = {.budget = &budget};
    if (registry_load(paths, 1, names, 1, &registry, NULL) || io_create(&io_settings, &io, NULL))
        return -1;
    settings.registry = registry;
    settings.io = io;
    return engine_create(&settings, &engine, NULL) ||
                   pthread_create(&thread, NULL, accept_all, NULL)
               ? -1
               : 0;
}

static int teardown(void **state)
{
    (void)state;
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    engine_destroy(engine);
    io_destroy(io);
    registry_free(registry);
    return atomic_load(&budget.used) ? -1 : 0;
}

static struct backend *open_backend(void)
{
    static char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    struct connection *connection = connection_new();
    connection->name = "real";
    connection->backend = "zoo_actor";
    connection->url = url;
    connection->timeout_ns = 10 * NS_PER_S;
    connection->from_operator = true;
    struct backend *backend = NULL;
    struct err err = {0};
    int r = backend_open(engine, connection, &backend, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(r, 0);
    connection_unref(connection);
    return backend;
}

static void run(struct call *call, void *argument)
{
    assert_int_equal(engine_run(engine, call, argument, 1), 0);
}

static void ask(enum answer how, int64_t deadline_ns, int code, unsigned connects)
{
    struct backend *backend = open_backend();
    atomic_store(&answer, how);
    atomic_store(&accepted, 0);
    struct sonde_query query = {.struct_size = sizeof query,
                                .kind = SONDE_KIND_METRICS,
                                .end_ns = 1,
                                .scope = "",
                                .name = "",
                                .native = ""};
    struct engine_item item = {.backend = backend, .query = &query};
    assert_int_equal(
        call_run(io, &budget, &PRINCIPAL_LOCAL, clock_mono_ns() + deadline_ns, run, &item, NULL),
        0);
    if (item.err.code != code)
        assert_string_equal(item.err.text, "");
    assert_int_equal(item.err.code, code);
    assert_int_equal(atomic_load(&accepted), connects);
    if (!code)
        assert_int_equal(item.result->series[0].sample_count, 3);
    else
        assert_true(item.err.text[0] != '\0');
    result_unref(item.result);
    backend_unref(backend);
}

static void test_whole(void **state)
{
    (void)state;
    ask(WHOLE, 10 * NS_PER_S, 0, 1);
}

static void test_cut(void **state)
{
    (void)state;
    ask(CUT, 10 * NS_PER_S, SONDE_E_BAD_ANSWER, 1);
}

static void test_closed(void **state)
{
    (void)state;
    /* Lost before the first byte: tried once more. */
    ask(CLOSED, 10 * NS_PER_S, SONDE_E_UNREACHABLE, 2);
}

static void test_silent(void **state)
{
    (void)state;
    ask(SILENT, 200 * NS_PER_MS, SONDE_E_DEADLINE, 1);
    ask(WHOLE, 10 * NS_PER_S, 0, 1);
}

static void call_and_wait(struct call *call, void *argument)
{
    run(call, argument);
}

static void test_cancel(void **state)
{
    (void)state;
    struct backend *backend = open_backend();
    struct call_pool *pool = NULL;
    struct call *call = NULL;
    atomic_store(&answer, SILENT);
    atomic_store(&accepted, 0);
    assert_int_equal(call_pool_create(io, &budget, 2, &pool, NULL), 0);
    struct sonde_query query = {.struct_size = sizeof query,
                                .kind = SONDE_KIND_METRICS,
                                .end_ns = 1,
                                .scope = "",
                                .name = "",
                                .native = ""};
    struct engine_item item = {.backend = backend, .query = &query};
    assert_int_equal(call_submit(pool, &PRINCIPAL_LOCAL, clock_mono_ns() + 10 * NS_PER_S,
                                 call_and_wait, &item, &call, NULL),
                     0);
    struct timespec moment = {.tv_nsec = 2000000};
    while (!atomic_load(&accepted))
        nanosleep(&moment, NULL);
    /* Cancels every call and waits for its thread, so for the transfer to be gone. */
    assert_int_equal(call_pool_destroy(pool, 5000), 0);
    assert_int_equal(item.err.code, SONDE_E_CANCELLED);
    result_unref(item.result);
    backend_unref(backend);
    ask(WHOLE, 10 * NS_PER_S, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole), cmocka_unit_test(test_cut),
                                       cmocka_unit_test(test_closed), cmocka_unit_test(test_silent),
                                       cmocka_unit_test(test_cancel)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
