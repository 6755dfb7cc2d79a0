/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of an adapter over a fixture: the part of the host, without its network.
 *
 * Ownership: kit_run_free frees what a run gave. Threads: one at a time.
 */
#ifndef SONDE_TESTKIT_RUN_H
#define SONDE_TESTKIT_RUN_H

#include "fixture.h"
#include "record.h"

#define KIT_ENDPOINTS_MAX 64u
#define KIT_FACTS_MAX 64u

struct kit_run;

/* What the adapter holds of the host. */
struct sonde_ctx {
    struct kit_pool pool;
    struct kit_run *run;
};

/* How a run goes; the same fixture must give the same rows however it goes. */
struct kit_manner {
    size_t chunk;    /* bytes of an answer at a time; 0: whole */
    int interleaved; /* answers in flight together come in turns, the last one first */
    int counts_only;
};

struct kit_failure {
    int32_t code; /* 0: fail was not called */
    int64_t position;
    uint64_t wait_ms;
    char *text; /* of the run's pool */
};

struct kit_run {
    const struct sonde_plugin *table;
    struct kit_fixture *fixture;
    struct kit_manner manner;
    struct kit_pool pool;
    struct kit_record record;
    struct kit_failure failure;
    struct sonde_pair facts[KIT_FACTS_MAX];
    uint32_t fact_count;
    char *endpoints[KIT_ENDPOINTS_MAX];
    uint32_t endpoint_count;
    int opening;
    int64_t now_ms; /* virtual: waits and delays move it */
    int32_t result;
    char *link;
    size_t most_in_flight;
};

extern const struct sonde_host KIT_HOST;

/* Dies when the host would refuse the table. */
void kit_check_table(const struct sonde_plugin *table);
void kit_run(struct kit_run *run, const struct sonde_plugin *table, struct kit_fixture *fixture,
             struct kit_manner manner);
/* The run as want.json. */
void kit_run_write(const struct kit_run *run, struct kit_text *ret_text);
void kit_run_free(struct kit_run *run);

#endif
