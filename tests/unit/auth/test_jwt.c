/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "jwt_maker.h"

#define NOW_MS INT64_C(1800000000000)
#define AUDIENCE "https://sonde.example/mcp"
#define CLAIMS                                                                                    \
    "{\"iss\":\"https://id.example\",\"sub\":\"u1\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000300," \
    "\"nbf\":1799999990,\"scope\":\"openid sonde:read sonde:manage\",\"email\":\"a@b\"}"

static struct maker *rsa, *other_rsa, *ec, *ed;
static struct jwk_set keys;

static int setup(void **state)
{
    (void)state;
    struct err err = {0};
    rsa = maker_new("RSA", 2048);
    other_rsa = maker_new("RSA", 2048);
    ec = maker_new("EC", 0);
    ed = maker_new("ED25519", 0);
    char *list[] = {maker_jwk(rsa, "r", ""), maker_jwk(other_rsa, "o", ",\"alg\":\"RS256\""),
                    maker_jwk(ec, "e", ",\"use\":\"sig\""),
                    maker_jwk(ed, "d", ",\"key_ops\":[\"verify\"]")};
    char *text = maker_jwks(list, 4);
    int r = jwk_set_parse(text, strlen(text), &keys, &err);
    free(text);
    return r || keys.count != 4;
}

static int teardown(void **state)
{
    (void)state;
    jwk_set_finish(&keys);
    maker_free(rsa);
    maker_free(other_rsa);
    maker_free(ec);
    maker_free(ed);
    return 0;
}

/* What becomes of a token: 0, or where it failed. */
enum stage { GOOD, UNREAD, NO_KEY, BAD_SIGNATURE, BAD_CLAIMS };

static enum stage judge_at(const char *token, int64_t now_ms, struct err *err)
{
    struct arena arena;
    struct jwt jwt;
    enum stage stage = GOOD;
    arena_init(&arena, JWT_ARENA_MAX, NULL);
    if (jwt_parse(token, &arena, &jwt, err)) {
        stage = UNREAD;
    } else {
        const struct jwk *key = jwk_set_find(&keys, &jwt);
        if (!key)
            stage = NO_KEY;
        else if (jwt_verify(&jwt, key, err))
            stage = BAD_SIGNATURE;
        else if (jwt_check_claims(&jwt, AUDIENCE, now_ms, err))
            stage = BAD_CLAIMS;
    }
    arena_finish(&arena);
    return stage;
}

/* Frees the token. */
static void expect(enum stage expected, char *token, const char *words)
{
    struct err err = {0};
    enum stage stage = judge_at(token, NOW_MS, &err);
    if (stage != expected || (words && !strstr(err.text, words)))
        fail_msg("stage %d, not %d: \"%s\" of %s", stage, expected, err.text, token);
    free(token);
}

static char *sign_claims(const struct maker *maker, const char *algorithm, const char *kid,
                         const char *claims)
{
    char header[256];
    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", algorithm,
             kid);
    return maker_sign(maker, algorithm, header, claims, NULL, 0);
}

static char *sign_header(const char *header)
{
    return maker_sign(rsa, "RS256", header, CLAIMS, NULL, 0);
}

static void test_algorithms(void **state)
{
    (void)state;
    expect(GOOD, sign_claims(rsa, "RS256", "r", CLAIMS), NULL);
    expect(GOOD, sign_claims(rsa, "PS256", "r", CLAIMS), NULL);
    expect(GOOD, sign_claims(ec, "ES256", "e", CLAIMS), NULL);
    expect(GOOD, sign_claims(ed, "EdDSA", "d", CLAIMS), NULL);
    /* Numbers of an ES256 signature that begin with zeros come up in some of these. */
    for (unsigned i = 0; i < 300; i++)
        expect(GOOD, sign_claims(ec, "ES256", "e", CLAIMS), NULL);
}

static void test_what_it_says(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt jwt;
    arena_init(&arena, JWT_ARENA_MAX, NULL);
    char *token = sign_claims(rsa, "RS256", "r", CLAIMS);
    assert_true(jwt_looks_like(token));
    assert_int_equal(jwt_parse(token, &arena, &jwt, NULL), 0);
    assert_string_equal(jwt.issuer, "https://id.example");
    assert_string_equal(jwt.subject, "u1");
    assert_string_equal(jwt.kid, "r");
    assert_int_equal(jwt.audience_count, 1);
    assert_int_equal(jwt.scope_count, 3);
    assert_string_equal(jwt.scopes[2], "sonde:manage");
    assert_int_equal(jwt.expires_ms, NOW_MS + 300000);
    assert_string_equal(jwt.email, "a@b");
    assert_null(jwt.preferred_username);
    free(token);
    token = sign_claims(rsa, "RS256", "r",
                        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"x\",\"y\"],\"exp\":1.5,\"scp\":["
                        "\"sonde:read\"]}");
    assert_int_equal(jwt_parse(token, &arena, &jwt, NULL), 0);
    assert_int_equal(jwt.audience_count, 2);
    assert_int_equal(jwt.scope_count, 1);
    assert_int_equal(jwt.expires_ms, 1500);
    free(token);
    arena_finish(&arena);
}

