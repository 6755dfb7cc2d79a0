/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs on standard error, text or JSON lines. Only the function that gives up logs, once.
 *
 * Ownership: arguments are not kept. Threads: safe; one write per line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NONE };

void log_setup(enum log_level level, int as_json);
int log_enabled(enum log_level level);
/* What this thread works for from here on: each of its lines names it. "" or NULL: nothing. At most 31 bytes are kept. */
void log_set_request(const char *id);
/* The id set last on this thread, "" when none is; valid until it is set again. */
const char *log_request(void);
/* Lines that could not be written so far. */
uint64_t log_lines_not_written(void);
/* One line: time, level, area, message. Control characters are escaped. */
void log_line(enum log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
