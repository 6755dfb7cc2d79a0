/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "render/clean.h"
#include "render/render.h"

#define HEADER_MAX (1u << 20)

/* RFC 4180 section 2: quoted where a separator, quote or line break is inside. */
static void add_cell(struct buf *buf, const char *text, size_t size)
{
    if (!memchr(text, ',', size) && !memchr(text, '"', size) && !memchr(text, '\n', size) &&
        !memchr(text, '\r', size)) {
        buf_add_n(buf, text, size);
        return;
    }
    buf_add_char(buf, '"');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            buf_add_char(buf, '"');
        buf_add_char(buf, text[i]);
    }
    buf_add_char(buf, '"');
}

static void add_value(struct buf *buf, double value)
{
    char text[32];
    if (isnan(value))
        buf_add(buf, "NaN");
    else if (isinf(value))
        buf_add(buf, value > 0 ? "+Inf" : "-Inf");
    else
        buf_add_n(buf, text, format_double(text, value, 0));
}

static void skip_missing(const struct series *series, size_t *at)
{
    while (*at < series->sample_count && sample_is_missing(series->values[*at]))
        ++*at;
}

void render_csv(struct buf *buf, const struct series *const *series, size_t n,
                const struct zone *zone)
{
    size_t *at = mem_alloc_array(n ? n : 1, sizeof *at);
    struct buf header = BUF(HEADER_MAX);
    if (!at) {
        buf->failed = 1;
        return;
    }
    buf_add(buf, "time");
    for (size_t i = 0; i < n; i++) {
        buf_clear(&header);
        render_labels(&header, series[i]->labels, series[i]->label_count);
        buf_add_char(buf, ',');
        add_cell(buf, buf_text(&header), header.size);
        skip_missing(series[i], &at[i]);
    }
    buf_finish(&header);
    buf_add(buf, "\r\n");
    while (!buf->failed) {
        int64_t next = INT64_MAX;
        bool any = false;
        for (size_t i = 0; i < n; i++) {
            if (at[i] < series[i]->sample_count && (!any || series_time(series[i], at[i]) < next)) {
                next = series_time(series[i], at[i]);
                any = true;
            }
        }
        if (!any)
            break;
        char time[48];
        buf_add_n(buf, time, time_format(time, sizeof time, next, zone, 9));
        for (size_t i = 0; i < n; i++) {
            buf_add_char(buf, ',');
            if (at[i] == series[i]->sample_count || series_time(series[i], at[i]) != next)
                continue;
            add_value(buf, series[i]->values[at[i]++]);
            skip_missing(series[i], &at[i]);
        }
        buf_add(buf, "\r\n");
    }
    mem_free(at);
}
