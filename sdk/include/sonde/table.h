/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's table: identity, data, and the callbacks that make an instance and run an operation.
 *
 * Life of an operation: op_begin; then op_next until DONE or an error, which the host calls after
 * op_begin, after each op_response_end, and at once after a request flagged MORE; for each attempt
 * at a request op_response_head, op_response_data any number of times and op_response_end exactly
 * once (a request that got no answer has no head); op_end exactly once, whatever happened. Once head or
 * data has returned an error or DONE, the rest of that answer is dropped and its end follows with outcome
 * OK; the first error counts.
 *
 * Ownership: the table and all it points to is static. Threads: open, close and the operations of
 * one instance may run on many threads; one operation on one at a time.
 */
#ifndef SONDE_TABLE_H
#define SONDE_TABLE_H

#include <sonde/host.h>
#include <sonde/http.h>
#include <sonde/param.h>
#include <sonde/query.h>
#include <sonde/sink.h>

#define SONDE_CAP(kind) ((uint64_t)1 << (kind))
/* Features, beside one bit per kind. */
#define SONDE_CAP_NATIVE ((uint64_t)1 << 32)         /* takes native texts */
#define SONDE_CAP_STRUCTURED ((uint64_t)1 << 33)     /* takes operands */
#define SONDE_CAP_COMBINE ((uint64_t)1 << 34)        /* combines operands itself */
#define SONDE_CAP_NATIVE_FILTERS ((uint64_t)1 << 35) /* adds filters to a native text */

/* What open gets. Lifetime: call. */
struct sonde_open {
    uint32_t struct_size;
    uint32_t param_count32;
    struct sonde_ctx *ctx;
    const char *url;     /* of the connection, "" where the backend has none */
    const char *ui_kind; /* "" none, else grafana, prometheus ... */
    /* [param_count32], defaults filled in; a secret's value is "set" or "". */
    const struct sonde_pair *params;
    const char *tenant; /* of the connection; "" none. The host sends it as X-Scope-OrgID anyway */
};

/* What op_begin gets. query, sink and facts: lifetime op. */
struct sonde_begin {
    uint32_t struct_size;
    uint32_t fact_count;
    struct sonde_ctx *ctx;
    const struct sonde_query *query;
    const struct sonde_sink *sink;
    const struct sonde_pair *facts; /* what PROBE and earlier operations learnt */
};

/* What link gets. Lifetime: call. */
struct sonde_link {
    uint32_t struct_size;
    uint32_t reserved_0;
    const struct sonde_query *query;
    const char *executed; /* native text as it ran, "" unknown */
    const char *ui_kind;
    const char *ui_param; /* the ui's own argument, such as a Grafana data source uid; "" none */
};

typedef int32_t (*sonde_open_fn)(const struct sonde_open *open, void **ret_instance);
typedef void (*sonde_close_fn)(void *instance);
typedef int32_t (*sonde_op_begin_fn)(void *instance, const struct sonde_begin *begin,
                                     void **ret_op);
/* SONDE_REQUEST (request filled in; struct_size set by the host), WAIT, DONE or an error class. */
typedef int32_t (*sonde_op_next_fn)(void *op, struct sonde_request *request);
/* The state of this tag starts over. 0 or an error class. */
typedef int32_t (*sonde_op_response_head_fn)(void *op, uint32_t tag,
                                             const struct sonde_response_head *head);
/* Bytes may end anywhere. 0, SONDE_DONE when the rest is of no interest, or an error class. */
typedef int32_t (*sonde_op_response_data_fn)(void *op, uint32_t tag, const void *data, size_t size);
typedef int32_t (*sonde_op_response_end_fn)(void *op, uint32_t tag,
                                            const struct sonde_outcome *outcome);
/* reason: SONDE_DONE or the error class. The op is gone afterwards. */
typedef void (*sonde_op_end_fn)(void *op, int32_t reason);
/* Writes a path and query below the connection's ui.url, NUL included; 0 or an error class. May be NULL. */
typedef int32_t (*sonde_link_fn)(void *instance, const struct sonde_link *link, char *buf,
                                 size_t size);

struct sonde_plugin {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t needs_minor;   /* oldest host minor that will do */
    uint64_t caps;          /* unknown bits are ignored */
    uint64_t required_caps; /* refuse me if one is unknown */
    uint64_t understands;   /* must_understand bits of queries */
    const char *name;       /* [a-z][a-z0-9_]{0,31}: what users write as backend */
    const char *version;
    const char *license;
    const char *summary;
    const char *homepage;
    const struct sonde_param *const *params;
    size_t param_count;
    const struct sonde_auth_scheme *const *auth_schemes;
    size_t auth_scheme_count;
    const struct sonde_allowed *const *allowed;
    size_t allowed_count;
    const struct sonde_alias *const *aliases;
    size_t alias_count;
    uint32_t settle_seconds; /* data older than this no longer changes; 0: 300 */
    uint32_t reserved_0;
    sonde_open_fn open;
    sonde_close_fn close;
    sonde_op_begin_fn op_begin;
    sonde_op_next_fn op_next;
    sonde_op_response_head_fn op_response_head;
    sonde_op_response_data_fn op_response_data;
    sonde_op_response_end_fn op_response_end;
    sonde_op_end_fn op_end;
    sonde_link_fn link; /* may be NULL */
};

/*
 * The entry: remember the host, return the table. On failure NULL and a reason in error (at most
 * error_size bytes, NUL included).
 */
typedef const struct sonde_plugin *(*sonde_entry_fn)(const struct sonde_host *host, char *error,
                                                     size_t error_size);

/*
 * Defines the entry: SONDE_PLUGIN(table, host_pointer), once, in the file that holds the table. The parameters' names
 * are odd so that a plugin's own variable may be called host.
 */
#define SONDE_PLUGIN(table, host_pointer)                                                        \
    SONDE_EXTERN_C SONDE_EXPORT const struct sonde_plugin *sonde_plugin_entry_v1(                \
        const struct sonde_host *sonde_given_host, char *sonde_error, size_t sonde_error_size);  \
    const struct sonde_plugin *sonde_plugin_entry_v1(const struct sonde_host *sonde_given_host,  \
                                                     char *sonde_error, size_t sonde_error_size) \
    {                                                                                            \
        (void)sonde_error;                                                                       \
        (void)sonde_error_size;                                                                  \
        (host_pointer) = sonde_given_host;                                                       \
        return &(table);                                                                         \
    }

#endif
