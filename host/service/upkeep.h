/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be done from time to time for the store: rows past their time go, and this process says that it lives and which keys it holds.
 *
 * Ownership: the service owns it. Threads: one of its own; start and stop as the service.
 */
#ifndef SERVICE_UPKEEP_H
#define SERVICE_UPKEEP_H

#include "base/err.h"

struct service;
struct upkeep;

/* *ret_upkeep stays NULL where nothing is stored. 0, ERR_SYSTEM or ERR_MEMORY. */
int upkeep_start(struct service *service, struct upkeep **ret_upkeep, struct err *err);
/* Waits for what it is doing; harmless with NULL. */
void upkeep_stop(struct upkeep *upkeep);

#endif
