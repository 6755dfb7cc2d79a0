/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rand.h"

static int make_folders(const char *path, struct err *err)
{
    CLEANUP(buf_finish) struct buf folder = BUF(8192);
    buf_add(&folder, path);
    if (folder.failed)
        return lane_no_memory(err);
    for (char *slash = strchr(folder.data + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(folder.data, 0700) && errno != EEXIST && access(folder.data, X_OK))
            return err_set(err, ERR_UNAVAILABLE, "cannot make the folder %s: %s", folder.data,
                           strerror(errno));
        *slash = '/';
    }
    return 0;
}

/* Writes the header, so that whoever finds the file under its name finds a database in WAL mode. */
static int write_header(const char *path, struct err *err)
{
    struct lane lane = {0};
    int r = lane_open(&lane, path, SQLITE_OPEN_READWRITE, err);
    char mode[8] = "";
    if (!r)
        r = lane_exec(&lane, "PRAGMA application_id = 0x736f6e64; PRAGMA synchronous = FULL;", err);
    if (!r) {
        sqlite3_stmt *statement = lane_statement(&lane, "PRAGMA journal_mode = WAL", err);
        r = statement ? lane_step(&lane, statement, err) : err->code;
        if (r > 0) {
            snprintf(mode, sizeof mode, "%s", (const char *)sqlite3_column_text(statement, 0));
            sqlite3_reset(statement);
            r = 0;
        }
    }
    if (!r && strcmp(mode, "wal") != 0)
        r = err_set(err, ERR_UNAVAILABLE,
                    "%s: this file system cannot share the database between processes; keep it on "
                    "a local disk",
                    path);
    /* Nobody else knows this name, so that the log may be put away without the lock. */
    if (lane.db)
        sqlite3_db_config(lane.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    lane_close(&lane);
    return r;
}

int sqlite_create(const char *path, struct err *err)
{
    CLEANUP(buf_finish) struct buf name = BUF(8192);
    char handle[9];
    int r = make_folders(path, err);
    if (r)
        return r;
    rand_handle(handle, 8);
    buf_printf(&name, "%s.new-%s", path, handle);
    if (name.failed)
        return lane_no_memory(err);
    int fd = open(name.data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_SYSTEM : ERR_UNAVAILABLE,
                       "cannot make the database %s: %s", path, strerror(errno));
    close(fd);
    r = write_header(name.data, err);
    if (!r && link(name.data, path) && errno != EEXIST)
        r = err_set(err, ERR_UNAVAILABLE, "cannot make the database %s: %s", path, strerror(errno));
    unlink(name.data);
    return r;
}
