/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/tokens.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/secret.h"

/* 43 characters of base62 hold 256 bits. */
#define RANDOM_CHARACTERS 43
#define TOKEN_PREFIX "sonde_"

/* Whether the file is kept as a file of secrets is: its owner, and who may read it. */
static int check_private(const char *path, const struct stat *status, struct err *err)
{
    if (!S_ISREG(status->st_mode))
        return err_set(err, ERR_INVALID, "%s: not a file, so no tokens are read from it", path);
    if (status->st_uid != geteuid() && status->st_uid != 0)
        return err_set(err, ERR_INVALID,
                       "%s: it belongs to user %lu, expected user %lu (that of sonde) or root",
                       path, (unsigned long)status->st_uid, (unsigned long)geteuid());
    /* systemd hands credentials out as root's files that an access list, shown as the group's bit, opens for the service. */
    mode_t allowed = status->st_uid == 0 && geteuid() != 0 ? S_IRWXU | S_IRGRP : S_IRWXU;
    if (status->st_mode & (S_IRWXG | S_IRWXO) & ~allowed)
        return err_set(
            err, ERR_INVALID,
            "%s: others may read or change it (mode %03o), so it is not used: chmod 600 %s", path,
            (unsigned)(status->st_mode & 0777), path);
    return 0;
}

static int read_all(int fd, const char *path, size_t size, char **ret_text, size_t *ret_size,
                    struct err *err)
{
    char *text = mem_alloc(size + 1);
    if (!text)
        return err_set(err, ERR_MEMORY, "%s: no memory to read it", path);
    size_t have = 0;
    while (have < size) {
        ssize_t n = read(fd, text + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int r = err_set(err, ERR_SYSTEM, "%s: cannot read it: %s", path, strerror(errno));
            wipe(text, have);
            mem_free(text);
            return r;
        }
        if (!n)
            break;
        have += (size_t)n;
    }
    *ret_text = text;
    *ret_size = have;
    return 0;
}

int token_file_read(const char *path, char **ret_text, size_t *ret_size, struct err *err)
{
    /* Without O_NONBLOCK a pipe of that name would hold up the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s: there is no such file", path);
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, "%s: cannot open it: %s", path, strerror(errno));
    struct stat status;
    int r = 0;
    if (fstat(fd, &status))
        r = err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    if (!r)
        r = check_private(path, &status, err);
    if (!r && (size_t)status.st_size > TOKEN_FILE_MAX)
        r = err_set(err, ERR_INVALID, "%s: larger than the %zu bytes accepted here", path,
                    TOKEN_FILE_MAX);
    if (!r)
        r = read_all(fd, path, (size_t)status.st_size, ret_text, ret_size, err);
    close(fd);
    return r;
}

/* Every folder above path; those that exist stay as they are. */
static int make_folders(const char *path, struct err *err)
{
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s", path);
    if (n < 0 || (size_t)n >= sizeof folder)
        return err_set(err, ERR_LIMIT, "the path of the token file is too long");
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) && errno != EEXIST)
            return err_set(
                err, ERR_SYSTEM,
                "%s: cannot make the folder for the token file: %s; name another file with "
                "--token-file",
                folder, strerror(errno));
        *slash = '/';
    }
    return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        size -= (size_t)n;
    }
    return fsync(fd);
}

static int write_token(int fd)
{
    char token[RANDOM_CHARACTERS + 1];
    char text[512];
    rand_handle(token, RANDOM_CHARACTERS);
    int n =
        snprintf(text, sizeof text,
                 TOKEN_PREFIX
                 "%s\n"
                 "# Who may ask sonde: one token a line; a name for the logs may follow it after a "
                 "blank.\n"
                 "# To give each person one of their own: openssl rand -hex 32\n"
                 "# Changes are read on SIGHUP: systemctl reload sonde\n",
                 token);
    int r = n > 0 && (size_t)n < sizeof text ? write_all(fd, text, (size_t)n) : -1;
    wipe(token, sizeof token);
    wipe(text, sizeof text);
    return r;
}

/* So that the new name survives a power cut; a folder that cannot be synced is no reason to fail. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

int token_file_make(const char *path, bool *ret_made, struct err *err)
{
    char draft[PATH_MAX];
    int r = make_folders(path, err);
    if (r)
        return r;
    int n = snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof draft)
        return err_set(err, ERR_LIMIT, "the path of the token file is too long");
    int fd = mkostemp(draft, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return err_set(err, ERR_SYSTEM,
                       "%s: cannot make the token file: %s; name another one with --token-file",
                       path, strerror(errno));
    bool made = false;
    if (write_token(fd))
        r = err_set(err, ERR_SYSTEM, "%s: cannot write the token file: %s", path, strerror(errno));
    else if (!link(draft, path))
        made = true;
    else if (errno != EEXIST)
        r = err_set(err, ERR_SYSTEM, "%s: cannot put the token file in place: %s", path,
                    strerror(errno));
    close(fd);
    unlink(draft);
    if (r)
        return r;
    sync_folder(path);
    *ret_made = made;
    return 0;
}

int tokens_default_path(char *path, size_t size, struct err *err)
{
    const char *given = getenv("STATE_DIRECTORY");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (given && given[0] == '/') /* systemd.exec(5): several are separated by colons */
        n = snprintf(path, size, "%.*s/tokens", (int)strcspn(given, ":"), given);
    else if (xdg && xdg[0] == '/') /* XDG Base Directory Specification: relative ones are ignored */
        n = snprintf(path, size, "%s/sonde/tokens", xdg);
    else if (geteuid() == 0)
        n = snprintf(path, size, "/var/lib/sonde/tokens");
    else if (home && home[0] == '/')
        n = snprintf(path, size, "%s/.local/state/sonde/tokens", home);
    if (n < 0)
        return err_set(
            err, ERR_INVALID,
            "no home folder is known to keep the token file in; name it with --token-file");
    if ((size_t)n >= size)
        return err_set(err, ERR_INVALID, "the path of the token file is too long");
    return 0;
}
