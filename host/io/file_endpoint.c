/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/file_endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "io/file_answer.h"
#include "io/runtime.h"
#include "io/target.h"

#define WORKER_STACK ((size_t)256 * 1024)

struct reread {
    struct reread *next;
    struct exchange *exchange;
};

struct file_worker {
    struct io *io;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t cond;
    pthread_t thread;
    bool stopping;
    struct link live;
    struct reread *rereads;
};

static void end(struct file_worker *worker, struct exchange *exchange)
{
    pthread_mutex_lock(&worker->lock);
    link_remove(&exchange->live);
    pthread_mutex_unlock(&worker->lock);
    if (exchange->fd >= 0)
        close(exchange->fd);
    exchange->fd = -1;
    exchange_finish(exchange);
}

/* One piece, so that a big file does not hold up a small one. */
static void serve(struct file_worker *worker, struct exchange *exchange, unsigned commands)
{
    if (commands & COMMAND_CANCEL) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "cancelled");
        end(worker, exchange);
        return;
    }
    if (clock_mono_ns() >= exchange->deadline_ns) {
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "time was up before %s was read; raise timeout_seconds",
                      exchange->target->shown);
        end(worker, exchange);
        return;
    }
    if (commands & COMMAND_RESUME)
        exchange->window_paused = false;
    if (exchange->state == EXCHANGE_NEW) {
        if (clock_mono_ns() < exchange->send_at_ns)
            return;
        exchange->state = EXCHANGE_RUNNING;
        if (file_answer_open(exchange) < 0)
            end(worker, exchange);
        return;
    }
    if (!exchange->window_paused && file_answer_piece(exchange) != 0)
        end(worker, exchange);
}

/* The first exchange with something to do, moved to the end of the line; else when to look again. */
static struct exchange *pick_locked(struct file_worker *worker, int64_t *ret_until)
{
    int64_t now = clock_mono_ns();
    int64_t until = INT64_MAX;
    for (struct link *link = worker->live.next; link->exchange; link = link->next) {
        struct exchange *exchange = link->exchange;
        bool fresh = exchange->state == EXCHANGE_NEW;
        int64_t due = fresh && exchange->send_at_ns < exchange->deadline_ns ? exchange->send_at_ns
                                                                            : exchange->deadline_ns;
        bool reading = !fresh && !exchange->window_paused;
        if (exchange->commands || reading || due <= now) {
            link_remove(link);
            link_add(&worker->live, link);
            return exchange;
        }
        until = due < until ? due : until;
    }
    *ret_until = until;
    return NULL;
}

static void reread(struct exchange *exchange)
{
    struct login *login = &exchange->target->login;
    login_reread(login);
    bool changed = login_generation(login) != exchange->sent.generation &&
                   exchange_compose(exchange, &exchange->next_sent, NULL) == 0;
    exchange_command(exchange, changed ? COMMAND_LOGIN_NEW : COMMAND_LOGIN_SAME, NULL);
    exchange_unref(exchange);
}

static void *run(void *argument)
{
    struct file_worker *worker = argument;
    pthread_mutex_lock(&worker->lock);
    while (!worker->stopping) {
        struct reread *task = worker->rereads;
        int64_t until;
        struct exchange *exchange = task ? NULL : pick_locked(worker, &until);
        if (task) {
            worker->rereads = task->next;
            pthread_mutex_unlock(&worker->lock);
            reread(task->exchange);
            mem_free(task);
            pthread_mutex_lock(&worker->lock);
        } else if (exchange) {
            unsigned commands = exchange->commands;
            exchange->commands = 0;
            pthread_mutex_unlock(&worker->lock);
            serve(worker, exchange, commands);
            pthread_mutex_lock(&worker->lock);
        } else {
            cond_wait_until(&worker->cond, &worker->lock, until);
        }
    }
    struct exchange *exchange;
    while ((exchange = link_first(&worker->live))) {
        pthread_mutex_unlock(&worker->lock);
        serve(worker, exchange, COMMAND_CANCEL);
        pthread_mutex_lock(&worker->lock);
    }
    while (worker->rereads) {
        struct reread *task = worker->rereads;
        worker->rereads = task->next;
        exchange_unref(task->exchange);
        mem_free(task);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

void file_worker_free(struct file_worker *worker)
{
    if (!worker)
        return;
    pthread_cond_destroy(&worker->cond);
    pthread_mutex_destroy(&worker->lock);
    mem_free(worker);
}

static struct file_worker *worker_new(struct io *io)
{
    struct file_worker *worker = mem_alloc(sizeof *worker);
    if (!worker)
        return NULL;
    if (pthread_mutex_init(&worker->lock, NULL)) {
        mem_free(worker);
        return NULL;
    }
    if (cond_init(&worker->cond) < 0) {
        pthread_mutex_destroy(&worker->lock);
        mem_free(worker);
        return NULL;
    }
    worker->io = io;
    link_init(&worker->live, NULL);
    if (thread_start(&worker->thread, "sonde-files", WORKER_STACK, run, worker) < 0) {
        file_worker_free(worker);
        return NULL;
    }
    return worker;
}

static struct file_worker *worker_of(struct io *io, bool start, struct err *err)
{
    pthread_mutex_lock(&io->lock);
    struct file_worker *worker = io->worker;
    bool stopping = io->stopping;
    if (!worker && start && !stopping)
        worker = io->worker = worker_new(io);
    pthread_mutex_unlock(&io->lock);
    if (!worker && stopping)
        err_set(err, ERR_BUSY, "sonde is stopping");
    else if (!worker && start)
        err_set(err, ERR_SYSTEM, "cannot start the thread that reads files");
    return worker;
}

int file_worker_command(struct exchange *exchange, unsigned command, struct err *err)
{
    struct err own = {0};
    if (!err)
        err = &own;
    struct file_worker *worker = worker_of(exchange->io, command == COMMAND_START, err);
    if (!worker)
        return err->code ? err->code : ERR_BUSY;
    int r = 0;
    pthread_mutex_lock(&worker->lock);
    bool known = exchange->live.next != &exchange->live;
    if (worker->stopping) {
        r = err_set(err, ERR_BUSY, "sonde is stopping");
    } else if (command == COMMAND_START) {
        link_add(&worker->live, &exchange->live);
    } else if (known) {
        exchange->commands |= command;
    }
    pthread_cond_signal(&worker->cond);
    pthread_mutex_unlock(&worker->lock);
    return r;
}

int file_worker_reread(struct exchange *exchange)
{
    struct file_worker *worker = worker_of(exchange->io, true, NULL);
    struct reread *task = worker ? mem_alloc(sizeof *task) : NULL;
    if (!task)
        return ERR_MEMORY;
    task->exchange = exchange;
    int r = 0;
    pthread_mutex_lock(&worker->lock);
    if (worker->stopping) {
        r = ERR_BUSY;
    } else {
        atomic_fetch_add_explicit(&exchange->references, 1, memory_order_relaxed);
        task->next = worker->rereads;
        worker->rereads = task;
        pthread_cond_signal(&worker->cond);
    }
    pthread_mutex_unlock(&worker->lock);
    if (r < 0)
        mem_free(task);
    return r;
}

void file_worker_stop(struct io *io)
{
    pthread_mutex_lock(&io->lock);
    struct file_worker *worker = io->worker;
    pthread_mutex_unlock(&io->lock);
    if (!worker)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_signal(&worker->cond);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
}
