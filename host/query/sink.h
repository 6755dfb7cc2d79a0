/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink of one operation: rows of the adapter become a result.
 *
 * Ownership: the sink owns the result it builds until sink_seal. Threads: the operation's.
 */
#ifndef QUERY_SINK_H
#define QUERY_SINK_H

#include <sonde/plugin.h>
#include "model/result.h"
#include "query/at_end.h"
#include "query/facts.h"
#include "query/samples.h"

struct sink_settings {
    const struct sonde_plugin *table;
    struct facts *facts;
    struct budget *budget;
    uint64_t max_points;
    uint32_t max_series;
    size_t max_bytes;
};

struct sink {
    const struct sink_settings *settings;
    struct result *result;
    struct samples samples;
    struct at_end at_end;
    struct name_row *names;
    size_t name_count;
    size_t name_capacity;
    struct scope_row *scopes;
    size_t scope_count;
    size_t scope_capacity;
    struct note_row *notes;
    size_t note_count;
    size_t note_capacity;
    uint64_t rows;    /* emitted so far */
    bool full;        /* STOP from here on: the result can hold no more */
    bool closed;      /* the operation is ending: rows are dropped, what leaves requests is not */
    struct err error; /* a fault of the plugin's that ends the operation; code 0 none */
};

/* 0 or ERR_MEMORY. query and settings live as long as the sink. */
int sink_init(struct sink *sink, const struct sink_settings *settings,
              const struct sonde_query *query);
void sink_finish(struct sink *sink);
/* Marks the answer partial unless it already is. */
void sink_partial(struct sink *sink, uint32_t reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The result, complete and immutable. 0 or ERR_MEMORY. */
int sink_seal(struct sink *sink, struct result **ret_result);

/* What adapters call; a ctx's owner is its struct sink. */
const struct sonde_sink *sink_table(void);

#endif
