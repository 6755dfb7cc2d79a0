/* SPDX-License-Identifier: Apache-2.0 */
#include "service/keys.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/principal.h"
#include "secrets/sealed_json.h"

#define CANARY "canary"
#define CANARY_TEXT "the keys fit the store"
#define BATCH ((size_t)100)
#define BATCH_MEMORY ((size_t)64 << 20)
#define KEYS_SHOWN 64 /* ids that may be met beside the ring's */
#define TRIES 8       /* for a row that others change meanwhile */
#define PASSES 4      /* over all rows, when some came or changed behind the first */

static const struct seal_place canary_place = {"settings", CANARY, USER_OPERATOR_ID, "value"};

static int64_t now_ms(void)
{
    return clock_unix_ns() / NS_PER_MS;
}

/* ---- The canary ---- */

static int make_canary(struct store *store, struct keyring *keyring, struct arena *arena,
                       const char **ret_canary, struct err *err)
{
    struct buf text = BUF(SEALED_MAX);
    int r = seal(keyring, &canary_place, CANARY_TEXT, sizeof CANARY_TEXT - 1, &text, err);
    if (!r) /* another process may have been faster: its canary counts */
        r = store_setting_init(store, CANARY, buf_text(&text), arena, ret_canary, err);
    buf_finish(&text);
    return r;
}

static int wrong_key(struct store *store, struct keyring *keyring, const char *canary, int code,
                     struct err *err)
{
    char id[KEY_ID_MAX + 1] = "";
    if (sealed_key_id(canary, id, NULL) < 0)
        return err_set(err, ERR_INVALID,
                       "%s: the text by which keys are checked is damaged: restore the store from "
                       "a backup",
                       store_shown(store));
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_INVALID,
                       "the secrets in %s are sealed with the key %s, which %s does not hold: put "
                       "that key's line back, or name the right keys under keys.file",
                       store_shown(store), id, keyring_shown(keyring));
    return err_set(err, ERR_INVALID,
                   "the key %s in %s is not the one that the secrets in %s are sealed with, only "
                   "its id is the same: put the right keys back, or name them under keys.file",
                   id, keyring_shown(keyring), store_shown(store));
}

int keys_check(struct store *store, struct keyring *keyring, struct err *err)
{
    struct arena arena;
    const char *canary = NULL;
    struct secret *secret = NULL;
    struct err why = {0};
    arena_init(&arena, SEALED_MAX * 4, NULL);
    int r = store_setting_get(store, CANARY, &arena, &canary, err);
    if (r == ERR_NOT_FOUND)
        r = make_canary(store, keyring, &arena, &canary, err);
    if (!r) {
        r = unseal(keyring, &canary_place, canary, &secret, &why);
        if (!r && !str_eq(secret_reveal(secret), CANARY_TEXT))
            r = ERR_INVALID;
        if (r == ERR_NOT_FOUND || r == ERR_INVALID)
            r = wrong_key(store, keyring, canary, r, err);
        else if (r < 0)
            err_set(err, r, "%s", why.text);
    }
    secret_free(secret);
    arena_finish(&arena);
    return r;
}

/* ---- Replicas ---- */

int keys_beat(struct store *store, struct keyring *keyring, const char *replica, struct err *err)
{
    static atomic_int_least64_t started;
    char ids[KEYRING_MAX][KEY_ID_MAX + 1];
    char host[256] = "";
    int64_t now = now_ms();
    int_least64_t none = 0;
    atomic_compare_exchange_strong(&started, &none, now);
    size_t n = keyring_ids(keyring, ids);
    struct buf list = BUF(4096);
    buf_add(&list, "[");
    for (size_t i = 0; i < n; i++) {
        buf_json_sep(&list);
        buf_json_string(&list, ids[i], strlen(ids[i]));
    }
    buf_add(&list, "]");
    gethostname(host, sizeof host - 1);
    struct replica_row row = {.host = host,
                              .key_ids = buf_text(&list),
                              .started_ms = atomic_load(&started),
                              .seen_ms = now};
    snprintf(row.id, sizeof row.id, "%s", replica);
    int r = list.failed ? err_set(err, ERR_MEMORY, "no memory for the ids of the keys")
                        : store_replica_beat(store, &row, err);
    buf_finish(&list);
    return r;
}

