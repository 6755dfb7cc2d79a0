/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "service/sessions.h"
#include "mcp/mcp.h"

#define MAX_LINE ((size_t)10 << 20)
#define MAX_QUEUE ((size_t)64 << 20) /* beyond it nothing is read until the client has read */
#define READ_SIZE ((size_t)64 << 10)
#define KEEP_SIZE ((size_t)1 << 20) /* a line buffer above this is given back when empty */
#define IDLE_WAIT_MS 250            /* after end of input, for calls to end by themselves */
#define CANCEL_WAIT_MS 150
#define FLUSH_WAIT_MS 200
#define WRITE_PIECES 32 /* messages written at once */
#define WRITE_ROUNDS 8
#define CREATES_WAIT_MS 400 /* of a request that must not be cut: goes on beside what follows */

/* What is written into the wake pipe, as one byte. */
#define WAKE_WRITER 'w' /* room in the queue again, or the output failed */
#define WAKE_SIGNAL 's'

struct outgoing {
    struct outgoing *next;
    size_t size;
    size_t done; /* bytes of it written */
    char data[];
};

struct stdio {
    struct mcp_peer *peer;
    struct mcp_channel channel; /* the one line output is for all messages */
    int in_fd;
    int out_fd;
    int wake[2];
    bool out_is_socket;
    /* Reader's own. */
    struct buf line;
    size_t scanned; /* of line, known to hold no newline */
    bool skipping;  /* until the newline of a line that is too long */
    bool ended;     /* end of input */
    bool stopped;   /* by a signal */
    int status;
    /* What is to be written. Whoever adds to it writes, as long as nobody has to wait for that; then the writer does. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct outgoing *first;
    struct outgoing **last;
    size_t queued;  /* bytes, with what is being written */
    bool writing;   /* someone is, without the lock */
    bool stuck;     /* the client does not read: the writer waits for it */
    bool only_poll; /* the output does not say by itself that it would have to wait */
    bool reader_waits;
    bool closing; /* write what is there, then end */
    bool abandon; /* end now */
    bool failed;  /* the output broke, or memory did */
    int failure;  /* errno of it; 0 no memory */
    bool writer_done;
};

/* Where the handler writes; one `sonde mcp` a process. */
static volatile sig_atomic_t signal_fd = -1;

static void on_signal(int number)
{
    (void)number;
    int saved = errno;
    char byte = WAKE_SIGNAL;
    ssize_t ignored = write((int)signal_fd, &byte, 1);
    (void)ignored;
    errno = saved;
}

static void wake_reader(struct stdio *stdio)
{
    char byte = WAKE_WRITER;
    ssize_t ignored = write(stdio->wake[1], &byte, 1); /* full: it wakes anyway */
    (void)ignored;
}

static void fail_locked(struct stdio *stdio, int e)
{
    stdio->failed = true;
    stdio->failure = e;
    wake_reader(stdio);
}

/* Called without the lock; abandon may be set meanwhile. */
static bool abandoned(struct stdio *stdio)
{
    pthread_mutex_lock(&stdio->lock);
    bool abandon = stdio->abandon;
    pthread_mutex_unlock(&stdio->lock);
    return abandon;
}

/*
 * Writes without blocking for good, so that a client which does not read cannot hold the process at its end, and
 * without O_NONBLOCK, which would also change the file for whoever shares it. A pipe that polls writable takes PIPE_BUF
 * bytes at once (POSIX, write()).
 */
static int write_some(struct stdio *stdio, int wait_ms, const char *data, size_t size,
                      size_t *ret_written)
{
    struct pollfd ready = {.fd = stdio->out_fd, .events = POLLOUT};
    int n = poll(&ready, 1, wait_ms);
    *ret_written = 0;
    if (n <= 0)
        return n < 0 && errno != EINTR ? errno : 0;
    ssize_t written;
    if (stdio->out_is_socket)
        written = send(stdio->out_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    else
        written = write(stdio->out_fd, data, size < PIPE_BUF ? size : PIPE_BUF);
    if (written < 0)
        return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
    *ret_written = (size_t)written;
    return 0;
}

static int write_message(struct stdio *stdio, struct outgoing *node)
{
    while (node->done < node->size) {
        size_t written;
        int e = write_some(stdio, 50, node->data + node->done, node->size - node->done, &written);
        if (e)
            return e;
        node->done += written;
        if (node->done < node->size && abandoned(stdio))
            return EPIPE;
    }
    return 0;
}

/* As much of the list as can be written at once, without waiting. An errno, or 0. */
static int write_list(struct stdio *stdio, const struct outgoing *list, size_t *ret_written)
{
    struct iovec pieces[WRITE_PIECES];
    int n = 0;
    for (; list && n < WRITE_PIECES; list = list->next)
        pieces[n++] =
            (struct iovec){(void *)(uintptr_t)(list->data + list->done), list->size - list->done};
    ssize_t written = -1;
    *ret_written = 0;
    if (stdio->out_is_socket) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)n};
        written = sendmsg(stdio->out_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
#ifdef RWF_NOWAIT
        if (!stdio->only_poll) {
            written = pwritev2(stdio->out_fd, pieces, n, -1, RWF_NOWAIT);
            stdio->only_poll = written < 0 && (errno == EOPNOTSUPP || errno == EINVAL ||
                                               errno == ENOSYS || errno == ESPIPE);
        }
#else
        stdio->only_poll = true;
#endif
        if (stdio->only_poll)
            return write_some(stdio, 0, pieces[0].iov_base, pieces[0].iov_len, ret_written);
    }
    if (written < 0)
        return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
    *ret_written = (size_t)written;
    return 0;
}

