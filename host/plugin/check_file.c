/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plugin/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugin/loader.h"

extern char **environ;

int plugin_check_here(const char *path, char *text, size_t text_size)
{
    struct err err = {0};
    struct loaded loaded = {0};
    CLEANUP(mem_freep) char *folder = mem_strdup(path);
    if (!folder)
        return ERR_MEMORY;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    int r = loader_stat(slash ? folder : ".", path, &loaded, &err);
    if (!r)
        r = loader_open(path, &loaded, &err);
    if (r) {
        snprintf(text, text_size, "refused: %s", err.text);
        return ERR_INVALID;
    }
    const struct sonde_plugin *t = &loaded.table;
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t n = strlen(t->name);
    if (strncmp(base, t->name, n) != 0 || !str_eq(base + n, ".so")) {
        snprintf(text, text_size, "refused: it calls itself \"%s\", so its file must be %s.so",
                 t->name, t->name);
        return ERR_INVALID;
    }
    snprintf(text, text_size,
             "accepted: %s %s (%s), plugin ABI %u.%u, needs 1.%u; this host speaks %u.%u", t->name,
             t->version, t->license, t->abi_major, t->abi_minor, t->needs_minor, SONDE_ABI_MAJOR,
             SONDE_ABI_MINOR);
    return 0;
}

static void read_all(int fd, char *text, size_t text_size)
{
    char raw[2048];
    size_t used = 0;
    for (;;) {
        char spill[256];
        bool room = used < sizeof raw;
        ssize_t n = read(fd, room ? raw + used : spill, room ? sizeof raw - used : sizeof spill);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        used += room ? (size_t)n : 0;
    }
    while (used && raw[used - 1] == '\n')
        used--;
    utf8_clean(text, text_size, raw, used);
}

/* Output to the pipe, nothing else changed. 0 or an errno. */
static int spawn(const char *path, int output, pid_t *ret_pid)
{
    char *const arguments[] = {(char *)"sonde", (char *)"plugin", (char *)"check-here",
                               (char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t actions;
    int r = posix_spawn_file_actions_init(&actions);
    if (r)
        return r;
    r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (!r)
        r = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

int plugin_check_file(const char *path, char *text, size_t text_size)
{
    int fds[2];
    if (pipe(fds)) {
        snprintf(text, text_size, "refused: no pipe for the child: %s", strerror(errno));
        return ERR_INVALID;
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    pid_t pid;
    int r = spawn(path, fds[1], &pid);
    close(fds[1]);
    if (r) {
        close(fds[0]);
        snprintf(text, text_size, "refused: cannot start a child process: %s", strerror(r));
        return ERR_INVALID;
    }
    read_all(fds[0], text, text_size);
    close(fds[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status)) {
        snprintf(text, text_size, "refused: it crashed while it was loaded (%s)",
                 strsignal(WTERMSIG(status)));
        return ERR_INVALID;
    }
    if (!text[0])
        snprintf(text, text_size, "refused: the child ended with status %d and said nothing",
                 WEXITSTATUS(status));
    return WEXITSTATUS(status) == 0 ? 0 : ERR_INVALID;
}
