/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person sees in a terminal: tables, braille plots, CSV.
 *
 * Ownership: text is appended to the caller's buffer. Threads: pure functions.
 */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/timeinput.h"
#include "base/zone.h"
#include "model/result.h"

struct render_terminal {
    int columns; /* 40 to 400 */
    bool color;
    bool unicode; /* false: ASCII plots */
};
/* Size, colour (NO_COLOR, isatty) and UTF-8 (locale) of the terminal behind fd. */
void render_terminal_detect(int fd, struct render_terminal *ret_terminal);

/* A table of cells[rows * columns], first row the head; numbers (right-aligned columns given by mask bits) aligned, too wide columns cut with an ellipsis. */
void render_table(struct buf *buf, const struct render_terminal *terminal, const char *const *cells,
                  size_t rows, size_t columns, uint64_t right_mask);

/* A mark on the time axis. */
struct render_mark {
    int64_t time_ns;
    const char *text;
};
/* Up to 8 series over one window: axes with times in zone, values with unit, legend below, marks as vertical lines. Spikes survive (min and max per column). */
void render_plot(struct buf *buf, const struct render_terminal *terminal,
                 const struct series *const *series, const char *const *names, size_t n,
                 const struct time_window *window, const struct zone *zone,
                 const struct render_mark *marks, size_t mark_count);

/* RFC 4180: time, one column per series (header: its labels), rows by time. */
void render_csv(struct buf *buf, const struct series *const *series, size_t n,
                const struct zone *zone);
/* {a="b", c="d"} in the backend's usual writing; labels equal in all are left out by the caller. */
void render_labels(struct buf *buf, const struct sonde_label *labels, size_t n);
/* 1234567 -> "1.23M" with unit awareness: bytes get binary prefixes, seconds become ms, us, min. */
void render_value(struct buf *buf, double value, const char *unit);

#endif
