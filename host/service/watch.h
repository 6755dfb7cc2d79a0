/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to the store how connections fare: when a state becomes another and every five minutes, on a thread of its own, so that no call
 * waits for it.
 *
 * Ownership: the service owns it. Threads: one of its own; start before the keeper, stop once no call runs any more.
 */
#ifndef SERVICE_WATCH_H
#define SERVICE_WATCH_H

#include "base/err.h"

struct service;
struct watch;

/* *ret_watch stays NULL where nothing is stored. 0, ERR_SYSTEM or ERR_MEMORY. */
int watch_start(struct service *service, struct watch **ret_watch, struct err *err);
/* Writes what has changed, waits for what it is doing; harmless with NULL. */
void watch_stop(struct watch *watch);

#endif
