/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_store.h"

#include <pthread.h>
#include <string.h>

#include "base/str.h"

#define ROWS 64

struct store {
    pthread_mutex_t lock;
    struct arena arena;
    struct user_row users[ROWS];
    struct token_row tokens[ROWS];
    size_t user_count, token_count;
    uint64_t generation;
    unsigned reads, uses;
    bool fails, hides;
};

static struct store store = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct store *fake_store(void)
{
    return &store;
}

void fake_store_reset(void)
{
    arena_finish(&store.arena);
    arena_init(&store.arena, (size_t)1 << 20, NULL);
    store.user_count = store.token_count = 0;
    store.generation++;
    store.reads = store.uses = 0;
    store.fails = store.hides = false;
}

void fake_store_fail(bool fails)
{
    store.fails = fails;
}

void fake_store_hide(bool hides)
{
    store.hides = hides;
}

unsigned fake_store_reads(void)
{
    return store.reads;
}

unsigned fake_store_uses(void)
{
    return store.uses;
}

static int begin(struct store *self, struct err *err)
{
    pthread_mutex_lock(&self->lock);
    return self->fails ? err_set(err, ERR_UNAVAILABLE, "the database is gone") : 0;
}

static int end(struct store *self, int r, bool changed)
{
    if (!r && changed && !self->hides)
        self->generation++;
    pthread_mutex_unlock(&self->lock);
    return r;
}

uint64_t store_generation(struct store *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t generation = self->generation;
    pthread_mutex_unlock(&self->lock);
    return generation;
}

static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static void copy_user(struct arena *arena, struct user_row *to, const struct user_row *from)
{
    *to = *from;
    to->name = copy(arena, from->name);
    to->external = copy(arena, from->external);
}

static struct user_row *find(struct store *self, const char *id, const char *name,
                             const char *external)
{
    for (size_t i = 0; i < self->user_count; i++) {
        struct user_row *user = &self->users[i];
        if ((id && str_eq(user->id, id)) || (name && str_eq(user->name, name)) ||
            (external && str_eq(user->external, external)))
            return user;
    }
    return NULL;
}

int store_user_add(struct store *self, const struct user_row *user, struct err *err)
{
    int r = begin(self, err);
    if (!r && find(self, user->id, user->name, user->external))
        r = err_set(err, ERR_CONFLICT, "the name is taken");
    if (!r && self->user_count == ROWS)
        r = err_set(err, ERR_SYSTEM, "full");
    if (!r)
        copy_user(&self->arena, &self->users[self->user_count++], user);
    return end(self, r, true);
}

int store_users(struct store *self, struct arena *arena, struct user_row **ret_users,
                size_t *ret_count, struct err *err)
{
    int r = begin(self, err);
    if (!r) {
        struct user_row *users = arena_alloc_array(arena, ROWS, sizeof *users);
        for (size_t i = 0; i < self->user_count; i++)
            copy_user(arena, &users[i], &self->users[i]);
        *ret_users = users;
        *ret_count = self->user_count;
    }
    return end(self, r, false);
}

int store_user_find(struct store *self, const char *id, const char *name, const char *external,
                    struct arena *arena, struct user_row *ret_user, struct err *err)
{
    int r = begin(self, err);
    const struct user_row *user = r ? NULL : find(self, id, name, external);
    if (!r && !user)
        r = err_set(err, ERR_NOT_FOUND, "no such user");
    if (!r)
        copy_user(arena, ret_user, user);
    return end(self, r, false);
}

int store_user_disable(struct store *self, const char *id, bool disabled, struct err *err)
{
    int r = begin(self, err);
    struct user_row *user = r ? NULL : find(self, id, NULL, NULL);
    if (!r && !user)
        r = err_set(err, ERR_NOT_FOUND, "no such user");
    if (!r)
        user->disabled = disabled;
    return end(self, r, true);
}

static void copy_token(struct arena *arena, struct token_row *to, const struct token_row *from)
{
    *to = *from;
    to->name = copy(arena, from->name);
    to->prefix = copy(arena, from->prefix);
    to->connections = copy(arena, from->connections);
}

int store_token_add(struct store *self, const struct token_row *token, struct err *err)
{
    int r = begin(self, err);
    if (!r && self->token_count == ROWS)
        r = err_set(err, ERR_SYSTEM, "full");
    if (!r)
        copy_token(&self->arena, &self->tokens[self->token_count++], token);
    return end(self, r, true);
}

int store_tokens(struct store *self, const char *user_id, struct arena *arena,
                 struct token_row **ret_tokens, size_t *ret_count, struct err *err)
{
    int r = begin(self, err);
    if (!r) {
        struct token_row *tokens = arena_alloc_array(arena, ROWS, sizeof *tokens);
        size_t n = 0;
        for (size_t i = 0; i < self->token_count; i++) {
            if (user_id && !str_eq(user_id, self->tokens[i].user_id))
                continue;
            const struct user_row *user = find(self, self->tokens[i].user_id, NULL, NULL);
            copy_token(arena, &tokens[n], &self->tokens[i]);
            tokens[n].user_name = copy(arena, user ? user->name : "");
            tokens[n++].user_disabled = user && user->disabled;
        }
        self->reads++;
        *ret_tokens = tokens;
        *ret_count = n;
    }
    return end(self, r, false);
}

int store_token_revoke(struct store *self, const char *id, int64_t now_ms, struct err *err)
{
    int r = begin(self, err);
    struct token_row *token = NULL;
    for (size_t i = 0; i < self->token_count; i++)
        if (str_eq(self->tokens[i].id, id))
            token = &self->tokens[i];
    if (!r && !token)
        r = err_set(err, ERR_NOT_FOUND, "no such token");
    if (!r)
        token->revoked_ms = now_ms;
    return end(self, r, true);
}

void store_token_used(struct store *self, const char *id, int64_t now_ms)
{
    (void)id;
    (void)now_ms;
    pthread_mutex_lock(&self->lock);
    self->uses++;
    pthread_mutex_unlock(&self->lock);
}

void store_on_change(struct store *self, void (*changed)(void *user), void *user)
{
    (void)self;
    (void)changed;
    (void)user;
}
