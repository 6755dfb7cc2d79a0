/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_calls.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"

struct service {
    int64_t timeout_ns;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned running;
    unsigned asleep;    /* of those that run, the ones that a cancellation can wake */
    unsigned cancelled; /* calls that were */
    bool refuse;
};

struct call_pool; /* a struct service in disguise */

struct task {
    struct call call;
    struct service *service;
    call_fn function;
    void *argument;
    bool asleep;
};

struct service *fake_service_create(int64_t timeout_ms)
{
    struct service *service = calloc(1, sizeof *service);
    if (!service || pthread_mutex_init(&service->lock, NULL) || cond_init(&service->ended))
        abort();
    service->timeout_ns = timeout_ms * NS_PER_MS;
    return service;
}

void fake_service_destroy(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    while (service->running)
        pthread_cond_wait(&service->ended, &service->lock);
    pthread_mutex_unlock(&service->lock);
    pthread_cond_destroy(&service->ended);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

void fake_service_refuse(struct service *service, bool refuse)
{
    pthread_mutex_lock(&service->lock);
    service->refuse = refuse;
    pthread_mutex_unlock(&service->lock);
}

void fake_service_counts(struct service *service, unsigned *ret_running, unsigned *ret_cancelled)
{
    pthread_mutex_lock(&service->lock);
    *ret_running = service->asleep;
    *ret_cancelled = service->cancelled;
    pthread_mutex_unlock(&service->lock);
}

struct call_pool *service_calls(struct service *service)
{
    return (struct call_pool *)(void *)service;
}

void service_stopping(struct service *service, int64_t grace_ms)
{
    (void)service;
    (void)grace_ms;
}

int64_t service_timeout_ns(struct service *service)
{
    return service->timeout_ns;
}

void service_find_session(struct service *service, struct principal *principal, const char *named)
{
    (void)service;
    (void)principal;
    (void)named;
}

void service_instructions(struct service *service, struct buf *buf)
{
    (void)service;
    buf_add(buf, "A service for tests.");
}

static void *run_task(void *argument)
{
    struct task *task = argument;
    struct service *service = task->service;
    task->function(&task->call, task->argument);
    bool cancelled = atomic_load(&task->call.cancelled);
    bool asleep = task->asleep;
    arena_finish(&task->call.arena);
    free(task);
    pthread_mutex_lock(&service->lock);
    service->running--;
    service->asleep -= asleep;
    service->cancelled += cancelled;
    pthread_cond_broadcast(&service->ended);
    pthread_mutex_unlock(&service->lock);
    return NULL;
}

int call_submit(struct call_pool *pool, const struct principal *principal, int64_t deadline_ns,
                call_fn function, void *argument, struct call **ret_call, struct err *err)
{
    struct service *service = (struct service *)(void *)pool;
    struct task *task = calloc(1, sizeof *task);
    if (!task)
        abort();
    task->service = service;
    task->function = function;
    task->argument = argument;
    arena_init(&task->call.arena, 64 << 20, NULL);
    task->call.started_ns = clock_mono_ns();
    task->call.deadline_ns = deadline_ns;
    task->call.principal = *principal;
    *ret_call = &task->call;
    pthread_mutex_lock(&service->lock);
    bool refuse = service->refuse;
    service->running += !refuse;
    pthread_mutex_unlock(&service->lock);
    if (refuse) {
        free(task);
        return err_set(err, ERR_BUSY, "all 0 call threads are busy, try again in 1 s");
    }
    pthread_t thread;
    if (thread_start(&thread, "call", 512 * 1024, run_task, task))
        abort();
    pthread_detach(thread);
    return 0;
}

void call_cancel(struct call *call)
{
    atomic_store(&call->cancelled, true);
}

void call_progress(struct call *call, double done, double total, const char *message)
{
    if (call->progress)
        call->progress(call->user, done, total, message);
}

void fake_sleep(struct call *call, int64_t until_ns)
{
    struct task *task = (struct task *)(void *)call; /* its first member */
    pthread_mutex_lock(&task->service->lock);
    task->service->asleep += !task->asleep;
    task->asleep = true;
    pthread_mutex_unlock(&task->service->lock);
    while (!atomic_load(&call->cancelled) && clock_mono_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = 2 * NS_PER_MS}, NULL);
}

void answer_finish(struct answer *answer)
{
    mem_free(answer->json);
    mem_free(answer->text);
    mem_free(answer->blocks);
    *answer = (struct answer){0};
}
