/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an answer of the Prometheus API as it arrives: the envelope with its error, warnings and
 * infos, and inside it query results, lists of names, metadata, exemplars, or plain fields.
 * Keys may come in any order; unknown ones are skipped.
 *
 * Ownership: memory is the op's, except the JSON reader's own, which promql_reader_free releases.
 * Threads: one reader, one thread.
 */
#ifndef SONDE_PROMQL_READER_H
#define SONDE_PROMQL_READER_H

#include "rows.h"

#include <sonde/json.h>

enum promql_shape {
    PROMQL_SHAPE_RESULT,    /* data {resultType, result} */
    PROMQL_SHAPE_NAMES,     /* data ["a", "b"] */
    PROMQL_SHAPE_METADATA,  /* data {name: [{type, help, unit}]} */
    PROMQL_SHAPE_EXEMPLARS, /* data [{seriesLabels, exemplars}] */
    PROMQL_SHAPE_FIELDS,    /* data {any: scalars and objects} */
};

struct promql_reader_events {
    void *user;
    /* A warning or info of the backend's. */
    void (*note)(void *user, const char *code, const char *text);
    /* 0, or PROMQL_ROW_STOP. */
    int (*name)(void *user, const char *name, size_t size);
    int (*metadata)(void *user, const char *name, size_t size, const char *type, const char *unit,
                    const char *help);
    void (*field)(void *user, const char *path, const char *value, size_t size);
};

#define PROMQL_READER_DEPTH 16

struct promql_reader {
    struct sonde_json json;
    struct promql_rows rows;
    struct promql_reader_events events;
    enum promql_shape shape;
    uint64_t limit; /* series or names wanted; 0: all */
    uint64_t seen;  /* series or names in the answer */
    bool usable;    /* json was initialised */
    bool has_data;
    bool succeeded;  /* status "success" */
    bool has_stats;  /* beside data: only VictoriaMetrics puts them there */
    bool is_partial; /* VictoriaMetrics and its cluster say that storage was missing */
    char error_type[32];
    char *error;       /* NULL: none */
    const char *fault; /* what is wrong with the answer; static */
    /* below: the reader's own */
    uint32_t depth;
    uint32_t skipped; /* containers open inside one that is not read */
    uint32_t key;
    uint32_t index; /* of the element in a pair or bucket */
    uint32_t note_count;
    uint32_t path_size;
    uint8_t roles[PROMQL_READER_DEPTH];
    uint16_t path_sizes[PROMQL_READER_DEPTH];
    char path[256];
    char result_type[16];
    bool lone; /* result is one [time, value] */
    bool warning;
    double number;
    double bucket[4];
    int64_t time_ns;
    char *lone_text;
    size_t lone_size;
    struct sonde_text scratch[4]; /* metadata: name, type, unit, help */
};

/* 0, or -1 without memory. */
int promql_reader_init(struct promql_reader *reader, const struct sonde_host *host,
                       struct sonde_ctx *ctx, const struct sonde_sink *sink,
                       const struct promql_reader_events *events);
/* Begins an answer: everything read before is forgotten. */
void promql_reader_start(struct promql_reader *reader, enum promql_shape shape, uint64_t limit);
/* PROMQL_ROW_OK, _STOP or _FAULT; what fault says is sticky. */
int promql_reader_feed(struct promql_reader *reader, const void *data, size_t size);
/* The body is complete. */
int promql_reader_end(struct promql_reader *reader);
void promql_reader_free(struct promql_reader *reader);

#endif
