/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 << 10)
#define SILENCE_MS 120000

extern char **environ;

void load_fail(const char *what)
{
    fprintf(stderr, "bench/load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

double load_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

char *bytes_room(struct bytes *bytes, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        bytes->capacity = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (!bytes->data)
            load_fail("memory");
    }
    return bytes->data + bytes->size;
}

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes_room(bytes, size), data, size);
    bytes->size += size;
}

/* What a mark of three characters stands for; 0 characters: it is none. */
static size_t marked(const char *mark, uint64_t number, char digits[24])
{
    if (strncmp(mark, "@N@", 3) == 0)
        return (size_t)snprintf(digits, 24, "%" PRIu64, number);
    if (strncmp(mark, "@F@", 3) == 0)
        return (size_t)snprintf(digits, 24, "%" PRIu64, number % LOAD_FEW);
    return 0;
}

void load_text(struct load *load, struct bytes *to, const char *template, uint64_t number)
{
    (void)load;
    const char *from = template;
    for (const char *at = strchr(template, '@'); at; at = strchr(at, '@')) {
        char digits[24];
        size_t n = marked(at, number, digits);
        if (!n) {
            at++;
            continue;
        }
        bytes_add(to, from, (size_t)(at - from));
        bytes_add(to, digits, n);
        from = at += 3;
    }
    bytes_add(to, from, strlen(from));
}

/* ---- The child ---- */

static pid_t spawn(char **command, int *ret_to, int *ret_from)
{
    int in[2], out[2];
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || posix_spawn_file_actions_init(&actions))
        load_fail("pipe");
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    errno = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
    if (errno)
        load_fail(command[0]);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    *ret_to = in[1];
    *ret_from = out[0];
    return child;
}

void load_spawn(struct load *load, char **command)
{
    signal(SIGPIPE, SIG_IGN);
    load->child = spawn(command, &load->to, &load->from);
    fcntl(load->to, F_SETFL, O_NONBLOCK);
    fcntl(load->from, F_SETFL, O_NONBLOCK);
}

double load_start(char **command)
{
    static const char initialize[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}"
        "}\n";
    int to, from;
    double begin = load_now();
    pid_t child = spawn(command, &to, &from);
    if (write(to, initialize, sizeof initialize - 1) != (ssize_t)sizeof initialize - 1)
        load_fail("write");
    char answer[65536];
    ssize_t n = 1;
    do
        n = read(from, answer, sizeof answer);
    while (n > 0 && answer[n - 1] != '\n');
    double took = load_now() - begin;
    if (n <= 0)
        load_fail("the server ended");
    close(to);
    close(from);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return took * 1000;
}

void load_end(struct load *load)
{
    for (size_t i = 0; i < LOAD_LANES; i++) {
        if (load->lanes[i].fd > 0)
            close(load->lanes[i].fd);
        free(load->lanes[i].in.data);
    }
    if (load->child) {
        close(load->to);
        close(load->from);
        kill(load->child, SIGTERM);
        waitpid(load->child, NULL, 0);
    }
    free(load->in.data);
    free(load->out.data);
    free(load->kept.data);
    free(load->headers.data);
}

/* ---- Lanes ---- */

static bool more_wanted(const struct load *load)
{
    const struct work *work = load->work;
    return work->max_calls ? load->sent < work->max_calls : load_now() < load->until;
}

/* Ids tell the lane: number * LOAD_LANES + lane. */
static void begin(struct load *load, struct lane *lane)
{
    const char *template = load->work->template[lane->big];
    if (!more_wanted(load))
        return;
    load->sent += lane->big ? 0 : 1;
    lane->busy = true;
    lane->started = load_now();
    uint64_t number = ++load->next * LOAD_LANES + (uint64_t)(lane - load->lanes);
    if (load->how != LOAD_STDIO) {
        http_begin(load, lane, template, number);
        return;
    }
    load_text(load, &load->out, template, number);
    bytes_add(&load->out, "\n", 1);
}

void load_answered(struct load *load, struct lane *lane, size_t bytes, bool error)
{
    struct times *times = &load->work->times[lane->big];
    if (times->count == times->capacity) {
        times->capacity = times->capacity ? times->capacity * 2 : 4096;
        times->ms = realloc(times->ms, times->capacity * sizeof *times->ms);
        if (!times->ms)
            load_fail("memory");
    }
    times->ms[times->count++] = (float)((load_now() - lane->started) * 1000);
    times->bytes += bytes;
    times->errors += error ? 1 : 0;
    lane->busy = false;
    begin(load, lane);
}

