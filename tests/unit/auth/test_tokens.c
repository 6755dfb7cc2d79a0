/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/tokens.h"
#include "base/file.h"
#include "base/mem.h"

#define ALICE "alice-0123456789abcdef"
#define BOB "bob-0123456789abcdef"
#define CAROL "carol-0123456789abcdef"

static char folder[64];
static char path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/sonde-tokens-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/tokens", folder);
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

static void test_names(void **state)
{
    (void)state;
    put("# the team\n" ALICE "\talice read  # since May\r\n\n   " BOB "   \n" CAROL
        " deploy.bot@ci manage #bot",
        0600);
    CLEANUP(tokens_freep) struct tokens *tokens = NULL;
    struct err err = {0};
    bool made = true;
    assert_int_equal(tokens_open(path, &tokens, &made, &err), 0);
    assert_false(made);
    assert_int_equal(tokens_count(tokens), 3);
    struct principal alice;
    struct principal bob;
    struct principal carol;
    assert_int_equal(tokens_check(tokens, ALICE, &alice), 0);
    assert_string_equal(alice.name, "alice");
    assert_int_equal(alice.rights, RIGHT_READ);
    assert_false(alice.local);
    assert_int_equal(tokens_check(tokens, BOB, &bob), 0);
    assert_int_equal(strncmp(bob.name, "token-", 6), 0);
    assert_int_equal(strlen(bob.name), 14);
    assert_int_equal(bob.rights, RIGHTS_ALL);
    assert_int_equal(tokens_check(tokens, CAROL, &carol), 0);
    assert_string_equal(carol.name, "deploy.bot@ci");
    assert_int_equal(carol.rights, RIGHT_READ | RIGHT_MANAGE);
    /* SHA-256 of ALICE begins so: the id is its hash, not the token. */
    assert_string_equal(alice.token, "token-08de70070336baac3db11e5c");
    assert_string_not_equal(alice.id, bob.id);
    assert_int_equal(strlen(alice.id), 36);
    assert_null(strstr(bob.token, "0123456789abcdef"));
}

static void test_unknown(void **state)
{
    (void)state;
    put(ALICE "\n", 0400);
    CLEANUP(tokens_freep) struct tokens *tokens = NULL;
    bool made;
    assert_int_equal(tokens_open(path, &tokens, &made, NULL), 0);
    struct principal who = {.id = "untouched"};
    assert_int_equal(tokens_check(tokens, NULL, &who), ERR_NOT_FOUND);
    assert_int_equal(tokens_check(tokens, "", &who), ERR_NOT_FOUND);
    assert_int_equal(tokens_check(tokens, ALICE "x", &who), ERR_NOT_FOUND);
    assert_int_equal(tokens_check(tokens, "alice-0123456789abcde", &who), ERR_NOT_FOUND);
    assert_string_equal(who.id, "untouched");
}

/* A file that was emptied stays empty: no token is made again behind its owner's back. */
static void test_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# nobody\n"};
    for (size_t i = 0; i < 2; i++) {
        put(texts[i], 0600);
        CLEANUP(tokens_freep) struct tokens *tokens = NULL;
        struct principal who;
        bool made = true;
        assert_int_equal(tokens_open(path, &tokens, &made, NULL), 0);
        assert_false(made);
        assert_int_equal(tokens_count(tokens), 0);
        assert_int_equal(tokens_check(tokens, "", &who), ERR_NOT_FOUND);
    }
}

static void refused(const char *text, mode_t mode, const char *why)
{
    put(text, mode);
    struct tokens *tokens = NULL;
    struct err err = {0};
    bool made = false;
    assert_int_equal(tokens_open(path, &tokens, &made, &err), ERR_INVALID);
    assert_null(tokens);
    if (!strstr(err.text, why))
        fail_msg("expected \"%s\" in \"%s\"", why, err.text);
    assert_null(strstr(err.text, "0123456789"));
    assert_non_null(strstr(err.text, path));
}

static void test_refused(void **state)
{
    (void)state;
    refused(ALICE "\n", 0640, "chmod 600");
    refused(ALICE "\n", 0604, "chmod 600");
    refused(ALICE "\n", 0620, "chmod 600");
    refused(ALICE "\n# one\nshort\n", 0600, "tokens:3: a token needs at least 16");
    refused("\n0123456789012345\xc3\xa9\n", 0600, "tokens:2: a token is made of");
    refused(ALICE "\n" BOB "\n" ALICE " twice\n", 0600, "tokens:3: the same token as on line 1");
    refused(ALICE " \xff\n", 0600, "letters, digits");
    refused(ALICE " a\x01z\n", 0600, "letters, digits");
    refused(ALICE " operator\n", 0600, "one of sonde's own");
    refused(ALICE " alice of payments\n", 0600, "TOKEN USER RIGHTS");
    refused(ALICE " alice readonly\n", 0600, "TOKEN USER RIGHTS");
    refused(ALICE " alice read more\n", 0600, "TOKEN USER RIGHTS");
    refused(ALICE " 1234567890123456789012345678901234567890123456789012345678901234\n", 0600,
            "1 to 63");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    struct tokens *tokens = NULL;
    struct err err = {0};
    bool made = false;
    assert_int_equal(tokens_open(path, &tokens, &made, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "not a file"));
    rmdir(path);
}

static void test_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    put(ALICE "\n", 0600);
    assert_int_equal(chown(path, 12345, 12345), 0);
    struct tokens *tokens = NULL;
    struct err err = {0};
    bool made = false;
    assert_int_equal(tokens_open(path, &tokens, &made, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "belongs to user 12345"));
}