/* What a row says, beside the active key of this ring. */
static void read_replica(struct arena *arena, const struct replica_row *row, const char *active,
                         int64_t now, struct keys_replica *out, struct keys_status *status)
{
    struct json_object *list = NULL;
    struct buf text = BUF(2048);
    *out = (struct keys_replica){.host = row->host, .seen_ms_ago = now - row->seen_ms};
    memcpy(out->id, row->id, sizeof out->id);
    /* What cannot be read names no key, so nobody rotates past it. */
    if (json_parse(row->key_ids, strlen(row->key_ids), 4, &list, NULL) ||
        !json_object_is_type(list, json_type_array)) {
        out->keys = "unknown";
        json_object_put(list);
        return;
    }
    size_t n = json_object_array_length(list);
    for (size_t i = 0; i < n && i < KEYRING_MAX; i++) {
        const char *id = json_object_get_string(json_object_array_get_idx(list, i));
        id = id ? id : "";
        out->has_active |= str_eq(id, active);
        out->same_active |= !i && str_eq(id, active);
        buf_printf(&text, "%s%.*s", i ? ", " : "", KEY_ID_MAX, id);
        for (size_t k = 0; status && k < status->key_count; k++)
            status->keys[k].holders += str_eq(status->keys[k].id, id);
    }
    out->keys = arena_strdup(arena, buf_text(&text));
    buf_finish(&text);
    json_object_put(list);
}

static int read_replicas(struct store *store, struct keyring *keyring, struct arena *arena,
                         struct keys_status *status, struct err *err)
{
    char ids[KEYRING_MAX][KEY_ID_MAX + 1];
    struct replica_row *rows;
    size_t n;
    int64_t now = now_ms();
    keyring_ids(keyring, ids);
    int r = store_replicas(store, now - KEYS_LIVE_MS, arena, &rows, &n, err);
    if (r < 0)
        return r;
    status->replicas = arena_alloc_array(arena, n + 1, sizeof *status->replicas);
    for (size_t i = 0; status->replicas && i < n; i++)
        read_replica(arena, &rows[i], ids[0], now, &status->replicas[status->replica_count++],
                     status);
    return 0;
}

/* ---- Status ---- */

static struct keys_key *note_key(struct keys_status *status, const char *id)
{
    for (size_t i = 0; i < status->key_count; i++)
        if (str_eq(status->keys[i].id, id))
            return &status->keys[i];
    if (status->key_count == KEYRING_MAX + KEYS_SHOWN)
        return NULL;
    struct keys_key *key = &status->keys[status->key_count++];
    snprintf(key->id, sizeof key->id, "%s", id);
    return key;
}

/* The keys that the values of one document need, each once. */
struct needs {
    char ids[KEYRING_MAX + KEYS_SHOWN][KEY_ID_MAX + 1];
    size_t count;
};

static int note_need(void *user, const char *field, const char *sealed,
                     struct json_object **ret_value, struct err *err)
{
    (void)field;
    (void)ret_value;
    struct needs *needs = user;
    char id[KEY_ID_MAX + 1];
    int r = sealed_key_id(sealed, id, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < needs->count; i++)
        if (str_eq(needs->ids[i], id))
            return 0;
    if (needs->count < ARRAY_SIZE(needs->ids))
        memcpy(needs->ids[needs->count++], id, sizeof id);
    return 0;
}

static void note_connection(const struct connection_row *row, struct keys_status *status)
{
    CLEANUP(json_putp) struct json_object *config = NULL;
    struct needs needs = {.count = 0};
    if (json_parse(row->config, strlen(row->config), 64, &config, NULL) ||
        sealed_walk(config, note_need, &needs, NULL))
        status->unreadable++;
    status->connections += needs.count > 0;
    for (size_t i = 0; i < needs.count; i++) {
        struct keys_key *key = note_key(status, needs.ids[i]);
        if (key)
            key->connections++;
    }
}

/* Calls each with every connection, a batch at a time. */
static int each_connection(struct store *store,
                           int (*each)(void *user, const struct connection_row *row,
                                       struct err *err),
                           void *user, struct err *err)
{
    char after[ROW_ID] = "";
    size_t n = BATCH;
    int r = 0;
    while (!r && n == BATCH) {
        struct arena arena;
        struct connection_row *rows;
        arena_init(&arena, BATCH_MEMORY, NULL);
        r = store_connections_scan(store, *after ? after : NULL, BATCH, &arena, &rows, &n, err);
        for (size_t i = 0; !r && i < n; i++)
            r = each(user, &rows[i], err);
        if (!r && n)
            memcpy(after, rows[n - 1].id, sizeof after);
        arena_finish(&arena);
    }
    return r;
}

