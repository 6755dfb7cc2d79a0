/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of service/ share: the service itself, its connections, and the common part of every tool call.
 *
 * Ownership: the service owns its parts and one reference to the set in use, a call another to its principal's. Threads: immutable after
 * service_create but for the set and what its parts guard themselves.
 */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include <pthread.h>
#include "answer/cursor.h"
#include "catalogue/catalogue.h"
#include "query/admission.h"
#include "query/cache.h"
#include "service/args.h"
#include "service/keep.h"
#include "service/service.h"
#include "service/sessions.h"
#include "service/set.h"
#include "service/user_sets.h"

struct upkeep;

struct service {
    struct arena arena; /* what outlives a reload */
    struct budget budget;
    struct watch *watch; /* NULL: not started, or nothing is stored */
    struct kept kept;    /* what outlives the process */
    struct registry *registry;
    const char *const *plugin_paths;
    size_t plugin_path_count;
    struct io *io;
    struct cache *cache;
    struct engine *engine;
    struct call_pool *calls;
    struct admission *admission;
    struct catalogue *catalogue;
    struct cursor_store *cursors;
    struct session_table *sessions;
    struct upkeep *upkeep; /* NULL: not started */
    pthread_mutex_t set_lock;
    struct connection_set *set; /* of the operator's; under set_lock */
    struct user_sets *users;
    service_sees_fn *lets_see; /* NULL: a bound principal sees nothing */
    void *lets_see_user;
};

/* What the cache is to be like by config. */
struct cache_settings cache_settings_of(struct service *service, const struct config *config);

/* A reference to the operator's set in use: configuration, zone and the shared connections, whoever may see them. */
struct connection_set *service_set(struct service *service);
/* A reference to what the principal sees; NULL: no memory. May wait for the store. */
struct connection_set *service_set_for(struct service *service, const struct principal *principal);

/* The test of one connection, whoever's it is and whether it could be opened or not. */
int connection_test_slot(struct service *service, struct call *call, const struct slot *slot,
                         service_stage_fn say_stage, void *user, struct err *err);

/* One asked connection of a call. */
struct asked {
    struct slot *slot;
    struct sonde_query query;
    const struct sonde_filter **filters; /* those of enforce first, then the caller's */
    size_t filter_count;
    struct catalogue_snapshot *snapshot; /* may be NULL */
    struct result *result;
    struct result *exemplars;
    size_t returned;   /* rows that came from elsewhere than result */
    int64_t cached_ns; /* when the answer was fetched, if it came from the cache; 0: it did not */
    struct err err;    /* code 0: well */
    int64_t started_ns;
};

/* The common part of a tool call, filled step by step; ask_finish releases. */
struct ask {
    struct service *service;
    struct connection_set
        *set; /* a reference: what this call goes by, whatever is reloaded meanwhile */
    struct call *call;
    const struct tool_spec *tool;
    struct args args;
    struct zone *zone;
    struct time_window window;
    struct asked *asked;
    size_t asked_count;
    const char **not_asked;
    size_t not_asked_count;
    const char **notes;
    size_t note_count;
    const char *digest; /* of the arguments but cursor and max_tokens */
    int64_t started_ns;
    bool explicit_connections;
};

/* Arguments, zone and window. 0 or ERR_*. */
int ask_begin(struct ask *ask, struct service *service, struct call *call,
              const struct tool_spec *tool, struct json_object *arguments, struct err *err);
void ask_finish(struct ask *ask);
void ask_note(struct ask *ask, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum ask_default {
    ASK_ONE, /* answers.md: the connection that fits, the only one, the default, else an error */
    ASK_ALL
};
/* Which connections answer: by connection_id, or by the rule above among those whose adapter has the cap. */
int ask_select(struct ask *ask, uint64_t caps, enum ask_default rule, struct err *err);
/* Snapshots of all asked connections, fetched where absent; an asked connection that fails there keeps its error for later. */
int ask_snapshots(struct ask *ask);
/*
 * The filters of the arguments (and service, when given) resolved for each asked connection. metric_of, if not NULL, names the metric
 * whose labels restrict the choice. A key a connection does not have is that connection's error. What a connection's enforce stands for comes
 * first, whatever was asked; where that cannot be told the connection is not asked.
 */
int ask_filters(struct ask *ask, const char *query_text, struct err *err);
/* A query without filters of its own is held to those of the connection's enforce. */
void ask_hold(struct sonde_query *query, const struct catalogue_snapshot *snapshot);
/* Whether the window is longer than the connection's query_limits allow, which is its error then. */
bool ask_too_long(const struct ask *ask, struct asked *asked);
/* Runs the queries of all asked connections without an error, side by side (with exemplars where wanted). */
int ask_run(struct ask *ask, bool exemplars);
/* The envelope of the answer; memory of the call. 0 or ERR_MEMORY. */
int ask_envelope(struct ask *ask, struct envelope *ret_envelope);
/* An answer for a call in which no asked connection succeeded. */
int ask_all_failed(struct ask *ask, struct answer *ret_answer);
bool ask_any_ok(const struct ask *ask);
/* Metric names a native text seems to speak of, as far as the snapshot knows them. NULL: none. */
const char *ask_metric_in(const char *query_text, const struct catalogue_snapshot *snapshot,
                          struct arena *arena);
/* Notes on why nothing came, from the names of the connections, and the tool that lists them. */
void ask_explain_empty(struct ask *ask, struct envelope *envelope);
size_t ask_budget(const struct ask *ask, bool rows_limited);

/* The tools. */
int tool_query_metrics(struct ask *ask, struct answer *ret_answer, struct err *err);
int tool_list_metrics(struct ask *ask, struct answer *ret_answer, struct err *err);
int tool_list_connections(struct ask *ask, struct answer *ret_answer, struct err *err);

#endif
