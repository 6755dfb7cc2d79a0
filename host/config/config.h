/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file as typed settings, with a default for every key. The `connections:` part is handed on as a tree.
 *
 * Ownership: config_free; everything hangs on its arena. Threads: immutable once loaded.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdint.h>
#include "base/cleanup.h"
#include "config/node.h"

/* What `sonde serve` alone needs; config/serve.h reads it. */
struct config_serve {
    const char *listen;     /* default CONFIG_DEFAULT_LISTEN */
    const char *cert, *key; /* both or none */
    const char *const *hosts;
    size_t host_count;
    const char *tokens; /* NULL: where tokens_default_path says */
    bool metrics_open;  /* /metrics needs no token */
};

/* What is kept, and for how long; config/keep.h reads it. */
struct config_keep {
    const char *
        store; /* a file's path or postgresql://...; NULL: where store_default_path says; "": nothing is stored */
    const char *key_file;        /* NULL: where keyring_default_path says */
    const char *key_environment; /* name of a variable with the key ring; NULL: none is looked at */
    int64_t history_ns;          /* default 30 days; 0: no history is written */
    bool history_samples;        /* first rows of each result too; default true */
    uint64_t cache_memory;       /* default 64 MiB; 0: no cache */
    int64_t cache_ns;            /* of windows that are past; default 1 day */
    bool cache_table;            /* results up to 256 KiB in the store too; default true */
    bool cache_logs;             /* log bodies as well; default false */
};

/* Tokens of an authorization server (OAuth 2.1 resource server); config/keep.h reads it. issuer NULL: none are taken. */
struct config_oauth {
    const char *issuer;
    const char *audience; /* what the aud claim must contain: this server's own URL */
    const char *jwks;     /* NULL: found through the issuer's metadata */
};

struct config {
    struct arena arena;
    const char *path;      /* "" when none was found */
    const char *timezone;  /* "" unset */
    const char *files;     /* "" none; absolute or seen from the working folder */
    const char *log_level; /* debug, info, warn, error */
    bool log_json;
    bool others_read;                /* every user of the machine may read the file */
    const char *const *plugin_paths; /* default SONDE_PLUGIN_DIR */
    size_t plugin_path_count;
    const char *const *plugins_enabled; /* NULL: left out */
    size_t plugins_enabled_count;
    const char *proxy; /* NULL none */
    const char *const *no_proxy;
    size_t no_proxy_count;
    const char *const *network_allow; /* ranges that connections of users may reach: "10.0.0.0/8" */
    size_t network_allow_count;
    uint32_t limit_calls;
    uint32_t limit_calls_per_minute; /* of one user; 0 off */
    uint32_t limit_calls_per_user;   /* at once */
    uint32_t limit_in_flight;        /* exchanges per connection */
    uint32_t limit_in_flight_per_user;
    int64_t limit_timeout_ns;
    uint64_t limit_memory;
    uint64_t limit_body;
    uint64_t limit_points;
    uint32_t limit_max_tokens;
    struct config_serve serve;
    struct config_keep keep;
    struct config_oauth oauth;
    const struct node *connections; /* list, or NULL */
    const struct node *root;
};

/* One mistake. */
struct config_mistake {
    char text
        [512]; /* "sonde.yaml:12: limits.calls: expected a whole number from 1 to 4096, got \"many\"" */
};
#define CONFIG_MAX_MISTAKES 32

/*
 * path NULL: $XDG_CONFIG_HOME/sonde/sonde.yaml (~/.config), then SYSCONFDIR/sonde/sonde.yaml, then defaults; a named file must exist. A file
 * others may write is refused. mistakes has room for CONFIG_MAX_MISTAKES. 0, ERR_INVALID (all mistakes are in mistakes[], the first
 * also in err), ERR_NOT_FOUND, ERR_SYSTEM, ERR_MEMORY (one mistake then too, with the same text).
 */
int config_load(const char *path, struct config **ret_config, struct config_mistake *mistakes,
                size_t *ret_mistake_count, struct err *err);
/* The same for a text in memory; path names it in messages and is where relative paths begin. */
int config_parse(const char *text, size_t size, const char *path, struct config **ret_config,
                 struct config_mistake *mistakes, size_t *ret_mistake_count, struct err *err);
void config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free);

#endif
