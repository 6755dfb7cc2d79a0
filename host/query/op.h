/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation of an adapter, from op_begin to op_end: requests out, answers in, tries again, an end for whatever
 * reason, at_end requests sent.
 *
 * Ownership: engine_run owns its operations. Threads: the thread of the call that drives it.
 */
#ifndef QUERY_OP_H
#define QUERY_OP_H

#include "query/backend.h"
#include "query/query_key.h"
#include "query/request.h"
#include "query/sink.h"

#define OP_SLOTS_MAX 64u

enum slot_state {
    SLOT_FREE,
    SLOT_TIMER,  /* not before a time: a delay the adapter asked for, a wait between tries */
    SLOT_QUEUED, /* waits for its turn at the gate */
    SLOT_FLYING, /* an exchange is under way */
    SLOT_ENDED   /* its attempt is over, the adapter is being told */
};

/* A request of the operation and the attempt at it. */
struct slot {
    struct op *op;
    enum slot_state state;
    struct kept_request kept;
    struct io_target *target;
    struct exchange *exchange;
    struct gate_place place;
    int64_t not_before_ns;
    unsigned attempt;
    bool lost_once;   /* sent again because the connection was lost before the first byte */
    bool any_answer;  /* this attempt had a head */
    uint32_t status;  /* of that head */
    bool cut;         /* nothing more of this attempt is handed in but its end */
    bool wanted_none; /* cut because the adapter said DONE */
    uint64_t rows;    /* emitted by this attempt */
    int32_t code;     /* error class head or data returned */
    struct err err;
};

enum op_phase { OP_RUNNING, OP_ENDING, OP_FINISHED };

struct op {
    struct engine *engine;
    struct call *call;
    struct backend *backend;
    const struct adapter *adapter;
    struct flight *flight; /* the one it is driven for; NULL: for one item */
    struct sonde_query query;
    bool keep;            /* its result goes into the cache */
    struct query_key key; /* as this */
    struct sonde_ctx ctx;
    struct sink_settings settings;
    struct sink sink;
    void *state; /* the adapter's */
    bool begun;
    enum op_phase phase;
    struct slot **slots; /* made when first needed: most operations have one request */
    size_t slot_count;
    size_t slot_max;
    size_t in_use;
    bool want_next;
    bool no_more; /* its requests are used up: what is under way is taken in, then it ends */
    bool restart; /* STALE_FACTS: begin once more when drained */
    bool restarted;
    int64_t started_ns;
    int64_t deadline_ns;
    int64_t grace_until_ns; /* requests that create something are waited for until then */
    uint64_t requests;
    uint64_t failures;
    uint64_t bytes;
    uint64_t wire_bytes;
    struct err lost;       /* an answer cut short after which the adapter went on */
    struct err err;        /* out; code 0: well */
    struct result *result; /* out; may be NULL */
    struct op *next;
};

/* NULL without memory. flight may be NULL; deadline_ns is then the operation's own. Nothing is called yet. */
struct op *op_new(struct engine *engine, struct call *call, struct backend *backend,
                  const struct sonde_query *query, struct flight *flight, int64_t deadline_ns);
/* Its result, when it ends well, is kept in the cache under key. */
void op_keep(struct op *op, const struct query_key *key);
/* Only once it has finished. */
void op_free(struct op *op);
/* Does what can be done now. */
void op_turn(struct op *op, int64_t now_ns);
/* A HEAD, DATA or END message whose owner is one of its slots. */
void op_message(struct op *op, struct slot *slot, const struct message *message);
/* Ends it early; err->code is the reason. Harmless when it is ending already. */
void op_stop(struct op *op, const struct err *err);
/*
 * Whether none of its requests is under way because all wait for their turn at the gate; err then says at which limit, after
 * waited_ns, and the hit is counted.
 */
bool op_waited(const struct op *op, int64_t waited_ns, struct err *err);
/* When it must be looked at again at the latest (clock_mono_ns). */
int64_t op_wake_ns(const struct op *op);

#endif
