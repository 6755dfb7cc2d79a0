/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concurrency: a set of tokens is immutable once read; `lock` guards which set is in use, and a check holds it while it looks
 * its token up, so that a reload frees the old set after the last look.
 */
#include "auth/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/accounts.h"
#include "auth/api_token.h"
#include "auth/token_file.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"

struct known {
    unsigned char digest[SHA256_BYTES];
    int line;
    struct principal principal;
};

struct set {
    struct map by_digest; /* keyed by a secret hash: how long a look-up takes tells nothing */
    struct known *known;
    size_t count;
    size_t capacity;
};

struct tokens {
    char *path;
    pthread_mutex_t lock;
    struct set *set; /* under lock */
};

static void set_free(struct set *set)
{
    if (!set)
        return;
    map_finish(&set->by_digest);
    if (set->known)
        wipe(set->known, set->capacity * sizeof *set->known);
    mem_free(set->known);
    mem_free(set);
}
DEFINE_CLEANUP(struct set *, set_free);

/* RFC 6750 section 2.1, b64token: what may follow "Bearer ". */
static bool token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~+/=", c));
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One line without its end: where its words lie in it. token_size 0: nothing but a comment. */
struct word {
    const char *text;
    size_t size;
};

struct line {
    struct word token, user, rights, more;
};

static struct word next_word(const char **text, size_t *size)
{
    struct word word = {.text = *text};
    while (*size && blank(**text))
        (*text)++, (*size)--;
    word.text = *text;
    while (*size && !blank(**text))
        (*text)++, (*size)--;
    word.size = (size_t)(*text - word.text);
    return word;
}

static struct line split(const char *text, size_t size)
{
    struct line line = {0};
    if (size && text[size - 1] == '\r')
        size--;
    for (size_t i = 0; i < size; i++)
        if (text[i] == '#' && (!i || blank(text[i - 1])))
            size = i;
    line.token = next_word(&text, &size);
    line.user = next_word(&text, &size);
    line.rights = next_word(&text, &size);
    line.more = next_word(&text, &size);
    return line;
}

/* NULL, or what is wrong with the line. */
static const char *line_wrong(const struct line *line, unsigned *ret_rights)
{
    const struct word *token = &line->token;
    char rights[16];
    for (size_t i = 0; i < token->size; i++)
        if (!token_char(token->text[i]))
            return "a token is made of letters, digits and - . _ ~ + / =";
    if (token->size < TOKEN_MIN_BYTES)
        return "a token needs at least 16 characters; `openssl rand -hex 32` makes a good one";
    if (token->size > TOKEN_MAX_BYTES)
        return "a token has at most 1,024 characters";
    const char *wrong = line->user.size ? user_name_wrong(line->user.text, line->user.size) : NULL;
    if (wrong)
        return wrong;
    *ret_rights = RIGHTS_ALL;
    if (!line->rights.size)
        return NULL;
    snprintf(rights, sizeof rights, "%.*s", (int)line->rights.size, line->rights.text);
    if (line->more.size || line->rights.size >= sizeof rights ||
        rights_parse(rights, ret_rights, NULL))
        return "a line is TOKEN, TOKEN USER or TOKEN USER RIGHTS, with rights read, manage or "
               "admin; what is meant for people goes behind a #";
    return NULL;
}

static int describe(struct known *known, const struct line *line, unsigned rights)
{
    struct principal *principal = &known->principal;
    principal->rights = rights;
    /* 96 bits of the digest: enough to be unique, not enough to check a guess of it elsewhere with certainty. */
    int n = snprintf(principal->token, sizeof principal->token, "token-");
    for (size_t i = 0; i < 12; i++)
        n += snprintf(principal->token + n, sizeof principal->token - (size_t)n, "%02x",
                      known->digest[i]);
    if (line->user.size)
        snprintf(principal->name, sizeof principal->name, "%.*s", (int)line->user.size,
                 line->user.text);
    else
        snprintf(principal->name, sizeof principal->name, "token-%02x%02x%02x%02x",
                 known->digest[0], known->digest[1], known->digest[2], known->digest[3]);
    return derived_id("user", principal->name, principal->id);
}

static int add(struct set *set, const struct line *line, int number, const char *path,
               struct err *err)
{
    unsigned rights = 0;
    const char *wrong = line_wrong(line, &rights);
    if (wrong)
        return err_set(err, ERR_INVALID, "%s:%d: %s", path, number, wrong);
    if (set->count == set->capacity)
        return err_set(err, ERR_INVALID, "%s:%d: more than %d tokens", path, number, TOKENS_MAX);
    struct known *known = &set->known[set->count];
    known->line = number;
    if (crypto_sha256(line->token.text, line->token.size, known->digest))
        return err_set(err, ERR_SYSTEM, "%s: SHA-256 cannot be had from the TLS library", path);
    const char *key = (const char *)known->digest;
    const struct known *same = map_get(&set->by_digest, key, SHA256_BYTES);
    if (same)
        return err_set(err, ERR_INVALID, "%s:%d: the same token as on line %d", path, number,
                       same->line);
    if (describe(known, line, rights))
        return err_set(err, ERR_SYSTEM, "%s: SHA-256 cannot be had from the TLS library", path);
    if (map_set(&set->by_digest, key, SHA256_BYTES, known, NULL))
        return err_set(err, ERR_MEMORY, "%s: no memory for the tokens", path);
    set->count++;
    return 0;
}

