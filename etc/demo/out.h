/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the story's files: a little JSON and OTLP/JSON on top of stdio.
 *
 * Ownership: out_open's file is closed by out_close. Threads: one file, one thread.
 */
#ifndef DEMO_OUT_H
#define DEMO_OUT_H

#include "story.h"

#include <stdio.h>

/* DIR/NAME for writing; NULL with a message on stderr. */
FILE *out_open(const char *dir, const char *name);
/* 0, or -1 with a message when anything could not be written. */
int out_close(FILE *file, const char *dir, const char *name);
void out_json_string(FILE *file, const char *text);
/* {"key":...,"value":{"stringValue":...}}, with a comma before it unless it is the first. */
void out_attribute(FILE *file, bool *first, const char *key, const char *value);
void out_attribute_int(FILE *file, bool *first, const char *key, long long value);
/* "resource":{"attributes":[...]} */
void out_resource(FILE *file, enum source source);
/* A member of ns since the epoch, as OTLP/JSON writes 64-bit integers: "name":"123". */
void out_time(FILE *file, const char *name, int64_t at);

struct totals {
    size_t metric_streams;
    size_t metric_points;
    size_t exemplars;
    size_t log_records;
    size_t log_severity[25]; /* by OTLP severity number */
    size_t traces;
    size_t spans;
};

int metrics_write_otlp(const struct story *story, const char *dir, struct totals *totals);
int metrics_write_openmetrics(const struct story *story, const char *dir);
int logs_write(const struct story *story, const char *dir, struct totals *totals);
/* The records around the anchor in the same stream, and the decoys, as members of truth.json. */
void logs_write_truth(FILE *file);
int traces_write(const struct story *story, const char *dir, struct totals *totals);
int truth_write(const struct story *story, const char *dir, const struct totals *totals);

#endif
