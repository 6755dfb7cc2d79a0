/* SPDX-License-Identifier: Apache-2.0 */
/* The key ring, sealed values, and sealed values in documents. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "secrets/keyring.h"
#include "secrets/sealed_json.h"

#define ONE "one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define TWO "two:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static char folder[64];
static char path[128];
static const struct seal_place place = {"observability_connections", "row", "user", "auth.token"};

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/sonde-keys-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void put(const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static struct keyring *opened(const char *text)
{
    struct keyring *keyring;
    struct err err = {0};
    bool made;
    put(text, 0600);
    struct keyring_source source = {.file = path};
    if (keyring_open(&source, &keyring, &made, &err))
        fail_msg("%s", err.text);
    assert_false(made);
    return keyring;
}

static char *sealed(struct keyring *keyring, const struct seal_place *at, const char *value)
{
    struct buf out = BUF(SEALED_MAX);
    struct err err = {0};
    if (seal(keyring, at, value, strlen(value), &out, &err))
        fail_msg("%s", err.text);
    return buf_steal(&out);
}

static void opens_to(struct keyring *keyring, const struct seal_place *at, const char *text,
                     const char *value)
{
    CLEANUP(secret_freep) struct secret *secret = NULL;
    struct err err = {0};
    if (unseal(keyring, at, text, &secret, &err))
        fail_msg("%s", err.text);
    assert_int_equal(secret_size(secret), strlen(value));
    assert_string_equal(secret_reveal(secret), value);
}

static void opens_not(struct keyring *keyring, const struct seal_place *at, const char *text,
                      int code)
{
    struct secret *secret = (void *)&code;
    struct err err = {0};
    assert_int_equal(unseal(keyring, at, text, &secret, &err), code);
    assert_ptr_equal(secret, (void *)&code);
    assert_int_not_equal(strlen(err.text), 0);
    if (strlen(text) > 40)
        assert_null(strstr(err.text, text + strlen("sonde1:one:")));
}

static void refused(const char *text, mode_t mode, int code, const char *says)
{
    struct keyring *keyring = NULL;
    struct err err = {0};
    bool made;
    put(text, mode);
    struct keyring_source source = {.file = path, .make = true};
    assert_int_equal(keyring_open(&source, &keyring, &made, &err), code);
    assert_null(keyring);
    if (!strstr(err.text, says))
        fail_msg("no \"%s\" in: %s", says, err.text);
    assert_null(strstr(err.text, "AAECAwQFBgcICQoL"));
}

static void test_ring_files(void **state)
{
    (void)state;
    refused(ONE "\n", 0640, ERR_INVALID, "chmod 600");
    refused(ONE "\n", 0604, ERR_INVALID, "chmod 600");
    refused("# nothing\n\n", 0600, ERR_INVALID, "no key in it");
    refused("# x\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0600, ERR_INVALID,
            "keys:2: expected ID:KEY");
    refused("a b:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0600, ERR_INVALID,
            "expected ID:KEY");
    refused("one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", 0600, ERR_INVALID,
            "44 characters");
    refused("one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n", 0600, ERR_INVALID,
            "44 characters"); /* a bit left over */
    refused("one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=AA==\n", 0600, ERR_INVALID,
            "44 characters");
    refused(ONE "\none:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0600, ERR_INVALID,
            "keys:2: a second key with the id one");
    refused(ONE "\nuno:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0600, ERR_INVALID,
            "uno has the same bytes as one");
    char text[17 * 60] = "";
    for (int i = 0; i < 17; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "k%d:AA%cCAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", i, 'A' + i);
    refused(text, 0600, ERR_INVALID, "keys:17: more than 16");
    CLEANUP(keyring_freep)
    struct keyring *keyring = opened("# the ring\r\n\n  " ONE " # of May\r\n" TWO);
    char ids[KEYRING_MAX][KEY_ID_MAX + 1];
    assert_int_equal(keyring_ids(keyring, ids), 2);
    assert_string_equal(ids[0], "one");
    assert_string_equal(ids[1], "two");
    assert_string_equal(keyring_shown(keyring), path);
}

static void test_made(void **state)
{
    (void)state;
    unlink(path);
    CLEANUP(keyring_freep) struct keyring *keyring = NULL;
    CLEANUP(keyring_freep) struct keyring *again = NULL;
    struct err err = {0};
    bool made = true;
    struct keyring_source source = {.file = path};
    assert_int_equal(keyring_open(&source, &keyring, &made, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "keys.file"));
    source.make = true;
    assert_int_equal(keyring_open(&source, &keyring, &made, &err), 0);
    assert_true(made);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_nlink, 1);
    assert_int_equal(keyring_open(&source, &again, &made, &err), 0);
    assert_false(made);
    char *text = sealed(keyring, &place, "s3cret");
    opens_to(again, &place, text, "s3cret");
    mem_free(text);
}

