/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <inttypes.h>
#include <string.h>

#define BATCH (5 * SECOND)
#define SERVER 2
#define CLIENT 3
#define INTERNAL 1
#define STATUS_ERROR 2
#define CLOCK_SKEW (800 * MILLI)

struct span {
    enum source source;
    unsigned index;
    unsigned parent; /* equal to index: a root */
    int kind;
    int64_t start; /* from the request's start */
    int64_t duration;
    char name[64];
};

/* One call after the other in the first third of the handler. */
static void database_span(const struct request *r, unsigned call, struct span *ret_span)
{
    int64_t each = r->web / 3 / r->databases;
    int64_t begin = r->route == ROUTE_STOCK ? 0 : 2 * MILLI;

    ret_span->kind = CLIENT;
    ret_span->parent = r->route == ROUTE_STOCK ? SPAN_ENTRY : SPAN_WEB;
    ret_span->start = begin + each * call;
    ret_span->duration = each;
    snprintf(ret_span->name, sizeof(ret_span->name), "SELECT %s",
             r->route == ROUTE_STOCK ? "inventory.items" : "orders-db.orders");
}

static void named(struct span *span, enum source source, unsigned parent, int kind, int64_t start,
                  int64_t duration)
{
    span->source = source;
    span->parent = parent;
    span->kind = kind;
    span->start = start;
    span->duration = duration;
}

static void describe(const struct request *r, unsigned index, struct span *s)
{
    enum source web = web_source(r->start);
    int64_t third = r->web / 3;
    int64_t skew = r->skewed ? -CLOCK_SKEW : 0;

    s->index = index;
    snprintf(s->name, sizeof(s->name), "%s %s", route_method(r->route), route_path(r->route));
    switch (index) {
    case SPAN_ENTRY:
        named(s, r->route == ROUTE_STOCK ? SOURCE_INVENTORY : SOURCE_GATEWAY, SPAN_ENTRY, SERVER, 0,
              r->duration);
        break;
    case SPAN_ENTRY_CLIENT:
        named(s, SOURCE_GATEWAY, SPAN_ENTRY, CLIENT, MILLI, r->duration - 2 * MILLI);
        snprintf(s->name, sizeof(s->name), "%s", route_method(r->route));
        break;
    case SPAN_WEB:
        named(s, web, SPAN_ENTRY_CLIENT, SERVER, 2 * MILLI, r->web);
        break;
    case SPAN_RENDER:
        named(s, web, SPAN_WEB, INTERNAL, 2 * MILLI + 9 * r->web / 10, r->web / 10);
        snprintf(s->name, sizeof(s->name), "render %s", route_path(r->route));
        break;
    case SPAN_PAYMENT_CLIENT:
        named(s, web, SPAN_WEB, CLIENT, 2 * MILLI + third, r->payment + 2 * MILLI);
        snprintf(s->name, sizeof(s->name), "POST");
        break;
    case SPAN_PAYMENT:
        named(s, SOURCE_PAYMENTS, SPAN_PAYMENT_CLIENT, SERVER, 3 * MILLI + third + skew,
              r->payment);
        snprintf(s->name, sizeof(s->name), "POST /charge");
        break;
    default:
        s->source = r->route == ROUTE_STOCK ? SOURCE_INVENTORY : web;
        database_span(r, index - SPAN_DATABASE, s);
    }
}

static bool has_span(const struct request *r, unsigned index)
{
    if (index == SPAN_ENTRY)
        return true;
    if (index >= SPAN_DATABASE)
        return index - SPAN_DATABASE < r->databases;
    if (r->route == ROUTE_STOCK)
        return false;
    return r->payment || (index != SPAN_PAYMENT && index != SPAN_PAYMENT_CLIENT);
}

static bool is_error(const struct request *r, unsigned index)
{
    return request_failed(r) &&
           (index == SPAN_ENTRY || index == SPAN_ENTRY_CLIENT || index == SPAN_WEB);
}

static void write_attributes(FILE *file, const struct request *r, const struct span *s)
{
    bool first = true;

    fputs(",\"attributes\":[", file);
    if (s->index >= SPAN_DATABASE) {
        out_attribute(file, &first, "db.system.name", "postgresql");
        out_attribute(file, &first, "db.namespace",
                      r->route == ROUTE_STOCK ? "inventory" : "orders");
        out_attribute(file, &first, "server.address",
                      r->route == ROUTE_STOCK ? "inventory-db" : "orders-db");
    } else if (s->index == SPAN_PAYMENT || s->index == SPAN_PAYMENT_CLIENT) {
        out_attribute(file, &first, "http.request.method", "POST");
        out_attribute(file, &first, "http.route", "/charge");
        out_attribute_int(file, &first, "http.response.status_code", 200);
    } else if (s->index != SPAN_RENDER) {
        out_attribute(file, &first, "http.request.method", route_method(r->route));
        out_attribute(file, &first, "http.route", route_path(r->route));
        out_attribute_int(file, &first, "http.response.status_code", r->status);
    }
    putc(']', file);
}

