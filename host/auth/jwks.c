/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concurrency and locking: `lock` guards the keys in use and when they were asked for; a check of a signature holds it only to take a
 * reference. `fetching` is held by the one thread that fetches; the others that need the keys wait for it and look again.
 */
#include "auth/jwks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/fetch.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define KEYS_OLD_NS NS_PER_HOUR
#define UNKNOWN_EVERY_NS NS_PER_MIN    /* fetches because of names that are not among the keys */
#define FAILED_EVERY_NS (5 * NS_PER_S) /* fetches after one that failed */
#define URL_MAX_BYTES 2048u

struct keys {
    atomic_uint references;
    uint64_t generation;
    struct jwk_set set;
};

struct jwks {
    struct io *io;
    char *issuer;
    char *address; /* NULL: by metadata */
    atomic_bool stopping;
    pthread_mutex_t fetching;
    pthread_mutex_t lock;
    struct keys *keys;  /* under lock; NULL: never had */
    int64_t fetched_ns; /* under lock; clock_mono_ns, of the last that succeeded */
    int64_t failed_ns;  /* 0: the last one succeeded */
    int64_t unknown_ns; /* the last one for an unknown name; 0 none */
    uint64_t tries;
    atomic_uint_least64_t generation;
};

static void keys_unref(struct keys *keys)
{
    if (!keys || atomic_fetch_sub(&keys->references, 1) != 1)
        return;
    jwk_set_finish(&keys->set);
    mem_free(keys);
}
DEFINE_CLEANUP(struct keys *, keys_unref);

int jwks_create(struct io *io, const char *issuer, const char *address, struct jwks **ret_jwks,
                struct err *err)
{
    struct jwks *jwks = mem_alloc(sizeof *jwks);
    if (!jwks)
        return err_set(err, ERR_MEMORY, "no memory for the keys of %s", issuer);
    jwks->io = io;
    jwks->issuer = mem_strdup(issuer);
    jwks->address = address ? mem_strdup(address) : NULL;
    pthread_mutex_init(&jwks->fetching, NULL);
    pthread_mutex_init(&jwks->lock, NULL);
    if (!jwks->issuer || !jwks->address != !address) {
        jwks_free(jwks);
        return err_set(err, ERR_MEMORY, "no memory for the keys of %s", issuer);
    }
    *ret_jwks = jwks;
    return 0;
}

void jwks_free(struct jwks *jwks)
{
    if (!jwks)
        return;
    keys_unref(jwks->keys);
    pthread_mutex_destroy(&jwks->fetching);
    pthread_mutex_destroy(&jwks->lock);
    mem_free(jwks->issuer);
    mem_free(jwks->address);
    mem_free(jwks);
}

void jwks_stop(struct jwks *jwks)
{
    atomic_store(&jwks->stopping, true);
}

uint64_t jwks_generation(struct jwks *jwks)
{
    return atomic_load(&jwks->generation);
}

/* ---- Where they are ---- */

/* The size of scheme and authority: "https://host:port". */
static size_t origin_size(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : strlen(url);
}

/* The metadata's address of keys, when it is this issuer's and no step down from TLS. */
static int read_metadata(const struct jwks *jwks, const char *where, const struct buf *body,
                         char *ret_url, size_t size, struct err *err)
{
    CLEANUP(json_putp) struct json_object *document = NULL;
    if (json_parse(buf_text(body), body->size, 32, &document, NULL) ||
        !json_object_is_type(document, json_type_object))
        return err_set(err, ERR_INVALID, "%s: the metadata is no JSON object", where);
    const char *issuer = json_string_of(document, "issuer");
    const char *url = json_string_of(document, "jwks_uri");
    /* RFC 8414 section 3.3: else somebody else's metadata could name keys for this issuer. */
    if (!issuer || !str_eq(issuer, jwks->issuer))
        return err_set(err, ERR_INVALID,
                       "%s: the metadata is of issuer \"%.200s\", but oauth.issuer is \"%s\"",
                       where, issuer ? issuer : "", jwks->issuer);
    if (!url || strlen(url) >= size)
        return err_set(err, ERR_INVALID, "%s: the metadata names no jwks_uri", where);
    if (!str_starts(url, "https://") &&
        !(str_starts(url, "http://") && str_starts(jwks->issuer, "http://")))
        return err_set(err, ERR_INVALID, "%s: jwks_uri is not an https:// address", where);
    memcpy(ret_url, url, strlen(url) + 1);
    return 0;
}

/*
 * RFC 8414 section 3.1 puts the well-known part before the issuer's path, OpenID Connect Discovery after it; servers do either with
 * both names.
 */
static int find_address(struct jwks *jwks, struct buf *body, char *ret_url, size_t size,
                        struct err *err)
{
    size_t origin = origin_size(jwks->issuer);
    size_t whole = strlen(jwks->issuer);
    while (whole > origin && jwks->issuer[whole - 1] == '/')
        whole--;
    int path = (int)(whole - origin);
    const struct {
        const char *name;
        bool before;
    } places[] = {{"oauth-authorization-server", true},
                  {"openid-configuration", true},
                  {"openid-configuration", false}};
    int r = ERR_UNAVAILABLE;
    for (size_t i = 0; i < ARRAY_SIZE(places) && r; i++) {
        char url[URL_MAX_BYTES];
        if (!places[i].before && !path)
            break; /* the same as before */
        buf_clear(body);
        snprintf(url, sizeof url, "%.*s%.*s/.well-known/%s%.*s", (int)origin, jwks->issuer,
                 places[i].before ? 0 : path, jwks->issuer + origin, places[i].name,
                 places[i].before ? path : 0, jwks->issuer + origin);
        r = fetch_url(jwks->io, url, &jwks->stopping, body, err);
        if (!r)
            r = read_metadata(jwks, url, body, ret_url, size, err);
    }
    return r;
}

