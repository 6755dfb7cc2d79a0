/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

int file_read(const char *path, size_t max, char **ret_data, size_t *ret_size, struct err *err)
{
    int standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, "%s: cannot open it: %s", path, strerror(errno));
    struct buf buf = BUF(max);
    int r = 0;
    for (;;) {
        size_t want = 64 * 1024;
        if (want > max - buf.size)
            want = max - buf.size;
        char extra;
        char *to = want ? buf_reserve(&buf, want) : &extra;
        if (!to) {
            r = err_set(err, ERR_MEMORY, "%s: no memory to read it", path);
            break;
        }
        *to = '\0'; /* an empty file is an empty text */
        ssize_t n = read(fd, to, want ? want : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r = err_set(err, ERR_SYSTEM, "%s: cannot read it: %s", path, strerror(errno));
            break;
        }
        if (!n)
            break;
        if (!want) {
            r = err_set(err, ERR_LIMIT, "%s: larger than the %zu bytes accepted here", path, max);
            break;
        }
        buf.size += (size_t)n;
        buf.data[buf.size] = '\0';
    }
    if (!standard)
        close(fd);
    if (r) {
        buf_finish(&buf);
        return r;
    }
    size_t size = buf.size;
    char *data = buf_steal(&buf);
    if (!data)
        return err_set(err, ERR_MEMORY, "%s: no memory to read it", path);
    *ret_data = data;
    *ret_size = size;
    return 0;
}
