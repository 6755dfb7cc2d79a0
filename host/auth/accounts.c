/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/account_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/api_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"

#define READ_EVERY_NS (250 * NS_PER_MS)
#define TELL_EVERY_MS 60000
#define LOOK_NS (10 * NS_PER_MS)

static int64_t now_ms(void)
{
    return clock_unix_ns() / NS_PER_MS;
}

static void unfollow(const struct accounts *accounts);

/* ---- Life ---- */

int accounts_create(const struct accounts_settings *settings, struct accounts **ret_accounts,
                    struct err *err)
{
    struct accounts *accounts = mem_alloc(sizeof *accounts);
    if (!accounts)
        return err_set(err, ERR_MEMORY, "no memory for accounts");
    accounts->store = settings->store;
    accounts->tokens = settings->tokens;
    pthread_mutex_init(&accounts->lock, NULL);
    pthread_mutex_init(&accounts->reading, NULL);
    verified_init(&accounts->verified);
    int r = 0;
    if (settings->issuer) {
        accounts->issuer = mem_strdup(settings->issuer);
        accounts->audience = mem_strdup(settings->audience);
        r = accounts->issuer && accounts->audience
                ? jwks_create(settings->io, settings->issuer, settings->jwks, &accounts->jwks, err)
                : err_set(err, ERR_MEMORY, "no memory for accounts");
    }
    if (r) {
        accounts_free(accounts);
        return r;
    }
    *ret_accounts = accounts;
    return 0;
}

void accounts_stop(struct accounts *accounts)
{
    if (!accounts)
        return;
    atomic_store(&accounts->stopping, true);
    if (accounts->jwks)
        jwks_stop(accounts->jwks);
    unfollow(accounts);
    /* Each look at a store or an issuer ends by itself, soon. */
    while (atomic_load(&accounts->waiting))
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

void accounts_free(struct accounts *accounts)
{
    if (!accounts)
        return;
    accounts_stop(accounts);
    jwks_free(accounts->jwks);
    verified_finish(&accounts->verified);
    book_free(accounts->book);
    pthread_mutex_destroy(&accounts->lock);
    pthread_mutex_destroy(&accounts->reading);
    mem_free(accounts->issuer);
    mem_free(accounts->audience);
    mem_free(accounts);
}

/* ---- Reading the store ---- */

struct names {
    struct arena arena;
    const char **list;
    size_t count, capacity;
    const struct book *book;
};

static int collect(void *user, const struct principal *principal)
{
    struct names *names = user;
    if (book_user(&names->book->names, principal->name) ||
        (names->count && str_eq(names->list[names->count - 1], principal->name)))
        return 0;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 16;
        const char **list =
            arena_grow(&names->arena, names->list, names->capacity, capacity, sizeof *list);
        if (!list)
            return ERR_MEMORY;
        names->list = list;
        names->capacity = capacity;
    }
    const char *copy = arena_strdup(&names->arena, principal->name);
    if (!copy)
        return ERR_MEMORY;
    names->list[names->count++] = copy;
    return 0;
}

/* Users of the file that are not in the store are made; ret_made says whether there were any. */
static int make_file_users(struct accounts *accounts, const struct book *book, bool *ret_made,
                           struct err *err)
{
    struct names names = {.book = book};
    if (!accounts->tokens)
        return 0;
    arena_init(&names.arena, (size_t)16 << 20, NULL);
    int r = tokens_each(accounts->tokens, collect, &names);
    if (r)
        err_set(err, r, "no memory for the users of the token file");
    for (size_t i = 0; !r && i < names.count; i++) {
        struct user_row row = {.name = names.list[i], .created_ms = now_ms()};
        if (derived_id("user", row.name, row.id))
            r = err_set(err, ERR_SYSTEM, "the TLS library has no SHA-256");
        if (!r)
            r = store_user_add(accounts->store, &row, err);
        if (r == ERR_CONFLICT) /* twice in the file, or another process was faster */
            r = 0;
        *ret_made = true;
    }
    arena_finish(&names.arena);
    return r;
}

static int read_locked(struct accounts *accounts, struct err *err)
{
    int64_t begun = clock_mono_ns();
    uint64_t generation = store_generation(accounts->store);
    struct book *book = NULL;
    bool made = false;
    /* Nobody else replaces it: it may be read without the lock. */
    int r = book_read(accounts->store, accounts->book, now_ms(), &book, err);
    if (!r)
        r = make_file_users(accounts, book, &made, err);
    if (!r && made) {
        book_free(STEAL(book));
        r = book_read(accounts->store, accounts->book, now_ms(), &book, err);
    }
    if (r) {
        book_free(book);
        return r;
    }
    pthread_mutex_lock(&accounts->lock);
    struct book *old = accounts->book;
    accounts->book = book;
    pthread_mutex_unlock(&accounts->lock);
    book_free(old);
    accounts->read_begun_ns = begun;
    accounts->generation = generation;
    return 0;
}