static size_t count_lines(const char *text, size_t size)
{
    size_t n = 1;
    for (size_t i = 0; i < size; i++)
        n += text[i] == '\n';
    return n < TOKENS_MAX ? n : TOKENS_MAX;
}

static int parse(const char *text, size_t size, const char *path, struct set **ret_set,
                 struct err *err)
{
    CLEANUP(set_freep) struct set *set = mem_alloc(sizeof *set);
    if (!set)
        return err_set(err, ERR_MEMORY, "%s: no memory for the tokens", path);
    map_init(&set->by_digest, TOKENS_MAX);
    set->capacity = count_lines(text, size);
    set->known = mem_alloc_array(set->capacity, sizeof *set->known);
    if (!set->known)
        return err_set(err, ERR_MEMORY, "%s: no memory for the tokens", path);
    int number = 0;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        struct line line = split(text + at, length);
        number++;
        int r = line.token.size ? add(set, &line, number, path, err) : 0;
        if (r)
            return r;
        at += length + 1;
    }
    *ret_set = STEAL(set);
    return 0;
}

static int read_set(const char *path, struct set **ret_set, struct err *err)
{
    char *text = NULL;
    size_t size = 0;
    int r = token_file_read(path, &text, &size, err);
    if (r)
        return r;
    r = parse(text, size, path, ret_set, err);
    wipe(text, size);
    mem_free(text);
    return r;
}

int tokens_read(const char *path, struct tokens **ret_tokens, struct err *err)
{
    CLEANUP(set_freep) struct set *set = NULL;
    int r = read_set(path, &set, err);
    if (r)
        return r;
    struct tokens *tokens = mem_alloc(sizeof *tokens);
    char *copy = mem_strdup(path);
    if (!tokens || !copy) {
        mem_free(tokens);
        mem_free(copy);
        return err_set(err, ERR_MEMORY, "%s: no memory for the tokens", path);
    }
    tokens->path = copy;
    tokens->set = STEAL(set);
    pthread_mutex_init(&tokens->lock, NULL);
    *ret_tokens = tokens;
    return 0;
}

int tokens_open(const char *path, struct tokens **ret_tokens, bool *ret_made, struct err *err)
{
    struct err own = {0};
    err = err ? err : &own;
    bool made = false;
    int r = tokens_read(path, ret_tokens, err);
    if (r == ERR_NOT_FOUND) {
        err->code = 0;
        r = token_file_make(path, &made, err);
        if (!r)
            r = tokens_read(path, ret_tokens, err);
    }
    if (!r)
        *ret_made = made;
    return r;
}

int tokens_reload(struct tokens *tokens, struct err *err)
{
    struct set *set = NULL;
    int r = read_set(tokens->path, &set, err);
    if (r)
        return r;
    pthread_mutex_lock(&tokens->lock);
    struct set *old = tokens->set;
    tokens->set = set;
    pthread_mutex_unlock(&tokens->lock);
    set_free(old);
    return 0;
}

int tokens_check(struct tokens *tokens, const char *token, struct principal *ret_principal)
{
    unsigned char digest[SHA256_BYTES];
    if (!token || crypto_sha256(token, strlen(token), digest))
        return ERR_NOT_FOUND;
    pthread_mutex_lock(&tokens->lock);
    const struct known *known =
        map_get(&tokens->set->by_digest, (const char *)digest, SHA256_BYTES);
    bool same = known && crypto_equal(known->digest, digest, SHA256_BYTES);
    if (same)
        *ret_principal = known->principal;
    pthread_mutex_unlock(&tokens->lock);
    return same ? 0 : ERR_NOT_FOUND;
}

int tokens_each(struct tokens *tokens, int (*each)(void *user, const struct principal *principal),
                void *user)
{
    int r = 0;
    pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; !r && i < tokens->set->count; i++)
        r = each(user, &tokens->set->known[i].principal);
    pthread_mutex_unlock(&tokens->lock);
    return r;
}

size_t tokens_count(struct tokens *tokens)
{
    pthread_mutex_lock(&tokens->lock);
    size_t count = tokens->set->count;
    pthread_mutex_unlock(&tokens->lock);
    return count;
}

const char *tokens_path(const struct tokens *tokens)
{
    return tokens->path;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    set_free(tokens->set);
    pthread_mutex_destroy(&tokens->lock);
    mem_free(tokens->path);
    mem_free(tokens);
}
