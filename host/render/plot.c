/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "render/axis.h"
#include "render/clean.h"
#include "render/render.h"

#define SERIES_MAX 8
#define HEIGHT 12
#define MARK_ROWS 3
#define MARKS_MAX 32
#define LINE_MAX (1u << 16)

static const char *const colors[SERIES_MAX] = {"36", "33", "35", "32", "31", "34", "96", "93"};
static const char markers[SERIES_MAX + 1] = "*o+x#@%&";

struct plot {
    const struct render_terminal *terminal;
    const struct time_window *window;
    struct axis y;
    bool braille; /* else one marker a cell */
    int width;    /* cells */
    int dots_x;   /* dots a cell */
    int dots_y;
    size_t label_width;
    unsigned char *bits;  /* braille dots of a cell, or 1 */
    signed char *owner;   /* series that drew there last; -1 none */
    signed char *is_mark; /* per column */
};

static bool in_window(const struct time_window *window, int64_t ns)
{
    return ns >= window->start_ns && ns <= window->end_ns;
}

static void dot(struct plot *plot, int x, int y, int owner)
{
    /* U+2800 numbers its dots down the left column, then the right; the lowest row came later. */
    static const unsigned char bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || x >= plot->width * plot->dots_x || y < 0 || y >= HEIGHT * plot->dots_y)
        return;
    int cell = y / plot->dots_y * plot->width + x / plot->dots_x;
    plot->bits[cell] =
        (unsigned char)(plot->bits[cell] |
                        (plot->braille ? bit[y % plot->dots_y][x % plot->dots_x] : 1));
    plot->owner[cell] = (signed char)owner;
}

static void line(struct plot *plot, int x0, int y0, int x1, int y1, int owner)
{
    int dx = x1 > x0 ? x1 - x0 : x0 - x1;
    int dy = y1 > y0 ? y1 - y0 : y0 - y1;
    int steps = dx > dy ? dx : dy;
    for (int i = 0; i <= steps; i++) {
        double part = steps ? (double)i / steps : 0;
        dot(plot, x0 + (int)lround(part * (x1 - x0)), y0 + (int)lround(part * (y1 - y0)), owner);
    }
}

static int x_of(const struct plot *plot, int64_t ns)
{
    double part = (double)(ns - plot->window->start_ns) /
                  (double)(plot->window->end_ns - plot->window->start_ns);
    return (int)lround(part * (plot->width * plot->dots_x - 1));
}

static int y_of(const struct plot *plot, double value)
{
    double part = (value - plot->y.low) / (plot->y.high - plot->y.low);
    int most = HEIGHT * plot->dots_y - 1;
    return most - (int)lround(part * most);
}

/* Every sample is drawn and joined to the one before it, so an extreme of one sample stays. */
static void draw(struct plot *plot, const struct series *series, int owner)
{
    size_t n = series->sample_count;
    int64_t usual =
        n > 1 ? (series_time(series, n - 1) - series_time(series, 0)) / (int64_t)(n - 1) : 0;
    bool joined = false;
    int64_t before = 0;
    int x0 = 0;
    int y0 = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t ns = series_time(series, i);
        if (!isfinite(series->values[i])) {
            joined = false;
            continue;
        }
        if (!in_window(plot->window, ns))
            continue;
        int x = x_of(plot, ns);
        int y = y_of(plot, series->values[i]);
        if (joined && (!series->times || ns - before <= 5 * usual))
            line(plot, x0, y0, x, y, owner);
        else
            dot(plot, x, y, owner);
        joined = true;
        before = ns;
        x0 = x;
        y0 = y;
    }
}

static bool range(const struct series *const *series, size_t n, const struct time_window *window,
                  double *ret_low, double *ret_high)
{
    bool any = false;
    for (size_t s = 0; s < n; s++) {
        for (size_t i = 0; i < series[s]->sample_count; i++) {
            double value = series[s]->values[i];
            if (!isfinite(value) || !in_window(window, series_time(series[s], i)))
                continue;
            *ret_low = !any || value < *ret_low ? value : *ret_low;
            *ret_high = !any || value > *ret_high ? value : *ret_high;
            any = true;
        }
    }
    return any;
}