static int count_connection(void *user, const struct connection_row *row, struct err *err)
{
    (void)err;
    note_connection(row, user);
    return 0;
}

static int note_canary(struct store *store, struct arena *arena, struct keys_status *status,
                       struct err *err)
{
    const char *canary;
    char id[KEY_ID_MAX + 1];
    int r = store_setting_get(store, CANARY, arena, &canary, err);
    if (r == ERR_NOT_FOUND)
        return 0;
    struct keys_key *key = r || sealed_key_id(canary, id, NULL) ? NULL : note_key(status, id);
    if (key)
        key->canary = true;
    return r;
}

int keys_status(struct store *store, struct keyring *keyring, struct arena *arena,
                struct keys_status *ret_status, struct err *err)
{
    char ids[KEYRING_MAX][KEY_ID_MAX + 1];
    size_t n = keyring_ids(keyring, ids);
    struct keys_status status = {
        .keys = arena_alloc_array(arena, KEYRING_MAX + KEYS_SHOWN, sizeof *status.keys)};
    if (!status.keys)
        return err_set(err, ERR_MEMORY, "no memory for the keys");
    for (size_t i = 0; i < n; i++) {
        struct keys_key *key = note_key(&status, ids[i]);
        key->in_ring = true;
        key->active = !i;
    }
    int r = note_canary(store, arena, &status, err);
    if (!r)
        r = each_connection(store, count_connection, &status, err);
    if (!r)
        r = read_replicas(store, keyring, arena, &status, err);
    if (!r && arena->failed)
        r = err_set(err, ERR_MEMORY, "no memory for what the keys are used for");
    if (r < 0)
        return r;
    bool settled = !status.unreadable; /* nobody seals with another key, nor hides what it needs */
    for (size_t i = 0; i < status.replica_count; i++)
        settled &= status.replicas[i].same_active;
    for (size_t i = 0; i < status.key_count; i++) {
        struct keys_key *key = &status.keys[i];
        key->may_go = settled && key->in_ring && !key->active && !key->canary && !key->connections;
    }
    *ret_status = status;
    return 0;
}

/* ---- Rotation ---- */

struct rotating {
    struct store *store;
    struct keyring *keyring;
    void (*progress)(void *user, const struct keys_rotation *so_far);
    void *user;
    struct keys_rotation total;
    size_t left; /* rows of this pass that are not done */
    int failure;
};

/* One try with the row as it was read. */
static int move_once(struct rotating *rotating, const struct connection_row *row, bool *ret_moved,
                     bool *ret_swapped, struct err *err)
{
    CLEANUP(json_putp) struct json_object *config = NULL;
    struct seal_place place = {
        .table = "observability_connections", .row_id = row->id, .user_id = row->user_id};
    bool changed = false;
    int r = json_parse(row->config, strlen(row->config), 64, &config, err);
    if (!r)
        r = sealed_reseal(rotating->keyring, &place, config, &changed, err);
    *ret_moved = changed;
    *ret_swapped = true;
    if (r < 0 || !changed)
        return r;
    struct buf text = BUF((size_t)16 << 20);
    buf_json_object(&text, config);
    r = text.failed ? err_set(err, ERR_MEMORY, "no memory for a configuration")
                    : store_connection_rewrap(rotating->store, row->id, row->config,
                                              buf_text(&text), ret_swapped, err);
    buf_finish(&text);
    return r;
}

/* Whether the trouble lies in the row, so that the others may yet be done. */
static bool is_rows_own(int code)
{
    return code == ERR_INVALID || code == ERR_NOT_FOUND || code == ERR_LIMIT;
}

