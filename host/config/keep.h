/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys about what is kept and who may ask: store, keys, history, cache, oauth, network.allow.
 *
 * Ownership: everything hangs on the configuration's arena. Threads: immutable once loaded.
 */
#ifndef CONFIG_KEEP_H
#define CONFIG_KEEP_H

#include "config/check.h"

void config_keep_defaults(struct config *config);
/* Fills config->keep and config->oauth from the root's keys. Files are not looked at. */
void config_read_keep(struct check *check, const struct node *root, struct config *config);
/* The list of ranges; each is an address with a prefix length. */
void config_read_allow(struct check *check, const struct node *allow, struct config *config);

#endif