/* Under the lock. */
static void count_written(struct stdio *stdio, size_t size)
{
    stdio->queued -= size;
    if (stdio->reader_waits && stdio->queued <= MAX_QUEUE / 2) {
        stdio->reader_waits = false;
        wake_reader(stdio);
    }
}

/*
 * The thread that has an answer writes it, with what others add meanwhile, a few rounds long; what is left then is the writer's. Under the
 * lock, which it gives up while it writes.
 */
static void write_now(struct stdio *stdio)
{
    stdio->writing = true;
    for (int round = 0; round < WRITE_ROUNDS && stdio->first && !stdio->failed && !stdio->abandon;
         round++) {
        struct outgoing *list = stdio->first;
        stdio->first = NULL;
        stdio->last = &stdio->first;
        pthread_mutex_unlock(&stdio->lock);
        size_t written;
        int e = write_list(stdio, list, &written);
        size_t whole = 0;
        bool some = written > 0;
        while (list && written >= list->size - list->done) {
            struct outgoing *node = list;
            written -= node->size - node->done;
            whole += node->size;
            list = node->next;
            mem_free(node);
        }
        if (list)
            list->done += written;
        pthread_mutex_lock(&stdio->lock);
        count_written(stdio, whole);
        if (list) {
            struct outgoing **last = &list->next;
            while (*last)
                last = &(*last)->next;
            *last = stdio->first;
            if (!stdio->first)
                stdio->last = last;
            stdio->first = list;
        }
        if (e)
            fail_locked(stdio, e);
        if (!some)
            break;
    }
    stdio->writing = false;
    stdio->stuck = stdio->first != NULL;
    if (stdio->stuck || stdio->closing)
        pthread_cond_broadcast(&stdio->changed);
}

static void enqueue(void *user, const struct mcp_out *out)
{
    struct stdio *stdio = user;
    size_t size = out->size;
    if (!size)
        return; /* only a transport with an answer to each message has use for it */
    struct outgoing *node = mem_alloc(sizeof *node + size + 1);
    if (node) {
        memcpy(node->data, out->text, size);
        /* One message a line: between JSON's tokens a newline is only white space, inside a string it is escaped. */
        for (char *p = node->data; (p = memchr(p, '\n', size - (size_t)(p - node->data)));)
            *p = ' ';
        node->data[size] = '\n';
        node->size = size + 1;
        node->done = 0;
    }
    pthread_mutex_lock(&stdio->lock);
    if (!node && !stdio->failed) {
        stdio->failed = true;
        wake_reader(stdio);
    }
    if (stdio->failed || stdio->closing) {
        mem_free(node);
    } else {
        *stdio->last = node;
        stdio->last = &node->next;
        stdio->queued += node->size;
        if (!stdio->writing && !stdio->stuck)
            write_now(stdio);
    }
    pthread_mutex_unlock(&stdio->lock);
}

static void *writer(void *argument)
{
    struct stdio *stdio = argument;
    pthread_mutex_lock(&stdio->lock);
    while (!stdio->failed && !stdio->abandon) {
        struct outgoing *node = stdio->first;
        if (!node || stdio->writing) {
            stdio->stuck = false;
            if (stdio->closing && !node && !stdio->writing)
                break;
            pthread_cond_wait(&stdio->changed, &stdio->lock);
            continue;
        }
        stdio->stuck = true;
        stdio->first = node->next;
        if (!stdio->first)
            stdio->last = &stdio->first;
        pthread_mutex_unlock(&stdio->lock);
        int e = write_message(stdio, node);
        pthread_mutex_lock(&stdio->lock);
        count_written(stdio, node->size);
        mem_free(node);
        if (e)
            fail_locked(stdio, e);
    }
    stdio->writer_done = true;
    pthread_cond_broadcast(&stdio->changed);
    pthread_mutex_unlock(&stdio->lock);
    return NULL;
}

