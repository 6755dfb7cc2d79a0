/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/zone.h"

static atomic_int lowest = LOG_WARN;
static atomic_int json_lines;
static atomic_uint_fast64_t not_written;
static _Thread_local char request_id[32];

void log_setup(enum log_level level, int as_json)
{
    atomic_store(&lowest, (int)level);
    atomic_store(&json_lines, as_json);
}

void log_set_request(const char *id)
{
    snprintf(request_id, sizeof request_id, "%s", id ? id : "");
}

const char *log_request(void)
{
    return request_id;
}

uint64_t log_lines_not_written(void)
{
    return atomic_load_explicit(&not_written, memory_order_relaxed);
}

int log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

static void add_escaped(struct buf *line, const char *text)
{
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            buf_printf(line, "\\x%02x", (unsigned)(unsigned char)*p);
        else
            buf_add_char(line, *p);
    }
}

void log_line(enum log_level level, const char *area, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (!log_enabled(level) || level >= LOG_NONE)
        return;
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char when[48];
    time_format(when, sizeof when, clock_unix_ns(), zone_utc(), 3);
    struct buf line = BUF(16 * 1024);
    if (atomic_load_explicit(&json_lines, memory_order_relaxed)) {
        buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"area\":", when, names[level]);
        buf_json_string(&line, area, strlen(area));
        if (request_id[0]) {
            buf_add(&line, ",\"request\":");
            buf_json_string(&line, request_id, strlen(request_id));
        }
        buf_add(&line, ",\"message\":");
        buf_json_string(&line, text, strlen(text));
        buf_add(&line, "}\n");
    } else {
        buf_printf(&line, "%s %s %s: ", when, names[level], area);
        if (request_id[0]) {
            buf_add_char(&line, '[');
            add_escaped(&line, request_id);
            buf_add(&line, "] ");
        }
        add_escaped(&line, text);
        buf_add_char(&line, '\n');
    }
    /* One write a line; a log that can't be written has nowhere to be reported but in a count. */
    if (line.failed || write(STDERR_FILENO, line.data, line.size) < 0)
        atomic_fetch_add_explicit(&not_written, 1, memory_order_relaxed);
    buf_finish(&line);
}
