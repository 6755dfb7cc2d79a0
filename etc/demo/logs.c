/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RECORDS 9000
#define POOL_SIZE (2u << 20)
#define BATCH (5 * SECOND)
#define CONTEXT 5 /* lines on each side of the anchor in truth.json */
#define ACCESS_ONE_IN 12

#define DEBUG 5
#define INFO 9
#define WARN 13
#define ERROR 17
#define FATAL 21

struct record {
    int64_t at;
    const char *body;
    struct attribute attributes[2];
    size_t request; /* index + 1; 0 none */
    unsigned order;
    enum source source;
    int severity;
    const char *decoy; /* its name in truth.json */
    bool anchor;
};

static struct record records[MAX_RECORDS];
static size_t record_count;
static char pool[POOL_SIZE];
static size_t pool_used;

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
static struct record *
say(int64_t at, enum source source, int severity, const char *format, ...)
{
    struct record *r = &records[record_count];
    size_t room = POOL_SIZE - pool_used;
    va_list args;
    int size;

    if (record_count == MAX_RECORDS || room < 4096) {
        fputs("sonde-incident: more log records than there is room for\n", stderr);
        abort();
    }
    va_start(args, format);
    size = vsnprintf(pool + pool_used, room, format, args);
    va_end(args);
    *r = (struct record){.at = at, .source = source, .severity = severity};
    r->body = pool + pool_used;
    r->order = (unsigned)record_count++;
    pool_used += (size_t)size + 1;
    return r;
}

static void access_lines(const struct story *story)
{
    struct rng rng = rng_for(story->seed, "access");

    for (size_t i = 0; i < story->request_count; i++) {
        const struct request *r = &story->requests[i];
        enum source source = r->route == ROUTE_STOCK ? SOURCE_INVENTORY : SOURCE_GATEWAY;
        int64_t end = r->start + r->duration;

        if (!r->sampled && rng_next(&rng) % ACCESS_ONE_IN != 0)
            continue;
        struct record *line =
            say(end, source, r->status == 200 ? INFO : WARN, "%s %s %d %" PRId64 "ms",
                route_method(r->route), route_path(r->route), r->status, r->duration / MILLI);
        line->request = r->sampled ? i + 1 : 0;
        if (r->sampled && r->route != ROUTE_STOCK && r->status == 200)
            say(end - 3 * MILLI, web_source(r->start), INFO, "served %s in %" PRId64 " ms",
                route_path(r->route), r->web / MILLI)
                ->request = i + 1;
    }
}

static void error_lines(const struct story *story)
{
    for (size_t i = 0; i < story->request_count; i++) {
        const struct request *r = &story->requests[i];
        struct record *line;

        if (!request_failed(r) || !r->sampled || i == story->anchor)
            continue;
        if (r->status == 500) {
            line = say(r->start + r->web, web_source(r->start), ERROR,
                       "request failed: java.lang.IllegalStateException: cart is already closed");
            line->request = i + 1;
            line->attributes[0] =
                (struct attribute){"exception.type", "java.lang.IllegalStateException"};
            continue;
        }
        line = say(r->start + r->web - 2 * MILLI, SOURCE_WEB_NEW, ERROR,
                   "export failed: java.lang.OutOfMemoryError: Java heap space");
        line->request = i + 1;
        line->attributes[0] = (struct attribute){"exception.type", "java.lang.OutOfMemoryError"};
        line->attributes[1] = (struct attribute){"http.route", "/export"};
    }
}

