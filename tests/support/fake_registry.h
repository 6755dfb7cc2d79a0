/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry without files, for tests that link it instead of the real one: adapters prometheus, otlpfile and vendor (with
 * parameters and a login of its own), and a refused plugin, broken.
 *
 * Ownership: static. Threads: constant.
 */
#ifndef SUPPORT_FAKE_REGISTRY_H
#define SUPPORT_FAKE_REGISTRY_H

#include "plugin/registry.h"

const struct registry *fake_registry(void);

#endif
