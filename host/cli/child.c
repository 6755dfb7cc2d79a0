/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_ANSWER (8u * 1024 * 1024)

extern char **environ;

int child_run(const char *const argv[], struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (r)
        return err_set(err, ERR_SYSTEM, "cannot start %s: %s", argv[0], strerror(r));
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(err, ERR_SYSTEM, "waiting for %s: %s", argv[0], strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return err_set(err, ERR_SYSTEM, "%s failed", argv[0]);
    return 0;
}

int child_start(const char *const argv[], struct child *ret_child, struct err *err)
{
    int to[2];
    int from[2];
    if (pipe2(to, O_CLOEXEC))
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    if (pipe2(from, O_CLOEXEC)) {
        close(to[0]);
        close(to[1]);
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    struct child child = {0};
    int r = posix_spawnp(&child.pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    child.in = fdopen(to[1], "w");
    child.out = fdopen(from[0], "r");
    if (r || !child.in || !child.out) {
        if (child.in)
            fclose(child.in);
        if (child.out)
            fclose(child.out);
        return err_set(err, ERR_SYSTEM, "cannot start %s: %s", argv[0], strerror(r ? r : errno));
    }
    *ret_child = child;
    return 0;
}

/* The next line whose id is the one asked for; notifications in between are passed over. */
static int read_answer(struct child *child, struct json_object **ret_message, struct err *err)
{
    char *line = NULL;
    size_t capacity = 0;
    int r = ERR_NOT_FOUND;
    while (r == ERR_NOT_FOUND) {
        ssize_t n = getline(&line, &capacity, child->out);
        if (n <= 0) {
            r = err_set(err, ERR_SYSTEM, "the server ended before it answered");
            break;
        }
        if ((size_t)n > MAX_ANSWER) {
            r = err_set(err, ERR_LIMIT, "an answer of %zd bytes", n);
            break;
        }
        struct json_object *message = NULL;
        r = json_parse(line, (size_t)n, 64, &message, err);
        if (r)
            break;
        if (json_object_get_int(json_member(message, "id")) == child->last_id) {
            *ret_message = message;
            break;
        }
        json_object_put(message);
        r = ERR_NOT_FOUND;
    }
    mem_free(line); /* getline took it from malloc, as mem_alloc does */
    return r;
}

int child_request(struct child *child, const char *method, const char *params,
                  struct json_object **ret_result, struct err *err)
{
    child->last_id++;
    fprintf(child->in, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}\n",
            child->last_id, method, params);
    if (fflush(child->in))
        return err_set(err, ERR_SYSTEM, "the server does not take requests: %s", strerror(errno));
    CLEANUP(json_putp) struct json_object *message = NULL;
    int r = read_answer(child, &message, err);
    if (r)
        return r;
    struct json_object *result = json_member(message, "result");
    if (!result) {
        const char *text = json_string_of(json_member(message, "error"), "message");
        return err_set(err, ERR_INVALID, "%s: %s", method, text ? text : "no result");
    }
    *ret_result = json_object_get(result);
    return 0;
}

int child_notify(struct child *child, const char *method)
{
    fprintf(child->in, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"}\n", method);
    return fflush(child->in) ? ERR_SYSTEM : 0;
}

void child_finish(struct child *child)
{
    if (child->in)
        fclose(child->in);
    if (child->out)
        fclose(child->out);
    if (child->pid > 0) {
        int status;
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    *child = (struct child){0};
}
