/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canary, the heartbeat and the rotation of keys, on a store of a few rows in memory that processes share: a rotation is killed at random
 * moments while another process changes the rows, and the next one must complete it.
 */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "model/principal.h"
#include "secrets/sealed_json.h"
#include "service/keys.h"

#define ONE "one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define TWO "two:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

/* ---- The store ---- */

#define ROWS 230 /* more than two batches */
#define TEXT 2048

struct cell {
    char text[2][TEXT];
    atomic_int which; /* the one that counts: a writer that dies leaves the other half written */
    bool there;
};

struct store {
    pthread_mutex_t lock; /* survives its holder's death */
    struct cell rows[ROWS];
    struct cell canary;
    struct replica_row replicas[4];
    char hosts[4][64], keys[4][256];
    size_t replica_count;
    size_t rewraps;
    bool refuse_swaps;
};

static struct store *store;

static void lock(struct store *s)
{
    int r = pthread_mutex_lock(&s->lock);
    if (r == EOWNERDEAD)
        pthread_mutex_consistent(&s->lock);
}

static void put_text(struct cell *cell, const char *text)
{
    int other = !atomic_load(&cell->which);
    assert_true(strlen(text) < TEXT);
    snprintf(cell->text[other], TEXT, "%s", text);
    atomic_store(&cell->which, other);
    cell->there = true;
}

static const char *text_of(const struct cell *cell)
{
    return cell->text[atomic_load(&cell->which)];
}

static void id_of(size_t i, char id[ROW_ID])
{
    snprintf(id, ROW_ID, "00000000-0000-8000-8000-%012zu", i);
}

const char *store_shown(const struct store *s)
{
    (void)s;
    return "the test's store";
}

int store_setting_get(struct store *s, const char *name, struct arena *arena,
                      const char **ret_value, struct err *err)
{
    assert_string_equal(name, "canary");
    lock(s);
    *ret_value = s->canary.there ? arena_strdup(arena, text_of(&s->canary)) : NULL;
    pthread_mutex_unlock(&s->lock);
    return *ret_value ? 0 : err_set(err, ERR_NOT_FOUND, "no such setting");
}

int store_setting_init(struct store *s, const char *name, const char *value, struct arena *arena,
                       const char **ret_value, struct err *err)
{
    lock(s);
    if (!s->canary.there)
        put_text(&s->canary, value);
    pthread_mutex_unlock(&s->lock);
    return store_setting_get(s, name, arena, ret_value, err);
}

static bool swap(struct store *s, struct cell *cell, const char *before, const char *after)
{
    lock(s);
    bool same = cell->there && str_eq(text_of(cell), before) && !s->refuse_swaps;
    if (same)
        put_text(cell, after);
    pthread_mutex_unlock(&s->lock);
    return same;
}

int store_setting_swap(struct store *s, const char *name, const char *before, const char *after,
                       bool *ret_swapped, struct err *err)
{
    (void)name;
    (void)err;
    *ret_swapped = swap(s, &s->canary, before, after);
    return 0;
}

static void read_row(struct store *s, size_t i, struct arena *arena, struct connection_row *row)
{
    *row = (struct connection_row){.name = "c", .revision = 1};
    id_of(i, row->id);
    memcpy(row->user_id, USER_LOCAL_ID, ROW_ID);
    row->config = arena_strdup(arena, text_of(&s->rows[i]));
}

int store_connections_scan(struct store *s, const char *after_id, size_t limit, struct arena *arena,
                           struct connection_row **ret_rows, size_t *ret_count, struct err *err)
{
    (void)err;
    struct connection_row *rows = arena_alloc_array(arena, limit, sizeof *rows);
    size_t n = 0;
    lock(s);
    for (size_t i = 0; i < ROWS && n < limit; i++) {
        char id[ROW_ID];
        id_of(i, id);
        if (s->rows[i].there && (!after_id || strcmp(id, after_id) > 0))
            read_row(s, i, arena, &rows[n++]);
    }
    pthread_mutex_unlock(&s->lock);
    *ret_rows = rows;
    *ret_count = n;
    return 0;
}