static void test_algorithm_confusion(void **state)
{
    (void)state;
    char *pem = maker_pem(rsa);
    char *jwk = maker_jwk(rsa, "r", "");
    static const char hs[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"r\"}";
    expect(UNREAD, maker_sign(rsa, "none", "{\"alg\":\"none\",\"kid\":\"r\"}", CLAIMS, NULL, 0),
           "algorithm");
    expect(UNREAD, maker_sign(rsa, "none", "{\"alg\":\"nOnE\",\"kid\":\"r\"}", CLAIMS, NULL, 0),
           "algorithm");
    expect(UNREAD, maker_sign(rsa, "none", "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS, NULL, 0),
           "signature");
    expect(UNREAD, maker_sign(rsa, "HS256", hs, CLAIMS, pem, strlen(pem)), "algorithm");
    expect(UNREAD, maker_sign(rsa, "HS256", hs, CLAIMS, jwk, strlen(jwk)), "algorithm");
    /* The same bytes under a name that is taken. */
    expect(BAD_SIGNATURE,
           maker_sign(rsa, "HS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS, pem, strlen(pem)),
           "signature");
    expect(NO_KEY, maker_sign(rsa, "RS256", "{\"alg\":\"ES256\",\"kid\":\"r\"}", CLAIMS, NULL, 0),
           NULL);
    expect(NO_KEY, sign_claims(other_rsa, "PS256", "o", CLAIMS), NULL);
    expect(BAD_SIGNATURE,
           maker_sign(rsa, "PS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS, NULL, 0), NULL);
    free(pem);
    free(jwk);
}

static void test_keys_by_name(void **state)
{
    (void)state;
    expect(NO_KEY, sign_claims(rsa, "RS256", "unknown", CLAIMS), NULL);
    expect(BAD_SIGNATURE, sign_claims(rsa, "RS256", "o", CLAIMS), "signature");
    expect(BAD_SIGNATURE, sign_claims(other_rsa, "RS256", "r", CLAIMS), "signature");
    /* Without a name the only key of its kind is meant; of two RSA keys neither. */
    expect(GOOD, maker_sign(ed, "EdDSA", "{\"alg\":\"EdDSA\"}", CLAIMS, NULL, 0), NULL);
    expect(NO_KEY, maker_sign(rsa, "RS256", "{\"alg\":\"RS256\"}", CLAIMS, NULL, 0), NULL);
    /* A key in the token itself counts for nothing. */
    char header[4096];
    char *jwk = maker_jwk(other_rsa, "r", "");
    snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"r\",\"jwk\":%s}", jwk);
    expect(BAD_SIGNATURE, maker_sign(other_rsa, "RS256", header, CLAIMS, NULL, 0), NULL);
    free(jwk);
}

static void test_claims(void **state)
{
    (void)state;
#define WITH(claims) sign_claims(ed, "EdDSA", "d", claims)
    expect(BAD_CLAIMS,
           WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"https://other\",\"exp\":1800000300}"),
           "another server");
    expect(BAD_CLAIMS,
           WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"" AUDIENCE "/\",\"exp\":1800000300}"),
           "another server");
    expect(BAD_CLAIMS,
           WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"a\",\"b\"],\"exp\":1800000300}"),
           "another server");
    expect(
        GOOD,
        WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"a\",\"" AUDIENCE "\"],\"exp\":1800000300}"),
        NULL);
    /* 60 s of skew. */
    expect(GOOD, WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"" AUDIENCE "\",\"exp\":1799999941}"),
           NULL);
    expect(BAD_CLAIMS,
           WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"" AUDIENCE "\",\"exp\":1799999940}"),
           "expired");
    expect(GOOD,
           WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"" AUDIENCE
                "\",\"exp\":1800000300,\"nbf\":1800000060}"),
           NULL);
    expect(BAD_CLAIMS,
           WITH("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"" AUDIENCE
                "\",\"exp\":1800000300,\"nbf\":1800000061}"),
           "not valid yet");
    static const char *const unreadable[] = {
        "[]",
        "{}",
        "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"\",\"aud\":\"a\",\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[],\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[1],\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":{},\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\"}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":\"1800000300\"}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":-1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":1e300}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":1,\"nbf\":true}",
        "{\"iss\":7,\"sub\":\"s\",\"aud\":\"a\",\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"sub\":\"t\",\"aud\":\"a\",\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\\u0000t\",\"aud\":\"a\",\"exp\":1}",
        "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":1} x",
    };
    for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++)
        expect(UNREAD, WITH(unreadable[i]), "read");
}

