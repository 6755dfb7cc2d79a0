/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/accounts.h"
#include "auth/api_token.h"
#include "base/clock.h"
#include "base/mem.h"
#include "fake_store.h"

#define T0 (INT64_C(1800000000) * NS_PER_S)
#define T0_MS (T0 / NS_PER_MS)
#define FILE_TOKEN "alice-0123456789abcdef"

static struct accounts *accounts;
static char path[] = "/tmp/sonde-accounts-XXXXXX";
static struct tokens *tokens;

static int setup(void **state)
{
    (void)state;
    fake_store_reset();
    clock_set_test(T0);
    return accounts_create(&(struct accounts_settings){.store = fake_store()}, &accounts, NULL);
}

static int teardown(void **state)
{
    (void)state;
    accounts_free(accounts);
    accounts = NULL;
    tokens_free(tokens);
    tokens = NULL;
    clock_set_test(0);
    return 0;
}

static void put_file(const char *text)
{
    snprintf(path, sizeof path, "%s", "/tmp/sonde-accounts-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(tokens_read(path, &tokens, NULL), 0);
    unlink(path);
}

/* Another accounts, with the file. */
static void with_file(const char *text, struct store *store)
{
    accounts_free(accounts);
    put_file(text);
    assert_int_equal(accounts_create(&(struct accounts_settings){.store = store, .tokens = tokens},
                                     &accounts, NULL),
                     0);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
}

static void make(const char *user_name, unsigned rights, int64_t expires_ms,
                 const char *connections, char token[API_TOKEN_MAX], struct token_row *row)
{
    struct user_row user;
    struct arena arena;
    arena_init(&arena, 4096, NULL);
    if (store_user_find(fake_store(), NULL, user_name, NULL, &arena, &user, NULL))
        assert_int_equal(account_add_user(fake_store(), user_name, &user, NULL), 0);
    assert_int_equal(account_create_token(fake_store(), &user, "test", rights, expires_ms,
                                          connections, token, row, NULL),
                     0);
    arena_finish(&arena);
}

static void assert_refused(int status, const char *token, const char *words)
{
    struct principal who = {.id = "untouched"};
    struct err err = {0};
    assert_int_equal(accounts_check_waiting(accounts, token, &who, &err), status);
    if (!strstr(err.text, words))
        fail_msg("expected \"%s\" in \"%s\"", words, err.text);
    assert_string_equal(who.id, "untouched");
    if (token && *token)
        assert_null(strstr(err.text, token));
}

static void test_new_token_works_at_once(void **state)
{
    (void)state;
    char token[API_TOKEN_MAX];
    struct token_row row;
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    make("alice", RIGHT_READ, 0, NULL, token, &row);
    struct principal who;
    assert_int_equal(accounts_check(accounts, token, &who, NULL), ACCOUNTS_LATER);
    assert_int_equal(accounts_check_waiting(accounts, token, &who, NULL), 0);
    assert_string_equal(who.name, "alice");
    assert_string_equal(who.id, row.user_id);
    assert_string_equal(who.token, row.id);
    assert_int_equal(who.rights, RIGHT_READ);
    assert_false(who.bound);
    assert_false(who.local);
    /* Now it is known without asking. */
    unsigned reads = fake_store_reads();
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    assert_int_equal(fake_store_reads(), reads);
}

/* A store that tells of its changes late holds more than it says. */
static void test_new_token_of_a_late_store(void **state)
{
    (void)state;
    char token[API_TOKEN_MAX];
    struct token_row row;
    struct principal who;
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    fake_store_hide(true);
    make("alice", RIGHT_READ, 0, NULL, token, &row);
    assert_int_equal(accounts_check_waiting(accounts, token, &who, NULL), 0);
}

static void test_refusals(void **state)
{
    (void)state;
    char token[API_TOKEN_MAX];
    struct token_row row;
    struct principal who;
    make("alice", RIGHT_READ, T0_MS + 1000, NULL, token, &row);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    clock_set_test(T0 + 1 * NS_PER_S);
    assert_refused(401, token, "expired on 2027-01-15 08:00 UTC");
    clock_set_test(T0);
    assert_int_equal(store_user_disable(fake_store(), row.user_id, true, NULL), 0);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    assert_refused(401, token, "is disabled");
    assert_int_equal(store_token_revoke(fake_store(), row.id, T0_MS, NULL), 0);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    assert_refused(401, token, "was revoked on 2027-01-15");
    /* Ninety days later it is a token like any that is not there. */
    clock_set_test(T0 + 91 * NS_PER_DAY);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    assert_refused(401, token, "not known here");
    assert_refused(401, NULL, "Authorization: Bearer");
    assert_refused(401, "", "not known here");
    assert_refused(401, "something-else-entirely", "not known here");
}

/* What is no token of this program is refused without asking anybody; made-up ones do not keep the store busy. */
static void test_guesses(void **state)
{
    (void)state;
    char token[API_TOKEN_BYTES + 1];
    struct principal who;
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    unsigned reads = fake_store_reads();
    assert_int_equal(api_token_make(token), 0);
    token[20] = token[20] == 'a' ? 'b' : 'a';
    assert_false(api_token_well_formed(token));
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 401);
    assert_int_equal(fake_store_reads(), reads);
    int64_t begun = clock_mono_ns();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(api_token_make(token), 0);
        assert_refused(401, token, "not known here");
    }
    /* At most four a second. */
    unsigned more = fake_store_reads() - reads;
    assert_true(more <= 3);
    assert_true(clock_mono_ns() - begun >= (more - 1) * 250 * NS_PER_MS);
}