static void story_lines(const struct story *story)
{
    struct record *r;

    r = say(-2 * SECOND, SOURCE_DEPLOYER, INFO,
            "deploying web-app " VERSION_AFTER " to production");
    r->attributes[0] = (struct attribute){"event", "deployment.started"};
    r = say(0, SOURCE_DEPLOYER, INFO,
            "deployed web-app " VERSION_BEFORE " -> " VERSION_AFTER " in namespace production");
    r->attributes[0] = (struct attribute){"event", "deployment"};
    r->attributes[1] = (struct attribute){"version", VERSION_AFTER};
    say(0, SOURCE_WEB_NEW, INFO, "Starting WebApp v" VERSION_AFTER " using Java 17 with PID 1");
    say(2 * SECOND, SOURCE_WEB_NEW, INFO, "Started WebApp in 1.9 seconds");
    say(3 * SECOND, SOURCE_WEB_NEW, INFO,
        "export: result cache enabled (new in " VERSION_AFTER ")");
    for (int64_t at = 20 * SECOND; at < STORY_OOM - 10 * SECOND; at += 10 * SECOND)
        say(at, SOURCE_WEB_NEW, at < 120 * SECOND ? INFO : WARN,
            "GC pause (G1 Old) %" PRId64 " ms, heap %.0f MB of 410 MB", 20 + at / SECOND * 4,
            story_memory(at) * 0.8 / 1e6);
    say(STORY_OOM - 900 * MILLI, SOURCE_WEB_NEW, INFO, "export: writing 48210 rows");
    say(STORY_OOM - 600 * MILLI, SOURCE_WEB_NEW, WARN, "GC overhead: 92 %% of the last 5 s");
    say(STORY_OOM - 300 * MILLI, SOURCE_WEB_NEW, WARN, "heap 409 MB of 410 MB after full GC");
    r = say(STORY_OOM, SOURCE_WEB_NEW, ERROR,
            "OutOfMemoryError: Java heap space\n"
            "java.lang.OutOfMemoryError: Java heap space\n"
            "\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)\n"
            "\tat java.base/java.io.ByteArrayOutputStream.write(ByteArrayOutputStream.java:130)\n"
            "\tat com.example.web.ExportCache.put(ExportCache.java:88)\n"
            "\tat com.example.web.ExportController.export(ExportController.java:41)\n"
            "\tat java.base/java.lang.Thread.run(Thread.java:840)");
    r->request = story->anchor + 1;
    r->anchor = true;
    r->attributes[0] = (struct attribute){"exception.type", "java.lang.OutOfMemoryError"};
    r->attributes[1] = (struct attribute){"http.route", "/export"};
    say(STORY_OOM + 200 * MILLI, SOURCE_WEB_NEW, WARN, "export: cache holds 318 results, 301 MB");
    say(STORY_OOM + 500 * MILLI, SOURCE_WEB_NEW, INFO, "readiness probe answered in 1.4 s");
    say(STORY_OOM + 800 * MILLI, SOURCE_WEB_NEW, WARN, "GC overhead: 97 %% of the last 5 s");
    r = say(STORY_KILLED, SOURCE_KUBE_STATE, WARN,
            "Container web-app in pod production/web-app-xyz was OOMKilled (exit code 137)");
    r->attributes[0] = (struct attribute){"event", "OOMKilled"};
    r->attributes[1] = (struct attribute){"k8s.pod.name", "web-app-xyz"};
    say(STORY_KILLED + SECOND, SOURCE_WEB_NEW, INFO,
        "Starting WebApp v" VERSION_AFTER " using Java 17 with PID 1");
    say(STORY_KILLED + 3 * SECOND, SOURCE_WEB_NEW, INFO, "Started WebApp in 2.0 seconds");
}

static void decoys(const struct story *story)
{
    struct rng rng = rng_for(story->seed, "decoys");
    struct record *r;

    for (int i = 0; i < 1500; i++)
        say(120 * SECOND + (int64_t)(rng_unit(&rng) * 120e9), SOURCE_PAYMENTS, WARN,
            "card processor answered slowly, retry %d of 3", (int)(rng_next(&rng) % 3) + 1)
            ->decoy = "payments_warn_flood";
    r = say(-1200 * SECOND, SOURCE_INVENTORY, ERROR, "search index refused the query");
    r->attributes[0] = (struct attribute){"search.query", "OutOfMemoryError"};
    r->decoy = "word_in_other_field";
    for (int i = 0; i < 2; i++)
        say(100 * SECOND + 123456789, SOURCE_WEB_NEW, INFO, "session %c refreshed", 'a' + i)
            ->decoy = "same_nanosecond";
    say(-400 * SECOND, SOURCE_WEB_OLD, INFO,
        "caf\xc3\xa9 \xe2\x98\x83 \xf0\x9f\x9a\x80 \xe6\x9d\xb1\xe4\xba\xac \x1b[31mred\x1b[0m "
        "bell\a end")
        ->decoy = "utf8_and_control";
    say(STORY_OOM - 5 * SECOND, SOURCE_STAGING_WEB, ERROR, "fixture server refused the connection")
        ->decoy = "staging_same_pod";
    for (int64_t at = STORY_BEGIN; at < STORY_END; at += SECOND)
        if (inventory_cron(at) && !inventory_cron(at - SECOND))
            say(at, SOURCE_INVENTORY, INFO, "cron: recount of 4000 items begins")->decoy =
                "inventory_cron";
    for (int64_t at = STORY_BEGIN + SECOND; at < STORY_END; at += 8 * SECOND)
        say(at, SOURCE_STAGING_WEB, DEBUG, "heartbeat");
    for (int64_t at = STORY_BEGIN + 2 * SECOND; at < STORY_END; at += 10 * SECOND)
        say(at, SOURCE_PAYMENTS, INFO, "settled %d payments", (int)(rng_next(&rng) % 20) + 5);
}