static void receive_line(struct stdio *stdio, const char *text, size_t size)
{
    if (size && text[size - 1] == '\r')
        size--;
    size_t i = 0;
    while (i < size && (text[i] == ' ' || text[i] == '\t'))
        i++;
    if (i < size)
        mcp_receive(stdio->peer, &stdio->channel, text, size);
}

static void refuse_line(struct stdio *stdio)
{
    mcp_refuse(stdio->peer, &stdio->channel,
               "a message is longer than 10 MiB, the longest line read here; it was skipped");
}

/* All whole lines of the buffer; the rest moves to its begin. */
static void take_lines(struct stdio *stdio)
{
    struct buf *line = &stdio->line;
    size_t begin = 0;
    char *end;
    while (stdio->scanned < line->size &&
           (end = memchr(line->data + stdio->scanned, '\n', line->size - stdio->scanned))) {
        size_t at = (size_t)(end - line->data);
        if (stdio->skipping)
            refuse_line(stdio);
        else
            receive_line(stdio, line->data + begin, at - begin);
        stdio->skipping = false;
        begin = stdio->scanned = at + 1;
    }
    size_t rest = line->size - begin;
    if (stdio->skipping || rest > MAX_LINE) {
        stdio->skipping = true;
        rest = 0;
    }
    if (!rest && line->capacity > KEEP_SIZE) {
        buf_finish(line);
        *line = BUF(MAX_LINE + READ_SIZE);
        mem_trim();
    } else if (begin || !rest) {
        if (rest)
            memmove(line->data, line->data + begin, rest);
        buf_truncate(line, rest);
    }
    stdio->scanned = rest;
}

static void end_input(struct stdio *stdio)
{
    stdio->ended = true;
    if (stdio->skipping)
        refuse_line(stdio);
    else if (stdio->line.size)
        receive_line(stdio, stdio->line.data, stdio->line.size);
}

static void read_input(struct stdio *stdio)
{
    char *room = buf_reserve(&stdio->line, READ_SIZE);
    if (!room) {
        log_line(LOG_ERROR, "mcp", "no memory to read standard input");
        stdio->ended = true;
        stdio->status = 1;
        return;
    }
    ssize_t n = read(stdio->in_fd, room, READ_SIZE);
    if (n > 0) {
        stdio->line.size += (size_t)n;
        take_lines(stdio);
    } else if (n == 0) {
        end_input(stdio);
    } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
        log_line(LOG_ERROR, "mcp", "standard input: %s", strerror(errno));
        stdio->ended = true;
        stdio->status = 1;
    }
}

static void read_wake(struct stdio *stdio)
{
    char bytes[64];
    ssize_t n = read(stdio->wake[0], bytes, sizeof bytes);
    if (n > 0 && memchr(bytes, WAKE_SIGNAL, (size_t)n))
        stdio->stopped = true;
}

/* Looks at the queue: whether the output failed, and whether input may be read. */
static bool output_failed(struct stdio *stdio, bool *ret_may_read)
{
    pthread_mutex_lock(&stdio->lock);
    stdio->reader_waits = stdio->queued > MAX_QUEUE;
    *ret_may_read = !stdio->reader_waits;
    bool failed = stdio->failed;
    int failure = stdio->failure;
    pthread_mutex_unlock(&stdio->lock);
    if (!failed)
        return false;
    if (failure == EPIPE || failure == ECONNRESET) {
        log_line(LOG_DEBUG, "mcp", "the client closed standard output");
    } else {
        log_line(LOG_ERROR, "mcp", "standard output: %s",
                 failure ? strerror(failure) : "no memory");
        stdio->status = 1;
    }
    return true;
}

