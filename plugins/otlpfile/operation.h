/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation: the list of files, then each file that matters, in order of name; rows out at the
 * end, when all of them have been read once.
 *
 * Ownership: the operation's memory; reader_free and sonde_json_free for the rest in op_end.
 * Threads: one at a time.
 */
#ifndef OTLPFILE_OPERATION_H
#define OTLPFILE_OPERATION_H

#include "ast.h"
#include "eval.h"
#include "reader.h"
#include "series.h"

#define MAX_FILES 1000
#define TAG_LIST 1u
#define TAG_FILE 2u /* and up, a tag a file */

extern const struct sonde_host *otlpfile_host;

struct instance {
    const char *patterns; /* "metrics*.jsonl,metrics*.json" */
};

struct file {
    const char *name;
    int64_t size;
    int64_t mtime_ns;
};

/* How a selector reads the metric at hand. */
enum variant { VARIANT_NONE, VARIANT_PLAIN, VARIANT_BUCKET, VARIANT_COUNT, VARIANT_SUM };

/* A metric, label or value of a list. */
struct entry {
    const char *text;
    const char *unit;
    const char *help;
    uint32_t type;
    bool touched;
    uint64_t count;
};

struct found_exemplar {
    const struct series *series;
    uint64_t series_id;
    struct point_exemplar exemplar;
};

struct listing {
    struct sonde_json json;
    bool json_ready;
    char key[16];
    struct file file;
    uint32_t depth;
};

struct operation {
    struct memory memory;
    const struct instance *instance;
    const struct sonde_query *query;
    const struct sonde_sink *sink;
    struct ast ast;
    struct matcher *filters; /* of kinds without selectors */
    const char *metric_norm; /* of the label kinds; NULL any */
    const char *label_norm;
    int64_t begin_ns; /* points of interest to names and exemplars */
    int64_t end_ns;

    bool listed;
    bool in_flight;
    uint32_t status; /* HTTP status of the answer that arrives */
    char body[2048]; /* of an error */
    size_t body_size;
    struct listing listing;
    struct file *all_files;
    size_t all_count;
    size_t all_capacity;
    struct file *files; /* those to read */
    size_t file_count;
    size_t next_file;
    const char *path;

    struct reader *reader;
    enum variant variants[MAX_SELECTORS];
    bool name_seen[MAX_SELECTORS];
    size_t good_files;     /* held OTLP, or nothing at all */
    char first_fault[512]; /* why a file was none */
    struct entry *entries;
    size_t entry_count;
    size_t entry_capacity;
    struct entry *current; /* of the metric at hand */
    uint64_t *seen;        /* hashes, open addressing; 0 free */
    size_t seen_count;
    size_t seen_size;
    struct found_exemplar *exemplars;
    size_t exemplar_count;
    size_t exemplar_capacity;
    bool finished;
};

/* request.c: the query becomes a plan, the plan requests. */
int32_t operation_plan(struct operation *op);
/* Fills in the next request: SONDE_REQUEST, WAIT, DONE when all was read, or an error class. */
int32_t operation_request(struct operation *op, struct sonde_request *request);
/* files.c: what the folder holds. */
int32_t listing_begin(struct operation *op);
int32_t listing_feed(struct operation *op, const void *data, size_t size);
int32_t listing_end(struct operation *op);
/* Emits what is known of the folder: for probe and health. */
void listing_emit_backend(struct operation *op);
/* collect.c: points become series, names or exemplars. */
extern const struct reader_handler collect_handler;
/* After a file: what could not be read. */
int32_t collect_file_end(struct operation *op, const struct file *file);
/* True the first time. */
bool collect_is_new(struct operation *op, uint64_t hash);
/* response.c */
int32_t response_finish(struct operation *op);
int32_t response_head(struct operation *op, uint32_t tag, const struct sonde_response_head *head);
int32_t response_data(struct operation *op, uint32_t tag, const void *data, size_t size);
int32_t response_end(struct operation *op, uint32_t tag, const struct sonde_outcome *outcome);
/* host->fail for memory that ran out. */
int32_t fail_memory(struct operation *op);

#endif
