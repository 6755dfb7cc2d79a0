/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.json as the structs of the contract. sonde-plugin(7) describes the file.
 *
 * Ownership: all of it lies in the fixture's pool. Threads: one at a time.
 */
#ifndef SONDE_TESTKIT_FIXTURE_H
#define SONDE_TESTKIT_FIXTURE_H

#include "base.h"
#include <sonde/plugin.h>

struct kit_answer {
    const char *prefix; /* of the path; NULL: by tag, or for any request */
    uint32_t has_tag;
    uint32_t tag;
    uint32_t status;
    uint32_t has_head;
    uint32_t outcome;
    uint32_t times; /* 0: always */
    uint32_t used;
    struct sonde_pair *headers;
    size_t header_count;
    const char *body;
    size_t body_size;
};

/* Bytes, not chunks: the moment must be the same at every chunk size. */
struct kit_cancel {
    uint32_t after_requests; /* 0: not by requests */
    uint32_t in_answer;      /* counts from 1; 0: not by answers */
    int64_t after_bytes;     /* of that answer; -1: after its end */
};

struct kit_fixture {
    struct kit_pool pool;
    const char *name; /* its folder, for messages */
    const char *url;
    const char *ui_kind;
    const char *tenant;
    const char *ui_param;
    struct sonde_pair *params; /* as in the file: defaults come from the table */
    size_t param_count;
    struct sonde_pair *facts;
    size_t fact_count;
    struct sonde_query query;
    int64_t now_ns;
    int wants_link;
    uint64_t stop_after; /* rows; 0: never */
    struct kit_cancel cancel;
    struct kit_answer *answers;
    size_t answer_count;
};

/* Dies with a message when the file is not as it should be. */
void kit_fixture_read(struct kit_fixture *fixture, const char *folder);
void kit_fixture_free(struct kit_fixture *fixture);
/* The kind's name ("METRICS"), or NULL. */
const char *kit_kind_name(uint32_t kind);

#endif