static void test_made(void **state)
{
    (void)state;
    char deep[160];
    snprintf(deep, sizeof deep, "%s/a/b/tokens", folder);
    CLEANUP(tokens_freep) struct tokens *tokens = NULL;
    CLEANUP(tokens_freep) struct tokens *again = NULL;
    struct err err = {0};
    assert_int_equal(tokens_read(deep, &tokens, &err), ERR_NOT_FOUND);
    bool made = false;
    assert_int_equal(tokens_open(deep, &tokens, &made, &err), 0);
    assert_true(made);
    struct stat status;
    assert_int_equal(stat(deep, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    CLEANUP(mem_freep) char *text = NULL;
    size_t size;
    assert_int_equal(file_read(deep, 4096, &text, &size, &err), 0);
    char *end = strchr(text, '\n');
    assert_non_null(end);
    *end = '\0';
    assert_int_equal(strlen(text), strlen("sonde_") + 43);
    assert_memory_equal(text, "sonde_", 6);
    assert_int_equal(
        strspn(text + 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"), 43);
    struct principal first;
    struct principal second;
    assert_int_equal(tokens_check(tokens, text, &first), 0);
    assert_int_equal(strncmp(first.name, "token-", 6), 0);
    made = true;
    assert_int_equal(tokens_open(deep, &again, &made, &err), 0);
    assert_false(made);
    assert_int_equal(tokens_check(again, text, &second), 0);
    assert_string_equal(first.id, second.id);
    unlink(deep);
    snprintf(deep, sizeof deep, "%s/a/b", folder);
    assert_int_equal(stat(deep, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(rmdir(deep), 0); /* no draft is left behind */
    snprintf(deep, sizeof deep, "%s/a", folder);
    assert_int_equal(rmdir(deep), 0);
}

static void test_not_made(void **state)
{
    (void)state;
    put("in the way\n", 0600);
    char below[160];
    snprintf(below, sizeof below, "%s/x/tokens", path);
    struct tokens *tokens = NULL;
    struct err err = {0};
    bool made = false;
    assert_int_equal(tokens_open(below, &tokens, &made, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, path));
}

static void test_reload(void **state)
{
    (void)state;
    put(ALICE " alice\n", 0600);
    CLEANUP(tokens_freep) struct tokens *tokens = NULL;
    struct err err = {0};
    struct principal who;
    bool made;
    assert_int_equal(tokens_open(path, &tokens, &made, &err), 0);
    put(BOB " bob\nbad\n", 0600);
    assert_int_equal(tokens_reload(tokens, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "tokens:2:"));
    assert_int_equal(tokens_check(tokens, ALICE, &who), 0);
    assert_int_equal(tokens_check(tokens, BOB, &who), ERR_NOT_FOUND);
    put(BOB " bob\n", 0600);
    assert_int_equal(tokens_reload(tokens, &err), 0);
    assert_int_equal(tokens_check(tokens, ALICE, &who), ERR_NOT_FOUND);
    assert_int_equal(tokens_check(tokens, BOB, &who), 0);
    assert_string_equal(who.name, "bob");
    unlink(path);
    assert_int_equal(tokens_reload(tokens, &err), ERR_NOT_FOUND);
    assert_int_equal(tokens_check(tokens, BOB, &who), 0);
    put("# all gone\n", 0600);
    assert_int_equal(tokens_reload(tokens, &err), 0);
    assert_int_equal(tokens_check(tokens, BOB, &who), ERR_NOT_FOUND);
}

struct load {
    struct tokens *tokens;
    atomic_bool stop;
    atomic_uint lost;
    atomic_uint checks;
};

static void *check_on(void *argument)
{
    struct load *load = argument;
    while (!atomic_load(&load->stop)) {
        struct principal who;
        if (tokens_check(load->tokens, ALICE, &who) || strcmp(who.name, "alice") != 0)
            atomic_fetch_add(&load->lost, 1);
        atomic_fetch_add(&load->checks, 1);
    }
    return NULL;
}

/* A token that stays in the file is known at every moment of a reload. */
static void test_reload_while_checking(void **state)
{
    (void)state;
    put(ALICE " alice\n", 0600);
    struct load load = {0};
    bool made;
    assert_int_equal(tokens_open(path, &load.tokens, &made, NULL), 0);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_on, &load), 0);
    for (int i = 0; i < 200 || atomic_load(&load.checks) < 1000; i++)
        assert_int_equal(tokens_reload(load.tokens, NULL), 0);
    atomic_store(&load.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&load.lost), 0);
    tokens_free(load.tokens);
}

static void expect_path(const char *expected)
{
    char found[256];
    struct err err = {0};
    assert_int_equal(tokens_default_path(found, sizeof found, &err), 0);
    assert_string_equal(found, expected);
}

static void test_default_path(void **state)
{
    (void)state;
    setenv("STATE_DIRECTORY", "/var/lib/sonde:/var/lib/other", 1);
    setenv("XDG_STATE_HOME", "/x/state", 1);
    setenv("HOME", "/home/u", 1);
    expect_path("/var/lib/sonde/tokens");
    unsetenv("STATE_DIRECTORY");
    expect_path("/x/state/sonde/tokens");
    setenv("XDG_STATE_HOME", "relative", 1);
    expect_path(geteuid() ? "/home/u/.local/state/sonde/tokens" : "/var/lib/sonde/tokens");
    unsetenv("XDG_STATE_HOME");
    char tiny[8];
    struct err err = {0};
    assert_int_equal(tokens_default_path(tiny, sizeof tiny, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_made, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_made, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload_while_checking, setup, teardown),
        cmocka_unit_test(test_default_path)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
