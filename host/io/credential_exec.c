/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/zone.h"
#include "io/credential.h"
#include "io/provider.h"

extern char **environ;

#define STOP_LOOK_MS 50 /* how often it is looked whether sonde stops */

struct program {
    pid_t pid;
    int out;
};

/* With nothing of ours but standard error, which is where a program says what is wrong with it. */
static int start(const char *const *command, const char *key, struct program *ret, struct err *err)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC | O_NONBLOCK))
        return err_set(err, ERR_SYSTEM, "%s: no pipe for %s: %s", key, command[0], strerror(errno));
    fcntl(out[1], F_SETFL, 0); /* the program's end waits as it expects */
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
#endif
    posix_spawnattr_init(&attributes);
    /* A group of its own, so that what it starts ends with it; our threads block all signals. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    struct program program = {.out = out[0]};
    int r = posix_spawnp(&program.pid, command[0], &actions, &attributes,
                         (char *const *)(uintptr_t)command, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    if (r) {
        close(out[0]);
        return err_set(err, ERR_SYSTEM, "%s: cannot run %s: %s", key, command[0], strerror(r));
    }
    *ret = program;
    return 0;
}

/* Until the program closes its output. */
static int read_output(const struct program *program, const char *name, const char *key,
                       const atomic_bool *stop, struct buf *out, struct err *err)
{
    int64_t deadline = clock_mono_ns() + FETCH_NS;
    if (!buf_reserve(out, FETCH_MAX)) /* once, so that no copy is left behind by growing */
        return err_set(err, ERR_MEMORY, "%s: no memory for the output of %s", key, name);
    for (;;) {
        char extra;
        size_t room = FETCH_MAX - out->size;
        ssize_t n = read(program->out, room ? out->data + out->size : &extra, room ? room : 1);
        if (n > 0 && !room)
            return err_set(err, ERR_LIMIT, "%s: %s printed more than %zu bytes", key, name,
                           FETCH_MAX);
        if (n > 0)
            out->size += (size_t)n;
        if (!n)
            return 0;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return err_set(err, ERR_SYSTEM, "%s: cannot read what %s prints: %s", key, name,
                           strerror(errno));
        if (n < 0) {
            struct pollfd fd = {.fd = program->out, .events = POLLIN};
            (void)poll(&fd, 1, STOP_LOOK_MS);
        }
        if (atomic_load(stop))
            return err_set(err, ERR_BUSY, "%s: sonde is stopping", key);
        if (clock_mono_ns() >= deadline)
            return err_set(err, ERR_SYSTEM, "%s: %s did not end within %lld s and was stopped", key,
                           name, (long long)(FETCH_NS / NS_PER_S));
    }
}

/* A program that closed its output may go on for a moment, but not longer. */
static int wait_end(const struct program *program, const char *name, const char *key,
                    struct err *err)
{
    int status = 0;
    pid_t ended = 0;
    for (int64_t until = clock_mono_ns() + NS_PER_S; !ended && clock_mono_ns() < until;) {
        ended = waitpid(program->pid, &status, WNOHANG);
        if (!ended)
            (void)poll(NULL, 0, 5);
    }
    if (!ended)
        kill(-program->pid, SIGKILL); /* what has ended may have left an agent behind on purpose */
    while (!ended && waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!ended)
        return err_set(err, ERR_SYSTEM, "%s: %s closed its output but did not end", key, name);
    if (WIFSIGNALED(status))
        return err_set(err, ERR_SYSTEM, "%s: %s was ended by signal %d", key, name,
                       WTERMSIG(status));
    if (WEXITSTATUS(status))
        return err_set(err, ERR_SYSTEM,
                       "%s: %s ended with status %d; what it says is on sonde's standard error",
                       key, name, WEXITSTATUS(status));
    return 0;
}

/* RFC 3339; to the second is enough here. */
static int read_time(const char *text, int64_t *ret_unix_ns)
{
    static const char form[] = "0000-00-00T00:00:00";
    int64_t fields[6] = {0};
    size_t field = 0;
    for (size_t i = 0; form[i]; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !digit : text[i] != form[i] && !(form[i] == 'T' && text[i] == ' '))
            return -1;
        if (digit)
            fields[field] = fields[field] * 10 + (text[i] - '0');
        else
            field++;
    }
    const char *zone = text + sizeof form - 1;
    if (*zone == '.')
        zone += 1 + strspn(zone + 1, "0123456789");
    CLEANUP(zone_unrefp) struct zone *offset = NULL;
    if ((*zone != 'Z' && *zone != '+' && *zone != '-') || zone_open(zone, &offset, NULL) ||
        fields[1] < 1 || fields[1] > 12 || fields[2] < 1 || fields[2] > 31 || fields[0] > 2200)
        return -1;
    struct civil civil = {.year = fields[0],
                          .month = (int)fields[1],
                          .day = (int)fields[2],
                          .hour = (int)fields[3],
                          .minute = (int)fields[4],
                          .second = (int)fields[5]};
    return zone_unix(offset, &civil, ret_unix_ns) < 0 ? -1 : 0;
}