static void test_environment(void **state)
{
    (void)state;
    char variable[256] = "SONDE_TEST_KEYS=" ONE "," TWO;
    char *value = strchr(variable, '=') + 1;
    assert_int_equal(putenv(variable), 0);
    CLEANUP(keyring_freep) struct keyring *keyring = NULL;
    struct err err = {0};
    bool made;
    struct keyring_source source = {.environment = "SONDE_TEST_KEYS", .make = true};
    assert_int_equal(keyring_open(&source, &keyring, &made, &err), 0);
    assert_null(getenv("SONDE_TEST_KEYS"));
    for (size_t i = 0; i < strlen(ONE); i++)
        assert_int_equal(value[i], 0); /* nor where the variable stood */
    char ids[KEYRING_MAX][KEY_ID_MAX + 1];
    assert_int_equal(keyring_ids(keyring, ids), 2);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    assert_int_equal(keyring_ids(keyring, ids), 2);
    struct keyring *none = NULL;
    assert_int_equal(keyring_open(&source, &none, &made, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "SONDE_TEST_KEYS"));
    assert_int_equal(setenv("SONDE_TEST_KEYS", "one:short", 1), 0);
    assert_int_equal(keyring_open(&source, &none, &made, &err), ERR_INVALID);
    assert_null(getenv("SONDE_TEST_KEYS"));
}

static void test_default_path(void **state)
{
    (void)state;
    char found[256];
    struct err err = {0};
    assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1), 0);
    assert_int_equal(keyring_default_path(found, sizeof found, &err), 0);
    assert_string_equal(found, "/var/lib/a/keys");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    assert_int_equal(keyring_default_path(found, sizeof found, &err), 0);
    assert_string_equal(found, "/var/lib/a/keys"); /* no such credential */
    put(ONE, 0600);
    char credential[256];
    snprintf(credential, sizeof credential, "%s/sonde-keys", folder);
    assert_int_equal(rename(path, credential), 0);
    assert_int_equal(keyring_default_path(found, sizeof found, &err), 0);
    assert_string_equal(found, credential);
    struct keyring *keyring = NULL;
    bool made = true;
    struct keyring_source source = {.make = true};
    assert_int_equal(keyring_open(&source, &keyring, &made, &err), 0);
    assert_false(made);
    assert_string_equal(keyring_shown(keyring), credential);
    keyring_free(keyring);
    unlink(credential);
    unsetenv("CREDENTIALS_DIRECTORY");
    unsetenv("STATE_DIRECTORY");
}

static void test_places(void **state)
{
    (void)state;
    CLEANUP(keyring_freep) struct keyring *keyring = opened(ONE);
    char *text = sealed(keyring, &place, "s3cret");
    assert_true(str_starts(text, "sonde1:one:"));
    assert_null(strstr(text, "s3cret"));
    opens_to(keyring, &place, text, "s3cret");
    char *other = sealed(keyring, &place, "s3cret");
    assert_string_not_equal(text, other);
    mem_free(other);
    for (int i = 0; i < 4; i++) {
        struct seal_place moved = place;
        *(i == 0   ? &moved.table
          : i == 1 ? &moved.row_id
          : i == 2 ? &moved.user_id
                   : &moved.field) = "other";
        opens_not(keyring, &moved, text, ERR_INVALID);
        struct buf out = BUF(SEALED_MAX);
        bool changed;
        assert_int_equal(reseal(keyring, &moved, text, &out, &changed, NULL), ERR_INVALID);
        buf_finish(&out);
    }
    struct seal_place shifted = place; /* the same letters, cut elsewhere */
    shifted.row_id = "rowu";
    shifted.user_id = "ser";
    opens_not(keyring, &shifted, text, ERR_INVALID);
    mem_free(text);
    text = sealed(keyring, &place, "");
    opens_to(keyring, &place, text, "");
    mem_free(text);
}