static void test_store_gone(void **state)
{
    (void)state;
    char token[API_TOKEN_MAX];
    char other[API_TOKEN_MAX];
    struct token_row row;
    struct principal who;
    make("alice", RIGHTS_ALL, 0, NULL, token, &row);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    make("bob", RIGHTS_ALL, 0, NULL, other, &row);
    fake_store_fail(true);
    struct err err = {0};
    assert_int_equal(accounts_refresh(accounts, &err), ERR_UNAVAILABLE);
    /* Who was known stays known; of others it cannot be said. */
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    assert_refused(503, other, "try again");
    fake_store_fail(false);
    assert_int_equal(accounts_check_waiting(accounts, other, &who, NULL), 0);
    accounts_stop(accounts);
    assert_refused(503, token, "stopping");
}

static void test_last_use(void **state)
{
    (void)state;
    char token[API_TOKEN_MAX];
    struct token_row row;
    struct principal who;
    make("alice", RIGHT_READ, 0, NULL, token, &row);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    assert_int_equal(fake_store_uses(), 1);
    /* Reading it again does not forget. */
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    clock_set_test(T0 + 59 * NS_PER_S);
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    assert_int_equal(fake_store_uses(), 1);
    clock_set_test(T0 + 60 * NS_PER_S);
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    assert_int_equal(fake_store_uses(), 2);
}

#define ONE "0190a000-0000-7000-8000-000000000001"
#define TWO "0190a000-0000-7000-8000-000000000002"

static void test_bound(void **state)
{
    (void)state;
    char token[API_TOKEN_MAX];
    char odd[API_TOKEN_MAX];
    char loose[API_TOKEN_MAX];
    struct token_row row;
    struct principal who;
    make("alice", RIGHT_READ, 0, "[\"" ONE "\"]", token, &row);
    make("alice", RIGHT_READ, 0, "no list", odd, &row);
    make("alice", RIGHT_READ, 0, NULL, loose, &row);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    assert_int_equal(accounts_check(accounts, token, &who, NULL), 0);
    assert_true(who.bound);
    assert_true(accounts_lets_see(accounts, &who, ONE));
    assert_false(accounts_lets_see(accounts, &who, TWO));
    assert_int_equal(store_token_revoke(fake_store(), who.token, T0_MS, NULL), 0);
    assert_int_equal(accounts_check(accounts, odd, &who, NULL), 0);
    assert_false(accounts_lets_see(accounts, &who, ONE));
    assert_int_equal(accounts_check(accounts, loose, &who, NULL), 0);
    assert_true(accounts_lets_see(accounts, &who, TWO));
}

