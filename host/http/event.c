/* SPDX-License-Identifier: Apache-2.0 */
/* Writing server-sent events (WHATWG HTML 9.2.5). */
#include <string.h>

#include "base/buf.h"
#include "http/http.h"

/* One line; what would end it early is left out. */
static void add_line(struct buf *buf, const char *name, const char *value)
{
    buf_add(buf, name);
    buf_add(buf, ": ");
    for (const char *p = value; *p;) {
        size_t n = strcspn(p, "\r\n");
        buf_add_n(buf, p, n);
        p += n;
        p += strspn(p, "\r\n");
    }
    buf_add_char(buf, '\n');
}

/* A data line for each line: readers take CR, LF and CR LF all as a line's end, and join lines by LF. */
static void add_data(struct buf *buf, const char *data, size_t size)
{
    const char *end = data + size;
    for (;;) {
        const char *p = data;
        while (p < end && *p != '\n' && *p != '\r')
            p++;
        buf_add(buf, "data: ");
        buf_add_n(buf, data, (size_t)(p - data));
        buf_add_char(buf, '\n');
        if (p == end)
            return;
        data = p + 1;
        if (*p == '\r' && data < end && *data == '\n')
            data++;
    }
}

void http_write_event(struct buf *buf, const struct http_event *event)
{
    if (event->event)
        add_line(buf, "event", event->event);
    if (event->id)
        add_line(buf, "id", event->id);
    if (event->retry_ms)
        buf_printf(buf, "retry: %u\n", event->retry_ms);
    if (event->data)
        add_data(buf, event->data, event->data_size);
    else if (event->empty_data)
        buf_add(buf, "data: \n");
    buf_add_char(buf, '\n');
}
