/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kit_problem(struct kit_record *record, const char *format, ...)
{
    char buf[512];
    va_list args;
    va_start(args, format);
    vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);
    kit_add(&record->problems, "breach of the contract: ");
    kit_add(&record->problems, buf);
    kit_add(&record->problems, "\n");
}

static void member(struct kit_text *text, const char *name)
{
    const char last = text->size ? text->data[text->size - 1] : '{';
    kit_add(text, last == '{' || last == '[' ? "" : ", ");
    kit_add_json(text, name, strlen(name));
    kit_add(text, ": ");
}

static void member_text(struct kit_text *text, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    member(text, name);
    kit_add_json(text, value, strlen(value));
}

static void member_number(struct kit_text *text, const char *name, uint64_t value)
{
    if (!value)
        return;
    member(text, name);
    kit_addf(text, "%llu", (unsigned long long)value);
}

static void write_flags(struct kit_text *text, uint32_t flags)
{
    static const char *const names[] = {"idempotent", "more", "creates"};
    if (!flags)
        return;
    member(text, "flags");
    kit_add(text, "[");
    for (uint32_t i = 0; i < 3; i++) {
        if (flags >> i & 1u)
            kit_addf(text, "%s\"%s\"", text->data[text->size - 1] == '[' ? "" : ", ", names[i]);
    }
    kit_add(text, "]");
}

void kit_write_request(struct kit_text *text, const struct sonde_request *request, uint32_t attempt)
{
    kit_add(text, "{");
    member_text(text, "endpoint", request->endpoint);
    member_text(text, "method", request->method);
    member_text(text, "path", request->path);
    if (request->header_count) {
        member(text, "headers");
        kit_add(text, "{");
        for (size_t i = 0; i < request->header_count; i++)
            member_text(text, request->headers[i].key, request->headers[i].value);
        kit_add(text, "}");
    }
    if (request->body_size) {
        member(text, "body");
        kit_add_json(text, request->body, request->body_size);
    }
    write_flags(text, request->flags);
    member_number(text, "tag", request->tag);
    member_number(text, "delay_ms", request->delay_ms);
    member_number(text, "max_size", request->max_size);
    member_text(text, "rate_key", request->rate_key);
    if (attempt > 1)
        member_number(text, "attempt", attempt);
    kit_add(text, "}");
}

static void write_list(struct kit_text *text, const char *name, const struct kit_text *list,
                       const char *open, const char *close)
{
    if (list->size)
        kit_addf(text, ",\n  \"%s\": %s", name, open);
    if (list->size) {
        kit_add_n(text, list->data, list->size);
        kit_add(text, close);
    }
}

static void write_row(struct kit_text *text, const struct kit_row *row)
{
    kit_add_n(text, row->text.data, row->text.size);
    if (row->points.size) {
        kit_add(text, ", \"points\": [");
        kit_add_n(text, row->points.data, row->points.size);
        kit_add(text, "]");
    }
    kit_add(text, "}");
}

void kit_record_write(const struct kit_record *record, const char *result, const char *error,
                      const char *link, struct kit_text *ret_text)
{
    kit_addf(ret_text, "{\n  \"result\": \"%s\"", result);
    if (error) {
        kit_add(ret_text, ",\n  \"error\": ");
        kit_add(ret_text, error);
    }
    write_list(ret_text, "endpoints", &record->endpoints, "[", "]");
    if (record->executed.size) {
        kit_add(ret_text, ",\n  \"executed\": ");
        kit_add_json(ret_text, record->executed.data, record->executed.size);
    }
    write_list(ret_text, "requests", &record->request_list, "[\n    ", "\n  ]");
    if (record->row_count) {
        kit_add(ret_text, ",\n  \"rows\": [");
        for (size_t i = 0; i < record->row_count; i++) {
            kit_add(ret_text, i ? ",\n    " : "\n    ");
            write_row(ret_text, &record->rows[i]);
        }
        kit_add(ret_text, "\n  ]");
    }
    write_list(ret_text, "notes", &record->notes, "[", "]");
    write_list(ret_text, "partial", &record->partial, "[", "]");
    write_list(ret_text, "total", &record->total, "", "");
    write_list(ret_text, "facts", &record->facts, "[", "]");
    write_list(ret_text, "unapplied", &record->unapplied, "[", "]");
    write_list(ret_text, "rates", &record->rates, "[", "]");
    write_list(ret_text, "resume", &record->resume, "", "");
    struct kit_text at_end = {0};
    for (size_t i = 0; i < KIT_AT_END_SLOTS; i++) {
        if (!record->at_end[i].size)
            continue;
        kit_add(&at_end, at_end.size ? ", " : "");
        kit_add_n(&at_end, record->at_end[i].data, record->at_end[i].size);
    }
    write_list(ret_text, "at_end", &at_end, "[", "]");
    kit_text_free(&at_end);
    if (link) {
        kit_add(ret_text, ",\n  \"link\": ");
        kit_add_json(ret_text, link, strlen(link));
    }
    kit_add(ret_text, "\n}\n");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void kit_record_sorted(const struct kit_record *record, struct kit_text *ret_text)
{
    char **lines = calloc(record->row_count + 1, sizeof(*lines));
    if (!lines)
        kit_die("out of memory");
    for (size_t i = 0; i < record->row_count; i++) {
        struct kit_text line = {0};
        write_row(&line, &record->rows[i]);
        lines[i] = line.data;
    }
    qsort(lines, record->row_count, sizeof(*lines), by_text);
    for (size_t i = 0; i < record->row_count; i++) {
        kit_add(ret_text, lines[i]);
        kit_add(ret_text, "\n");
        free(lines[i]);
    }
    free(lines);
}

void kit_record_free(struct kit_record *record)
{
    struct kit_text *texts[] = {&record->request_list, &record->executed, &record->notes,
                                &record->partial,      &record->total,    &record->facts,
                                &record->unapplied,    &record->rates,    &record->resume,
                                &record->endpoints,    &record->problems};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        kit_text_free(texts[i]);
    for (size_t i = 0; i < KIT_AT_END_SLOTS; i++)
        kit_text_free(&record->at_end[i]);
    for (size_t i = 0; i < record->row_count; i++) {
        kit_text_free(&record->rows[i].text);
        kit_text_free(&record->rows[i].points);
        kit_text_free(&record->rows[i].labels);
    }
    free(record->rows);
    memset(record, 0, sizeof(*record));
}