static int move(void *user, const struct connection_row *row, struct err *err)
{
    struct rotating *rotating = user;
    struct connection_row now = *row;
    struct arena arena;
    struct err why = {0};
    bool moved = false;
    bool swapped = false;
    int r = 0;
    arena_init(&arena, BATCH_MEMORY, NULL);
    for (int i = 0; !r && !swapped && i < TRIES; i++) {
        if (i) { /* somebody was faster: as it is now */
            rotating->total.changed++;
            r = store_connection_get(rotating->store, NULL, row->id, &arena, &now, &why);
            if (r == ERR_NOT_FOUND) { /* gone, with its secrets */
                r = 0;
                break;
            }
        }
        if (!r)
            r = move_once(rotating, &now, &moved, &swapped, &why);
    }
    if (is_rows_own(r)) {
        if (!rotating->total.failed++)
            snprintf(rotating->total.failure, sizeof rotating->total.failure,
                     "connection %s (%.64s): %.380s", row->id, row->name, why.text);
        rotating->failure = r;
        r = 0;
    } else if (r < 0) {
        err_set(err, r, "%s", why.text);
    }
    rotating->total.seen++;
    rotating->total.moved += !r && moved && swapped;
    rotating->left += moved;
    if (!r && rotating->progress && rotating->total.seen % BATCH == 0)
        rotating->progress(rotating->user, &rotating->total);
    arena_finish(&arena);
    return r;
}

static int move_canary(struct rotating *rotating, struct err *err)
{
    struct arena arena;
    struct buf text = BUF(SEALED_MAX);
    bool changed = false;
    bool swapped = false;
    int r = 0;
    arena_init(&arena, SEALED_MAX * 2 * TRIES, NULL);
    for (int i = 0; !r && !swapped && i < TRIES; i++) {
        const char *canary;
        r = store_setting_get(rotating->store, CANARY, &arena, &canary, err);
        buf_clear(&text);
        if (!r)
            r = reseal(rotating->keyring, &canary_place, canary, &text, &changed, err);
        if (r || !changed)
            break;
        r = store_setting_swap(rotating->store, CANARY, canary, buf_text(&text), &swapped, err);
    }
    rotating->total.canary = !r && swapped;
    buf_finish(&text);
    arena_finish(&arena);
    return r;
}

/* Every live replica must be able to open what is sealed with the active key. */
static int check_replicas(struct store *store, struct keyring *keyring, struct err *err)
{
    struct keys_status status = {0};
    struct arena arena;
    char ids[KEYRING_MAX][KEY_ID_MAX + 1];
    keyring_ids(keyring, ids);
    arena_init(&arena, (size_t)1 << 20, NULL);
    int r = read_replicas(store, keyring, &arena, &status, err);
    for (size_t i = 0; !r && i < status.replica_count; i++) {
        const struct keys_replica *replica = &status.replicas[i];
        if (!replica->has_active)
            r = err_set(err, ERR_CONFLICT,
                        "the sonde on %s (replica %s, heard of %lld s ago) does not hold the key "
                        "%s, so it could not read what is sealed with it; it holds: %s. Put the "
                        "key's line into its ring and reload it, or stop it and wait a minute",
                        replica->host, replica->id, (long long)(replica->seen_ms_ago / 1000),
                        ids[0], replica->keys);
    }
    if (!r && arena.failed)
        r = err_set(err, ERR_MEMORY, "no memory for the other replicas");
    arena_finish(&arena);
    return r;
}

int keys_rotate(struct store *store, struct keyring *keyring,
                void (*progress)(void *user, const struct keys_rotation *so_far), void *user,
                struct keys_rotation *ret_rotation, struct err *err)
{
    struct rotating rotating = {
        .store = store, .keyring = keyring, .progress = progress, .user = user};
    int r = check_replicas(store, keyring, err);
    bool done = false;
    for (int pass = 0; !r && !done && pass < PASSES; pass++) {
        rotating.left = rotating.total.seen = rotating.total.failed = 0;
        rotating.failure = 0;
        r = each_connection(store, move, &rotating, err);
        done = !rotating.left; /* a pass that found nothing to do: none came in behind it */
    }
    if (!r)
        r = move_canary(&rotating, err);
    if (progress && !r)
        progress(user, &rotating.total);
    if (!r && rotating.failure)
        r = err_set(err, rotating.failure, "%zu of %zu connections could not be moved; %s",
                    rotating.total.failed, rotating.total.seen, rotating.total.failure);
    else if (!r && !done)
        r = err_set(err, ERR_BUSY,
                    "connections are still being sealed with another key: is a replica running "
                    "whose ring begins with another one? Reload it, then run this again");
    *ret_rotation = rotating.total;
    return r;
}
