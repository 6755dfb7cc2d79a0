/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the adapters' PROBE answers have in common: short texts, durations, facts.
 *
 * Ownership: texts go to the caller's memory. Threads: pure beside the op's sink.
 */
#ifndef SONDE_PROMQL_PROBE_H
#define SONDE_PROMQL_PROBE_H

#include "op.h"

/* As much of value as fits, without splitting a character. */
void promql_keep(char *to, size_t to_size, const char *value, size_t size);
/* A duration as Go prints its flags: "2m", "1h30m0s". 0, or -1 where it is something else. */
int promql_duration_ms(const char *value, size_t size, uint64_t *ret_ms);
/* True if the beginning of a step's answer holds the words. */
bool promql_body_has(const struct promql_step *step, const char *words);
/* Kept for a day. */
void promql_fact(struct promql_op *op, const char *key, const char *value);
void promql_fact_number(struct promql_op *op, const char *key, uint64_t value);

#endif
