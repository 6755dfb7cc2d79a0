/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the store as plain values. Ids are UUIDs in lower case, times milliseconds since 1970 UTC (0: not set), JSON is text.
 *
 * Ownership: texts of rows read live in the arena they were read into; rows written are only looked at. Threads: plain values.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROW_ID 37

struct user_row {
    char id[ROW_ID];
    const char *name;     /* unique, 1 to 63 characters */
    const char *external; /* "ISSUER SUBJECT" of an authorization server, unique; NULL none */
    bool disabled;
    int64_t created_ms;
};

struct token_row {
    char id[ROW_ID];
    char user_id[ROW_ID];
    const char *user_name;  /* read only, from users */
    const char *name;       /* what it is for */
    const char *prefix;     /* public first characters */
    unsigned char hash[32]; /* SHA-256 of the whole token, unique */
    unsigned rights;        /* of model/principal.h */
    const char
        *connections;   /* JSON list of connection ids it is bound to; NULL: all the user sees */
    bool user_disabled; /* read only, from users */
    int64_t created_ms, expires_ms, used_ms, revoked_ms;
};

enum connection_health { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_UNHEALTHY };

struct connection_row {
    char id[ROW_ID];
    char user_id[ROW_ID];
    const char *name; /* unique for its user among those that are not deleted */
    const char *description;
    const char *backend_type;
    const char *config; /* JSON object; secrets in it are sealed */
    const char *tags;   /* JSON object */
    const char *source; /* "rest", "cli", "yaml" */
    bool enabled, is_default;
    uint64_t revision; /* from 1 */
    enum connection_health health;
    const char *health_error; /* "" none */
    int64_t checked_ms, created_ms, updated_ms;
};

struct session_row {
    char id[ROW_ID];
    char user_id[ROW_ID];
    const char *kind;   /* "stdio", "http", "cli" */
    const char *client; /* name and version the client gave; "" unknown */
    int64_t started_ms, seen_ms;
};

struct history_row {
    char id[ROW_ID];
    char call_id[ROW_ID]; /* of the tool call, which may ask several connections */
    char session_id[ROW_ID];
    char connection_id[ROW_ID]; /* "" : refused before one was chosen, or unknown */
    char user_id[ROW_ID];
    const char *connection_name; /* as it was called then; "" none */
    const char *tool;
    const char *scope;      /* "" none */
    const char *query_type; /* "metrics", "metric_names", "logs" ... */
    const char *
        query_text; /* what the backend was asked, or the caller's own words where it was not; at most 64 KiB */
    const char *query_params;  /* JSON object: the arguments of the tool */
    const char *result_sample; /* JSON list, at most 4 KiB; "" none */
    const char *error_message; /* "" none */
    int64_t result_count;
    int64_t execution_ms;
    int64_t queried_ms;
    bool was_cached;
};

struct history_filter {
    const char *user_id;                                     /* NULL: everybody's */
    const char *session_id, *connection_id, *tool, *call_id; /* NULL: any */
    int64_t from_ms, to_ms;                                  /* 0: any; to is exclusive */
    int failed;            /* -1 any, 0 those that went well, 1 those that failed */
    const char *before_id; /* NULL, or where the page before ended: newest first, ids are UUIDv7 */
    size_t limit;          /* 1 to 1,000 */
};

struct cache_row {
    char connection_id[ROW_ID];
    char hash
        [65]; /* SHA-256 of the normalised query with all that decides the answer, hexadecimal */
    const char *scope;
    const char *query_type, *query_text, *query_params;
    const void *data; /* the encoded result, at most 256 KiB */
    size_t size;
    int64_t result_count;
    int64_t cached_ms, expires_ms;
    int64_t hit_count; /* read only */
};

struct replica_row {
    char id[ROW_ID];
    const char *host;
    const char *key_ids; /* JSON list of the key ids it holds, active first */
    int64_t started_ms, seen_ms;
};

#endif
