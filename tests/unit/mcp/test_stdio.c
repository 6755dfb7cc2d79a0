/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of standard input and output; the happy paths are in tests/mcp/transcripts. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_service.h"
#include "mcp/mcp.h"

#define LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
#define SLEEP                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":" \
    "\"query_metrics\",\"arguments\":{\"query\":\"sleep\"}}}\n"

static int run(int in, int out)
{
    struct service *service = fake_service_create(30000);
    int status = mcp_stdio_run(service, in, out);
    fake_service_destroy(service);
    return status;
}

/* A pipe that holds text; the write end stays open for the caller. */
static void fill(int fds[2], const char *text, int times)
{
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < times; i++)
        assert_int_equal(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
}

static void closed_output(void **state)
{
    (void)state;
    int in[2];
    int out[2];
    fill(in, PING, 1);
    assert_int_equal(pipe(out), 0);
    close(out[0]);
    /* Input stays open: only the broken pipe ends it, and its signal does not kill. */
    assert_int_equal(run(in[0], out[1]), 0);
    close(in[0]);
    close(in[1]);
    close(out[1]);
}

static void full_output(void **state)
{
    (void)state;
    int out = open("/dev/full", O_WRONLY);
    if (out < 0)
        skip();
    int in[2];
    fill(in, PING, 1);
    assert_int_equal(run(in[0], out), 1);
    close(in[0]);
    close(in[1]);
    close(out);
}

static void unreadable_input(void **state)
{
    (void)state;
    int in = open("/", O_RDONLY);
    int out = open("/dev/null", O_WRONLY);
    assert_true(in >= 0 && out >= 0);
    assert_int_equal(run(in, out), 1);
    close(in);
    close(out);
}

static void output_never_read(void **state)
{
    (void)state;
    int in[2];
    int out[2];
    fill(in, LIST, 600);
    assert_int_equal(write(in[1], SLEEP, strlen(SLEEP)), (ssize_t)strlen(SLEEP));
    close(in[1]);
    assert_int_equal(pipe(out), 0);
    /* Four megabytes of answers for a pipe of 64 KiB: the end of input still ends it. */
    assert_int_equal(run(in[0], out[1]), 0);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}

static void socket_output(void **state)
{
    (void)state;
    int in[2];
    int out[2];
    fill(in, PING, 3);
    close(in[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, out), 0);
    assert_int_equal(run(in[0], out[1]), 0);
    close(out[1]);
    char text[4096];
    size_t size = 0;
    ssize_t n;
    while ((n = read(out[0], text + size, sizeof text - size)) > 0)
        size += (size_t)n;
    const char *one = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";
    assert_int_equal(size, 3 * strlen(one));
    assert_memory_equal(text + strlen(one), one, strlen(one));
    close(in[0]);
    close(out[0]);
}

static void signals_are_restored(void **state)
{
    (void)state;
    struct sigaction mine = {.sa_handler = SIG_DFL};
    struct sigaction after;
    sigaction(SIGTERM, &mine, NULL);
    int in = open("/dev/null", O_RDONLY);
    int out = open("/dev/null", O_WRONLY);
    assert_int_equal(run(in, out), 0);
    sigaction(SIGTERM, NULL, &after);
    assert_ptr_equal(after.sa_handler, SIG_DFL);
    close(in);
    close(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_output),    cmocka_unit_test(full_output),
        cmocka_unit_test(unreadable_input), cmocka_unit_test(output_never_read),
        cmocka_unit_test(socket_output),    cmocka_unit_test(signals_are_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