static void test_changed(void **state)
{
    (void)state;
    CLEANUP(keyring_freep) struct keyring *keyring = opened(ONE "\n" TWO);
    char *text = sealed(keyring, &place, "s3cret");
    size_t size = strlen(text);
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = strlen("sonde1:one:"); i < size; i++) {
        char was = text[i];
        size_t value = (size_t)(strchr(digits, was) - digits);
        for (unsigned bit = 1; bit < 64; bit <<= 1) {
            text[i] = digits[value ^ bit];
            opens_not(keyring, &place, text, ERR_INVALID);
        }
        text[i] = '=';
        opens_not(keyring, &place, text, ERR_INVALID);
        text[i] = was;
    }
    for (size_t i = strlen("sonde1:one:"); i < size; i++) {
        char *cut = mem_strndup(text, i);
        opens_not(keyring, &place, cut, ERR_INVALID);
        mem_free(cut);
    }
    char longer[512];
    snprintf(longer, sizeof longer, "%sAAAA", text);
    opens_not(keyring, &place, longer, ERR_INVALID);
    /* Another key of the ring in its place; no such key; no sealed text at all. */
    memcpy(text + strlen("sonde1:"), "two", 3);
    opens_not(keyring, &place, text, ERR_INVALID);
    memcpy(text + strlen("sonde1:"), "ten", 3);
    opens_not(keyring, &place, text, ERR_NOT_FOUND);
    mem_free(text);
    char id[KEY_ID_MAX + 1] = "kept";
    static const char *const garbage[] = {
        "", "s3cret", "sonde1:", "sonde1:one", "sonde1::AAAA", "sonde2:one:AAAA"};
    for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
        struct secret *secret = NULL;
        assert_int_equal(unseal(keyring, &place, garbage[i], &secret, NULL), ERR_INVALID);
        assert_int_equal(sealed_key_id(garbage[i], id, NULL), ERR_INVALID);
    }
    assert_string_equal(id, "kept");
}

static void test_other_ring(void **state)
{
    (void)state;
    struct keyring *keyring = opened(ONE);
    char *text = sealed(keyring, &place, "s3cret");
    keyring_free(keyring);
    keyring = opened(TWO);
    struct secret *secret = NULL;
    struct err err = {0};
    assert_int_equal(unseal(keyring, &place, text, &secret, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "key one"));
    assert_non_null(strstr(err.text, path));
    keyring_free(keyring);
    keyring = opened("one:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    opens_not(keyring, &place, text, ERR_INVALID);
    keyring_free(keyring);
    mem_free(text);
}

static void test_reseal(void **state)
{
    (void)state;
    CLEANUP(keyring_freep) struct keyring *keyring = opened(ONE);
    unsigned char digest[SHA256_BYTES];
    unsigned char other[SHA256_BYTES];
    struct err err = {0};
    bool changed = true;
    char *text = sealed(keyring, &place, "s3cret");
    struct buf out = BUF(SEALED_MAX);
    assert_int_equal(reseal(keyring, &place, text, &out, &changed, &err), 0);
    assert_false(changed);
    assert_string_equal(buf_text(&out), text);
    assert_int_equal(keyring_digest(keyring, "x", 1, digest), 0);

    put("broken\n", 0600);
    assert_int_equal(keyring_reload(keyring, &err), ERR_INVALID);
    opens_to(keyring, &place, text, "s3cret");

    put(TWO "\n" ONE "\n", 0600);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    assert_int_equal(keyring_digest(keyring, "x", 1, other), 0);
    assert_memory_not_equal(digest, other, sizeof digest);
    opens_to(keyring, &place, text, "s3cret");
    buf_clear(&out);
    assert_int_equal(reseal(keyring, &place, text, &out, &changed, &err), 0);
    assert_true(changed);
    char id[KEY_ID_MAX + 1];
    assert_int_equal(sealed_key_id(buf_text(&out), id, &err), 0);
    assert_string_equal(id, "two");

    put(TWO "\n", 0600);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    opens_to(keyring, &place, buf_text(&out), "s3cret");
    opens_not(keyring, &place, text, ERR_NOT_FOUND);
    buf_finish(&out);
    mem_free(text);
}

static void test_size(void **state)
{
    (void)state;
    CLEANUP(keyring_freep) struct keyring *keyring = opened(ONE);
    static char large[16385];
    memset(large, 'x', sizeof large - 1);
    char *text = sealed(keyring, &place, large);
    opens_to(keyring, &place, text, large);
    mem_free(text);
    struct buf out = BUF(SEALED_MAX);
    struct err err = {0};
    assert_int_equal(seal(keyring, &place, large, sizeof large, &out, &err), ERR_LIMIT);
    struct seal_place far = place;
    far.field = large;
    assert_int_equal(seal(keyring, &far, "x", 1, &out, &err), ERR_LIMIT);
    assert_int_equal(out.size, 0);
    buf_finish(&out);
}

/* ---- Many threads ---- */

struct worker {
    struct keyring *keyring;
    atomic_bool *stop;
    int failures;
};

static void *seal_on(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load(worker->stop)) {
        struct buf out = BUF(SEALED_MAX);
        struct secret *secret = NULL;
        if (seal(worker->keyring, &place, "s3cret", 6, &out, NULL) ||
            unseal(worker->keyring, &place, buf_text(&out), &secret, NULL))
            worker->failures++;
        secret_free(secret);
        buf_finish(&out);
    }
    return NULL;
}

