/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define DEPTH 16u
#define MAX_WORDS 64u   /* audiences, scopes */
#define MAX_TIME 1.0e11 /* seconds: the year 5138 */

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ptrdiff_t base64url_decode(const char *text, size_t n, unsigned char *out)
{
    size_t size = 0;
    unsigned bits = 0;
    unsigned held = 0;
    if (n % 4 == 1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return -1;
        held = (held << 6 | (unsigned)value) & 0xffffff;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        out[size++] = (unsigned char)(held >> bits);
    }
    /* Two texts must not mean the same bytes. */
    return held & ((1u << bits) - 1) ? -1 : (ptrdiff_t)size;
}

bool jwt_looks_like(const char *token)
{
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    return second && str_starts(token, "eyJ") && !strchr(second + 1, '.');
}

/* ---- JSON ---- */

static int wrong(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "this token is not one that can be read: %s", what);
}

/* One part as an object. */
static int read_part(const char *text, size_t size, struct arena *arena,
                     struct json_object **ret_object, struct err *err)
{
    char *bytes = arena_alloc(arena, size * 3 / 4 + 1);
    if (!bytes)
        return err_set(err, ERR_MEMORY, "no memory for a token");
    ptrdiff_t n = base64url_decode(text, size, (unsigned char *)bytes);
    if (n <= 0)
        return wrong(err, "a part of it is not base64url");
    struct json_object *object = NULL;
    if (json_parse(bytes, (size_t)n, DEPTH, &object, NULL))
        return wrong(err, "a part of it is not JSON");
    if (!json_object_is_type(object, json_type_object)) {
        json_object_put(object);
        return wrong(err, "a part of it is no JSON object");
    }
    *ret_object = object;
    return 0;
}