static size_t index_of(const char *id)
{
    char want[ROW_ID];
    for (size_t i = 0; i < ROWS; i++) {
        id_of(i, want);
        if (str_eq(want, id))
            return i;
    }
    fail_msg("no row %s", id);
    return 0;
}

int store_connection_get(struct store *s, const char *user_id, const char *id, struct arena *arena,
                         struct connection_row *ret_row, struct err *err)
{
    assert_null(user_id);
    size_t i = index_of(id);
    lock(s);
    bool there = s->rows[i].there;
    if (there)
        read_row(s, i, arena, ret_row);
    pthread_mutex_unlock(&s->lock);
    return there ? 0 : err_set(err, ERR_NOT_FOUND, "gone");
}

int store_connection_rewrap(struct store *s, const char *id, const char *before, const char *after,
                            bool *ret_swapped, struct err *err)
{
    (void)err;
    *ret_swapped = swap(s, &s->rows[index_of(id)], before, after);
    s->rewraps += *ret_swapped;
    return 0;
}

int store_replica_beat(struct store *s, const struct replica_row *replica, struct err *err)
{
    (void)err;
    size_t i = 0;
    while (i < s->replica_count && !str_eq(s->replicas[i].id, replica->id))
        i++;
    assert_true(i < 4);
    s->replica_count += i == s->replica_count;
    s->replicas[i] = *replica;
    snprintf(s->hosts[i], sizeof s->hosts[i], "%s", replica->host);
    snprintf(s->keys[i], sizeof s->keys[i], "%s", replica->key_ids);
    s->replicas[i].host = s->hosts[i];
    s->replicas[i].key_ids = s->keys[i];
    return 0;
}

int store_replicas(struct store *s, int64_t since_ms, struct arena *arena,
                   struct replica_row **ret_rows, size_t *ret_count, struct err *err)
{
    (void)err;
    struct replica_row *rows = arena_alloc_array(arena, 4, sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < s->replica_count; i++)
        if (s->replicas[i].seen_ms >= since_ms)
            rows[n++] = s->replicas[i];
    *ret_rows = rows;
    *ret_count = n;
    return 0;
}

/* ---- The keys ---- */

static char folder[64];
static char path[128];

static void put_ring(const char *text)
{
    unlink(path);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static struct keyring *ring(const char *text)
{
    struct keyring *keyring;
    struct err err = {0};
    bool made;
    put_ring(text);
    struct keyring_source source = {.file = path};
    if (keyring_open(&source, &keyring, &made, &err))
        fail_msg("%s", err.text);
    return keyring;
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/sonde-rotate-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/keys", folder);
    store = mmap(NULL, sizeof *store, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (store == MAP_FAILED)
        return -1;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&store->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    munmap(store, sizeof *store);
    unlink(path);
    return rmdir(folder);
}

/* A row with two secrets and its count of changes. */
static void write_row(struct keyring *keyring, size_t i, int change)
{
    char id[ROW_ID];
    char token[64], key[64];
    id_of(i, id);
    snprintf(token, sizeof token, "token %zu %d", i, change);
    snprintf(key, sizeof key, "key %zu %d", i, change);
    struct seal_place place = {"observability_connections", id, USER_LOCAL_ID, "auth.token"};
    CLEANUP(json_putp) struct json_object *config = json_object_new_object();
    struct json_object *auth = json_object_new_object();
    struct json_object *value = NULL;
    assert_int_equal(sealed_make(keyring, &place, token, strlen(token), &value, NULL), 0);
    json_object_object_add(auth, "token", value);
    json_object_object_add(config, "auth", auth);
    place.field = "api_key";
    assert_int_equal(sealed_make(keyring, &place, key, strlen(key), &value, NULL), 0);
    json_object_object_add(config, "api_key", value);
    json_object_object_add(config, "change", json_object_new_int(change));
    struct buf text = BUF(TEXT);
    buf_json_object(&text, config);
    lock(store);
    put_text(&store->rows[i], buf_text(&text));
    pthread_mutex_unlock(&store->lock);
    buf_finish(&text);
}

struct opening {
    struct keyring *keyring;
    const char *id;
    size_t i;
    int change;
    const char *key;
};

static int open_one(void *user, const char *field, const char *sealed,
                    struct json_object **ret_value, struct err *err)
{
    (void)ret_value;
    struct opening *opening = user;
    char want[64];
    char id[KEY_ID_MAX + 1];
    struct secret *secret = NULL;
    struct seal_place place = {"observability_connections", opening->id, USER_LOCAL_ID, field};
    snprintf(want, sizeof want, "%s %zu %d", str_eq(field, "api_key") ? "key" : "token", opening->i,
             opening->change);
    if (unseal(opening->keyring, &place, sealed, &secret, err))
        fail_msg("row %zu: %s", opening->i, err->text);
    assert_string_equal(secret_reveal(secret), want);
    secret_free(secret);
    assert_int_equal(sealed_key_id(sealed, id, NULL), 0);
    if (opening->key)
        assert_string_equal(id, opening->key);
    return 0;
}

/* Every value opens to what was last written there, and needs the key. */
static void all_open(struct keyring *keyring, const char *key)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!store->rows[i].there)
            continue;
        CLEANUP(json_putp) struct json_object *config = NULL;
        const char *text = text_of(&store->rows[i]);
        char id[ROW_ID];
        struct err err = {0};
        id_of(i, id);
        assert_int_equal(json_parse(text, strlen(text), 16, &config, &err), 0);
        struct opening opening = {keyring, id, i,
                                  json_object_get_int(json_member(config, "change")), key};
        assert_int_equal(sealed_walk(config, open_one, &opening, &err), 0);
    }
}

