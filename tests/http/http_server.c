/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server on host/http for the tests: echoes, answers late from another thread, streams. Arguments are NAME=VALUE; it prints
 * "listening ADDRESS" and ends with its standard input, from which it also takes the lines drain, reload CERT KEY and limit N.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "base/thread.h"
#include "http/http.h"

#define WORKERS 4
#define BIG_MAX 100000000

static struct http_server *server;

/* ---- Work for other threads ---- */

struct job {
    struct job *next;
    void (*run)(struct job *job);
    struct http_request *request;
    int64_t due;
    int64_t number;
    atomic_bool gone;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond;
static struct job *jobs;
static bool closing;

static struct job *take_due(void)
{
    int64_t now = clock_mono_ns();
    for (struct job **at = &jobs; *at; at = &(*at)->next) {
        struct job *job = *at;
        if (job->due <= now || atomic_load(&job->gone) || closing) {
            *at = job->next;
            return job;
        }
    }
    return NULL;
}

static int64_t next_due(void)
{
    int64_t due = INT64_MAX;
    for (struct job *job = jobs; job; job = job->next)
        due = job->due < due ? job->due : due;
    return due;
}

static void *work(void *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct job *job = take_due();
        if (!job && closing)
            break;
        if (!job) {
            cond_wait_until(&cond, &lock, next_due());
            continue;
        }
        pthread_mutex_unlock(&lock);
        job->run(job);
        free(job);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void on_gone(void *user)
{
    struct job *job = user;
    atomic_store(&job->gone, true);
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
}

static int64_t parameter(const struct http_request *request, const char *name, int64_t fallback)
{
    const char *query = http_query(request);
    size_t n = strlen(name);
    while (*query) {
        if (strncmp(query, name, n) == 0 && query[n] == '=')
            return strtoll(query + n + 1, NULL, 10);
        query = strchr(query, '&');
        if (!query)
            break;
        query++;
    }
    return fallback;
}

static void later(struct http_request *request, void (*run)(struct job *job))
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        abort();
    job->run = run;
    job->request = request;
    job->due = clock_mono_ns() + parameter(request, "ms", 0) * NS_PER_MS;
    job->number = parameter(request, "n", 1);
    http_on_gone(request, on_gone, job);
    pthread_mutex_lock(&lock);
    job->next = jobs;
    jobs = job;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&lock);
}

/* ---- Handlers ---- */

static void handle_echo(void *user, struct http_request *request)
{
    (void)user;
    size_t size;
    const char *body = http_body(request, &size);
    http_set_header(request, "X-Method", http_method(request) == HTTP_POST ? "POST" : "other");
    http_reply(request, 200, "application/octet-stream", body, size);
}

static void handle_hello(void *user, struct http_request *request)
{
    (void)user;
    http_reply(request, 200, "text/plain", "hello\n", 6);
}

static void run_slow(struct job *job)
{
    http_reply(job->request, 200, "text/plain", "late\n", 5);
}

static void handle_slow(void *user, struct http_request *request)
{
    (void)user;
    later(request, run_slow);
}

static void run_big(struct job *job)
{
    size_t size = job->number > 0 && job->number <= BIG_MAX ? (size_t)job->number : 1;
    char *data = malloc(size);
    if (!data)
        abort();
    memset(data, 'b', size);
    http_reply(job->request, 200, "application/octet-stream", data, size);
    free(data);
}

static void handle_big(void *user, struct http_request *request)
{
    (void)user;
    later(request, run_big);
}

/* n events; n=0: silent until the client leaves. */
static void run_stream(struct job *job)
{
    struct buf buf = BUF(4096);
    http_write_event(&buf, &(struct http_event){.id = "1", .empty_data = true});
    int r = 0;
    for (int64_t i = 0; i < job->number && r == 0; i++)
        r = http_stream_send(job->request, buf.data, buf.size);
    buf_finish(&buf);
    http_stream_end(job->request);
}

static void handle_stream(void *user, struct http_request *request)
{
    (void)user;
    http_stream_begin(request);
    later(request, run_stream);
}

static void handle_drop(void *user, struct http_request *request)
{
    (void)user;
    http_drop(request);
}

