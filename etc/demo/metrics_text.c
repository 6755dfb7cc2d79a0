/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same series in the OpenMetrics text format, named as Prometheus translates OTLP names
 * (underscores and suffixes), for `promtool tsdb create-blocks-from openmetrics`. The exponential
 * histogram has no form in that text and is left out.
 */
#include "metrics.h"
#include "out.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MAX_NAME 128

static void append(char *name, const char *text)
{
    size_t used = strlen(name);

    snprintf(name + used, MAX_NAME - used, "%s", text);
}

static void escape(const char *text, char ret_name[MAX_NAME])
{
    size_t i = 0;

    for (; text[i] && i + 1 < MAX_NAME; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        ret_name[i] = plain ? c : '_';
    }
    ret_name[i] = '\0';
}

/* Without the _total of a counter: that is the family's name. */
static void family_name(const struct series *s, char ret_name[MAX_NAME])
{
    const char *suffix = "";
    size_t size;

    escape(s->name, ret_name);
    size = strlen(ret_name);
    if (s->kind == KIND_COUNTER && size > 6 && strcmp(ret_name + size - 6, "_total") == 0)
        ret_name[size - 6] = '\0';
    if (strcmp(s->unit, "s") == 0)
        suffix = "_seconds";
    else if (strcmp(s->unit, "By") == 0)
        suffix = "_bytes";
    else if (strcmp(s->unit, "1") == 0 && s->kind == KIND_GAUGE && strcmp(s->name, "build_info"))
        suffix = "_ratio";
    if (!strstr(ret_name, suffix))
        append(ret_name, suffix);
}

static void write_label(FILE *file, bool *first, const char *key, const char *value)
{
    char name[MAX_NAME];

    escape(key, name);
    fprintf(file, "%s%s=", *first ? "" : ",", name);
    out_json_string(file, value);
    *first = false;
}

static void write_sample(FILE *file, const struct story *story, const struct series *s, int k,
                         const char *suffix, const char *le, double value)
{
    const struct attribute *a = source_info(s->source)->attributes;
    const char *job = source_attribute(s->source, "service.name");
    int64_t ms = (story->t0 + sample_time(k)) / MILLI;
    char name[MAX_NAME];
    bool first = true;

    family_name(s, name);
    fprintf(file, "%s%s{", name, suffix);
    if (job) {
        write_label(file, &first, "job", job);
        write_label(file, &first, "instance", source_attribute(s->source, "service.instance.id"));
    }
    for (size_t i = 0; i < MAX_ATTRIBUTES && a[i].key; i++)
        write_label(file, &first, a[i].key, a[i].value);
    for (size_t i = 0; i < 5 && s->attributes[i].key; i++)
        write_label(file, &first, s->attributes[i].key, s->attributes[i].value);
    if (le)
        write_label(file, &first, "le", le);
    if (isnan(value))
        fputs("} NaN", file);
    else
        fprintf(file, "} %.12g", value);
    fprintf(file, " %" PRId64 ".%03" PRId64 "\n", ms / 1000, ms % 1000);
}

static void write_histogram(FILE *file, const struct story *story, const struct series *s, int k)
{
    const struct cell *cell = metrics_cell(s, k);
    uint64_t total = 0;

    for (size_t b = 0; b <= BOUND_COUNT; b++) {
        char le[32] = "+Inf";

        if (b < BOUND_COUNT)
            snprintf(le, sizeof(le), "%g", metric_bounds[b]);
        total += cell->buckets[b];
        write_sample(file, story, s, k, "_bucket", le, (double)total);
    }
    write_sample(file, story, s, k, "_count", NULL, (double)cell->count);
    write_sample(file, story, s, k, "_sum", NULL, cell->sum);
}

static void write_family(FILE *file, const struct story *story, size_t head)
{
    static const char *const types[] = {[KIND_GAUGE] = "gauge",
                                        [KIND_COUNTER] = "counter",
                                        [KIND_UPDOWN] = "gauge",
                                        [KIND_HISTOGRAM] = "histogram"};
    const struct series *first = metrics_series(head);
    char name[MAX_NAME];

    family_name(first, name);
    fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, first->help, name, types[first->kind]);
    for (size_t i = head; i < metrics_count(); i++) {
        const struct series *s = metrics_series(i);

        if (strcmp(s->name, first->name) != 0)
            continue;
        for (int k = s->first; k <= s->last; k++) {
            if (s->kind == KIND_HISTOGRAM)
                write_histogram(file, story, s, k);
            else
                write_sample(file, story, s, k, s->kind == KIND_COUNTER ? "_total" : "", NULL,
                             s->values[k]);
        }
    }
}

int metrics_write_openmetrics(const struct story *story, const char *dir)
{
    FILE *file = out_open(dir, "metrics.om");

    if (!file)
        return -1;
    metrics_build(story);
    for (size_t i = 0; i < metrics_count(); i++) {
        const struct series *s = metrics_series(i);
        bool seen = s->kind == KIND_EXPONENTIAL;

        for (size_t j = 0; j < i; j++)
            seen |= strcmp(metrics_series(j)->name, s->name) == 0;
        if (!seen)
            write_family(file, story, i);
    }
    fputs("# EOF\n", file);
    return out_close(file, dir, "metrics.om");
}
