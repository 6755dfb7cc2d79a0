/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/file_answer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/file_endpoint.h"
#include "io/runtime.h"
#include "io/target.h"

#define LISTED_MAX 10000

/* ---- The folder ---- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes up to end; 0, or -1 for a bad escape, a NUL or a "." or ".." component. */
static int decode_path(const char *text, size_t size, struct buf *out)
{
    for (size_t i = 0; i < size; i++) {
        int high = text[i] == '%' && i + 2 < size ? hex(text[i + 1]) : -1;
        int low = high >= 0 ? hex(text[i + 2]) : -1;
        if (text[i] == '%' && (low < 0 || (high == 0 && low == 0)))
            return -1;
        if (low < 0) {
            buf_add_char(out, text[i]);
            continue;
        }
        unsigned char byte = (unsigned char)(high * 16 + low);
        buf_add_n(out, &byte, 1);
        i += 2;
    }
    if (out->failed)
        return -1;
    for (const char *at = buf_text(out); at; at = strchr(at, '/')) {
        while (*at == '/')
            at++;
        size_t n = strcspn(at, "/");
        if ((n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return -1;
    }
    return 0;
}

static bool lies_under(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

int file_root(struct io *io, const char *folder, struct err *err)
{
    char real[PATH_MAX];
    struct stat st;
    if (!realpath(folder, real) || stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID, "files: %s is not a folder that can be read (%s)", folder,
                       strerror(errno ? errno : ENOTDIR));
    io->files = arena_strdup(&io->arena, str_eq(real, "/") ? "" : real);
    return 0;
}

int file_target_init(struct io_target *target, const char *url, struct err *err)
{
    const char *path = url + strlen("file:");
    struct buf decoded = BUF(PATH_MAX);
    char real[PATH_MAX];
    struct stat st;
    if (!target->connection->from_operator)
        return err_set(err, ERR_INVALID,
                       "url: only the operator's connections may read files; use http:// or "
                       "https://");
    if (!target->io->files)
        return err_set(err, ERR_INVALID,
                       "url: reading files is off; set files to the folder they lie in");
    if (str_starts(path, "//localhost/"))
        path += strlen("//localhost");
    else if (str_starts(path, "//"))
        path += 2;
    int r = *path == '/' ? decode_path(path, strlen(path), &decoded) : -1;
    if (r < 0)
        r = err_set(err, ERR_INVALID,
                    "url: %s must be file: and an absolute path without '..', such as "
                    "file:///srv/telemetry",
                    url);
    else if (!realpath(buf_text(&decoded), real) || stat(real, &st) < 0)
        r = err_set(err, ERR_INVALID, "url: cannot read %s: %s", buf_text(&decoded),
                    strerror(errno));
    else if (!lies_under(real, target->io->files))
        r = err_set(err, ERR_INVALID, "url: %s does not lie under %s, the folder that files allows",
                    real, target->io->files);
    else if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        r = err_set(err, ERR_INVALID, "url: %s is neither a folder nor a file", real);
    buf_finish(&decoded);
    if (r < 0)
        return r;
    char *slash = strrchr(real, '/');
    if (S_ISREG(st.st_mode)) {
        *slash = '\0';
        target->file_only = arena_strdup(&target->arena, slash + 1);
    }
    target->file_root = arena_strdup(&target->arena, str_eq(real, "/") ? "" : real);
    target->shown = arena_printf(&target->arena, "file:%s", real);
    target->base = "";
    return 0;
}

/* Opens a real path from the top without following a link: what realpath saw is what is opened. */
static int open_beneath(const char *real, int last_flags)
{
    const int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int at = open("/", folder_flags);
    const char *name = real + strspn(real, "/");
    while (at >= 0 && *name) {
        char part[NAME_MAX + 1];
        size_t n = strcspn(name, "/");
        if (n > NAME_MAX) {
            close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, name, n);
        part[n] = '\0';
        name += n;
        name += strspn(name, "/");
        int flags = *name ? folder_flags : last_flags | O_NOFOLLOW | O_CLOEXEC;
        int next = openat(at, part, flags);
        int error = errno;
        close(at);
        errno = error;
        at = next;
    }
    return at;
}

/* The real path a request means; NULL with errno when it does not exist or lies elsewhere. */
static const char *locate(const struct exchange *exchange, const char *name, char real[PATH_MAX])
{
    const struct io_target *target = exchange->target;
    struct buf full = BUF(PATH_MAX - 1);
    buf_printf(&full, "%s/%s", target->file_root, name + strspn(name, "/"));
    const char *found = full.failed ? NULL : realpath(buf_text(&full), real);
    buf_finish(&full);
    if (!found)
        return NULL;
    errno = EACCES;
    return lies_under(real, target->file_root) && lies_under(real, target->io->files) ? real : NULL;
}

/* ---- The answer ---- */

static void add_header(struct exchange *exchange, const char *name, const char *value)
{
    buf_add_n(&exchange->head, name, strlen(name) + 1);
    buf_add_n(&exchange->head, value, strlen(value) + 1);
    exchange->head_pairs++;
}

static int put_head(struct exchange *exchange, uint32_t status, const char *type, uint64_t size)
{
    char number[32];
    snprintf(number, sizeof number, "%" PRIu64, size);
    exchange->status = status;
    exchange->got_bytes = 1;
    exchange->head_done = true;
    exchange->no_body = str_eq(exchange->method, "HEAD");
    add_header(exchange, "content-type", type);
    add_header(exchange, "content-length", number);
    exchange->declared = (int64_t)size;
    if (size && size < EXCHANGE_TURN)
        exchange->next_capacity = (size_t)size;
    else
        exchange->next_capacity = EXCHANGE_TURN;
    if (exchange_put_head(exchange) < 0) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory for an answer's headers");
        return -1;
    }
    return exchange->no_body ? 0 : exchange_check_declared(exchange, false);
}

static int put_error(struct exchange *exchange, uint32_t status, const char *why)
{
    buf_clear(&exchange->listing);
    buf_printf(&exchange->listing, "%s%.*s: %s\n", exchange->target->shown,
               (int)strcspn(exchange->path, "?"), exchange->path, why);
    return put_head(exchange, status, "text/plain", exchange->listing.size);
}

struct listed {
    char *name;
    uint64_t size;
    int64_t mtime_ns;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

/* Regular files, also through links (locate judges those when they are asked for); names a URL can carry. */
static size_t read_folder(const struct exchange *exchange, DIR *folder, struct listed *list)
{
    const char *only = exchange->target->file_only;
    size_t n = 0;
    struct dirent *entry;
    while (n < LISTED_MAX && (entry = readdir(folder))) {
        struct stat st;
        if (entry->d_name[0] == '.' || !utf8_valid(entry->d_name, strlen(entry->d_name)) ||
            (only && !str_eq(only, entry->d_name)) ||
            fstatat(dirfd(folder), entry->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode))
            continue;
        list[n].name = mem_strdup(entry->d_name);
        list[n].size = (uint64_t)st.st_size;
        list[n].mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
        if (!list[n].name)
            break;
        n++;
    }
    qsort(list, n, sizeof *list, by_name);
    return n;
}

static int put_listing(struct exchange *exchange, int fd)
{
    struct listed *list = mem_alloc_array(LISTED_MAX, sizeof *list);
    DIR *folder = list ? fdopendir(fd) : NULL;
    if (!folder) {
        mem_free(list);
        close(fd);
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory to list %s",
                      exchange->target->shown);
        return -1;
    }
    size_t n = read_folder(exchange, folder, list);
    closedir(folder);
    struct buf *out = &exchange->listing;
    buf_add_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_json_sep(out);
        buf_add_char(out, '{');
        buf_json_key(out, "name");
        buf_json_string(out, list[i].name, strlen(list[i].name));
        buf_json_key(out, "size");
        buf_json_int(out, (int64_t)list[i].size);
        buf_json_key(out, "mtime_ns");
        buf_json_int(out, list[i].mtime_ns);
        buf_add_char(out, '}');
        mem_free(list[i].name);
    }
    buf_add_char(out, ']');
    mem_free(list);
    if (!out->failed)
        return put_head(exchange, 200, "application/json", out->size);
    exchange_fail(exchange, SONDE_OUTCOME_TOO_LARGE,
                  "the list of files in %s is too large (limits.body)", exchange->target->shown);
    return -1;
}

/* "bytes=FROM-" or "bytes=FROM-TO" (RFC 9110 section 14.2); other forms are ignored, as allowed. */
static bool wants_range(const struct exchange *exchange, uint64_t size, uint64_t *from,
                        uint64_t *to)
{
    const char *range = NULL;
    for (size_t i = 0; i < exchange->header_count; i++)
        if (str_eq_nocase(exchange->headers[i].key, "range"))
            range = exchange->headers[i].value;
    if (!range || !str_starts(range, "bytes="))
        return false;
    range += strlen("bytes=");
    const char *dash = strchr(range, '-');
    char first[24];
    int64_t a;
    int64_t b = (int64_t)size - 1;
    if (!dash || dash == range || (size_t)(dash - range) >= sizeof first)
        return false;
    memcpy(first, range, (size_t)(dash - range));
    first[dash - range] = '\0';
    if (str_to_int(first, 0, INT64_MAX, &a) < 0 ||
        (dash[1] && str_to_int(dash + 1, a, INT64_MAX, &b) < 0))
        return false;
    *from = (uint64_t)a;
    *to = (uint64_t)(b < (int64_t)size - 1 ? b : (int64_t)size - 1);
    return true;
}

static int put_file(struct exchange *exchange, int fd, const struct stat *st)
{
    uint64_t size = (uint64_t)st->st_size;
    uint64_t from = 0;
    uint64_t to = 0;
    exchange->fd = fd;
    exchange->file_left = size;
    if (!wants_range(exchange, size, &from, &to))
        return put_head(exchange, 200, "application/octet-stream", size);
    char text[96];
    if (from >= size) {
        exchange->file_left = 0;
        snprintf(text, sizeof text, "bytes */%" PRIu64, size);
        add_header(exchange, "content-range", text);
        return put_error(exchange, 416, "the range begins after the file's end");
    }
    if (lseek(fd, (off_t)from, SEEK_SET) < 0)
        return put_error(exchange, 500, strerror(errno));
    snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, to, size);
    add_header(exchange, "content-range", text);
    exchange->file_left = to - from + 1;
    return put_head(exchange, 206, "application/octet-stream", exchange->file_left);
}