static int poll_timeout(int64_t until_ns)
{
    if (until_ns == INT64_MAX)
        return -1;
    int64_t left = (until_ns - clock_mono_ns()) / NS_PER_MS + 1;
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void serve(struct stdio *stdio)
{
    bool may_read;
    while (!stdio->ended && !stdio->stopped && !output_failed(stdio, &may_read)) {
        struct pollfd fds[2] = {{.fd = stdio->wake[0], .events = POLLIN},
                                {.fd = may_read ? stdio->in_fd : -1, .events = POLLIN}};
        /* A client that does not read gets no progress either. */
        int timeout = may_read ? poll_timeout(mcp_peer_tick(stdio->peer)) : -1;
        int n = poll(fds, 2, timeout);
        if (n < 0 && errno != EINTR) {
            log_line(LOG_ERROR, "mcp", "poll: %s", strerror(errno));
            stdio->status = 1;
            return;
        }
        if (n > 0 && fds[0].revents)
            read_wake(stdio);
        if (n > 0 && fds[1].revents && !stdio->stopped)
            read_input(stdio);
    }
}

/* Ends the writer: what is queued gets FLUSH_WAIT_MS. */
static void finish_writer(struct stdio *stdio, pthread_t thread)
{
    int64_t deadline = clock_mono_ns() + FLUSH_WAIT_MS * NS_PER_MS;
    pthread_mutex_lock(&stdio->lock);
    stdio->closing = true;
    pthread_cond_signal(&stdio->changed);
    while (!stdio->writer_done && !cond_wait_until(&stdio->changed, &stdio->lock, deadline))
        continue;
    stdio->abandon = true;
    while (stdio->writing) /* never for long: it does not wait */
        pthread_cond_wait(&stdio->changed, &stdio->lock);
    pthread_mutex_unlock(&stdio->lock);
    pthread_join(thread, NULL);
    while (stdio->first) {
        struct outgoing *node = stdio->first;
        stdio->first = node->next;
        mem_free(node);
    }
}

struct signals {
    struct sigaction term, intr, pipe;
};

static void catch_signals(struct stdio *stdio, struct signals *ret_before)
{
    signal_fd = stdio->wake[1];
    struct sigaction stop = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &stop, &ret_before->term);
    sigaction(SIGINT, &stop, &ret_before->intr);
    sigaction(SIGPIPE, &ignore, &ret_before->pipe);
}

static void release_signals(const struct signals *before)
{
    sigaction(SIGTERM, &before->term, NULL);
    sigaction(SIGINT, &before->intr, NULL);
    sigaction(SIGPIPE, &before->pipe, NULL);
    signal_fd = -1;
}

static int open_wake(int fds[2])
{
    if (pipe(fds))
        return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

static int run_peer(struct stdio *stdio, struct service *service)
{
    struct principal principal = PRINCIPAL_LOCAL;
    session_begin(&principal, "stdio");
    if (mcp_peer_create(service, &principal, enqueue, stdio, &stdio->peer)) {
        log_line(LOG_ERROR, "mcp", "no memory to begin");
        return 1;
    }
    pthread_t thread;
    if (thread_start(&thread, "stdout", (size_t)256 << 10, writer, stdio)) {
        log_line(LOG_ERROR, "mcp", "the writer's thread does not start");
        mcp_peer_destroy(stdio->peer, 0);
        return 1;
    }
    struct signals before;
    catch_signals(stdio, &before);
    serve(stdio);
    if (stdio->ended && !stdio->stopped)
        mcp_peer_wait_idle(stdio->peer, IDLE_WAIT_MS);
    service_stopping(service, CREATES_WAIT_MS);
    mcp_peer_destroy(stdio->peer, CANCEL_WAIT_MS);
    finish_writer(stdio, thread);
    release_signals(&before);
    return stdio->status;
}

int mcp_stdio_run(struct service *service, int in_fd, int out_fd)
{
    struct stdio stdio = {
        .in_fd = in_fd, .channel = {.request_id = ""}, .line = BUF(MAX_LINE + READ_SIZE)};
    stdio.last = &stdio.first;
    int type;
    socklen_t size = sizeof type;
    stdio.out_is_socket = !getsockopt(out_fd, SOL_SOCKET, SO_TYPE, &type, &size);
    /*
     * Messages go out through a descriptor of our own; descriptor 1 becomes standard error meanwhile, so that whatever
     * a library or plugin prints cannot break the protocol.
     */
    stdio.out_fd = fcntl(out_fd, F_DUPFD_CLOEXEC, 3);
    if (stdio.out_fd < 0 || open_wake(stdio.wake)) {
        log_line(LOG_ERROR, "mcp", "standard output: %s", strerror(errno));
        if (stdio.out_fd >= 0)
            close(stdio.out_fd);
        return 1;
    }
    bool moved = out_fd == STDOUT_FILENO && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
    int status = 1;
    if (!pthread_mutex_init(&stdio.lock, NULL)) {
        if (!cond_init(&stdio.changed)) {
            status = run_peer(&stdio, service);
            pthread_cond_destroy(&stdio.changed);
        }
        pthread_mutex_destroy(&stdio.lock);
    }
    if (moved)
        dup2(stdio.out_fd, STDOUT_FILENO);
    buf_finish(&stdio.line);
    close(stdio.wake[0]);
    close(stdio.wake[1]);
    close(stdio.out_fd);
    return status;
}
