/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller reads: one JSON object that fits its budget, says what was left out and how to get it; and the same facts as text.
 *
 * Ownership: answer_finish frees. Threads: one thread builds it, then immutable.
 */
#ifndef ANSWER_ANSWER_H
#define ANSWER_ANSWER_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/timeinput.h"
#include "base/zone.h"
#include "model/result.h"

struct answer {
    char *json; /* structuredContent, complete on its own; mem_free */
    size_t json_size;
    char *text; /* content: the same facts, shorter */
    size_t text_size;
    char *
        blocks; /* further content blocks: JSON objects joined by commas, put after the text; NULL none; mem_free */
    size_t blocks_size;
    bool is_error;
    int code;        /* of the error; 0: well */
    int64_t wait_ms; /* come back after; 0 unknown */
};
void answer_finish(struct answer *answer);

/* Estimated tokens, by runs of letters, digits and punctuation: at most a tenth below what tokenizers count, rarely a third above. */
size_t tokens_json(const char *text, size_t size);
size_t tokens_text(const char *text, size_t size);

/* How one connection fared. */
struct answer_connection {
    const char *name;
    const char *error; /* NULL well */
    const char *error_class;
    size_t returned;
    const char *url;          /* for a person; NULL none */
    const char *executed;     /* NULL: as the envelope's */
    int64_t newest_sample_ns; /* 0 unknown */
    int64_t cached_ns;        /* wall clock: when the rows were fetched, if not now; 0: just now */
};

/* The parts every answer has; NULL, 0 or empty ones are left out. */
struct envelope {
    const struct time_window *window; /* NULL: none */
    const struct zone *zone;
    struct answer_connection *connections;
    size_t connection_count;
    const char *const *not_asked;
    size_t not_asked_count;
    const char *query_executed;
    int64_t query_time_ns;
    const char *const *notes;
    size_t note_count;
    const char *url;
    struct answer_next {
        const char *tool;
        const char *arguments; /* JSON object */
        const char *why;
    } next[3];
    size_t next_count;
    size_t budget; /* tokens; each of json and text keeps it */
};

/* One series of one connection. */
struct answer_series {
    const struct series *series;
    const char *connection; /* shown on the row when several were asked */
};

struct answer_metrics {
    struct envelope envelope;
    const struct answer_series *series;
    size_t series_count; /* all of them; shaping chooses */
    size_t skip;         /* of the order by interest: where a cursor goes on */
    size_t max_series;   /* 0: no wish */
    bool instant;
    size_t (*make_cursor)(
        void *user, size_t next_skip,
        char out[65]); /* called when rows were left out; returns its length, 0 none */
    void *user;
};
/* 0 or ERR_MEMORY. ret_shown: series shown with samples or summary. */
int answer_metrics(const struct answer_metrics *input, struct answer *ret_answer,
                   size_t *ret_shown);

/* Names with type, unit, help; or values of one label. */
struct answer_names {
    struct envelope envelope;
    const char *rows_key; /* "metrics" or "values" */
    struct answer_name {
        const struct name_row *row;
        const char *connections; /* "a, b": where it is; NULL when only one was asked */
    } * names;
    size_t name_count;
    uint64_t total; /* rows there are in all */
    bool total_at_least;
    size_t skip;
    size_t (*make_cursor)(void *user, size_t next_skip, char out[65]);
    void *user;
};
int answer_names(const struct answer_names *input, struct answer *ret_answer);

/* An error that teaches; json and text hold the same. accepted and next may be NULL. */
int answer_error(int code, const char *message, struct envelope *envelope,
                 struct answer *ret_answer);

/* min, max, avg, p95, last and trend over the samples that are numbers. */
struct series_summary {
    size_t count; /* finite samples */
    double min, max, avg, p95, last, first;
    int64_t min_ns, max_ns, last_ns;
    int64_t changed_ns; /* of a step, spike or drop; 0 none */
    const char *trend;  /* "flat", "rising", "falling", "spike", "drop", "step up", "step down" */
    double interest;    /* ranking: larger first */
};
void series_summarise(const struct series *series, struct series_summary *ret_summary);
/* Indices of at most n samples that keep first, last, every bucket's minimum and maximum, in time order. Returns how many. */
size_t downsample_min_max(const struct series *series, size_t n, size_t *ret_indices);

#endif
