/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The use cases. MCP, REST and the command line call only this: tools by name with JSON arguments, connections,
 * plugins.
 *
 * Ownership: answers belong to the caller (answer_finish). Threads: all functions safe from any thread; service_call runs on the
 * thread of the call given.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "answer/answer.h"
#include "base/json.h"
#include "config/config.h"
#include "query/call.h"
#include "query/engine.h"

struct service;
struct store;
struct keyring;

/* Where connections come from beside the configuration: the command line. "prometheus=http://localhost:9090", "NAME:prometheus=URL". */
struct service_options {
    const char *const *connections;
    size_t connection_count;
    const char *const *plugin_paths; /* --plugins DIR: searched before the configured ones */
    size_t plugin_path_count;
    const char *timezone; /* the terminal's: "local" on stdio; NULL UTC */
    const char *files;    /* --files DIR, overrides the configured folder */
    enum service_keeping {
        KEEP_NOTHING, /* no store is opened */
        KEEP_IF_POSSIBLE, /* a default store that cannot be opened is told in the log, and done without */
        KEEP_ALWAYS       /* without its store it does not start */
    } keeping;
};

int service_create(struct config *config, const struct service_options *options,
                   struct service **ret_service, struct config_mistake *mistakes,
                   size_t *ret_mistake_count, struct err *err);
/* What a reload did. */
struct service_changes {
    size_t added, changed, removed, kept; /* connections */
    char later
        [256]; /* keys that changed and take effect with the next start: "plugins, files"; "" none */
};
/*
 * Goes on with another configuration (taken over, also on failure): connections, timezone and limits, but for body and points. A connection that says the same as before keeps all that is known about it. Calls under way end with what they
 * began with. options are those of service_create. On failure everything stays as it was; errors as service_create gives them. One
 * thread at a time.
 */
int service_reload(struct service *service, struct config *config,
                   const struct service_options *options, struct service_changes *ret_changes,
                   struct config_mistake *mistakes, size_t *ret_mistake_count, struct err *err);

/* How it is, for those who watch the process. Takes no long lock. */
struct service_state {
    size_t plugins, plugins_refused;
    size_t connections, unusable; /* unusable: could not even be opened */
    unsigned calls;               /* at work */
};
void service_state(struct service *service, struct service_state *ret_state);

/* Stops calls, waits grace_ms, ends io. */
void service_destroy(struct service *service, int64_t grace_ms);
/* What is cancelled from here on gets at most so long for a request that must not be cut (abi: creates); before the calls are cancelled. */
void service_stopping(struct service *service, int64_t grace_ms);
/* Cancels the calls that run now; their callers get an error that says so. */
void service_cancel_calls(struct service *service);
/* Starts the keeper (not for one-shot commands). */
int service_start_keeper(struct service *service, struct err *err);

/* What is kept beyond the process; NULL where nothing is. */
struct store *service_store(struct service *service);
struct keyring *service_keyring(struct service *service);
struct io *service_io(struct service *service);
struct call_pool *service_calls(struct service *service);
struct budget *service_budget(struct service *service);
const struct registry *service_registry(struct service *service);
/* The folders that were searched for plugins, in order. */
const char *const *service_plugin_paths(const struct service *service, size_t *ret_count);
int64_t service_timeout_ns(struct service *service);
/* What the process counts about itself, in the Prometheus exposition format 0.0.4. buf->failed: no memory. */
void service_write_stats(struct service *service, struct buf *buf);
/* The libraries the network is reached through, with their versions; static. */
const char *service_versions(void);

/*
 * Runs a tool. An error of the caller's or a backend's is an answer with is_error; the return is 0, or ERR_NOT_FOUND for an unknown tool (err
 * names the nearest), ERR_MEMORY.
 */
int service_call(struct service *service, struct call *call, const char *tool,
                 struct json_object *arguments, struct answer *ret_answer, struct err *err);
/*
 * Where the configuration keeps things and how that is, for `sonde serve --check`: "/var/lib/sonde/sonde.db (will be made)". Changes nothing.
 * 0 or the error that a start would meet.
 */
int service_describe_store(const struct config *config, char *text, size_t size, struct err *err);
/* Sets the session of a principal whose front has none of its own; sessions.h. */
void service_find_session(struct service *service, struct principal *principal, const char *named);
/* The MCP `instructions`: at most 2,048 characters, names the connections with their tags. Written to buf. */
void service_instructions(struct service *service, struct buf *buf);

/* Unshaped rows for a terminal: all series with all samples. Lifetime: the call of use. */
struct service_rows {
    const struct zone *zone;
    const struct time_window *window;
    struct answer_series *series;
    size_t series_count;
    struct envelope envelope; /* how each connection fared, notes, executed */
    bool failed;              /* no connection answered */
};
typedef void (*service_rows_fn)(void *user, const struct service_rows *rows);
/* query_metrics with the same arguments, but its rows go to use. 0 or the error of the arguments. */
int service_query(struct service *service, struct call *call, struct json_object *arguments,
                  service_rows_fn use, void *user, struct err *err);

/* Stages of `connection test`, one line each through say (ok: 1 passed, 0 failed, -1 not reached). 0 or the failure. */
typedef void (*service_stage_fn)(void *user, const char *stage, int ok, const char *detail);
int service_connection_test(struct service *service, struct call *call, const char *name,
                            service_stage_fn say, void *user, struct err *err);

#endif