static void fill(struct keyring *keyring)
{
    memset(store->rows, 0, sizeof store->rows);
    memset(&store->canary, 0, sizeof store->canary);
    store->replica_count = store->rewraps = 0;
    struct err err = {0};
    if (keys_check(store, keyring, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < ROWS; i++)
        write_row(keyring, i, 0);
}

/* ---- Tests ---- */

static void test_canary(void **state)
{
    (void)state;
    struct err err = {0};
    struct keyring *keyring = ring(ONE);
    memset(&store->canary, 0, sizeof store->canary);
    assert_int_equal(keys_check(store, keyring, &err), 0);
    assert_true(str_starts(text_of(&store->canary), "sonde1:one:"));
    assert_int_equal(keys_check(store, keyring, &err), 0);
    keyring_free(keyring);
    keyring = ring(TWO ONE);
    assert_int_equal(keys_check(store, keyring, &err), 0);
    keyring_free(keyring);
    keyring = ring(TWO);
    assert_int_equal(keys_check(store, keyring, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "the key one"));
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "the test's store"));
    keyring_free(keyring);
    keyring = ring("one:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    assert_int_equal(keys_check(store, keyring, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "only its id is the same"));
    put_text(&store->canary, "chirp");
    assert_int_equal(keys_check(store, keyring, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "damaged"));
    keyring_free(keyring);
}