/* A text without NUL, or NULL. */
static const char *plain(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return NULL;
    const char *text = json_object_get_string(value);
    return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* A member that may be left out, but is a text where it is there. */
static int take_text(struct json_object *object, const char *key, struct arena *arena,
                     const char **ret_text, struct err *err)
{
    struct json_object *value = json_member(object, key);
    const char *text = value ? plain(value) : NULL;
    if (value && !text)
        return err_set(err, ERR_INVALID, "this token cannot be read: its %s is no text", key);
    *ret_text = text ? arena_strdup(arena, text) : NULL;
    return 0;
}

static int take_time(struct json_object *object, const char *key, int64_t *ret_ms, struct err *err)
{
    struct json_object *value = json_member(object, key);
    if (!value)
        return 0;
    bool number =
        json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    double seconds = number ? json_object_get_double(value) : -1;
    if (!(seconds >= 0 && seconds <= MAX_TIME))
        return err_set(err, ERR_INVALID, "this token cannot be read: its %s is no time", key);
    *ret_ms = (int64_t)(seconds * 1000);
    return 0;
}

/* A text, cut at blanks where split says so, or a list of texts. */
static int take_words(struct json_object *value, bool split, struct arena *arena,
                      const char *const **ret_words, size_t *ret_count)
{
    const char **words = arena_alloc_array(arena, MAX_WORDS, sizeof *words);
    size_t count = 0;
    if (!words)
        return ERR_MEMORY;
    if (json_object_is_type(value, json_type_array)) {
        size_t n = json_object_array_length(value);
        for (size_t i = 0; i < n; i++) {
            const char *text = plain(json_object_array_get_idx(value, i));
            if (!text || count == MAX_WORDS)
                return ERR_INVALID;
            words[count++] = arena_strdup(arena, text);
        }
    } else {
        const char *text = plain(value);
        if (!text)
            return ERR_INVALID;
        while (*text) {
            size_t n = split ? strcspn(text, " ") : strlen(text);
            if (n && count == MAX_WORDS)
                return ERR_INVALID;
            if (n)
                words[count++] = arena_strndup(arena, text, n);
            text += n + (text[n] == ' ');
        }
    }
    *ret_words = words;
    *ret_count = count;
    return 0;
}

/* ---- The parts ---- */

static int take_header(struct json_object *header, struct arena *arena, struct jwt *jwt,
                       struct err *err)
{
    static const struct {
        const char *name;
        enum jwt_algorithm algorithm;
    } algorithms[] = {
        {"RS256", JWT_RS256}, {"PS256", JWT_PS256}, {"ES256", JWT_ES256}, {"EdDSA", JWT_EDDSA}};
    static const char *const types[] = {"at+jwt", "application/at+jwt", "JWT"};
    const char *alg = NULL;
    const char *typ = NULL;
    int r = take_text(header, "alg", arena, &alg, err);
    if (!r)
        r = take_text(header, "typ", arena, &typ, err);
    if (!r)
        r = take_text(header, "kid", arena, &jwt->kid, err);
    if (r)
        return r;
    /* An extension that must be understood is not. */
    if (json_member(header, "crit"))
        return wrong(err, "it needs an extension (crit)");
    bool known = false;
    for (size_t i = 0; alg && i < ARRAY_SIZE(algorithms); i++) {
        if (!str_eq(alg, algorithms[i].name))
            continue;
        jwt->algorithm = algorithms[i].algorithm;
        known = true;
    }
    if (!known)
        return wrong(err, "its algorithm is none of RS256, PS256, ES256, EdDSA");
    /* Some servers leave typ out; what says that it is something else is something else. */
    bool fits = !typ;
    for (size_t i = 0; typ && i < ARRAY_SIZE(types); i++)
        fits = fits || str_eq_nocase(typ, types[i]);
    return fits ? 0 : wrong(err, "its type is neither at+jwt nor JWT");
}

static int take_claims(struct json_object *claims, struct arena *arena, struct jwt *jwt,
                       struct err *err)
{
    struct json_object *audience = json_member(claims, "aud");
    struct json_object *scope = json_member(claims, "scope");
    jwt->expires_ms = -1;
    int r = take_text(claims, "iss", arena, &jwt->issuer, err);
    if (!r)
        r = take_text(claims, "sub", arena, &jwt->subject, err);
    if (!r)
        r = take_text(claims, "preferred_username", arena, &jwt->preferred_username, err);
    if (!r)
        r = take_text(claims, "email", arena, &jwt->email, err);
    if (!r)
        r = take_time(claims, "exp", &jwt->expires_ms, err);
    if (!r)
        r = take_time(claims, "nbf", &jwt->not_before_ms, err);
    if (r)
        return r;
    if (!scope)
        scope = json_member(claims, "scp");
    if (audience && take_words(audience, false, arena, &jwt->audiences, &jwt->audience_count))
        return wrong(err, "its aud is neither a text nor a short list of texts");
    if (scope && take_words(scope, true, arena, &jwt->scopes, &jwt->scope_count))
        return wrong(err, "its scope is neither a text nor a short list of texts");
    if (!jwt->issuer || !jwt->subject || !*jwt->subject || jwt->expires_ms < 0 ||
        !jwt->audience_count)
        return wrong(err, "it lacks one of iss, sub, aud, exp");
    return 0;
}

static int take_signature(const char *text, struct arena *arena, struct jwt *jwt, struct err *err)
{
    size_t size = strlen(text);
    unsigned char *bytes = arena_alloc(arena, size * 3 / 4 + 1);
    if (!bytes)
        return err_set(err, ERR_MEMORY, "no memory for a token");
    ptrdiff_t n = base64url_decode(text, size, bytes);
    if (n <= 0)
        return wrong(err, "its signature is missing or not base64url");
    jwt->signature = bytes;
    jwt->signature_size = (size_t)n;
    return 0;
}

int jwt_parse(const char *token, struct arena *arena, struct jwt *ret_jwt, struct err *err)
{
    struct jwt jwt = {0};
    if (strlen(token) > JWT_MAX_BYTES)
        return wrong(err, "it is longer than 16 KiB");
    const char *payload = strchr(token, '.');
    const char *signature = payload ? strchr(payload + 1, '.') : NULL;
    if (!signature || strchr(signature + 1, '.'))
        return wrong(err, "it has not three parts");
    CLEANUP(json_putp) struct json_object *header = NULL;
    CLEANUP(json_putp) struct json_object *claims = NULL;
    int r = read_part(token, (size_t)(payload - token), arena, &header, err);
    if (!r)
        r = read_part(payload + 1, (size_t)(signature - payload - 1), arena, &claims, err);
    if (!r)
        r = take_header(header, arena, &jwt, err);
    if (!r)
        r = take_claims(claims, arena, &jwt, err);
    if (!r)
        r = take_signature(signature + 1, arena, &jwt, err);
    if (!r && arena->failed)
        r = err_set(err, ERR_MEMORY, "no memory for a token");
    if (r)
        return r;
    jwt.signed_text = token;
    jwt.signed_size = (size_t)(signature - token);
    *ret_jwt = jwt;
    return 0;
}

int jwt_check_claims(const struct jwt *jwt, const char *audience, int64_t now_ms, struct err *err)
{
    bool meant = false;
    for (size_t i = 0; i < jwt->audience_count; i++)
        meant = meant || str_eq(jwt->audiences[i], audience);
    if (!meant)
        return err_set(err, ERR_INVALID,
                       "this token was issued for another server: its aud does not name %s",
                       audience);
    if (now_ms >= jwt->expires_ms + JWT_SKEW_MS)
        return err_set(err, ERR_INVALID, "this token has expired; ask its issuer for a new one");
    if (now_ms < jwt->not_before_ms - JWT_SKEW_MS)
        return err_set(err, ERR_INVALID, "this token is not valid yet");
    return 0;
}
