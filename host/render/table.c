/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "render/clean.h"
#include "render/render.h"

#define COLUMNS_MAX 64 /* bits of right_mask */
#define GAP 2
#define WIDTH_MIN 4
#define CELL_MAX (1u << 20)

static size_t cell_width(struct buf *scratch, const char *cell, bool unicode)
{
    buf_clear(scratch);
    buf_add_shown(scratch, cell ? cell : "", cell ? strlen(cell) : 0, unicode);
    return utf8_columns(buf_text(scratch), scratch->size);
}

/* Takes from the widest columns until the table fits or none is wider than the minimum. */
static void shrink(size_t *widths, size_t columns, size_t room)
{
    for (;;) {
        size_t total = GAP * (columns - 1);
        size_t widest = 0;
        size_t second = WIDTH_MIN;
        for (size_t c = 0; c < columns; c++) {
            total += widths[c];
            if (widths[c] > widths[widest])
                widest = c;
        }
        if (total <= room || widths[widest] <= WIDTH_MIN)
            return;
        for (size_t c = 0; c < columns; c++)
            if (c != widest && widths[c] > second && widths[c] < widths[widest])
                second = widths[c];
        size_t over = total - room;
        size_t most = widths[widest] - second;
        widths[widest] -= over < most ? over : most ? most : 1;
    }
}

static void write_row(struct buf *buf, const struct render_terminal *terminal,
                      const char *const *cells, const size_t *widths, size_t columns,
                      uint64_t right)
{
    struct buf cell = BUF(CELL_MAX);
    size_t pending = 0; /* spaces owed before the next text: none are left at the end of a line */
    for (size_t c = 0; c < columns; c++) {
        const char *text = cells[c] ? cells[c] : "";
        buf_clear(&cell);
        size_t used = clean_cut(&cell, text, strlen(text), widths[c], terminal->unicode);
        size_t pad = widths[c] > used ? widths[c] - used : 0;
        bool to_right = (right >> c) & 1;
        if (c)
            pending += GAP;
        if (to_right)
            pending += pad;
        if (cell.size) {
            clean_spaces(buf, pending);
            pending = 0;
            buf_add_n(buf, cell.data, cell.size);
        }
        if (!to_right)
            pending += pad;
    }
    buf_finish(&cell);
}

void render_table(struct buf *buf, const struct render_terminal *terminal, const char *const *cells,
                  size_t rows, size_t columns, uint64_t right_mask)
{
    size_t widths[COLUMNS_MAX] = {0};
    size_t shown = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
    struct buf scratch = BUF(CELL_MAX);
    if (!shown)
        return;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < shown; c++) {
            size_t width = cell_width(&scratch, cells[r * columns + c], terminal->unicode);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    buf_finish(&scratch);
    shrink(widths, shown, (size_t)terminal->columns);
    for (size_t r = 0; r < rows; r++) {
        bool bold = r == 0 && terminal->color;
        if (bold)
            buf_add(buf, "\x1b[1m");
        write_row(buf, terminal, cells + r * columns, widths, shown, right_mask);
        if (bold)
            buf_add(buf, "\x1b[0m");
        buf_add_char(buf, '\n');
    }
}
