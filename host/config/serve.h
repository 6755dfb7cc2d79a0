/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys only `sonde serve` needs: listen, tls, hosts, tokens, metrics.
 *
 * Ownership: everything hangs on the configuration's arena. Threads: immutable once loaded.
 */
#ifndef CONFIG_SERVE_H
#define CONFIG_SERVE_H

#include "config/check.h"

#define CONFIG_DEFAULT_LISTEN "127.0.0.1:7464"
#define CONFIG_MAX_HOSTS 64u

/* Fills config->serve from the root's keys. Files are not looked at: other commands read the same configuration. */
void config_read_serve(struct check *check, const struct node *root, struct config *config);
/*
 * What can be told only where the server runs: that certificate and key can be read. 0, or ERR_INVALID with mistakes as config_load
 * gives them.
 */
int config_check_serve(const struct config *config, struct config_mistake *mistakes,
                       size_t *ret_mistake_count, struct err *err);
/* NULL for an address and port to listen on ("127.0.0.1:7464", "[::1]:0"); else what is wrong with it. */
const char *config_listen_wrong(const char *listen);
/* Whether only this machine can reach an address of that form. */
bool config_listen_is_local(const char *listen);

#endif
