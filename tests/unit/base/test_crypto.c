/* SPDX-License-Identifier: Apache-2.0 */
/* Published vectors, and what must not be taken. */
#include "cmocka_all.h"

#include <string.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/str.h"

/* How many bytes a hexadecimal text stands for, which go to out. */
static size_t bytes(const char *hex, unsigned char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)((strchr(digits, hex[2 * i]) - digits) << 4 |
                                 (strchr(digits, hex[2 * i + 1]) - digits));
    return n;
}

/* McGrew and Viega, The Galois/Counter Mode of Operation, test cases 13, 14 and 16. */
static const struct {
    const char *key, *nonce, *aad, *plain, *sealed;
} gcm[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
     "8838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

static void seals_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(gcm); i++) {
        unsigned char key_bytes[32], nonce[12], aad[64], plain[128], want[128], out[128];
        bytes(gcm[i].key, key_bytes);
        bytes(gcm[i].nonce, nonce);
        size_t aad_size = bytes(gcm[i].aad, aad);
        size_t size = bytes(gcm[i].plain, plain);
        size_t sealed_size = bytes(gcm[i].sealed, want);
        assert_int_equal(sealed_size, size + CRYPTO_TAG_BYTES);
        CLEANUP(crypto_key_freep) struct crypto_key *key = crypto_key_new(key_bytes);
        assert_int_equal(crypto_seal(key, nonce, aad, aad_size, plain, size, out), 0);
        assert_memory_equal(out, want, sealed_size);
        assert_int_equal(crypto_open(key, nonce, aad, aad_size, want, sealed_size, out), 0);
        assert_memory_equal(out, plain, size);
        aad[0] ^= 1;
        memset(out, 0x55, sizeof out);
        assert_int_equal(
            crypto_open(key, nonce, aad, aad_size ? aad_size : 1, want, sealed_size, out),
            ERR_INVALID);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(out[k], 0); /* nothing unverified is left */
        assert_int_equal(crypto_open(key, nonce, aad, 0, want, 15, out), ERR_INVALID);
    }
}

static void wraps_keys(void **state)
{
    (void)state;
    unsigned char a[32] = {1}, b[32] = {2}, nonce[12] = {3}, wrapped[48];
    CLEANUP(crypto_key_freep) struct crypto_key *outer = crypto_key_new(a);
    CLEANUP(crypto_key_freep) struct crypto_key *inner = crypto_key_new(b);
    CLEANUP(crypto_key_freep) struct crypto_key *found = NULL;
    struct crypto_key *none = NULL;
    assert_false(crypto_key_equal(outer, inner));
    assert_int_equal(crypto_key_wrap(outer, nonce, "x", 1, inner, wrapped), 0);
    assert_int_equal(crypto_key_unwrap(outer, nonce, "x", 1, wrapped, &found), 0);
    assert_true(crypto_key_equal(inner, found));
    assert_int_equal(crypto_key_unwrap(inner, nonce, "x", 1, wrapped, &none), ERR_INVALID);
    assert_null(none);
}

static void derives_as_published(void **state)
{
    (void)state;
    unsigned char want[64], digest[SHA256_BYTES], out[64];
    unsigned char key_bytes[32] = "Jefe"; /* RFC 4231 section 4.3; keys are filled up with zeros */
    CLEANUP(crypto_key_freep) struct crypto_key *key = crypto_key_new(key_bytes);
    bytes("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", want);
    assert_int_equal(crypto_hmac_sha256(key, "what do ya want for nothing?", 28, digest), 0);
    assert_memory_equal(digest, want, 32);
    /* RFC 5869 appendices A.1 and A.3 */
    unsigned char ikm[22], salt[13], info[10];
    memset(ikm, 0x0b, sizeof ikm);
    bytes("000102030405060708090a0b0c", salt);
    bytes("f0f1f2f3f4f5f6f7f8f9", info);
    bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
          want);
    assert_int_equal(crypto_hkdf_sha256(ikm, 22, salt, 13, info, 10, out, 42), 0);
    assert_memory_equal(out, want, 42);
    bytes("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
          want);
    assert_int_equal(crypto_hkdf_sha256(ikm, 22, "", 0, "", 0, out, 42), 0);
    assert_memory_equal(out, want, 42);
    CLEANUP(crypto_key_freep) struct crypto_key *one = NULL;
    CLEANUP(crypto_key_freep) struct crypto_key *two = NULL;
    CLEANUP(crypto_key_freep) struct crypto_key *again = NULL;
    assert_int_equal(crypto_key_derive(key, "one", &one), 0);
    assert_int_equal(crypto_key_derive(key, "two", &two), 0);
    assert_int_equal(crypto_key_derive(key, "one", &again), 0);
    assert_false(crypto_key_equal(one, two));
    assert_true(crypto_key_equal(one, again));
}

static void reads_base64_strictly(void **state)
{
    (void)state;
    /* RFC 4648 section 10 */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const char *plain = pairs[i][0];
        const char *text = pairs[i][1];
        struct buf buf = BUF(64);
        char out[64];
        base64_add(&buf, plain, strlen(plain));
        assert_string_equal(buf_text(&buf), text);
        assert_int_equal(base64_read(text, strlen(text), out, sizeof out), strlen(plain));
        assert_memory_equal(out, plain, strlen(plain));
        if (*plain)
            assert_int_equal(base64_read(text, strlen(text), out, strlen(plain) - 1), -1);
        buf_clear(&buf);
        base64url_add(&buf, plain, strlen(plain));
        assert_null(strpbrk(buf_text(&buf), "+/="));
        assert_int_equal(base64url_read(buf_text(&buf), buf.size, out, sizeof out), strlen(plain));
        assert_memory_equal(out, plain, strlen(plain));
        buf_finish(&buf);
    }
    static const char *const wrong[] = {
        "Z",     "Zg",   "Zg=",  "Zh==",     "Zm9=", "Zm9v\n",  "Zm 9",
        "Zg===", "====", "=Zg=", "Zg==Zg==", "-_8=", "Zm9vYg=a"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char out[64];
        if (base64_read(wrong[i], strlen(wrong[i]), out, sizeof out) != -1)
            fail_msg("%s was read", wrong[i]);
    }
    static const char *const wrong_url[] = {"Z", "Zh", "Zg==", "Zm9", "+/8", "Zm9vY"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong_url); i++) {
        char out[64];
        if (base64url_read(wrong_url[i], strlen(wrong_url[i]), out, sizeof out) != -1)
            fail_msg("%s was read", wrong_url[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_as_published),
        cmocka_unit_test(wraps_keys),
        cmocka_unit_test(derives_as_published),
        cmocka_unit_test(reads_base64_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