int accounts_refresh(struct accounts *accounts, struct err *err)
{
    if (!accounts->store)
        return 0;
    pthread_mutex_lock(&accounts->reading);
    int r = read_locked(accounts, err);
    pthread_mutex_unlock(&accounts->reading);
    return r;
}

int accounts_read_since(struct accounts *accounts, int64_t since_ns, struct err *err)
{
    if (!accounts->store)
        return 0;
    int r = 0;
    pthread_mutex_lock(&accounts->reading);
    if (accounts->read_begun_ns <= since_ns) {
        /*
         * A store that tells of changes late (another machine's) may hold more than its number says, so it is read all the same; but whoever
         * sends one made-up token after the other must not keep it busy.
         */
        int64_t wait = accounts->read_begun_ns + READ_EVERY_NS - clock_mono_ns();
        if (accounts->read_begun_ns && wait > 0 &&
            store_generation(accounts->store) == accounts->generation)
            nanosleep(&(struct timespec){.tv_nsec = wait}, NULL);
        r = read_locked(accounts, err);
    }
    pthread_mutex_unlock(&accounts->reading);
    return r;
}

/*
 * Who follows the store. A store that is left behind at the end, because a thread is stuck in it, may still tell of a change when accounts are
 * gone, so it never holds a pointer to them.
 */
static struct {
    pthread_mutex_t lock;
    struct accounts *accounts; /* under lock */
} follower = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* On the store's own thread. What changed may be that somebody lost a right, so a reading that fails is tried again. */
static void read_changed(struct accounts *accounts)
{
    bool told = false;
    for (;;) {
        struct err err = {0};
        if (atomic_load(&accounts->stopping) || !accounts_refresh(accounts, &err))
            break;
        if (!told)
            log_line(LOG_WARN, "auth", "users and tokens stay as they were: %s", err.text);
        told = true;
        nanosleep(&(struct timespec){.tv_nsec = READ_EVERY_NS}, NULL);
    }
    if (told && !atomic_load(&accounts->stopping))
        log_line(LOG_INFO, "auth", "users and tokens were read again");
}

static void changed(void *user)
{
    (void)user;
    pthread_mutex_lock(&follower.lock);
    if (follower.accounts)
        read_changed(follower.accounts);
    pthread_mutex_unlock(&follower.lock);
}

void accounts_follow(struct accounts *accounts)
{
    if (!accounts->store)
        return;
    pthread_mutex_lock(&follower.lock);
    follower.accounts = accounts;
    pthread_mutex_unlock(&follower.lock);
    store_on_change(accounts->store, changed, NULL);
}

static void unfollow(const struct accounts *accounts)
{
    pthread_mutex_lock(&follower.lock);
    if (follower.accounts == accounts)
        follower.accounts = NULL;
    pthread_mutex_unlock(&follower.lock);
}

/* ---- Looking ---- */

static int unknown(struct err *err)
{
    err_set(
        err, ERR_INVALID,
        "this token is not known here: it was mistyped, revoked long ago, or belongs to another "
        "server");
    return STATUS_UNKNOWN;
}

static int disabled(struct err *err)
{
    err_set(err, ERR_INVALID, "the user of this token is disabled; ask who runs this server");
    return STATUS_UNKNOWN;
}

static int later_on(struct err *err)
{
    err_set(
        err, ERR_UNAVAILABLE,
        "whether this token is good cannot be told now, because what keeps the tokens cannot be "
        "reached; try again in a few seconds");
    return STATUS_LATER_ON;
}

/* Who has the operator's line is told of nothing but what the store says of its user. */
static int look_file(struct accounts *accounts, struct principal *principal, struct err *err)
{
    if (!accounts->store)
        return 0;
    int r = ACCOUNTS_LATER;
    pthread_mutex_lock(&accounts->lock);
    const struct book_user *user =
        accounts->book ? book_user(&accounts->book->names, principal->name) : NULL;
    if (user)
        r = user->disabled ? STATUS_UNKNOWN : 0;
    if (user)
        snprintf(principal->id, sizeof principal->id, "%s", user->id);
    pthread_mutex_unlock(&accounts->lock);
    return r == STATUS_UNKNOWN ? disabled(err) : r;
}

static void date_of(int64_t ms, char out[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm))
        snprintf(out, 32, "some time ago");
}

/* True where the store is to be told of this use. */
static bool tell_use(struct book_token *token, int64_t now)
{
    int64_t told = atomic_load(&token->told_ms);
    return (now - told >= TELL_EVERY_MS || told > now + TELL_EVERY_MS) &&
           atomic_compare_exchange_strong(&token->told_ms, &told, now);
}