static int fetch_keys(struct jwks *jwks, struct jwk_set *ret_set, struct err *err)
{
    char found[URL_MAX_BYTES];
    struct buf body = BUF(JWKS_MAX_BYTES);
    const char *url = jwks->address;
    int r = 0;
    if (!url) {
        url = found;
        r = find_address(jwks, &body, found, sizeof found, err);
    }
    buf_clear(&body);
    if (!r)
        r = fetch_url(jwks->io, url, &jwks->stopping, &body, err);
    if (!r) {
        r = jwk_set_parse(buf_text(&body), body.size, ret_set, err);
        if (r)
            err_prefix(err, "%s: ", url);
    }
    buf_finish(&body);
    return r;
}

/* ---- When ---- */

/* Takes what was fetched; the same keys stay what they are. */
static int take(struct jwks *jwks, struct jwk_set *set, struct err *err)
{
    struct keys *keys = mem_alloc(sizeof *keys);
    if (!keys) {
        jwk_set_finish(set);
        return err_set(err, ERR_MEMORY, "no memory for keys");
    }
    atomic_init(&keys->references, 1);
    keys->set = *set;
    pthread_mutex_lock(&jwks->lock);
    struct keys *old = jwks->keys;
    bool same = old && jwk_set_equal(&old->set, &keys->set);
    keys->generation = atomic_load(&jwks->generation) + 1;
    if (!same) {
        jwks->keys = keys;
        atomic_store(&jwks->generation, keys->generation);
    }
    jwks->fetched_ns = clock_mono_ns();
    jwks->failed_ns = 0;
    pthread_mutex_unlock(&jwks->lock);
    keys_unref(same ? keys : old);
    return 0;
}

/* Whether it is time to fetch. Under lock. */
static bool due_locked(const struct jwks *jwks, bool unknown, int64_t now)
{
    if (jwks->failed_ns && now - jwks->failed_ns < FAILED_EVERY_NS)
        return false;
    if (!jwks->keys || now - jwks->fetched_ns > KEYS_OLD_NS)
        return true;
    if (!unknown)
        return false;
    return jwks->failed_ns || !jwks->unknown_ns || now - jwks->unknown_ns > UNKNOWN_EVERY_NS;
}

/*
 * Fetches where it is time to; seen is the count of tries the caller knew of: somebody else's fetch since then is as good. Whatever comes of it,
 * the caller looks at the keys again.
 */
static void refresh(struct jwks *jwks, bool unknown, uint64_t seen, struct err *err)
{
    pthread_mutex_lock(&jwks->fetching);
    int64_t now = clock_mono_ns();
    pthread_mutex_lock(&jwks->lock);
    bool due = jwks->tries == seen && due_locked(jwks, unknown, now);
    if (due) {
        jwks->tries++;
        /* The fetch for keys that are old or were never had is nobody's fault. */
        if (unknown && jwks->keys)
            jwks->unknown_ns = now;
    }
    pthread_mutex_unlock(&jwks->lock);
    if (due) {
        struct jwk_set set = {0};
        int r = fetch_keys(jwks, &set, err);
        if (!r)
            r = take(jwks, &set, err);
        pthread_mutex_lock(&jwks->lock);
        if (r)
            jwks->failed_ns = clock_mono_ns();
        pthread_mutex_unlock(&jwks->lock);
        if (r)
            log_line(LOG_WARN, "auth", "the keys of %s cannot be had: %s", jwks->issuer, err->text);
    }
    pthread_mutex_unlock(&jwks->fetching);
}

struct look {
    struct keys *keys; /* NULL none */
    bool due, failed;
    uint64_t tries;
};

static struct look look(struct jwks *jwks, const struct jwt *jwt, const struct jwk **ret_key)
{
    struct look look = {0};
    pthread_mutex_lock(&jwks->lock);
    look.keys = jwks->keys;
    if (look.keys)
        atomic_fetch_add(&look.keys->references, 1);
    *ret_key = look.keys ? jwk_set_find(&look.keys->set, jwt) : NULL;
    look.due = due_locked(jwks, !*ret_key, clock_mono_ns());
    look.failed = jwks->failed_ns != 0;
    look.tries = jwks->tries;
    pthread_mutex_unlock(&jwks->lock);
    return look;
}

int jwks_check(struct jwks *jwks, const struct jwt *jwt, uint64_t *ret_generation, struct err *err)
{
    const struct jwk *key;
    struct err why = {0};
    struct look first = look(jwks, jwt, &key);
    CLEANUP(keys_unrefp) struct keys *keys = first.keys;
    bool failed = first.failed;
    if (first.due || !keys) {
        refresh(jwks, !key, first.tries, &why);
        struct look second = look(jwks, jwt, &key);
        keys_unref(keys);
        keys = second.keys;
        failed = second.failed;
    }
    if (!key && (failed || !keys))
        return err_set(err, ERR_UNAVAILABLE, "%s",
                       why.text[0] ? why.text : "the last try to fetch the keys failed");
    if (!key)
        return err_set(err, ERR_INVALID,
                       "this token is signed by a key its issuer does not publish");
    int r = jwt_verify(jwt, key, err);
    if (!r)
        *ret_generation = keys->generation;
    return r;
}