static void paint(struct buf *buf, const struct plot *plot, const char *color, const char *text)
{
    if (plot->terminal->color)
        buf_printf(buf, "\x1b[%sm%s\x1b[0m", color, text);
    else
        buf_add(buf, text);
}

static void cell_text(const struct plot *plot, int cell, char out[4])
{
    int owner = plot->owner[cell];
    if (!plot->braille) {
        out[0] = markers[owner];
        out[1] = '\0';
        return;
    }
    out[0] = (char)0xe2; /* U+2800 + bits */
    out[1] = (char)(0xa0 | plot->bits[cell] >> 6);
    out[2] = (char)(0x80 | (plot->bits[cell] & 0x3f));
    out[3] = '\0';
}

/* Cells of one colour side by side share one escape sequence. */
static void write_cells(struct buf *buf, const struct plot *plot, int row)
{
    bool unicode = plot->terminal->unicode;
    const char *color = NULL;
    int pending = 0;
    for (int x = 0; x < plot->width; x++) {
        int cell = row * plot->width + x;
        char text[4] = "";
        const char *wanted = NULL;
        if (plot->bits[cell]) {
            cell_text(plot, cell, text);
            wanted = colors[plot->owner[cell]];
        } else if (plot->is_mark[x]) {
            snprintf(text, sizeof text, "%s", unicode ? "\xe2\x94\x8a" : ":");
            wanted = "2";
        } else {
            pending++;
            continue;
        }
        if (plot->terminal->color && color != wanted) {
            if (color)
                buf_add(buf, "\x1b[0m");
            clean_spaces(buf, (size_t)pending);
            pending = 0;
            buf_printf(buf, "\x1b[%sm", wanted);
            color = wanted;
        }
        clean_spaces(buf, (size_t)pending);
        pending = 0;
        buf_add(buf, text);
    }
    if (color)
        buf_add(buf, "\x1b[0m");
}

static void write_rows(struct buf *buf, const struct plot *plot)
{
    bool unicode = plot->terminal->unicode;
    for (int row = 0; row < HEIGHT; row++) {
        const char *label = NULL;
        for (size_t i = 0; i < plot->y.tick_count; i++)
            if (y_of(plot, plot->y.ticks[i]) / plot->dots_y == row)
                label = plot->y.labels[i];
        size_t used = label ? utf8_columns(label, strlen(label)) : 0;
        clean_spaces(buf, plot->label_width - used);
        buf_add(buf, label ? label : "");
        buf_add(buf,
                label ? (unicode ? " \xe2\x94\xa4" : " +") : (unicode ? " \xe2\x94\x82" : " |"));
        write_cells(buf, plot, row);
        buf_add_char(buf, '\n');
    }
}

static void write_time_axis(struct buf *buf, const struct plot *plot, const struct zone *zone)
{
    bool unicode = plot->terminal->unicode;
    struct time_ticks ticks;
    time_ticks_make(&ticks, plot->window, zone, (size_t)plot->width);
    struct buf labels = BUF(LINE_MAX);
    size_t used = 0;
    size_t next = 0;
    clean_spaces(buf, plot->label_width + 1);
    buf_add(buf, unicode ? "\xe2\x94\x94" : "+");
    for (int x = 0; x < plot->width; x++) {
        bool tick = next < ticks.count && x_of(plot, ticks.ns[next]) / plot->dots_x == x;
        buf_add(buf, tick ? (unicode ? "\xe2\x94\xac" : "+") : (unicode ? "\xe2\x94\x80" : "-"));
        if (!tick)
            continue;
        size_t size = strlen(ticks.labels[next]);
        size_t at = (size_t)x > size / 2 ? (size_t)x - size / 2 : 0;
        if (at + size > (size_t)plot->width)
            at = (size_t)plot->width - size;
        if (at > used || !used) {
            clean_spaces(&labels, at - used);
            buf_add(&labels, ticks.labels[next]);
            used = at + size;
        }
        next++;
    }
    buf_add_char(buf, '\n');
    clean_spaces(buf, plot->label_width + 2);
    buf_add(buf, buf_text(&labels));
    buf_add_char(buf, '\n');
    buf_finish(&labels);
}

/* A mark's text above the plot: to the right of its column, or to the left where the edge is near. */
struct mark_text {
    size_t from;
    size_t size;
    size_t row; /* MARK_ROWS: found no place */
    int column;
    const char *text;
    bool to_left;
};