static void test_file_users(void **state)
{
    (void)state;
    struct user_row alice;
    struct principal who;
    struct principal other;
    assert_int_equal(account_add_user(fake_store(), "alice", &alice, NULL), 0);
    with_file(FILE_TOKEN " alice read\nbob-0123456789abcdefgh bob\ncarol-0123456789abcdef\n"
                         "bob-9876543210abcdefgh bob manage\n",
              fake_store());
    assert_int_equal(accounts_check(accounts, FILE_TOKEN, &who, NULL), 0);
    assert_string_equal(who.id, alice.id);
    assert_int_equal(who.rights, RIGHT_READ);
    assert_int_equal(accounts_check(accounts, "bob-0123456789abcdefgh", &who, NULL), 0);
    assert_string_equal(who.name, "bob");
    assert_int_equal(who.rights, RIGHTS_ALL);
    assert_int_equal(accounts_check(accounts, "bob-9876543210abcdefgh", &other, NULL), 0);
    assert_string_equal(who.id, other.id);
    assert_int_equal(other.rights, RIGHT_READ | RIGHT_MANAGE);
    struct arena arena;
    struct user_row row;
    arena_init(&arena, 4096, NULL);
    assert_int_equal(store_user_find(fake_store(), NULL, "bob", NULL, &arena, &row, NULL), 0);
    assert_string_equal(row.id, who.id);
    assert_int_equal(accounts_check(accounts, "carol-0123456789abcdef", &who, NULL), 0);
    assert_int_equal(strncmp(who.name, "token-", 6), 0);
    assert_int_equal(strlen(who.name), 14);
    assert_int_equal(store_user_find(fake_store(), NULL, who.name, NULL, &arena, &row, NULL), 0);
    arena_finish(&arena);
    assert_int_equal(store_user_disable(fake_store(), alice.id, true, NULL), 0);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    assert_refused(401, FILE_TOKEN, "is disabled");
}

static void test_file_without_store(void **state)
{
    (void)state;
    struct principal who;
    struct principal again;
    char token[API_TOKEN_BYTES + 1];
    with_file(FILE_TOKEN " alice\n", NULL);
    assert_int_equal(accounts_check(accounts, FILE_TOKEN, &who, NULL), 0);
    /* A UUID of version 8, the one a store would get. */
    assert_int_equal(strlen(who.id), 36);
    assert_int_equal(who.id[14], '8');
    assert_int_equal(api_token_make(token), 0);
    assert_int_equal(accounts_check(accounts, token, &again, NULL), 401);
    teardown(state);
    setup(state);
    with_file(FILE_TOKEN " alice\n", fake_store());
    assert_int_equal(accounts_check(accounts, FILE_TOKEN, &again, NULL), 0);
    assert_string_equal(who.id, again.id);
}

static void test_admin(void **state)
{
    (void)state;
    struct user_row user;
    struct err err = {0};
    unsigned rights = 99;
    assert_int_equal(account_add_user(fake_store(), "a.b-c_d@example", &user, NULL), 0);
    assert_int_equal(account_add_user(fake_store(), "a.b-c_d@example", &user, &err), ERR_CONFLICT);
    static const char *const bad[] = {
        "",
        "a b",
        "a/b",
        "\xc3\xa9",
        "operator",
        "local",
        "keeper",
        "all",
        "a'; DROP TABLE users; --",
        "1234567890123456789012345678901234567890123456789012345678901234"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(account_add_user(fake_store(), bad[i], &user, &err), ERR_INVALID);
    assert_int_equal(rights_parse("everything", &rights, &err), ERR_INVALID);
    assert_int_equal(rights, 99);
    static const char *const levels[] = {"read", "manage", "admin"};
    static const unsigned values[] = {1, 3, 7};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rights_parse(levels[i], &rights, NULL), 0);
        assert_int_equal(rights, values[i]);
        assert_string_equal(rights_text(rights), levels[i]);
    }
}

/* ---- Many threads ---- */

static atomic_bool over;
static char known[API_TOKEN_MAX];

static void *check_on(void *argument)
{
    atomic_uint *wrong = argument;
    struct principal who;
    while (!atomic_load(&over))
        if (accounts_check(accounts, known, &who, NULL))
            atomic_fetch_add(wrong, 1);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct token_row row;
    pthread_t threads[3];
    atomic_uint wrong = 0;
    make("alice", RIGHT_READ, 0, NULL, known, &row);
    assert_int_equal(accounts_refresh(accounts, NULL), 0);
    atomic_store(&over, false);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_on, &wrong), 0);
    for (unsigned i = 0; i < 50; i++) {
        char token[API_TOKEN_MAX];
        struct principal who;
        make("bob", RIGHT_READ, 0, NULL, token, &row);
        assert_int_equal(accounts_check_waiting(accounts, token, &who, NULL), 0);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_token_works_at_once),
        TEST(test_new_token_of_a_late_store),
        TEST(test_refusals),
        TEST(test_guesses),
        TEST(test_store_gone),
        TEST(test_last_use),
        TEST(test_bound),
        TEST(test_file_users),
        TEST(test_file_without_store),
        TEST(test_admin),
        TEST(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