static void test_reload_meanwhile(void **state)
{
    (void)state;
    CLEANUP(keyring_freep) struct keyring *keyring = opened(ONE "\n" TWO);
    atomic_bool stop = false;
    struct worker workers[3];
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) {
        workers[i] = (struct worker){keyring, &stop, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, seal_on, &workers[i]), 0);
    }
    for (int i = 0; i < 100; i++) {
        put(i % 2 ? ONE "\n" TWO : TWO "\n" ONE, 0600);
        assert_int_equal(keyring_reload(keyring, NULL), 0);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failures, 0);
    }
}

/* ---- Documents ---- */

static struct json_object *parsed(const char *text)
{
    struct json_object *document = NULL;
    assert_int_equal(json_parse(text, strlen(text), 64, &document, NULL), 0);
    return document;
}

static int note(void *user, const char *field, const char *text, struct json_object **ret_value,
                struct err *err)
{
    (void)err;
    struct buf *out = user;
    buf_printf(out, "%s=%s;", field, text);
    if (str_eq(text, "swap"))
        *ret_value = json_object_new_string("swapped");
    return str_eq(text, "stop") ? ERR_INVALID : 0;
}

static void walked(const char *document, int code, const char *fields, const char *after)
{
    CLEANUP(json_putp) struct json_object *object = parsed(document);
    struct buf out = BUF(4096);
    struct err err = {0};
    assert_int_equal(sealed_walk(object, note, &out, &err), code);
    assert_string_equal(buf_text(&out), fields);
    if (after) {
        buf_clear(&out);
        buf_json_object(&out, object);
        assert_string_equal(buf_text(&out), after);
    }
    buf_finish(&out);
}

static void test_walk(void **state)
{
    (void)state;
    walked("{\"url\":\"http://x\",\"auth\":{\"type\":\"bearer\",\"token\":{\"sealed\":\"swap\"}},"
           "\"list\":[1,{\"sealed\":\"swap\"}],\"headers\":{\"X-Api-Key\":{\"sealed\":\"b\"}}}",
           0, "auth.token=swap;list.1=swap;headers.X-Api-Key=b;",
           "{\"url\":\"http://x\",\"auth\":{\"type\":\"bearer\",\"token\":\"swapped\"},"
           "\"list\":[1,\"swapped\"],\"headers\":{\"X-Api-Key\":{\"sealed\":\"b\"}}}");
    walked("{\"a\":{\"sealed\":\"stop\"},\"b\":{\"sealed\":\"b\"}}", ERR_INVALID, "a=stop;", NULL);
    walked("{\"a\":{\"sealed\":1},\"b\":{\"sealed\":\"x\",\"more\":1},\"sealed\":\"top\"}", 0, "",
           NULL);
    walked("3", 0, "", NULL);
    char deep[256] = "";
    for (int i = 0; i < 18; i++)
        strncpy(deep + strlen(deep), "{\"a\":", sizeof deep - strlen(deep) - 1);
    size_t size = strlen(deep);
    deep[size++] = '1';
    for (int i = 0; i < 18; i++)
        deep[size++] = '}';
    deep[size] = '\0';
    walked(deep, ERR_LIMIT, "", NULL);
    char wide[700];
    snprintf(wide, sizeof wide, "{\"%0600d\":1}", 1);
    walked(wide, ERR_LIMIT, "", NULL);
}

static void test_documents(void **state)
{
    (void)state;
    CLEANUP(keyring_freep) struct keyring *keyring = opened(ONE);
    struct json_object *value = NULL;
    struct err err = {0};
    assert_int_equal(sealed_make(keyring, &place, "s3cret", 6, &value, &err), 0);
    opens_to(keyring, &place, sealed_text(value), "s3cret");
    CLEANUP(json_putp) struct json_object *object = parsed("{\"auth\":{},\"n\":1.50}");
    json_object_object_add(json_member(object, "auth"), "token", value);
    bool changed = true;
    assert_int_equal(sealed_reseal(keyring, &place, object, &changed, &err), 0);
    assert_false(changed);
    put(TWO "\n" ONE, 0600);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    assert_int_equal(sealed_reseal(keyring, &place, object, &changed, &err), 0);
    assert_true(changed);
    const char *text = sealed_text(json_member(json_member(object, "auth"), "token"));
    assert_true(str_starts(text, "sonde1:two:"));
    opens_to(keyring, &place, text, "s3cret");
    struct seal_place elsewhere = place;
    elsewhere.row_id = "another";
    put(ONE "\n" TWO, 0600);
    assert_int_equal(keyring_reload(keyring, &err), 0);
    assert_int_equal(sealed_reseal(keyring, &elsewhere, object, &changed, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "auth.token: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_files),  cmocka_unit_test(test_made),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_default_path),
        cmocka_unit_test(test_places),      cmocka_unit_test(test_changed),
        cmocka_unit_test(test_other_ring),  cmocka_unit_test(test_reseal),
        cmocka_unit_test(test_size),        cmocka_unit_test(test_reload_meanwhile),
        cmocka_unit_test(test_walk),        cmocka_unit_test(test_documents),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