static void test_rotation(void **state)
{
    (void)state;
    struct err err = {0};
    struct arena arena;
    struct keys_status status;
    struct keys_rotation rotation;
    CLEANUP(keyring_freep) struct keyring *keyring = ring(ONE);
    arena_init(&arena, 1 << 20, NULL);
    fill(keyring);
    put_ring(TWO ONE);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    for (size_t i = 0; i < 10; i++)
        write_row(keyring, i, 1); /* new ones go under the active key */
    assert_int_equal(keys_status(store, keyring, &arena, &status, &err), 0);
    assert_int_equal(status.key_count, 2);
    assert_int_equal(status.connections, ROWS);
    assert_true(status.keys[0].active && status.keys[0].connections == 10);
    assert_true(!status.keys[0].may_go && !status.keys[0].canary);
    assert_true(!status.keys[1].active && status.keys[1].connections == ROWS - 10);
    assert_true(!status.keys[1].may_go && status.keys[1].canary);

    if (keys_rotate(store, keyring, NULL, NULL, &rotation, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rotation.moved, ROWS - 10);
    assert_int_equal(rotation.failed, 0);
    assert_true(rotation.canary);
    all_open(keyring, "two");
    assert_int_equal(keys_status(store, keyring, &arena, &status, &err), 0);
    assert_true(status.keys[0].connections == ROWS && status.keys[0].canary);
    assert_true(status.keys[1].connections == 0 && status.keys[1].may_go);

    store->rewraps = 0;
    assert_int_equal(keys_rotate(store, keyring, NULL, NULL, &rotation, &err), 0);
    assert_int_equal(rotation.moved, 0);
    assert_int_equal(store->rewraps, 0);
    assert_false(rotation.canary);
    put_ring(TWO);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    assert_int_equal(keys_check(store, keyring, &err), 0);
    all_open(keyring, "two");
    arena_finish(&arena);
}

static void test_replicas(void **state)
{
    (void)state;
    static const char here[] = "00000000-0000-7000-8000-00000000000a";
    static const char there[] = "00000000-0000-7000-8000-00000000000b";
    struct err err = {0};
    struct arena arena;
    struct keys_status status;
    struct keys_rotation rotation;
    CLEANUP(keyring_freep) struct keyring *old = ring(ONE);
    arena_init(&arena, 1 << 20, NULL);
    fill(old);
    CLEANUP(keyring_freep) struct keyring *keyring = ring(TWO ONE);
    assert_int_equal(keys_beat(store, keyring, here, &err), 0);
    assert_string_equal(store->keys[0], "[\"two\",\"one\"]");
    assert_int_equal(keys_beat(store, old, there, &err), 0);
    assert_int_equal(keys_status(store, keyring, &arena, &status, &err), 0);
    assert_int_equal(status.replica_count, 2);
    assert_true(status.keys[0].holders == 1 && status.keys[1].holders == 2);
    assert_true(status.replicas[0].has_active && status.replicas[0].same_active);
    assert_string_equal(status.replicas[0].keys, "two, one");
    assert_true(!status.replicas[1].has_active && !status.replicas[1].same_active);
    assert_int_equal(keys_rotate(store, keyring, NULL, NULL, &rotation, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, there));
    assert_non_null(strstr(err.text, "the key two"));
    assert_int_equal(store->rewraps, 0);
    snprintf(store->keys[1], sizeof store->keys[1], "garbage");
    assert_int_equal(keys_rotate(store, keyring, NULL, NULL, &rotation, &err), ERR_CONFLICT);

    /* It has the key, but seals with the old one: everything moves, and the old line must stay. */
    snprintf(store->keys[1], sizeof store->keys[1], "[\"one\",\"two\"]");
    if (keys_rotate(store, keyring, NULL, NULL, &rotation, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rotation.moved, ROWS);
    assert_int_equal(keys_status(store, keyring, &arena, &status, &err), 0);
    assert_true(status.replicas[1].has_active && !status.replicas[1].same_active);
    assert_true(!status.keys[1].connections && !status.keys[1].may_go);
    /* It is gone. */
    store->replicas[1].seen_ms -= 61000;
    assert_int_equal(keys_status(store, keyring, &arena, &status, &err), 0);
    assert_int_equal(status.replica_count, 1);
    assert_true(status.keys[1].may_go);
    arena_finish(&arena);
}

static void test_damaged(void **state)
{
    (void)state;
    struct err err = {0};
    struct arena arena;
    struct keys_status status;
    struct keys_rotation rotation;
    CLEANUP(keyring_freep) struct keyring *keyring = ring(ONE);
    arena_init(&arena, 1 << 20, NULL);
    fill(keyring);
    put_text(&store->rows[3], text_of(&store->rows[4])); /* secrets of another row */
    put_text(&store->rows[5], "{\"auth\":{\"token\":{\"sealed\":\"sonde1:gone:AAAA\"}}}");
    put_text(&store->rows[7], "{no json");
    put_ring(TWO ONE);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    assert_int_equal(keys_rotate(store, keyring, NULL, NULL, &rotation, &err), ERR_INVALID);
    assert_int_equal(rotation.failed, 3);
    assert_int_equal(rotation.moved, ROWS - 3);
    assert_true(rotation.canary);
    assert_non_null(strstr(err.text, "3 of 230"));
    assert_non_null(strstr(err.text, "000000000003"));
    assert_int_equal(keys_status(store, keyring, &arena, &status, &err), 0);
    assert_int_equal(status.unreadable, 1);
    assert_int_equal(status.key_count, 3);
    assert_string_equal(status.keys[2].id, "gone");
    assert_true(!status.keys[2].in_ring && status.keys[2].connections == 1);
    assert_true(status.keys[1].connections == 1 && !status.keys[1].may_go);
    arena_finish(&arena);
}

/* A row that somebody else changes each time is not done for ever. */
static void test_busy(void **state)
{
    (void)state;
    struct err err = {0};
    struct keys_rotation rotation;
    CLEANUP(keyring_freep) struct keyring *keyring = ring(ONE);
    fill(keyring);
    put_ring(TWO ONE);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    store->refuse_swaps = true;
    assert_int_equal(keys_rotate(store, keyring, NULL, NULL, &rotation, &err), ERR_BUSY);
    store->refuse_swaps = false;
    assert_int_equal(keys_rotate(store, keyring, NULL, NULL, &rotation, &err), 0);
    all_open(keyring, "two");
}

static int *changes; /* of each row, as last written by the process that changes them */

static void *change_rows(void *argument)
{
    struct keyring *keyring = argument;
    for (size_t k = 0; k < 4000; k++) {
        size_t i = (size_t)(rand_u64() % ROWS);
        write_row(keyring, i, ++changes[i]);
    }
    return NULL;
}

static void test_rows_change(void **state)
{
    (void)state;
    struct err err = {0};
    struct keys_rotation rotation;
    CLEANUP(keyring_freep) struct keyring *keyring = ring(ONE);
    fill(keyring);
    changes = mem_alloc_array(ROWS, sizeof *changes);
    put_ring(TWO ONE);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, change_rows, keyring), 0);
    int r = keys_rotate(store, keyring, NULL, NULL, &rotation, &err);
    pthread_join(thread, NULL);
    if (r)
        fail_msg("%s", err.text);
    all_open(keyring, "two");
    for (size_t i = 0; i < ROWS; i++) { /* no change was undone */
        char want[32];
        snprintf(want, sizeof want, "\"change\":%d}", changes[i]);
        if (!strstr(text_of(&store->rows[i]), want))
            fail_msg("row %zu lost %s", i, want);
    }
    mem_free(changes);
}

