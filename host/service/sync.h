/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's connections as rows of the store, so that history, cache and health can refer to them.
 *
 * Ownership: none. Threads: any but an event loop's; waits for the store.
 */
#ifndef SERVICE_SYNC_H
#define SERVICE_SYNC_H

struct service;

/* Those of the set in use, without their secrets. A store that cannot be written is logged and tried again with the next reload. */
void sync_operator(struct service *service);

#endif