static int by_time(const void *a, const void *b)
{
    const struct record *x = a;
    const struct record *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static const char *severity_text(int severity)
{
    return severity == DEBUG   ? "DEBUG"
           : severity == INFO  ? "INFO"
           : severity == WARN  ? "WARN"
           : severity == FATAL ? "FATAL"
                               : "ERROR";
}

static void write_record(FILE *file, const struct story *story, const struct record *r)
{
    bool first = true;

    putc('{', file);
    out_time(file, "timeUnixNano", story->t0 + r->at);
    putc(',', file);
    out_time(file, "observedTimeUnixNano", story->t0 + r->at + 4 * MILLI);
    fprintf(file, ",\"severityNumber\":%d,\"severityText\":\"%s\",\"body\":{\"stringValue\":",
            r->severity, severity_text(r->severity));
    out_json_string(file, r->body);
    fputs("},\"attributes\":[", file);
    for (size_t i = 0; i < 2 && r->attributes[i].key; i++)
        out_attribute(file, &first, r->attributes[i].key, r->attributes[i].value);
    putc(']', file);
    if (r->request) {
        const struct request *request = &story->requests[r->request - 1];
        unsigned span = SPAN_ENTRY;
        char trace[33];
        char id[17];

        if (r->source == SOURCE_WEB_OLD || r->source == SOURCE_WEB_NEW)
            span = SPAN_WEB;
        request_trace_id(request, trace);
        request_span_id(request, span, id);
        fprintf(file, ",\"flags\":1,\"traceId\":\"%s\",\"spanId\":\"%s\"", trace, id);
    }
    putc('}', file);
}

static void write_source(FILE *file, const struct story *story, size_t from, size_t to,
                         enum source source, bool *first_source)
{
    bool first = true;

    for (size_t i = from; i < to; i++) {
        if (records[i].source != source)
            continue;
        if (first) {
            fputs(*first_source ? "{" : ",{", file);
            *first_source = false;
            out_resource(file, source);
            fprintf(file, ",\"scopeLogs\":[{\"scope\":{\"name\":\"%s\"},\"logRecords\":[",
                    source_info(source)->scope);
        } else {
            putc(',', file);
        }
        first = false;
        write_record(file, story, &records[i]);
    }
    if (!first)
        fputs("]}]}", file);
}

int logs_write(const struct story *story, const char *dir, struct totals *totals)
{
    FILE *file = out_open(dir, "logs.jsonl");
    size_t to;

    if (!file)
        return -1;
    access_lines(story);
    error_lines(story);
    story_lines(story);
    decoys(story);
    qsort(records, record_count, sizeof(records[0]), by_time);
    for (size_t from = 0; from < record_count; from = to) {
        int64_t batch = (records[from].at - STORY_BEGIN) / BATCH;
        bool first = true;

        for (to = from; to < record_count && (records[to].at - STORY_BEGIN) / BATCH == batch; to++)
            totals->log_severity[records[to].severity]++;
        fputs("{\"resourceLogs\":[", file);
        for (unsigned source = 0; source < SOURCE_COUNT; source++)
            write_source(file, story, from, to, (enum source)source, &first);
        fputs("]}\n", file);
    }
    totals->log_records = record_count;
    return out_close(file, dir, "logs.jsonl");
}

static void write_line_truth(FILE *file, const struct record *r, bool *first)
{
    fprintf(file,
            "%s{\"offset_ns\":%" PRId64 ",\"severity\":\"%s\",\"message\":", *first ? "" : ",",
            r->at, severity_text(r->severity));
    out_json_string(file, r->body);
    putc('}', file);
    *first = false;
}

static void write_decoy_truth(FILE *file, const char *decoy)
{
    const struct record *first = NULL;
    size_t n = 0;

    for (size_t i = 0; i < record_count; i++) {
        if (!records[i].decoy || strcmp(records[i].decoy, decoy) != 0)
            continue;
        if (!first)
            first = &records[i];
        n++;
    }
    fprintf(file,
            "\"%s\":{\"count\":%zu,\"first_offset_ns\":%" PRId64 ",\"service\":\"%s\",\"message\":",
            decoy, n, first ? first->at : 0,
            first ? source_attribute(first->source, "service.name") : "");
    out_json_string(file, first ? first->body : "");
    putc('}', file);
}

void logs_write_truth(FILE *file)
{
    static const char *const names[] = {"payments_warn_flood", "word_in_other_field",
                                        "same_nanosecond",     "utf8_and_control",
                                        "staging_same_pod",    "inventory_cron"};
    size_t stream[MAX_RECORDS];
    size_t n = 0;
    size_t anchor = 0;
    bool first = true;

    for (size_t i = 0; i < record_count; i++) {
        if (records[i].source != SOURCE_WEB_NEW)
            continue;
        if (records[i].anchor)
            anchor = n;
        stream[n++] = i;
    }
    fputs("\"context\":{\"before\":[", file);
    for (size_t i = anchor - CONTEXT; i < anchor; i++)
        write_line_truth(file, &records[stream[i]], &first);
    fputs("],\"after\":[", file);
    first = true;
    for (size_t i = anchor + 1; i <= anchor + CONTEXT; i++)
        write_line_truth(file, &records[stream[i]], &first);
    fputs("]},\"decoys\":{", file);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (i)
            putc(',', file);
        write_decoy_truth(file, names[i]);
    }
    putc('}', file);
}
