/* SPDX-License-Identifier: Apache-2.0 */
#include "base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

/* Whether the file is kept as a file of secrets is: its owner, and who may read it. */
static int check_private(const struct private_file *file, const struct stat *status,
                         struct err *err)
{
    const char *path = file->path;
    if (!S_ISREG(status->st_mode))
        return err_set(err, ERR_INVALID, "%s: not a file, so it is not read as a %s", path,
                       file->what);
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

int private_file_read(const struct private_file *file, char **ret_text, size_t *ret_size,
                      struct err *err)
{
    const char *path = file->path;
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
        r = check_private(file, &status, err);
    if (!r && (size_t)status.st_size > file->max)
        r = err_set(err, ERR_INVALID, "%s: larger than the %zu bytes accepted here", path,
                    file->max);
    if (!r)
        r = read_all(fd, path, (size_t)status.st_size, ret_text, ret_size, err);
    close(fd);
    return r;
}

/* Every folder above path; those that exist stay as they are. */
static int make_folders(const struct private_file *file, struct err *err)
{
    const char *path = file->path;
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s", path);
    if (n < 0 || (size_t)n >= sizeof folder)
        return err_set(err, ERR_LIMIT, "the path of the %s is too long", file->what);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) && errno != EEXIST)
            return err_set(err, ERR_SYSTEM, "%s: cannot make the folder for the %s: %s; %s", folder,
                           file->what, strerror(errno), file->hint);
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

int private_file_make(const struct private_file *file, const char *data, size_t size,
                      bool *ret_made, struct err *err)
{
    const char *path = file->path;
    char draft[PATH_MAX];
    int r = make_folders(file, err);
    if (r)
        return r;
    int n = snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof draft)
        return err_set(err, ERR_LIMIT, "the path of the %s is too long", file->what);
    int fd = mkostemp(draft, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, "%s: cannot make the %s: %s; %s", path, file->what,
                       strerror(errno), file->hint);
    bool made = false;
    if (write_all(fd, data, size))
        r = err_set(err, ERR_SYSTEM, "%s: cannot write the %s: %s", path, file->what,
                    strerror(errno));
    else if (!link(draft, path))
        made = true;
    else if (errno != EEXIST)
        r = err_set(err, ERR_SYSTEM, "%s: cannot put the %s in place: %s", path, file->what,
                    strerror(errno));
    close(fd);
    unlink(draft);
    if (r)
        return r;
    sync_folder(path);
    *ret_made = made;
    return 0;
}

int state_file_path(const char *name, char *path, size_t size)
{
    const char *given = getenv("STATE_DIRECTORY");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (given && given[0] == '/') /* systemd.exec(5): several are separated by colons */
        n = snprintf(path, size, "%.*s/%s", (int)strcspn(given, ":"), given, name);
    else if (xdg && xdg[0] == '/') /* XDG Base Directory Specification: relative ones are ignored */
        n = snprintf(path, size, "%s/sonde/%s", xdg, name);
    else if (geteuid() == 0)
        n = snprintf(path, size, "/var/lib/sonde/%s", name);
    else if (home && home[0] == '/')
        n = snprintf(path, size, "%s/.local/state/sonde/%s", home, name);
    if (n < 0)
        return ERR_NOT_FOUND;
    return (size_t)n < size ? 0 : ERR_LIMIT;
}