static void test_headers(void **state)
{
    (void)state;
    expect(GOOD, sign_header("{\"alg\":\"RS256\",\"kid\":\"r\"}"), NULL);
    expect(GOOD, sign_header("{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"jwt\"}"), NULL);
    expect(GOOD, sign_header("{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"application/at+jwt\"}"),
           NULL);
    expect(UNREAD, sign_header("{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"dpop+jwt\"}"), "type");
    expect(UNREAD, sign_header("{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"exp\"]}"), "crit");
    expect(UNREAD, sign_header("{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"r\"}"), "JSON");
    expect(UNREAD, sign_header("{\"alg\":\"RS256\",\"kid\":7}"), "kid");
    expect(UNREAD, sign_header("{\"alg\":[\"RS256\"],\"kid\":\"r\"}"), "alg");
    expect(UNREAD, sign_header("{\"kid\":\"r\"}"), "algorithm");
    expect(UNREAD, sign_header("\"RS256\""), "object");
}

/* Every bit of a good token that is changed makes it a bad one. */
static void test_changed(void **state)
{
    (void)state;
    char *token = sign_claims(ec, "ES256", "e", CLAIMS);
    size_t size = strlen(token);
    for (size_t i = 0; i < size; i++) {
        struct err err = {0};
        char was = token[i];
        for (unsigned bit = 0; bit < 7; bit++) {
            token[i] = (char)(was ^ (1 << bit));
            if (token[i] && judge_at(token, NOW_MS, &err) == GOOD)
                fail_msg("byte %zu: %s", i, token);
        }
        token[i] = was;
    }
    /* Cut anywhere. */
    for (size_t i = size; i-- > 0;) {
        struct err err = {0};
        token[i] = '\0';
        assert_int_not_equal(judge_at(token, NOW_MS, &err), GOOD);
    }
    free(token);
    static const char *const shapes[] = {
        "", ".", "..", "...", "a.b", "eyJ.eyJ.", "eyJ.eyJ.x.y", "eyJhbGciOiJSUzI1NiJ9..x"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct err err = {0};
        assert_int_equal(judge_at(shapes[i], NOW_MS, &err), UNREAD);
    }
    char *big = malloc(JWT_MAX_BYTES + 3);
    assert_non_null(big);
    memset(big, 'A', JWT_MAX_BYTES + 2);
    memcpy(big + 100, ".", 1);
    memcpy(big + 200, ".", 1);
    big[JWT_MAX_BYTES + 2] = '\0';
    expect(UNREAD, big, "longer");
}

static void test_base64url(void **state)
{
    (void)state;
    unsigned char out[8];
    assert_int_equal(base64url_decode("", 0, out), 0);
    assert_int_equal(base64url_decode("-_8", 3, out), 2);
    assert_int_equal(out[0], 0xfb);
    assert_int_equal(out[1], 0xff);
    assert_int_equal(base64url_decode("-_9", 3, out), -1); /* bits that mean nothing */
    assert_int_equal(base64url_decode("AA==", 4, out), -1);
    assert_int_equal(base64url_decode("A", 1, out), -1);
    assert_int_equal(base64url_decode("A+/A", 4, out), -1);
    assert_int_equal(base64url_decode("AA A", 4, out), -1);
}

static void refuse_keys(const char *text, const char *words)
{
    struct jwk_set set = {0};
    struct err err = {0};
    int r = jwk_set_parse(text, strlen(text), &set, &err);
    if (!r || !strstr(err.text, words))
        fail_msg("\"%s\" of %s", err.text, text);
    assert_int_equal(set.count, 0);
}

static void test_key_sets(void **state)
{
    (void)state;
    refuse_keys("", "not JSON");
    refuse_keys("[]", "\"keys\"");
    refuse_keys("{\"keys\":{}}", "\"keys\"");
    refuse_keys("{\"keys\":[]}", "none of the 0 keys");
    refuse_keys("{\"keys\":[],\"keys\":[]}", "not JSON");
    refuse_keys("{\"keys\":[7,null,{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"RSA\"}]}",
                "none of the 4 keys");
    /* A point that is not on the curve; a curve of another kind. */
    refuse_keys("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
                "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}",
                "none of the 1 keys");
    struct maker *small = maker_new("RSA", 1024);
    char *list[] = {maker_jwk(small, "s", "")};
    char *text = maker_jwks(list, 1);
    refuse_keys(text, "none of the 1 keys");
    free(text);
    maker_free(small);
    char *odd[] = {maker_jwk(rsa, "a", ",\"use\":\"enc\""),
                   maker_jwk(rsa, "b", ",\"alg\":\"RS512\""),
                   maker_jwk(rsa, "c", ",\"alg\":\"ES256\""),
                   maker_jwk(rsa, "d", ",\"key_ops\":[\"encrypt\"]"), maker_jwk(ec, "e", "")};
    text = maker_jwks(odd, 5);
    struct jwk_set set;
    assert_int_equal(jwk_set_parse(text, strlen(text), &set, NULL), 0);
    assert_int_equal(set.count, 1);
    assert_false(jwk_set_equal(&set, &keys));
    assert_true(jwk_set_equal(&set, &set));
    jwk_set_finish(&set);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_algorithm_confusion),
        cmocka_unit_test(test_keys_by_name),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_base64url),
        cmocka_unit_test(test_key_sets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
