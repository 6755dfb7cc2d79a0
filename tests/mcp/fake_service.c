/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/thread.h"
#include "service/args.h"

struct service {
    int64_t timeout_ns;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned running;
    bool refuse;
};

struct call_pool; /* a struct service in disguise */

struct task {
    struct call call;
    struct service *service;
    call_fn function;
    void *argument;
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

struct call_pool *service_calls(struct service *service)
{
    return (struct call_pool *)(void *)service;
}

void service_stopping(struct service *service, int64_t grace_ms)
{
    (void)service;
    (void)grace_ms;
}

int64_t service_timeout_ns(const struct service *service)
{
    return service->timeout_ns;
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
    arena_finish(&task->call.arena);
    free(task);
    pthread_mutex_lock(&service->lock);
    service->running--;
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

static void sleep_until(struct call *call, int64_t until_ns)
{
    while (!atomic_load(&call->cancelled) && clock_mono_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = 2 * NS_PER_MS}, NULL);
}

static void give(struct answer *ret_answer, const char *json, const char *text, bool is_error)
{
    *ret_answer = (struct answer){.json = mem_strdup(json),
                                  .json_size = strlen(json),
                                  .text = mem_strdup(text),
                                  .text_size = strlen(text),
                                  .is_error = is_error};
}

static void give_error(struct answer *ret_answer, const char *text)
{
    struct buf json = BUF(65536);
    buf_add(&json, "{\"error\":");
    buf_json_string(&json, text, strlen(text));
    buf_add_char(&json, '}');
    give(ret_answer, buf_text(&json), text, true);
    buf_finish(&json);
}

static void give_big(struct answer *ret_answer)
{
    struct buf json = BUF(1 << 20);
    buf_add(&json, "{\"values\":[");
    for (int i = 0; i < 30000; i++) {
        buf_json_sep(&json);
        buf_json_int(&json, i);
    }
    buf_add(&json, "]}");
    struct buf text = BUF(1 << 20);
    for (int i = 0; i < 8000; i++)
        buf_printf(&text, "%d values\n", i);
    give(ret_answer, buf_text(&json), buf_text(&text), false);
    buf_finish(&json);
    buf_finish(&text);
}

static void give_echo(struct answer *ret_answer, const struct args *args)
{
    struct buf json = BUF(1 << 20);
    buf_add_char(&json, '{');
    if (args->query) {
        buf_json_key(&json, "query");
        buf_json_string(&json, args->query, strlen(args->query));
    }
    if (args->connection_id) {
        buf_json_key(&json, "connection_id");
        buf_json_string(&json, args->connection_id, strlen(args->connection_id));
    }
    buf_add_char(&json, '}');
    give(ret_answer, buf_text(&json), args->query ? args->query : "nothing", false);
    buf_finish(&json);
}

/* Progress that rises, repeats itself, falls and ends. */
static void give_steps(struct call *call)
{
    static const double steps[] = {0, 1, 1, 0.5, 2, 3};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        call_progress(call, steps[i], 3, "a step");
        sleep_until(call, clock_mono_ns() + 20 * NS_PER_MS);
    }
}

int service_call(struct service *service, struct call *call, const char *tool,
                 struct json_object *arguments, struct answer *ret_answer, struct err *err)
{
    const struct tool_spec *spec = args_tool(tool);
    if (!spec)
        return args_unknown_tool(tool, err);
    struct args args = {0};
    struct err mistake = {0};
    if (args_parse(spec, arguments, &call->arena, &args, &mistake)) {
        give_error(ret_answer, mistake.text);
        return 0;
    }
    const char *query = args.query ? args.query : "";
    int64_t pause;
    if (str_eq(query, "sleep")) {
        sleep_until(call, call->deadline_ns);
        give_error(ret_answer, atomic_load(&call->cancelled) ? "cancelled" : "past the deadline");
    } else if (str_starts(query, "sleep ") && !str_to_duration(query + 6, &pause)) {
        sleep_until(call, clock_mono_ns() + pause);
        give_echo(ret_answer, &args);
    } else if (str_eq(query, "steps")) {
        give_steps(call);
        give_echo(ret_answer, &args);
    } else if (str_eq(query, "blocks")) {
        give_echo(ret_answer, &args);
        ret_answer->blocks = mem_strdup("{\"type\":\"text\",\"text\":\"one\"},"
                                        "{\"type\":\"text\",\"text\":\"two\"}");
        ret_answer->blocks_size = strlen(ret_answer->blocks);
    } else if (str_eq(query, "fail")) {
        give_error(ret_answer, "the backend refused: parse error at 3");
    } else if (str_eq(query, "memory")) {
        return err_set(err, ERR_MEMORY, "no memory for the call");
    } else if (str_eq(query, "print")) {
        puts("noise");
        fflush(stdout);
        give_echo(ret_answer, &args);
    } else if (str_eq(query, "big")) {
        give_big(ret_answer);
    } else if (str_eq(query, "newline")) {
        give(ret_answer, "{\n\"a\":\n1}", "a\nb", false);
    } else {
        give_echo(ret_answer, &args);
    }
    (void)service;
    return 0;
}

void answer_finish(struct answer *answer)
{
    mem_free(answer->json);
    mem_free(answer->text);
    mem_free(answer->blocks);
    *answer = (struct answer){0};
}