static int open_named(struct exchange *exchange, const char *name)
{
    const char *only = exchange->target->file_only;
    size_t size = strlen(name);
    bool listing = size && name[size - 1] == '/';
    char real[PATH_MAX];
    if (only && !str_eq(name, "/") && !str_eq(name + 1, only))
        return put_error(exchange, 404, "no such file");
    if (!locate(exchange, name, real))
        return errno == EACCES ? put_error(exchange, 403, "not allowed")
                               : put_error(exchange, 404, "no such file");
    /* Not blocking: a FIFO must not hold the worker. */
    int fd = open_beneath(real, listing ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK);
    struct stat st;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? put_error(exchange, 404, "no such file")
                                                   : put_error(exchange, 403, strerror(errno));
    if (listing)
        return put_listing(exchange, fd);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return put_error(exchange, 404, "not a file");
    }
    return put_file(exchange, fd, &st);
}

int file_answer_open(struct exchange *exchange)
{
    struct buf name = BUF(PATH_MAX);
    if (!str_eq(exchange->method, "GET") && !str_eq(exchange->method, "HEAD"))
        return put_error(exchange, 405, "files are only read: GET or HEAD");
    int r = decode_path(exchange->path, strcspn(exchange->path, "?"), &name);
    if (r < 0)
        r = put_error(exchange, 400, "not a path that can be read");
    else
        r = open_named(exchange, buf_text(&name));
    buf_finish(&name);
    return r;
}