static void write_failure(FILE *file, const struct story *story, const struct request *r,
                          const struct span *s)
{
    bool memory = request_incident(r);
    bool first = true;

    if (s->index == SPAN_WEB) {
        fputs(",\"events\":[{", file);
        out_time(file, "timeUnixNano", story->t0 + r->start + s->start + s->duration - MILLI);
        fputs(",\"name\":\"exception\",\"attributes\":[", file);
        out_attribute(file, &first, "exception.type",
                      memory ? "java.lang.OutOfMemoryError" : "java.lang.IllegalStateException");
        out_attribute(file, &first, "exception.message",
                      memory ? "Java heap space" : "cart is already closed");
        fputs("]}]", file);
    }
    fprintf(file, ",\"status\":{\"code\":%d,\"message\":\"%s\"}", STATUS_ERROR,
            s->index != SPAN_WEB ? "upstream failed"
            : memory             ? "Java heap space"
                                 : "cart is already closed");
}

static void write_span(FILE *file, const struct story *story, const struct request *r,
                       const struct span *s)
{
    char trace[33];
    char id[17];
    char parent[17] = "";

    request_trace_id(r, trace);
    request_span_id(r, s->index, id);
    if (s->parent != s->index)
        request_span_id(r, s->parent, parent);
    fprintf(file, "{\"traceId\":\"%s\",\"spanId\":\"%s\",\"parentSpanId\":\"%s\",\"name\":", trace,
            id, parent);
    out_json_string(file, s->name);
    fprintf(file, ",\"kind\":%d,", s->kind);
    out_time(file, "startTimeUnixNano", story->t0 + r->start + s->start);
    putc(',', file);
    out_time(file, "endTimeUnixNano", story->t0 + r->start + s->start + s->duration);
    write_attributes(file, r, s);
    if (is_error(r, s->index))
        write_failure(file, story, r, s);
    else
        fputs(",\"status\":{}", file);
    putc('}', file);
}

static void write_request(FILE *file, const struct story *story, const struct request *r,
                          enum source source, bool *first_source, bool *first,
                          struct totals *totals)
{
    for (unsigned i = 0; i < SPAN_DATABASE + r->databases; i++) {
        struct span span;

        if (!has_span(r, i))
            continue;
        describe(r, i, &span);
        if (span.source != source)
            continue;
        if (*first) {
            fputs(*first_source ? "{" : ",{", file);
            *first_source = false;
            out_resource(file, source);
            fprintf(file, ",\"scopeSpans\":[{\"scope\":{\"name\":\"%s\"},\"spans\":[",
                    source_info(source)->scope);
        } else {
            putc(',', file);
        }
        *first = false;
        write_span(file, story, r, &span);
        totals->spans++;
    }
}

static void write_batch(FILE *file, const struct story *story, size_t from, size_t to,
                        struct totals *totals)
{
    bool first_source = true;

    for (unsigned source = 0; source < SOURCE_PODS; source++) {
        bool first = true;

        for (size_t i = from; i < to; i++)
            if (story->requests[i].sampled)
                write_request(file, story, &story->requests[i], (enum source)source, &first_source,
                              &first, totals);
        if (!first)
            fputs("]}]}", file);
    }
}

int traces_write(const struct story *story, const char *dir, struct totals *totals)
{
    FILE *file = out_open(dir, "traces.jsonl");
    size_t to;

    if (!file)
        return -1;
    for (size_t from = 0; from < story->request_count; from = to) {
        int64_t batch = (story->requests[from].start - STORY_BEGIN) / BATCH;
        size_t sampled = 0;

        for (to = from; to < story->request_count &&
                        (story->requests[to].start - STORY_BEGIN) / BATCH == batch;
             to++)
            sampled += story->requests[to].sampled;
        totals->traces += sampled;
        if (!sampled)
            continue;
        fputs("{\"resourceSpans\":[", file);
        write_batch(file, story, from, to, totals);
        fputs("]}\n", file);
    }
    return out_close(file, dir, "traces.jsonl");
}
