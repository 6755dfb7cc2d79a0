/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in memory with users and tokens alone, that can be made to fail; in place of host/store.
 *
 * Ownership: static. Threads: one lock inside.
 */
#ifndef TESTS_FAKE_STORE_H
#define TESTS_FAKE_STORE_H

#include "store/store.h"

struct store *fake_store(void);
void fake_store_reset(void);
/* Every operation fails with ERR_UNAVAILABLE while set. */
void fake_store_fail(bool fails);
/* Changes do not change the generation, as if another machine made them a moment ago. */
void fake_store_hide(bool hides);
unsigned fake_store_reads(void); /* of all tokens */
unsigned fake_store_uses(void);  /* told */

#endif
