/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)
#define SECONDS_A_DAY INT64_C(86400)

/* A link has no operation whose memory a builder could take, so it writes in place. */
struct out {
    char *data;
    size_t size;
    size_t used;
    int full;
};

static void add_n(struct out *out, const char *data, size_t size)
{
    if (out->full || size >= out->size - out->used) {
        out->full = 1;
        return;
    }
    memcpy(out->data + out->used, data, size);
    out->used += size;
    out->data[out->used] = '\0';
}

static void add(struct out *out, const char *text)
{
    add_n(out, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void add_format(struct out *out, const char *format,
                                                             ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add_n(out, text, n > 0 && (size_t)n < sizeof text ? (size_t)n : 0);
}

static void add_encoded(struct out *out, const char *text, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.' || c == '_' || c == '~';
        char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};
        if (plain)
            add_n(out, text + i, 1);
        else
            add_n(out, escaped, 3);
    }
}

/* The inside of a JSON string, percent-encoded as it goes. */
static void add_json_encoded(struct out *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = text[i];
            add_encoded(out, escape, 2);
        } else if (c < 0x20) {
            int n = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
            add_encoded(out, escape, n > 0 ? (size_t)n : 0);
        } else {
            add_encoded(out, text + i, 1);
        }
    }
}

/* "2026-11-24 16:30:00", UTC; days to a date by Howard Hinnant's civil_from_days. */
static void add_date(struct out *out, int64_t ns)
{
    int64_t seconds = ns / NS_PER_S;
    int64_t days = seconds / SECONDS_A_DAY;
    int64_t rest = seconds % SECONDS_A_DAY;
    int64_t z = days + 719468;
    int64_t era = z / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
    add_format(out,
               "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "%%20%02" PRId64 "%%3A%02" PRId64
               "%%3A%02" PRId64,
               year, month, doy - (153 * mp + 2) / 5 + 1, rest / 3600, rest / 60 % 60, rest % 60);
}

static const char *text_of(const struct sonde_link *link, size_t *ret_size)
{
    if (link->executed != NULL && link->executed[0] != '\0') {
        *ret_size = strlen(link->executed);
        return link->executed;
    }
    *ret_size = link->query->native_size;
    return link->query->native;
}

static void add_prometheus(struct out *out, const struct sonde_link *link)
{
    const struct sonde_query *query = link->query;
    size_t size;
    const char *text = text_of(link, &size);
    add(out, "/graph?g0.expr=");
    add_encoded(out, text, size);
    add_format(out, "&g0.tab=%d", query->step_ns == 0 ? 1 : 0);
    if (query->step_ns != 0) {
        int64_t range = (query->end_ns - query->start_ns) / NS_PER_S;
        add_format(out, "&g0.range_input=%" PRId64 "s", range > 0 ? range : 1);
        add_format(out, "&g0.step_input=%" PRId64,
                   query->step_ns >= NS_PER_S ? query->step_ns / NS_PER_S : 1);
    }
    add(out, query->step_ns == 0 ? "&g0.moment_input=" : "&g0.end_input=");
    add_date(out, query->end_ns);
}

/* Explore's state is JSON in the query string: one pane with one query on one data source. */
static void add_grafana(struct out *out, const struct sonde_link *link)
{
    const struct sonde_query *query = link->query;
    size_t size;
    const char *text = text_of(link, &size);
    const char *uid = link->ui_param;
    char piece[160];
    int n;
    add(out, "/explore?schemaVersion=1&panes=");
#define PIECE(string) add_encoded(out, string, sizeof(string) - 1)
    PIECE("{\"sonde\":{\"datasource\":\"");
    add_json_encoded(out, uid, strlen(uid));
    PIECE("\",\"queries\":[{\"refId\":\"A\",\"datasource\":{\"type\":\"prometheus\",\"uid\":\"");
    add_json_encoded(out, uid, strlen(uid));
    PIECE("\"},\"editorMode\":\"code\",\"expr\":\"");
    add_json_encoded(out, text, size);
    PIECE("\",");
    if (query->step_ns == 0)
        PIECE("\"instant\":true,\"range\":false}],");
    else
        PIECE("\"instant\":false,\"range\":true}],");
    int64_t start = query->step_ns == 0 && query->start_ns == 0 ? query->end_ns - 3600 * NS_PER_S
                                                                : query->start_ns;
    n = snprintf(piece, sizeof piece,
                 "\"range\":{\"from\":\"%" PRId64 "\",\"to\":\"%" PRId64 "\"}}}", start / 1000000,
                 query->end_ns / 1000000);
    add_encoded(out, piece, n > 0 ? (size_t)n : 0);
#undef PIECE
}

int32_t promql_link(void *instance, const struct sonde_link *link, char *buf, size_t size)
{
    (void)instance;
    size_t text_size;
    const char *text = text_of(link, &text_size);
    if (size == 0)
        return SONDE_E_TOO_MUCH;
    if (text == NULL || text_size == 0 || link->query->end_ns <= 0)
        return SONDE_E_UNSUPPORTED;
    struct out out = {.data = buf, .size = size};
    buf[0] = '\0';
    const char *kind = link->ui_kind != NULL ? link->ui_kind : "";
    if (strcmp(kind, "grafana") == 0 && link->ui_param != NULL && link->ui_param[0] != '\0')
        add_grafana(&out, link);
    else if (strcmp(kind, "prometheus") == 0 || kind[0] == '\0')
        add_prometheus(&out, link);
    else
        return SONDE_E_UNSUPPORTED;
    if (out.full) {
        buf[0] = '\0';
        return SONDE_E_TOO_MUCH;
    }
    return 0;
}
