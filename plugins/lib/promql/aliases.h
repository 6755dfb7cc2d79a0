/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels that may stand behind a logical filter key where metrics come by scraping or by OpenTelemetry.
 *
 * Ownership: static. Threads: constant data.
 */
#ifndef SONDE_PROMQL_ALIASES_H
#define SONDE_PROMQL_ALIASES_H

#include <sonde/plugin.h>

#define PROMQL_ALIASES 17

extern const struct sonde_alias *const promql_aliases[PROMQL_ALIASES];

#endif
