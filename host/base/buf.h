/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable buffer with a maximum and a sticky error: write many, check once. Also writes JSON.
 *
 * Ownership: buf_finish frees; buf_steal hands the data (mem_free) to the caller. Threads: one thread.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NUL-terminated once something was written */
    size_t size;
    size_t capacity;
    size_t max;
    int failed; /* beyond max or out of memory; contents incomplete */
};

#define BUF(max_size) ((struct buf){.max = (max_size)})

void buf_finish(struct buf *buf);
void buf_clear(struct buf *buf); /* empty, memory kept, failed reset */
void buf_add(struct buf *buf, const char *string);
void buf_add_n(struct buf *buf, const void *data, size_t size);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/* Room for size more bytes at the end, to be filled by the caller, who then adds to buf->size; NULL if none. */
char *buf_reserve(struct buf *buf, size_t size);
/* Cuts back to size. */
void buf_truncate(struct buf *buf, size_t size);
/* The text ("" when nothing was written). */
const char *buf_text(const struct buf *buf);
/* NULL when failed; otherwise the caller frees with mem_free. */
char *buf_steal(struct buf *buf);

/* JSON pieces, compact. Commas are put by json_sep, which knows from the byte before. */
void buf_json_string(struct buf *buf, const char *data,
                     size_t size); /* with quotes; invalid UTF-8 and NUL become U+FFFD */
void buf_json_double(
    struct buf *buf,
    double
        value); /* shortest that reads back equal; NaN and Inf as "NaN", "+Inf", "-Inf" strings */
void buf_json_int(struct buf *buf, int64_t value);
/* ',' unless the buffer is empty or the last byte opens something ({ [ : ,). */
void buf_json_sep(struct buf *buf);
/* sep + "name": */
void buf_json_key(struct buf *buf, const char *name);
/*
 * Text from outside as it may be shown on one line: newlines, tabs and control characters escaped, invalid UTF-8 and the marks that could
 * rearrange the line replaced; without unicode everything beyond ASCII becomes '?'.
 */
void buf_add_shown(struct buf *buf, const char *data, size_t size, bool unicode);
/* Shortest decimal text of a finite double, at most digits significant ones (1 to 17; 0: shortest exact). */
size_t format_double(char out[32], double value, int digits);

#endif