/* Whole or not; a number or its text. */
static bool seconds_of(struct json_object *value, double *ret)
{
    bool number =
        json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    return (number || json_object_is_type(value, json_type_string)) &&
           !str_to_double(json_object_get_string(value), ret);
}

int fetched_lifetime(struct json_object *document, int64_t *ret_ns, struct err *err)
{
    struct json_object *in = json_member(document, "expires_in");
    struct json_object *at = json_member(document, "expires_at");
    double seconds = 0;
    int64_t unix_ns;
    *ret_ns = INT64_MAX;
    if (!in && !at)
        return 0;
    if (in && !seconds_of(in, &seconds))
        return err_set(err, ERR_INVALID, "its expires_in is no number of seconds");
    if (!in && json_object_is_type(at, json_type_string) &&
        !read_time(json_object_get_string(at), &unix_ns))
        seconds = (double)(unix_ns - clock_unix_ns()) / (double)NS_PER_S;
    else if (!in && seconds_of(at, &seconds))
        seconds -= (double)clock_unix_ns() / (double)NS_PER_S;
    else if (!in)
        return err_set(err, ERR_INVALID,
                       "its expires_at is neither a time such as 2026-01-31T12:00:00Z nor seconds "
                       "since 1970");
    if (!(seconds > 0))
        return err_set(err, ERR_INVALID, "it has expired already");
    /* Less than a second would have every request wait for the next value. */
    seconds = seconds < 1 ? 1 : seconds;
    if (seconds < 1e9)
        *ret_ns = (int64_t)(seconds * (double)NS_PER_S);
    return 0;
}

static int read_document(const struct buf *out, struct fetched *ret, struct err *err)
{
    CLEANUP(json_putp) struct json_object *document = NULL;
    int r = json_parse(out->data, out->size, 16, &document, err);
    if (r < 0) /* the reader's words may hold a piece of it */
        return err_set(err, ERR_INVALID, "it begins with '{' but is no JSON");
    const char *token = json_string_of(document, "token");
    if (!token || !*token)
        return err_set(err, ERR_INVALID, "it is JSON without the key \"token\"");
    r = fetched_lifetime(document, &ret->lifetime_ns, err);
    if (r < 0)
        return r;
    struct json_object *value = json_member(document, "token");
    ret->value = secret_new(token, (size_t)json_object_get_string_len(value));
    wipe((char *)(uintptr_t)token, strlen(token));
    return ret->value ? 0 : err_set(err, ERR_MEMORY, "no memory for it");
}

/* The value by itself, or in a document. */
static int read_value(const struct buf *out, struct fetched *ret, struct err *err)
{
    const char *text = out->data;
    size_t size = out->size;
    while (size && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    if (!size)
        return err_set(err, ERR_INVALID, "it is empty");
    if (text[strspn(text, " \t\r\n")] == '{')
        return read_document(out, ret, err);
    if (size > SECRET_MAX)
        return err_set(err, ERR_LIMIT, "it is larger than %d bytes", SECRET_MAX);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return err_set(err, ERR_INVALID,
                           "it holds a line break or control character at byte %zu; one line is "
                           "the value, or JSON {\"token\": ..., \"expires_in\": ...}",
                           i);
    ret->lifetime_ns = INT64_MAX;
    ret->value = secret_new(text, size);
    return ret->value ? 0 : err_set(err, ERR_MEMORY, "no memory for it");
}

int exec_fetch(const char *const *command, const char *key, const atomic_bool *stop,
               struct fetched *ret_fetched, struct err *err)
{
    struct program program;
    struct fetched fetched = {0};
    int r = start(command, key, &program, err);
    if (r < 0)
        return r;
    struct buf out = BUF(FETCH_MAX);
    r = read_output(&program, command[0], key, stop, &out, err);
    if (r < 0) {
        kill(-program.pid, SIGKILL);
        while (waitpid(program.pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    } else {
        r = wait_end(&program, command[0], key, err);
    }
    close(program.out);
    if (!r) {
        out.data[out.size] = '\0';
        r = read_value(&out, &fetched, err);
        if (r < 0)
            err_prefix(err, "%s: what %s printed cannot be used: ", key, command[0]);
    }
    if (out.data)
        wipe(out.data, out.capacity);
    buf_finish(&out);
    if (!r)
        *ret_fetched = fetched;
    return r;
}
