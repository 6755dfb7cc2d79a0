/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/book.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define BOOK_MAX ((size_t)256 << 20)
#define ENTRIES_MAX ((size_t)1000000)
#define BOUND_MAX 1000u
/* Later on nobody needs to be told more than that it is unknown. */
#define OVER_MS (INT64_C(90) * 24 * 3600 * 1000)

void book_free(struct book *book)
{
    if (!book)
        return;
    map_finish(&book->users);
    map_finish(&book->names);
    map_finish(&book->externals);
    map_finish(&book->tokens);
    map_finish(&book->token_ids);
    arena_finish(&book->arena);
    mem_free(book);
}

static int add_user(struct book *book, const struct user_row *row)
{
    struct book_user *user = arena_alloc(&book->arena, sizeof *user);
    if (!user)
        return ERR_MEMORY;
    memcpy(user->id, row->id, sizeof user->id);
    user->name = row->name;
    user->external = row->external;
    user->disabled = row->disabled;
    int r = map_set(&book->users, user->id, strlen(user->id), user, NULL);
    if (!r)
        r = map_set(&book->names, user->name, strlen(user->name), user, NULL);
    if (!r && user->external)
        r = map_set(&book->externals, user->external, strlen(user->external), user, NULL);
    return r;
}

/* What cannot be read binds to nothing: such a token sees no connection. */
static int bind_to(struct book *book, struct book_token *token, const char *text)
{
    CLEANUP(json_putp) struct json_object *list = NULL;
    token->bound = true;
    if (json_parse(text, strlen(text), 2, &list, NULL) ||
        !json_object_is_type(list, json_type_array))
        return 0;
    size_t n = json_object_array_length(list);
    if (n > BOUND_MAX)
        n = BOUND_MAX;
    const char **ids = arena_alloc_array(&book->arena, n + 1, sizeof *ids);
    for (size_t i = 0; ids && i < n; i++) {
        const char *id = json_object_get_string(json_object_array_get_idx(list, i));
        ids[i] = arena_strdup(&book->arena, id ? id : "");
    }
    token->connections = ids;
    token->connection_count = n;
    return book->arena.failed ? ERR_MEMORY : 0;
}

static int add_token(struct book *book, const struct book *before, const struct token_row *row,
                     int64_t now_ms)
{
    const struct book_user *user = book_user(&book->users, row->user_id);
    bool over = (row->revoked_ms && row->revoked_ms < now_ms - OVER_MS) ||
                (row->expires_ms && row->expires_ms < now_ms - OVER_MS);
    if (!user || over) /* the user came after users were read: the next read has both */
        return 0;
    struct book_token *token = arena_alloc(&book->arena, sizeof *token);
    if (!token)
        return ERR_MEMORY;
    memcpy(token->hash, row->hash, sizeof token->hash);
    memcpy(token->id, row->id, sizeof token->id);
    token->user = user;
    token->rights = row->rights;
    token->expires_ms = row->expires_ms;
    token->revoked_ms = row->revoked_ms;
    const struct book_token *old = before ? book_token(before, row->hash) : NULL;
    int64_t told = old ? atomic_load(&old->told_ms) : 0;
    atomic_init(&token->told_ms, told > row->used_ms ? told : row->used_ms);
    int r = row->connections ? bind_to(book, token, row->connections) : 0;
    if (!r)
        r = map_set(&book->tokens, (const char *)token->hash, sizeof token->hash, token, NULL);
    if (!r)
        r = map_set(&book->token_ids, token->id, strlen(token->id), token, NULL);
    return r;
}

int book_read(struct store *store, const struct book *before, int64_t now_ms,
              struct book **ret_book, struct err *err)
{
    CLEANUP(book_freep) struct book *book = mem_alloc(sizeof *book);
    if (!book)
        return err_set(err, ERR_MEMORY, "no memory for users and tokens");
    arena_init(&book->arena, BOOK_MAX, NULL);
    struct map *const maps[] = {&book->users, &book->names, &book->externals, &book->tokens,
                                &book->token_ids};
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
        map_init(maps[i], ENTRIES_MAX);
    struct user_row *users = NULL;
    struct token_row *tokens = NULL;
    size_t user_count = 0;
    size_t token_count = 0;
    int r = store_users(store, &book->arena, &users, &user_count, err);
    if (!r)
        r = store_tokens(store, NULL, &book->arena, &tokens, &token_count, err);
    if (r)
        return r;
    for (size_t i = 0; !r && i < user_count; i++)
        r = add_user(book, &users[i]);
    for (size_t i = 0; !r && i < token_count; i++)
        r = add_token(book, before, &tokens[i], now_ms);
    if (r)
        return err_set(err, r, "no memory for %zu users and %zu tokens", user_count, token_count);
    *ret_book = STEAL(book);
    return 0;
}

const struct book_user *book_user(const struct map *by, const char *key)
{
    return map_get(by, key, strlen(key));
}

struct book_token *book_token(const struct book *book, const unsigned char hash[SHA256_BYTES])
{
    return map_get(&book->tokens, (const char *)hash, SHA256_BYTES);
}

bool book_token_lets_see(const struct book_token *token, const char *connection_id)
{
    if (!token->bound)
        return true;
    for (size_t i = 0; i < token->connection_count; i++)
        if (str_eq(token->connections[i], connection_id))
            return true;
    return false;
}