static int look_token(struct accounts *accounts, const char *text, struct principal *ret_principal,
                      struct err *err)
{
    unsigned char hash[SHA256_BYTES];
    struct book_token copy = {0};
    struct book_user user = {0};
    bool tell = false;
    if (!accounts->store)
        return unknown(err);
    if (crypto_sha256(text, strlen(text), hash))
        return later_on(err);
    int64_t now = now_ms();
    pthread_mutex_lock(&accounts->lock);
    struct book_token *token = accounts->book ? book_token(accounts->book, hash) : NULL;
    if (token) {
        copy = (struct book_token){.rights = token->rights,
                                   .bound = token->bound,
                                   .expires_ms = token->expires_ms,
                                   .revoked_ms = token->revoked_ms};
        user.disabled = token->user->disabled;
        struct principal principal = {.rights = token->rights, .bound = token->bound};
        snprintf(principal.id, sizeof principal.id, "%s", token->user->id);
        snprintf(principal.name, sizeof principal.name, "%s", token->user->name);
        snprintf(principal.token, sizeof principal.token, "%s", token->id);
        bool good =
            !user.disabled && !copy.revoked_ms && (!copy.expires_ms || now < copy.expires_ms);
        if (good)
            *ret_principal = principal;
        memcpy(copy.id, token->id, sizeof copy.id);
        tell = good && tell_use(token, now);
    }
    pthread_mutex_unlock(&accounts->lock);
    if (!token)
        return ACCOUNTS_LATER;
    char date[32];
    if (copy.revoked_ms) {
        date_of(copy.revoked_ms, date);
        err_set(err, ERR_INVALID, "this token was revoked on %s", date);
        return STATUS_UNKNOWN;
    }
    if (copy.expires_ms && now >= copy.expires_ms) {
        date_of(copy.expires_ms, date);
        err_set(err, ERR_INVALID, "this token expired on %s; ask for a new one", date);
        return STATUS_UNKNOWN;
    }
    if (user.disabled)
        return disabled(err);
    if (tell)
        store_token_used(accounts->store, copy.id, now);
    return 0;
}

int accounts_check(struct accounts *accounts, const char *token, struct principal *ret_principal,
                   struct err *err)
{
    struct principal principal = {0};
    int r;
    if (!token) {
        err_set(err, ERR_INVALID, "a token is needed: send the header Authorization: Bearer TOKEN");
        return STATUS_UNKNOWN;
    }
    if (accounts->tokens && !tokens_check(accounts->tokens, token, &principal))
        r = look_file(accounts, &principal, err);
    else if (api_token_well_formed(token))
        r = look_token(accounts, token, &principal, err);
    else if (accounts->jwks && jwt_looks_like(token))
        r = accounts_look_jwt(accounts, token, &principal, err);
    else
        r = unknown(err);
    if (!r)
        *ret_principal = principal;
    return r;
}

static int check_waiting(struct accounts *accounts, const char *token,
                         struct principal *ret_principal, struct err *err)
{
    int64_t since = clock_mono_ns();
    struct err why = {0};
    int r = accounts_check(accounts, token, ret_principal, err);
    if (r != ACCOUNTS_LATER)
        return r;
    if (!api_token_well_formed(token) && accounts->jwks && jwt_looks_like(token))
        return accounts_check_jwt(accounts, token, ret_principal, err);
    if (accounts_read_since(accounts, since, &why)) {
        log_line(LOG_DEBUG, "auth", "users and tokens cannot be read: %s", why.text);
        return later_on(err);
    }
    r = accounts_check(accounts, token, ret_principal, err);
    return r == ACCOUNTS_LATER ? unknown(err) : r;
}

int accounts_check_waiting(struct accounts *accounts, const char *token,
                           struct principal *ret_principal, struct err *err)
{
    int r = STATUS_LATER_ON;
    atomic_fetch_add(&accounts->waiting, 1);
    if (atomic_load(&accounts->stopping))
        err_set(err, ERR_UNAVAILABLE, "the server is stopping");
    else
        r = check_waiting(accounts, token, ret_principal, err);
    atomic_fetch_sub(&accounts->waiting, 1);
    return r;
}

size_t accounts_count(struct accounts *accounts)
{
    size_t count = accounts->tokens ? tokens_count(accounts->tokens) : 0;
    int64_t now = now_ms();
    pthread_mutex_lock(&accounts->lock);
    struct map_entry *e;
    for (size_t i = 0; accounts->book && (e = map_next(&accounts->book->tokens, &i));) {
        const struct book_token *token = e->value;
        count += !token->revoked_ms && (!token->expires_ms || now < token->expires_ms) &&
                 !token->user->disabled;
    }
    pthread_mutex_unlock(&accounts->lock);
    return count;
}

bool accounts_lets_see(struct accounts *accounts, const struct principal *principal,
                       const char *connection_id)
{
    if (!principal->bound)
        return true;
    pthread_mutex_lock(&accounts->lock);
    const struct book_token *token =
        accounts->book
            ? map_get(&accounts->book->token_ids, principal->token, strlen(principal->token))
            : NULL;
    bool sees = token && book_token_lets_see(token, connection_id);
    pthread_mutex_unlock(&accounts->lock);
    return sees;
}
