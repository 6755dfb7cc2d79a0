/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer must say about the story. Times are offsets from T0 in ns. */
#include "out.h"

#include <inttypes.h>

static void write_ids(FILE *file, const struct story *story, const char *name, bool incident)
{
    bool first = true;

    fprintf(file, "\"%s\":[", name);
    for (size_t i = 0; i < story->request_count; i++) {
        const struct request *r = &story->requests[i];
        char id[33];

        if (!r->sampled || !request_failed(r) || request_incident(r) != incident)
            continue;
        request_trace_id(r, id);
        fprintf(file, "%s\"%s\"", first ? "" : ",", id);
        first = false;
    }
    putc(']', file);
}

static void write_trace_facts(FILE *file, const struct story *story, const struct totals *totals)
{
    char id[33];
    char span[17];

    fprintf(file, "\"traces\":{\"count\":%zu,\"spans\":%zu,", totals->traces, totals->spans);
    write_ids(file, story, "error_traces", true);
    putc(',', file);
    write_ids(file, story, "background_error_traces", false);
    request_trace_id(&story->requests[story->huge], id);
    fprintf(file, ",\"huge_trace\":{\"trace_id\":\"%s\",\"spans\":%u}", id,
            request_span_count(&story->requests[story->huge]));
    request_trace_id(&story->requests[story->skewed], id);
    request_span_id(&story->requests[story->skewed], SPAN_PAYMENT, span);
    fprintf(file, ",\"skewed_span\":{\"trace_id\":\"%s\",\"span_id\":\"%s\"}", id, span);
    fputs(",\"error_attribute\":{\"http.route\":\"/export\"},\"error_seconds\":[5,9]}", file);
}

static void write_log_facts(FILE *file, const struct story *story, const struct totals *totals)
{
    const struct request *anchor = &story->requests[story->anchor];
    char id[33];
    char span[17];

    request_trace_id(anchor, id);
    request_span_id(anchor, SPAN_WEB, span);
    fprintf(file,
            "\"logs\":{\"count\":%zu,\"by_severity\":{\"debug\":%zu,\"info\":%zu,\"warn\":%zu,"
            "\"error\":%zu},",
            totals->log_records, totals->log_severity[5], totals->log_severity[9],
            totals->log_severity[13], totals->log_severity[17]);
    fprintf(file,
            "\"anchor\":{\"offset_ns\":%" PRId64 ",\"service\":\"web-app\",\"pod\":\"web-app-xyz\","
            "\"namespace\":\"production\",\"message\":\"OutOfMemoryError: Java heap space\","
            "\"trace_id\":\"%s\",\"span_id\":\"%s\"},",
            STORY_OOM, id, span);
    logs_write_truth(file);
    putc('}', file);
}

static void write_metric_facts(FILE *file, const struct totals *totals)
{
    fprintf(file,
            "\"metrics\":{\"streams\":%zu,\"points\":%zu,\"exemplars\":%zu,\"step_ns\":%" PRId64
            ",\"samples\":%d,",
            totals->metric_streams, totals->metric_points, totals->exemplars, STORY_STEP,
            STORY_SAMPLES);
    fprintf(file,
            "\"cpu\":{\"metric\":\"k8s.pod.cpu.usage\",\"counter\":"
            "\"container_cpu_usage_seconds_total\",\"unit\":\"cores\",\"before\":%.2f,"
            "\"after\":%.2f,\"tolerance\":0.05,\"change_offset_ns\":%" PRId64 "},",
            CPU_BEFORE, CPU_AFTER, STORY_SPIKE);
    fprintf(file,
            "\"memory\":{\"metric\":\"k8s.pod.memory.working_set\",\"unit\":\"By\",\"before\":%.0f,"
            "\"limit\":%.0f,\"rises_from_offset_ns\":0,\"full_offset_ns\":%" PRId64 "},",
            MEMORY_FLAT, MEMORY_LIMIT, STORY_OOM);
    fputs("\"latency\":{\"metric\":\"http.server.request.duration\",\"p95_before_s\":0.18,"
          "\"p95_after_s\":4.0},\"requests_per_second\":12,",
          file);
    fputs("\"nan_gap\":{\"metric\":\"inventory.items\",\"samples\":5},"
          "\"cron\":{\"service\":\"inventory\",\"offsets_ns\":[-1620000000000,-720000000000,"
          "180000000000],\"period_ns\":900000000000}}",
          file);
}

int truth_write(const struct story *story, const char *dir, const struct totals *totals)
{
    FILE *file = out_open(dir, "truth.json");

    if (!file)
        return -1;
    fprintf(file, "{\"seed\":\"%" PRIu64 "\",\"t0_ns\":\"%" PRId64 "\",", story->seed, story->t0);
    fprintf(file, "\"begin_offset_ns\":%" PRId64 ",\"end_offset_ns\":%" PRId64 ",", STORY_BEGIN,
            STORY_END);
    fprintf(file,
            "\"culprit\":{\"service\":\"web-app\",\"namespace\":\"production\","
            "\"version\":\"%s\",\"route\":\"/export\",\"pod\":\"web-app-xyz\"},",
            VERSION_AFTER);
    fprintf(file,
            "\"deploy\":{\"offset_ns\":0,\"service\":\"web-app\",\"from\":\"%s\",\"to\":\"%s\","
            "\"pod_from\":\"web-app-uvw\",\"pod_to\":\"web-app-xyz\"},",
            VERSION_BEFORE, VERSION_AFTER);
    fprintf(file,
            "\"oom\":{\"offset_ns\":%" PRId64 "},\"oom_killed\":{\"offset_ns\":%" PRId64
            ",\"restarts\":1},",
            STORY_OOM, STORY_KILLED);
    write_metric_facts(file, totals);
    putc(',', file);
    write_log_facts(file, story, totals);
    putc(',', file);
    write_trace_facts(file, story, totals);
    fputs("}\n", file);
    return out_close(file, dir, "truth.json");
}