static size_t place_marks(const struct plot *plot, const struct render_mark *marks, size_t count,
                          struct mark_text *ret)
{
    size_t rows = 0;
    size_t width = (size_t)plot->width;
    for (size_t i = 0; i < count; i++) {
        struct mark_text *mark = &ret[i];
        *mark = (struct mark_text){.row = MARK_ROWS, .text = marks[i].text ? marks[i].text : ""};
        if (!in_window(plot->window, marks[i].time_ns))
            continue;
        struct buf clean = BUF(LINE_MAX);
        buf_add_shown(&clean, mark->text, strlen(mark->text), plot->terminal->unicode);
        mark->size = utf8_columns(buf_text(&clean), clean.size) + 2;
        buf_finish(&clean);
        mark->column = x_of(plot, marks[i].time_ns) / plot->dots_x;
        mark->to_left =
            (size_t)mark->column + mark->size > width && (size_t)mark->column * 2 > width;
        size_t room = mark->to_left ? (size_t)mark->column + 1 : width - (size_t)mark->column;
        if (mark->size > room)
            mark->size = room;
        mark->from = mark->to_left ? (size_t)mark->column + 1 - mark->size : (size_t)mark->column;
        for (size_t row = 0; row < MARK_ROWS && mark->row == MARK_ROWS; row++) {
            bool free = true;
            for (size_t k = 0; k < i && free; k++)
                free = ret[k].row != row || ret[k].from > mark->from + mark->size ||
                       mark->from > ret[k].from + ret[k].size;
            if (free)
                mark->row = row;
        }
        if (mark->row < MARK_ROWS && mark->row + 1 > rows)
            rows = mark->row + 1;
    }
    return rows;
}

static void write_mark(struct buf *buf, const struct plot *plot, const struct mark_text *mark)
{
    bool unicode = plot->terminal->unicode;
    const char *point = unicode ? "\xe2\x96\xbe" : "v";
    struct buf text = BUF(LINE_MAX);
    size_t room = mark->size > 2 ? mark->size - 2 : 0;
    size_t used = clean_cut(&text, mark->text, strlen(mark->text), room, unicode);
    if (mark->to_left) {
        clean_spaces(buf, room - used);
        buf_add(buf, buf_text(&text));
        if (room)
            buf_add_char(buf, ' ');
        buf_add(buf, point);
    } else {
        buf_add(buf, point);
        if (room)
            buf_add_char(buf, ' ');
        buf_add(buf, buf_text(&text));
    }
    buf_finish(&text);
}

static void write_marks(struct buf *buf, const struct plot *plot, const struct mark_text *placed,
                        size_t count, size_t rows)
{
    for (size_t row = rows; row-- > 0;) {
        size_t at = 0;
        clean_spaces(buf, plot->label_width + 2);
        for (size_t x = 0; x < (size_t)plot->width; x++) {
            for (size_t i = 0; i < count; i++) {
                if (placed[i].row != row || placed[i].from != x)
                    continue;
                clean_spaces(buf, x - at);
                write_mark(buf, plot, &placed[i]);
                at = x + placed[i].size;
                break;
            }
        }
        buf_add_char(buf, '\n');
    }
}

/* A legend line: marker, name, lowest, highest and last value. */
static void write_legend(struct buf *buf, const struct plot *plot, const struct series *series,
                         const char *name, int index)
{
    double low = NAN;
    double high = NAN;
    double last = NAN;
    for (size_t i = 0; i < series->sample_count; i++) {
        double value = series->values[i];
        if (!isfinite(value) || !in_window(plot->window, series_time(series, i)))
            continue;
        low = value >= low ? low : value;
        high = value <= high ? high : value;
        last = value;
    }
    struct buf numbers = BUF(LINE_MAX);
    if (isnan(last)) {
        buf_add(&numbers, "  no samples");
    } else {
        buf_add(&numbers, "  min ");
        render_value(&numbers, low, series->unit);
        buf_add(&numbers, "  max ");
        render_value(&numbers, high, series->unit);
        buf_add(&numbers, "  last ");
        render_value(&numbers, last, series->unit);
    }
    char marker[4] = {markers[index], '\0'};
    paint(buf, plot, colors[index], plot->braille ? "\xe2\xa0\xa4" : marker);
    buf_add_char(buf, ' ');
    size_t taken = utf8_columns(buf_text(&numbers), numbers.size) + 2;
    size_t room = (size_t)plot->terminal->columns;
    room = room > taken + 8 ? room - taken : 8;
    clean_cut(buf, name, strlen(name), room, plot->terminal->unicode);
    buf_add_n(buf, buf_text(&numbers), numbers.size);
    buf_add_char(buf, '\n');
    buf_finish(&numbers);
}