static ssize_t read_some(struct exchange *exchange, char *to, size_t room)
{
    if (exchange->fd < 0 || !exchange->file_left) {
        size_t left = exchange->listing.size - exchange->listing_at;
        size_t n = left < room ? left : room;
        if (n)
            memcpy(to, exchange->listing.data + exchange->listing_at, n);
        exchange->listing_at += n;
        return (ssize_t)n;
    }
    size_t want = exchange->file_left < room ? (size_t)exchange->file_left : room;
    ssize_t n;
    do
        n = read(exchange->fd, to, want);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        exchange->file_left -= (uint64_t)n;
    else
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "%s%s: %s", exchange->target->shown,
                      exchange->path,
                      n < 0 ? strerror(errno) : "the file became shorter while it was read");
    return n > 0 ? n : -1;
}

static bool complete(const struct exchange *exchange)
{
    return exchange->no_body || ((exchange->fd < 0 || !exchange->file_left) &&
                                 exchange->listing_at == exchange->listing.size);
}

int file_answer_piece(struct exchange *exchange)
{
    char *to;
    if (!exchange->mailbox || complete(exchange))
        return 1;
    ptrdiff_t room = exchange_room(exchange, &to);
    if (room == 0) {
        exchange->window_paused = true;
        return 0;
    }
    if (room < 0) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory for an answer's body");
        return -1;
    }
    ssize_t n = read_some(exchange, to, (size_t)room);
    if (n < 0 || exchange_count(exchange, (size_t)n, (size_t)n) < 0)
        return -1;
    exchange_wrote(exchange, (size_t)n);
    exchange_flush(exchange);
    return complete(exchange) ? 1 : 0;
}
