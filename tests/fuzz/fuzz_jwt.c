/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte decides: the rest is a token as it comes, or header and claims as text with a newline between, which are put into one. Whatever
 * is read holds what was promised of it, and no key but its own would pass it.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "fuzz.h"

static const char keys_text[] = "{\"keys\":["
                                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"d\","
                                "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
                                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
                                "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static size_t encode(const uint8_t *data, size_t size, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t n = 0;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned value = (unsigned)data[i] << 16 |
                               (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                               (left > 2 ? data[i + 2] : 0u);
        const size_t characters = left > 2 ? 4 : left + 1;
        for (size_t k = 0; k < characters; k++)
            out[n++] = digits[value >> (18 - 6 * k) & 63];
    }
    return n;
}

static char *make_token(const uint8_t *data, size_t size)
{
    char *token = calloc(1, size * 2 + 128);
    if (!token)
        abort();
    if (size && data[0] & 1) {
        memcpy(token, data + 1, size - 1);
        return token;
    }
    const uint8_t *body = data + (size != 0);
    const size_t left = size - (size != 0);
    const uint8_t *cut = left ? memchr(body, '\n', left) : NULL;
    const size_t head = cut ? (size_t)(cut - body) : left;
    size_t n = encode(body, head, token);
    token[n++] = '.';
    if (cut)
        n += encode(cut + 1, left - head - 1, token + n);
    token[n++] = '.';
    memset(token + n, 'A', 86); /* 64 bytes */
    return token;
}

static void check(const struct jwt *jwt, const struct jwk_set *keys)
{
    if (!jwt->issuer || !jwt->subject || !*jwt->subject || !jwt->audience_count ||
        jwt->expires_ms < 0 || !jwt->signature_size)
        abort();
    for (size_t i = 0; i < jwt->scope_count; i++)
        if (!*jwt->scopes[i])
            abort();
    struct err err = {0};
    if (jwt_check_claims(jwt, "a", jwt->expires_ms + JWT_SKEW_MS, &err) != ERR_INVALID)
        abort();
    const struct jwk *key = jwk_set_find(keys, jwt);
    /* Nobody has the private keys here. */
    if (key && jwt_verify(jwt, key, &err) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwk_set keys;
    if (!keys.count && jwk_set_parse(keys_text, sizeof keys_text - 1, &keys, NULL))
        abort();
    char *token = make_token(data, size);
    struct arena arena;
    struct jwt jwt;
    struct err err = {0};
    arena_init(&arena, JWT_ARENA_MAX, NULL);
    jwt_looks_like(token);
    const int r = jwt_parse(token, &arena, &jwt, &err);
    if (!r)
        check(&jwt, &keys);
    else if (!err.text[0])
        abort();
    arena_finish(&arena);
    free(token);
    return 0;
}