/* Looked for at both ends: between them is the answer's own text. */
bool load_is_error(const char *text, size_t size)
{
    size_t look = size < 400 ? size : 400;
    return memmem(text, look, "\"isError\":true", 14) ||
           memmem(text + size - look, look, "\"isError\":true", 14) ||
           memmem(text, look, "\"error\":{\"code\"", 15);
}

/* ---- Lines of a child ---- */

/* Some servers write the id first, some last. */
static bool id_of(const char *line, size_t size, uint64_t *ret_id)
{
    size_t look = size < 64 ? size : 64;
    const char *found = memmem(line, look, "\"id\":", 5);
    if (!found) {
        const char *at = line + size - look;
        while ((at = memmem(at, (size_t)(line + size - at), "\"id\":", 5)))
            found = at++;
    }
    if (!found || found[5] < '0' || found[5] > '9')
        return false;
    *ret_id = strtoull(found + 5, NULL, 10);
    return true;
}

static void on_line(struct load *load, const char *line, size_t size)
{
    uint64_t id;
    if (!size || !id_of(line, size, &id))
        return; /* a notification */
    struct lane *lane = &load->lanes[id % LOAD_LANES];
    if (!load->work || !lane->busy)
        return;
    if (load->work->keep)
        bytes_add(&load->kept, line, size);
    load_answered(load, lane, size, load_is_error(line, size));
}

static void read_child(struct load *load)
{
    char *room = bytes_room(&load->in, READ_SIZE);
    ssize_t n = read(load->from, room, READ_SIZE);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        load_fail("the server ended");
    load->in.size += (size_t)n;
    size_t first = 0;
    char *end;
    while ((end = memchr(load->in.data + load->scanned, '\n', load->in.size - load->scanned))) {
        size_t at = (size_t)(end - load->in.data);
        on_line(load, load->in.data + first, at - first);
        first = load->scanned = at + 1;
    }
    load->in.size -= first;
    memmove(load->in.data, load->in.data + first, load->in.size);
    load->scanned = load->in.size;
}

static void write_child(struct load *load)
{
    size_t left = load->out.size - load->out_done;
    ssize_t n = left ? write(load->to, load->out.data + load->out_done, left) : 0;
    if (n < 0 && errno != EAGAIN)
        load_fail("write to the server");
    load->out_done += n > 0 ? (size_t)n : 0;
    if (load->out_done == load->out.size)
        load->out_done = load->out.size = 0;
}

void load_note(struct load *load, const char *text)
{
    if (load->how != LOAD_STDIO)
        load_fail("note is for stdio alone");
    load_text(load, &load->out, text, 0);
    bytes_add(&load->out, "\n", 1);
    write_child(load);
}

static void turn_stdio(struct load *load)
{
    write_child(load);
    struct pollfd fds[2] = {{.fd = load->from, .events = POLLIN},
                            {.fd = load->out.size ? load->to : -1, .events = POLLOUT}};
    int n = poll(fds, 2, SILENCE_MS);
    if (n == 0)
        load_fail("the server is silent");
    if (fds[0].revents)
        read_child(load);
}

static void turn_http(struct load *load, size_t count)
{
    struct pollfd fds[LOAD_LANES];
    for (size_t i = 0; i < count; i++)
        fds[i] =
            (struct pollfd){.fd = load->lanes[i].busy ? load->lanes[i].fd : -1, .events = POLLIN};
    if (poll(fds, count, SILENCE_MS) == 0)
        load_fail("the server is silent");
    for (size_t i = 0; i < count; i++)
        if (fds[i].revents)
            http_read(load, &load->lanes[i]);
}

double load_run(struct load *load, struct work *work)
{
    size_t count = work->lanes[0] + work->lanes[1];
    double start = load_now();
    load->work = work;
    load->sent = 0;
    load->until = start + work->seconds;
    for (size_t i = 0; i < count; i++) {
        load->lanes[i].big = i >= work->lanes[0];
        begin(load, &load->lanes[i]);
    }
    for (;;) {
        bool busy = false;
        for (size_t i = 0; i < count && !busy; i++)
            busy = load->lanes[i].busy;
        if (!busy)
            break;
        if (load->how == LOAD_STDIO)
            turn_stdio(load);
        else
            turn_http(load, count);
    }
    load->work = NULL;
    return load_now() - start;
}
