/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an adapter emits, written down as JSON, and the faults it shows while doing so.
 *
 * Ownership: the record owns its texts until kit_record_free. Threads: one at a time.
 */
#ifndef SONDE_TESTKIT_RECORD_H
#define SONDE_TESTKIT_RECORD_H

#include "base.h"
#include <sonde/plugin.h>

#define KIT_AT_END_SLOTS 8

/* A row; of a series with its points, so that batches leave no trace. */
struct kit_row {
    struct kit_text text;   /* an object without its closing brace */
    struct kit_text points; /* of a series */
    struct kit_text labels; /* of a series, as an object */
    uint64_t id;
    int is_series;
};

struct kit_record {
    struct kit_row *rows;
    size_t row_count;
    size_t row_capacity;
    uint64_t seen; /* rows and points handed in */
    uint64_t stop_after;
    int counts_only;   /* rows are counted and dropped */
    uint32_t requests; /* made so far */
    struct kit_text request_list;
    struct kit_text executed;
    struct kit_text notes;
    struct kit_text partial;
    struct kit_text total;
    struct kit_text facts;
    struct kit_text unapplied;
    struct kit_text rates;
    struct kit_text resume;
    struct kit_text endpoints;
    struct kit_text at_end[KIT_AT_END_SLOTS];
    uint32_t fact_count;
    struct kit_text problems; /* breaches of the contract, one a line */
};

/* Notes a breach of the contract. */
void kit_problem(struct kit_record *record, const char *format, ...) KIT_PRINTF(2, 3);
/* An object of members as JSON: method, path and whatever else was set. attempt 0 or 1 is not written. */
void kit_write_request(struct kit_text *text, const struct sonde_request *request,
                       uint32_t attempt);
/* The record as want.json, result and error (NULL none) with it. */
void kit_record_write(const struct kit_record *record, const char *result, const char *error,
                      const char *link, struct kit_text *ret_text);
/* Rows alone, sorted, one a line: for comparing runs in which answers came in another order. */
void kit_record_sorted(const struct kit_record *record, struct kit_text *ret_text);
void kit_record_free(struct kit_record *record);

/* A sink whose ctx leads to a record by kit_record_of, which the run defines. */
extern const struct sonde_sink KIT_SINK;
struct kit_record *kit_record_of(struct sonde_ctx *ctx);
/* The run's, because a request left for the end is checked like any other. */
void kit_check_request(struct sonde_ctx *ctx, const struct sonde_request *request);
void kit_keep_fact(struct sonde_ctx *ctx, const char *key, const char *value);

#endif
