/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives the process: users, tokens, connections, cached results, history. One interface of operations, two drivers (SQLite,
 * PostgreSQL); nobody outside this folder and sql/ knows which one it is.
 *
 * Ownership: the store owns its connections and threads; rows read live in the caller's arena. Threads: every function is safe from any
 * thread but an event loop's: all but store_append_history, store_put_cache and store_hit_cache may wait for the disk, a lock or the network
 * (2 s for a lock, then ERR_BUSY).
 *
 * Every text must be UTF-8 and at most 1 MiB long (ERR_LIMIT), every id written a UUID (ERR_INVALID); an id asked for that is none is not found.
 *
 * Errors of every operation beside those it names: ERR_INVALID (a row that refers to a user who is not there, JSON that is none), ERR_UNAVAILABLE (the database cannot be reached or refuses to work: says why, the next
 * call may succeed), ERR_BUSY (a lock was not had), ERR_SYSTEM (disk full, damaged file), ERR_MEMORY.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "store/rows.h"

struct store;

struct store_settings {
    const char
        *location; /* a file's path (made with its folders, 0600 and 0700), or postgresql://... */
    size_t max_queue_bytes; /* of history and cache rows that wait to be written; 0: 32 MiB */
    int64_t
        history_ns; /* rows older than this are swept; 0: none is kept, and nothing is written */
    bool
        migrate; /* bring an older schema up to date; else ERR_INVALID that says `sonde db migrate` */
};

/*
 * Where the store is when nobody says: $STATE_DIRECTORY/sonde.db (set by systemd), $XDG_STATE_HOME/sonde/sonde.db, for root
 * /var/lib/sonde/sonde.db, else ~/.local/state/sonde/sonde.db. 0 or ERR_INVALID where none of them is known.
 */
int store_default_path(char *path, size_t size, struct err *err);

/*
 * Opens, and migrates under a lock where allowed; starts the writer. ERR_INVALID: a newer database than this program (which is not touched), a
 * changed migration, a bad address; a password is never shown.
 */
int store_open(const struct store_settings *settings, struct store **ret_store, struct err *err);
/* Writes what waits, for grace_ns at most, then closes; what could not be written is logged with its count. */
void store_close(struct store *store, int64_t grace_ns);
/* Where it is, for people: a path, or host and database of an address, no password. */
const char *store_shown(const struct store *store);

/* --- schema: `sonde db` --- */
struct store_migration {
    int version;
    const char *name;
    bool applied;
    int64_t applied_ms;
};
/* All migrations this program knows, in order; array in arena. Does not change anything; a database that is not there has none applied. */
int store_migrations(const char *location, struct arena *arena,
                     struct store_migration **ret_migrations, size_t *ret_count, struct err *err);
/* Applies what is missing, under the lock; ret_applied how many. */
int store_migrate(const char *location, size_t *ret_applied, struct err *err);

struct store_facts {
    const char *engine; /* with its version: "SQLite 3.40.1" */
    int64_t size;       /* bytes */
    const struct store_table {
        const char *name;
        int64_t rows;
        int64_t newest_ms; /* 0: it has none */
    } * tables;            /* none where no migration was applied */
    size_t table_count;
};
/* Looks without changing anything. ERR_NOT_FOUND: no database is there yet. */
int store_facts(const char *location, struct arena *arena, struct store_facts *ret_facts,
                struct err *err);
/* A location as it may be shown: a path, or host and database of an address, no user and no password. */
void store_place(const char *location, char *shown, size_t size);

/* --- change notices --- */
/*
 * A number that is another one whenever users, tokens or connections were changed by anybody, since it was last asked: cheap enough for
 * every call (SQLite: PRAGMA data_version; PostgreSQL: what NOTIFY and a poll within 10 s told). Never fails: a store that is gone keeps its number.
 */
uint64_t store_generation(struct store *store);
/* Called from the store's own thread after each change it sees, its own process's included (within 250 ms on SQLite). One at most; before others use the store. */
void store_on_change(struct store *store, void (*changed)(void *user), void *user);

/* --- users --- */
/* ERR_CONFLICT: the name or the external id is taken. */
int store_user_add(struct store *store, const struct user_row *user, struct err *err);
/* All, by name. */
int store_users(struct store *store, struct arena *arena, struct user_row **ret_users,
                size_t *ret_count, struct err *err);
/* ERR_NOT_FOUND. One of id, name, external is not NULL. */
int store_user_find(struct store *store, const char *id, const char *name, const char *external,
                    struct arena *arena, struct user_row *ret_user, struct err *err);
int store_user_disable(struct store *store, const char *id, bool disabled, struct err *err);

/* --- API tokens --- */
int store_token_add(struct store *store, const struct token_row *token, struct err *err);
/* By creation; user_id NULL: everybody's. Revoked and expired ones too. */
int store_tokens(struct store *store, const char *user_id, struct arena *arena,
                 struct token_row **ret_tokens, size_t *ret_count, struct err *err);
/* ERR_NOT_FOUND. */
int store_token_revoke(struct store *store, const char *id, int64_t now_ms, struct err *err);
/* Last use, coarse: callers tell at most once a minute and token. Off the caller's path. */
void store_token_used(struct store *store, const char *id, int64_t now_ms);

