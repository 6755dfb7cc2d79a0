/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What op.c (its life), op_slot.c (one request) and op_finish.c (its end) share.
 *
 * Ownership: as op.h. Threads: as op.h.
 */
#ifndef QUERY_OP_INTERNAL_H
#define QUERY_OP_INTERNAL_H

#include "query/op.h"

int64_t op_deadline(const struct op *op);
void op_fail(struct op *op, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends it because limits.memory is used up. */
void op_no_memory(struct op *op, const char *what);
/* Ends it well, with what it has. */
void op_end_well(struct op *op);
/* Ends the operation if the last callback made the sink faulty or full. */
void op_check_sink(struct op *op);

/* op_slot.c */
struct slot *slot_new(struct op *op, const struct sonde_request *request);
void slot_free(struct slot *slot);
/* Takes the next step of a request that is not in flight. */
void slot_turn(struct slot *slot, int64_t now_ns);
void slot_message(struct slot *slot, const struct message *message);
/* The operation is ending: drop or cancel it, unless it creates something and there is time left for it. */
void slot_release(struct slot *slot, bool keep_creating);

/* op_finish.c: op_end, at_end requests, the result. */
void op_finish(struct op *op);
/* Sends what the adapter left for the end, detached. */
void op_send_at_end(struct op *op);

#endif
