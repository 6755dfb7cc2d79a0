/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that OpenTelemetry, older conventions and Kubernetes exporters use for the logical keys.
 *
 * Ownership: static. Threads: constant.
 */
#ifndef OTLPFILE_ALIAS_H
#define OTLPFILE_ALIAS_H

#include <sonde/plugin.h>

#define ALIAS_COUNT 15

extern const struct sonde_alias *const aliases[ALIAS_COUNT];

#endif