/* --- connections --- */
/*
 * is_default clears the user's other default of that backend type in the same transaction, whose revision moves on. The revision of the row
 * becomes 1. ERR_CONFLICT: the name is taken.
 */
int store_connection_add(struct store *store, const struct connection_row *row, struct err *err);
/* Those of one user that are not deleted, by name. after_name NULL or where the page before ended; limit 0: all. */
int store_connections(struct store *store, const char *user_id, const char *after_name,
                      size_t limit, struct arena *arena, struct connection_row **ret_rows,
                      size_t *ret_count, struct err *err);
/* ERR_NOT_FOUND, also when it is another user's. user_id NULL: whoever's. */
int store_connection_get(struct store *store, const char *user_id, const char *id,
                         struct arena *arena, struct connection_row *ret_row, struct err *err);
/*
 * Writes name, description, config, tags, enabled and is_default; the revision becomes revision + 1. ERR_NOT_FOUND; ERR_CONFLICT when the row has
 * another revision than row->revision by now (the text says which) or the name is taken.
 */
int store_connection_update(struct store *store, const struct connection_row *row, struct err *err);
/* Hides it and erases its config at once. revision 0: whichever. ERR_NOT_FOUND, ERR_CONFLICT. */
int store_connection_delete(struct store *store, const char *user_id, const char *id,
                            uint64_t revision, int64_t now_ms, struct err *err);
/* ERR_NOT_FOUND. Neither the revision nor store_generation moves. */
int store_connection_health(struct store *store, const char *id, enum connection_health health,
                            const char *error, int64_t now_ms, struct err *err);
/*
 * The operator's connections of the configuration file: each is written or brought up to date (config without secrets). whole: these
 * are all there are, and those of earlier that are not among them are disabled; a process beside the server has a file of its own.
 */
int store_connections_sync(struct store *store, const struct connection_row *rows, size_t n,
                           bool whole, int64_t now_ms, struct err *err);
/* For key rotation: up to limit rows of all users after id (NULL: from the first), by id, deleted ones left out. */
int store_connections_scan(struct store *store, const char *after_id, size_t limit,
                           struct arena *arena, struct connection_row **ret_rows, size_t *ret_count,
                           struct err *err);
/*
 * Puts another config in place of exactly this one, as it was read; the revision stays. ret_swapped false: somebody was faster. PostgreSQL keeps
 * what a JSON text means, not its spaces, its order of members or the spelling of its numbers, and compares by that.
 */
int store_connection_rewrap(struct store *store, const char *id, const char *before,
                            const char *after, bool *ret_swapped, struct err *err);

/* --- settings of the installation: the canary, the salt --- */
/* ERR_NOT_FOUND. */
int store_setting_get(struct store *store, const char *name, struct arena *arena,
                      const char **ret_value, struct err *err);
/* Only where there is none yet; ret_value is what stands there now. */
int store_setting_init(struct store *store, const char *name, const char *value,
                       struct arena *arena, const char **ret_value, struct err *err);
/* Puts another value in place of exactly this one. */
int store_setting_swap(struct store *store, const char *name, const char *before, const char *after,
                       bool *ret_swapped, struct err *err);

/* --- replicas: who holds which keys --- */
int store_replica_beat(struct store *store, const struct replica_row *replica, struct err *err);
void store_replica_gone(struct store *store, const char *id);
/* Seen since then. */
int store_replicas(struct store *store, int64_t since_ms, struct arena *arena,
                   struct replica_row **ret_rows, size_t *ret_count, struct err *err);

/* --- history: queued, written in batches within 100 ms --- */
/*
 * Copies the row into the queue; never waits. When the queue is full its sample goes first, then the row is counted as lost. session: made or
 * brought up to date with it.
 */
void store_append_history(struct store *store, const struct history_row *row,
                          const struct session_row *session);
/* Newest first; what waits in this process's own queue is written before. */
int store_history(struct store *store, const struct history_filter *filter, struct arena *arena,
                  struct history_row **ret_rows, size_t *ret_count, struct err *err);
/* ERR_NOT_FOUND, also when it is another user's; user_id NULL: whoever's. */
int store_history_get(struct store *store, const char *user_id, const char *id, struct arena *arena,
                      struct history_row *ret_row, struct err *err);

/* --- cache table --- */
/* Queued like history, but the first to go when the queue is full. For a connection that has no row (any more) nothing is kept. */
void store_put_cache(struct store *store, const struct cache_row *row);
/* ERR_NOT_FOUND: none, or it is past its time at now_ms. */
int store_get_cache(struct store *store, const char *connection_id, const char *hash,
                    int64_t now_ms, struct arena *arena, struct cache_row *ret_row,
                    struct err *err);
void store_hit_cache(struct store *store, const char *connection_id, const char *hash,
                     int64_t hits);

/* Deletes what is past its time: cache rows, history beyond retention, deleted connections without history; a bounded batch. */
int store_sweep(struct store *store, int64_t now_ms, size_t *ret_deleted, struct err *err);

/* --- how it is --- */
struct store_state {
    bool well;       /* the last operation reached the database */
    char error[256]; /* why not; "" */
    size_t queued_rows, queued_bytes;
    uint64_t written_rows, lost_rows, lost_samples, lost_cache_rows, bad_rows;
    int64_t oldest_queued_ms; /* 0 none waits */
};
/* Takes no long lock. */
void store_state(struct store *store, struct store_state *ret_state);

#endif