static void handle_counts(void *user, struct http_request *request)
{
    (void)user;
    struct http_counts c;
    http_server_counts(server, &c);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    struct buf buf = BUF(4096);
    buf_printf(&buf,
               "{\"accepted\":%llu,\"requests\":%llu,\"refused\":%llu,\"slow\":%llu,\"gone\":%llu,"
               "\"connections\":%u,\"streams\":%u,\"pending\":%u,\"paused\":%d,\"cpu_us\":%lld}\n",
               (unsigned long long)c.accepted, (unsigned long long)c.requests,
               (unsigned long long)c.refused_heads, (unsigned long long)c.slow_closed,
               (unsigned long long)c.gone_while_pending, c.connections, c.streams, c.pending,
               (int)c.accept_paused,
               (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                   usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    http_reply(request, 200, "application/json", buf.data, buf.size);
    buf_finish(&buf);
}

#define ALL (HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE)
static const struct http_route routes[] = {
    {.path = "/hello", .methods = HTTP_GET | HTTP_POST, .open = true, .handle = handle_hello},
    {.path = "/counts", .methods = HTTP_GET, .open = true, .handle = handle_counts},
    {.path = "/echo", .methods = ALL, .handle = handle_echo},
    {.path = "/slow", .methods = HTTP_GET | HTTP_POST, .handle = handle_slow},
    {.path = "/big", .methods = HTTP_GET, .handle = handle_big},
    {.path = "/stream", .methods = HTTP_GET | HTTP_POST, .handle = handle_stream},
    {.path = "/drop", .methods = HTTP_GET, .handle = handle_drop},
};

static int authenticate(void *user, const char *token, struct principal *ret_principal,
                        struct err *err)
{
    (void)user;
    if (!token) {
        err_set(err, ERR_INVALID, "A token is needed.");
        return 401;
    }
    if (str_eq(token, "forbidden-token")) {
        err_set(err, ERR_INVALID, "That token may not ask this.");
        return 403;
    }
    if (!str_eq(token, "good-token")) {
        err_set(err, ERR_INVALID, "That token is not known.");
        return 401;
    }
    *ret_principal = (struct principal){.id = "tester", .name = "tester"};
    return 0;
}

/* ---- Arguments and commands ---- */

static const char *const hosts[] = {"sonde.example.org"};

static int set(struct http_settings *settings, const char *name, const char *value)
{
    int64_t ms = strtoll(value, NULL, 10) * NS_PER_MS;
    if (str_eq(name, "listen"))
        settings->listen = value;
    else if (str_eq(name, "cert"))
        settings->cert = value;
    else if (str_eq(name, "key"))
        settings->key = value;
    else if (str_eq(name, "head_ms"))
        settings->head_timeout_ns = ms;
    else if (str_eq(name, "body_ms"))
        settings->body_timeout_ns = ms;
    else if (str_eq(name, "idle_ms"))
        settings->idle_timeout_ns = ms;
    else if (str_eq(name, "write_ms"))
        settings->write_timeout_ns = ms;
    else if (str_eq(name, "heartbeat_ms"))
        settings->heartbeat_ns = ms;
    else if (str_eq(name, "max_connections"))
        settings->max_connections = (uint32_t)strtoul(value, NULL, 10);
    else if (str_eq(name, "max_output"))
        settings->max_output = (size_t)strtoull(value, NULL, 10);
    else
        return -1;
    return 0;
}

static void limit_descriptors(const char *number)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = strtoul(number, NULL, 10);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        perror("setrlimit");
    printf("limited\n");
}

static void reload(char *arguments)
{
    char *key = strchr(arguments, ' ');
    struct err err = {0};
    if (key)
        *key++ = 0;
    if (http_server_reload_tls(server, arguments, key, &err) != 0)
        printf("refused %s\n", err.text);
    else
        printf("reloaded\n");
}

static void take_commands(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (str_eq(line, "drain")) {
            http_server_drain(server);
            printf("draining\n");
        } else if (str_eq(line, "idle")) {
            printf("%s\n", http_server_idle(server) ? "idle" : "busy");
        } else if (str_starts(line, "reload ")) {
            reload(line + 7);
        } else if (str_starts(line, "limit ")) {
            limit_descriptors(line + 6);
        } else {
            printf("unknown\n");
        }
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct http_settings settings = {.listen = "127.0.0.1:0",
                                     .hosts = hosts,
                                     .host_count = ARRAY_SIZE(hosts),
                                     .routes = routes,
                                     .route_count = ARRAY_SIZE(routes),
                                     .authenticate = authenticate};
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value)
            *value++ = 0;
        if (!value || set(&settings, argv[i], value) != 0) {
            fprintf(stderr, "unknown argument %s\n", argv[i]);
            return 2;
        }
    }
    log_setup(LOG_WARN, 0);
    cond_init(&cond);
    struct err err = {0};
    if (http_server_start(&settings, &server, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    pthread_t workers[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        if (thread_start(&workers[i], "worker", (size_t)256 * 1024, work, NULL) != 0)
            return 1;
    printf("listening %s\n", http_server_address(server));
    fflush(stdout);
    take_commands();
    /* Requests outlive the server: that is what stopping before the workers end shows. */
    http_server_stop(server);
    pthread_mutex_lock(&lock);
    closing = true;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    return 0;
}