static void write_window(struct buf *buf, const struct time_window *window, const struct zone *zone)
{
    char from[48];
    char to[48];
    time_format(from, sizeof from, window->start_ns, zone, 0);
    time_format(to, sizeof to, window->end_ns, zone, 0);
    buf_printf(buf, "%s to %s (%s)\n", from, to, zone_name(zone));
}

static void write_plot(struct buf *buf, struct plot *plot, const struct zone *zone,
                       const struct render_mark *marks, size_t mark_count)
{
    struct mark_text placed[MARKS_MAX];
    size_t count = mark_count < MARKS_MAX ? mark_count : MARKS_MAX;
    for (size_t i = 0; i < count; i++)
        if (in_window(plot->window, marks[i].time_ns))
            plot->is_mark[x_of(plot, marks[i].time_ns) / plot->dots_x] = 1;
    size_t rows = place_marks(plot, marks, count, placed);
    write_marks(buf, plot, placed, count, rows);
    write_rows(buf, plot);
    write_time_axis(buf, plot, zone);
    for (size_t i = 0; i < count; i++) {
        if (placed[i].row < MARK_ROWS || !in_window(plot->window, marks[i].time_ns))
            continue;
        char at[48];
        time_format(at, sizeof at, marks[i].time_ns, zone, 0);
        buf_printf(buf, "%s ", at);
        clean_cut(buf, placed[i].text, strlen(placed[i].text), (size_t)plot->terminal->columns - 28,
                  plot->terminal->unicode);
        buf_add_char(buf, '\n');
    }
    if (mark_count > count)
        buf_printf(buf, "%zu more marks\n", mark_count - count);
}

void render_plot(struct buf *buf, const struct render_terminal *terminal,
                 const struct series *const *series, const char *const *names, size_t n,
                 const struct time_window *window, const struct zone *zone,
                 const struct render_mark *marks, size_t mark_count)
{
    size_t drawn = n < SERIES_MAX ? n : SERIES_MAX;
    double low = 0;
    double high = 0;
    if (window->end_ns <= window->start_ns || !range(series, drawn, window, &low, &high)) {
        buf_add(buf, "no samples to draw, ");
        write_window(buf, window, zone);
        return;
    }
    /* Dots of several series look alike without colour: then letters tell them apart. */
    bool braille = terminal->unicode && (terminal->color || drawn == 1);
    struct plot plot = {.terminal = terminal,
                        .window = window,
                        .braille = braille,
                        .dots_x = braille ? 2 : 1,
                        .dots_y = braille ? 4 : 1};
    axis_make(&plot.y, low, high, series[0]->unit);
    for (size_t i = 0; i < plot.y.tick_count; i++) {
        size_t width = utf8_columns(plot.y.labels[i], strlen(plot.y.labels[i]));
        plot.label_width = width > plot.label_width ? width : plot.label_width;
    }
    plot.width = terminal->columns - (int)plot.label_width - 2;
    size_t cells = (size_t)plot.width * HEIGHT;
    plot.bits = mem_alloc(cells);
    plot.owner = mem_alloc(cells);
    plot.is_mark = mem_alloc((size_t)plot.width);
    if (plot.bits && plot.owner && plot.is_mark) {
        /* The first series lies on top. */
        for (size_t i = drawn; i-- > 0;)
            draw(&plot, series[i], (int)i);
        write_plot(buf, &plot, zone, marks, mark_count);
        for (size_t i = 0; i < drawn; i++)
            write_legend(buf, &plot, series[i], names[i], (int)i);
        if (n > drawn)
            buf_printf(buf, "%zu more series not drawn\n", n - drawn);
        write_window(buf, window, zone);
    } else {
        buf->failed = 1;
    }
    mem_free(plot.bits);
    mem_free(plot.owner);
    mem_free(plot.is_mark);
}
