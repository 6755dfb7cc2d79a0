/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of the exchanges of one adapter: how they ended, how long they took, what they brought.
 *
 * Ownership: part of a backend; the numbers live as long as the process. Threads: safe.
 */
#ifndef QUERY_EXCHANGE_STATS_H
#define QUERY_EXCHANGE_STATS_H

#include "io/io.h"
#include "query/gate.h"

#define EXCHANGE_OUTCOMES 10u

struct exchange_stats {
    const char *adapter;
    _Atomic(struct stat_child *) outcomes[EXCHANGE_OUTCOMES];
    struct stat_child *seconds;
    struct stat_child *bytes;
    struct stat_child *retries;
};

/* adapter must outlive it. */
void exchange_stats_init(struct exchange_stats *stats, const char *adapter);
/* One ended with outcome; status of its answer (0 none), cancelled by us. */
void exchange_stats_end(struct exchange_stats *stats, const struct message *end, uint32_t outcome,
                        uint32_t status, bool cancelled);
/* What the gates of connections count into. */
struct gate_stats exchange_stats_gate(void);
void flight_stats(bool led);

#endif