static void slow(void *user, const struct keys_rotation *so_far)
{
    (void)user;
    (void)so_far;
    usleep(500);
}

static void test_killed(void **state)
{
    (void)state;
    static const char *const rings[] = {ONE TWO, TWO ONE};
    struct err err = {0};
    size_t killed = 0;
    CLEANUP(keyring_freep) struct keyring *keyring = ring(ONE);
    fill(keyring);
    for (int round = 0; round < 60; round++) {
        put_ring(rings[round % 2]);
        assert_int_equal(keyring_reload(keyring, &err), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (!pid) {
            struct keys_rotation rotation;
            _exit(keys_rotate(store, keyring, slow, NULL, &rotation, &err) ? 1 : 0);
        }
        usleep((useconds_t)(rand_u64() % 8000));
        kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        killed += WIFSIGNALED(status);
        all_open(keyring, NULL); /* wherever it was, every secret is still there */
        if (round % 3)
            continue;
        struct keys_rotation rotation;
        if (keys_rotate(store, keyring, NULL, NULL, &rotation, &err))
            fail_msg("%s", err.text);
        all_open(keyring, round % 2 ? "two" : "one");
        assert_int_equal(keys_check(store, keyring, &err), 0);
    }
    assert_true(killed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canary),   cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_replicas), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_busy),     cmocka_unit_test(test_rows_change),
        cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
