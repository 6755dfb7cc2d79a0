/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"

#define POLL_NS (150 * NS_PER_US)

int sqlite_lock_open(const char *path, int *ret_fd, struct err *err)
{
    CLEANUP(buf_finish) struct buf name = BUF(8192);
    buf_printf(&name, "%s.lock", path);
    if (name.failed)
        return lane_no_memory(err);
    int fd = open(name.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, errno == EACCES || errno == EROFS ? ERR_UNAVAILABLE : ERR_SYSTEM,
                       "cannot open %s, which guards the database: %s", name.data, strerror(errno));
    *ret_fd = fd;
    return 0;
}

/*
 * flock itself waits for ever or not at all, so it is asked again and again: as often for who has waited long as for who comes new, or the first
 * would be the last, and so often that the lock is not idle for long.
 */
int sqlite_lock(int fd, int64_t deadline_ns, const char *path, struct err *err)
{
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_set(err, ERR_SYSTEM, "cannot lock %s.lock: %s", path, strerror(errno));
        if (clock_mono_ns() >= deadline_ns)
            return err_set(err, ERR_BUSY,
                           "another process has been writing to %s for too long; try again", path);
        /* Of uneven length, or several who wait would keep meeting. */
        int64_t pause = POLL_NS + (int64_t)(rand_u64() % (uint64_t)POLL_NS);
        struct timespec time = {.tv_nsec = (long)pause};
        nanosleep(&time, NULL);
    }
    return 0;
}

void sqlite_unlock(int fd)
{
    while (flock(fd, LOCK_UN) && errno == EINTR)
        ;
}
