/* SPDX-License-Identifier: Apache-2.0 */
/* Who sees which connections, what is kept open and what is opened anew, and that nobody learns of another's. */
#include "cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"
#include "people.h"
#include "service/content.h"

#define CONFIG "\"connection_config\":{\"url\":\"https://198.51.100.7:9090\"}"
#define PLAIN(name) "{\"name\":\"" name "\",\"backend_type\":\"toy\"," CONFIG "}"
#define A "  - {name: a, backend: toy, url: \"http://127.0.0.1:1\"}\n"
#define A_MOVED "  - {name: a, backend: toy, url: \"http://127.0.0.1:2\"}\n"
#define FOR_BOB "  - {name: b, backend: toy, url: \"http://127.0.0.1:1\", access: {users: [bob]}}\n"
#define TOKEN(value)                                                   \
    "  - {name: t, backend: toy, url: \"http://127.0.0.1:1\", auth: {" \
    "type: bearer, token: " value "}}\n"

static int start(void **state)
{
    (void)state;
    people_start("connections:\n" A FOR_BOB);
    return 0;
}

static void test_sight(void **state)
{
    (void)state;
    char hers[37];
    assert_int_equal(people_add(&ann, PLAIN("ann-prod"), hers), 0);
    assert_int_equal(people_add(&ann, PLAIN("x"), NULL), 0);
    assert_int_equal(people_add(&bob, PLAIN("x"), NULL), 0);
    assert_string_equal(people_names(&ann), "ann-prod x a");
    assert_string_equal(people_names(&bob), "x a b");
    assert_string_equal(people_names(&PRINCIPAL_LOCAL), "a");
    /* Not by its id, and not by the words of an error. */
    const char *tries[] = {hers, "ann-prod", "ann-prot"};
    for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
        struct err errs[4] = {{0}};
        struct buf out = BUF(1 << 16);
        assert_int_equal(manage_show(service, &bob, tries[i], &out, NULL, &errs[0]), ERR_NOT_FOUND);
        assert_int_equal(manage_remove(service, &bob, tries[i], 0, &errs[1]), ERR_NOT_FOUND);
        assert_int_equal(
            manage_edit(service, &bob, tries[i], "{}", 2, 0, NULL, NULL, NULL, &errs[2]),
            ERR_NOT_FOUND);
        buf_finish(&out);
        for (size_t k = 0; k < 3; k++)
            assert_null(strstr(errs[k].text, "did you mean"));
    }
    assert_string_equal(people_names(&ann), "ann-prod x a");
    /* One that access hides is not there either: its name is free. */
    assert_int_equal(people_add(&ann, PLAIN("b"), NULL), 0);
    assert_int_equal(people_add(&bob, PLAIN("b"), NULL), ERR_CONFLICT);
}

static bool sees(void *user, const struct principal *principal, const char *id)
{
    (void)principal;
    return str_eq(user, id);
}

static void test_bound(void **state)
{
    (void)state;
    char one[37];
    char two[37];
    assert_int_equal(people_add(&bob, PLAIN("one"), one), 0);
    assert_int_equal(people_add(&bob, PLAIN("two"), two), 0);
    struct principal token = bob;
    token.bound = true;
    assert_string_equal(people_names(&token), "");
    service_set_sight(service, sees, one);
    assert_string_equal(people_names(&token), "one");
    assert_string_equal(people_names(&bob), "one two a b");
    assert_string_equal(people_show(&token, two), "");
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(people_edit(&token, two, "{\"description\":\"x\"}", 0), ERR_NOT_FOUND);
    assert_int_equal(people_add(&token, PLAIN("three"), NULL), ERR_FORBIDDEN);
    /* The open connection is the same one. */
    struct connection_set *all;
    struct connection_set *some;
    assert_ptr_equal(people_slot(&bob, one, &all)->backend,
                     people_slot(&token, one, &some)->backend);
    set_unref(all);
    set_unref(some);
}

/* Only what changed is opened anew, and whoever holds the old one keeps it. */
static void test_kept_open(void **state)
{
    (void)state;
    char one[37];
    char two[37];
    assert_int_equal(people_add(&ann, PLAIN("one"), one), 0);
    assert_int_equal(people_add(&ann, PLAIN("two"), two), 0);
    struct connection_set *before;
    struct backend *first = people_slot(&ann, one, &before)->backend;
    struct backend *second = people_slot(&ann, two, &before)->backend;
    set_unref(before); /* taken twice */
    unsigned opens = atomic_load(&plan.opens);
    assert_int_equal(
        people_edit(&ann, two, "{\"connection_config\":{\"url\":\"https://198.51.100.8\"}}", 0), 0);
    struct connection_set *after;
    assert_ptr_equal(people_slot(&ann, one, &after)->backend, first);
    set_unref(after);
    struct backend *third = people_slot(&ann, two, &after)->backend;
    assert_ptr_not_equal(third, second);
    set_unref(after);
    /* Once to see whether it can be, once to keep. */
    assert_int_equal(atomic_load(&plan.opens), opens + 2);
    assert_true(backend_retired(second));
    assert_false(backend_retired(first));
    assert_string_equal(backend_connection(second)->url, "https://198.51.100.7:9090");
    /* Removed while somebody holds it. */
    assert_int_equal(manage_remove(service, &ann, one, 0, &err), 0);
    assert_string_equal(people_names(&ann), "two a");
    assert_true(backend_retired(first));
    assert_string_equal(backend_connection(first)->name, "one");
    unsigned closes = atomic_load(&plan.closes);
    set_unref(before);
    assert_int_equal(atomic_load(&plan.closes), closes + 2);
}

static void test_reload(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann, PLAIN("late"), id), 0);
    struct connection_set *set;
    struct backend *own = people_slot(&ann, id, &set)->backend;
    set_unref(set);
    unsigned closes = atomic_load(&plan.closes);
    /* The operator's of the same name comes later: hers wins by name, both are there by id. */
    assert_int_equal(people_reload("connections:\n" A_MOVED
                                   "  - {name: late, backend: toy, url: \"http://127.0.0.1:3\"}\n"),
                     0);
    /* The old ones are closed at once, though she has not asked since. */
    assert_int_equal(atomic_load(&plan.closes), closes + 2);
    assert_string_equal(people_names(&ann), "late a late");
    struct slot *slot = people_slot(&ann, "late", &set);
    assert_ptr_equal(slot->backend, own);
    char operator_id[37];
    snprintf(operator_id, sizeof operator_id, "%s", set->slots[2].connection->id);
    set_unref(set);
    slot = people_slot(&ann, operator_id, &set);
    assert_true(connection_shared(slot->connection));
    set_unref(set);
    assert_string_equal(people_names(&bob), "a late");
    assert_int_equal(people_reload("limits: {timeout: 7s}\nconnections:\n" A), 0);
    slot = people_slot(&ann, id, &set);
    assert_int_equal(slot->connection->timeout_ns, 7 * NS_PER_S);
    set_unref(set);
}

static void test_disabled(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann, PLAIN("off"), id), 0);
    assert_int_equal(people_edit(&ann, id, "{\"is_enabled\":false}", 0), 0);
    struct connection_set *set;
    struct slot *slot = people_slot(&ann, id, &set);
    assert_null(slot->backend);
    assert_non_null(strstr(slot->err.text, "is disabled"));
    set_unref(set);
    assert_int_equal(people_edit(&ann, id, "{\"is_enabled\":true}", 0), 0);
    slot = people_slot(&ann, id, &set);
    assert_non_null(slot->backend);
    set_unref(set);
}

/* A row that this process cannot read is listed with its reason, and can be disabled and removed. */
static void test_damaged(void **state)
{
    (void)state;
    struct connection_row row = {.name = "odd",
                                 .description = "",
                                 .backend_type = "gone",
                                 .config = "{\"url\":\"https://198.51.100.7\"}",
                                 .tags = "{}",
                                 .source = "rest",
                                 .enabled = true,
                                 .revision = 1,
                                 .health_error = "",
                                 .created_ms = 1,
                                 .updated_ms = 1};
    uuid7(row.id);
    snprintf(row.user_id, sizeof row.user_id, "%.36s", ann.id);
    assert_int_equal(store_connection_add(service->kept.store, &row, &err), 0);
    struct connection_set *set;
    struct slot *slot = people_slot(&ann, "odd", &set);
    assert_null(slot->backend);
    assert_non_null(strstr(slot->err.text, "no backend \"gone\""));
    set_unref(set);
    assert_non_null(strstr(people_show(&ann, "odd"), "\"status\":\"unhealthy\""));
    assert_int_equal(people_edit(&ann, "odd", "{\"description\":\"x\"}", 0), ERR_INVALID);
    assert_int_equal(people_edit(&ann, "odd", "{\"is_enabled\":false}", 0), 0);
    assert_int_equal(manage_remove(service, &ann, "odd", 0, &err), 0);
    assert_string_equal(people_names(&ann), "a");
}

static uint64_t content_of(const struct principal *who, const char *name)
{
    struct connection_set *set;
    struct slot *slot = people_slot(who, name, &set);
    assert_non_null(slot);
    uint64_t content = slot->connection->content;
    set_unref(set);
    return content;
}

static void test_content(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann, PLAIN("x"), id), 0);
    assert_int_equal(people_add(&bob, PLAIN("x"), NULL), 0);
    uint64_t first = content_of(&ann, "x");
    assert_int_not_equal(first, 0);
    assert_true(first < UINT64_C(1) << 63);
    assert_int_not_equal(first, content_of(&bob, "x"));
    assert_int_equal(people_edit(&ann, id, "{\"description\":\"d\"}", 0), 0);
    assert_int_not_equal(content_of(&ann, "x"), first);
    /* The operator's: by what it says, secrets included, in every process alike. */
    assert_int_equal(people_reload("connections:\n" TOKEN("one-1111")), 0);
    uint64_t one = content_of(&ann, "t");
    assert_int_equal(people_reload("connections:\n" TOKEN("two-2222")), 0);
    uint64_t two = content_of(&ann, "t");
    people_restart("connections:\n" TOKEN("one-1111"));
    assert_int_not_equal(one, 0);
    assert_int_not_equal(one, two);
    assert_int_equal(content_of(&ann, "t"), one);
    struct connection *connection = connection_new();
    assert_int_equal(content_of_file(NULL, connection), 0);
    connection_unref(connection);
}

static void test_operator_rows(void **state)
{
    (void)state;
    assert_int_equal(people_reload("connections:\n" A TOKEN("one-1111-secret")), 0);
    struct arena arena;
    struct connection_row *rows;
    size_t n = 0;
    arena_init(&arena, 1 << 20, NULL);
    assert_int_equal(
        store_connections(service->kept.store, USER_OPERATOR_ID, NULL, 0, &arena, &rows, &n, &err),
        0);
    assert_int_equal(n, 3);
    const bool enabled[] = {true, false, true}; /* a, b (no longer in the file), t */
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(rows[i].source, "yaml");
        assert_int_equal(rows[i].enabled, enabled[i]);
        assert_null(strstr(rows[i].config, "secret"));
    }
    assert_non_null(strstr(rows[2].config, "\"token\":{\"masked\":true}"));
    arena_finish(&arena);
    assert_false(people_disk_holds("one-1111-secret"));
}

/* Those who asked last are kept, and no more. */
static void test_many(void **state)
{
    (void)state;
    assert_int_equal(people_add(&ann, PLAIN("x"), NULL), 0);
    struct principal somebody = {.rights = RIGHT_READ, .name = "somebody"};
    size_t users = 0;
    size_t open = 0;
    for (unsigned i = 0; i < USERS_KEPT + 50; i++) {
        uuid7(somebody.id);
        assert_string_equal(people_names(&somebody), "a");
    }
    user_sets_count(service->users, &users, &open);
    assert_int_equal(users, USERS_KEPT);
    assert_int_equal(open, 0); /* hers were closed with the last who had to go */
    assert_string_equal(people_names(&ann), "x a");
    user_sets_count(service->users, &users, &open);
    assert_int_equal(open, 1);
}

/* Between the service and the store: it fails while told to. */
static bool gone;

int __real_store_connections(struct store *store, const char *user_id, const char *after_name,
                             size_t limit, struct arena *arena, struct connection_row **ret_rows,
                             size_t *ret_count, struct err *ret_err);
int __wrap_store_connections(struct store *store, const char *user_id, const char *after_name,
                             size_t limit, struct arena *arena, struct connection_row **ret_rows,
                             size_t *ret_count, struct err *ret_err);

int __wrap_store_connections(struct store *store, const char *user_id, const char *after_name,
                             size_t limit, struct arena *arena, struct connection_row **ret_rows,
                             size_t *ret_count, struct err *ret_err)
{
    if (gone)
        return err_set(ret_err, ERR_UNAVAILABLE, "the database is away");
    return __real_store_connections(store, user_id, after_name, limit, arena, ret_rows, ret_count,
                                    ret_err);
}

/* What was known goes on, what was not is said to be missing, and comes back with the store. */
static void test_store_gone(void **state)
{
    (void)state;
    assert_int_equal(people_add(&ann, PLAIN("x"), NULL), 0);
    assert_int_equal(people_add(&bob, PLAIN("y"), NULL), 0);
    people_restart("connections:\n" A);
    assert_string_equal(people_names(&ann), "x a");
    gone = true;
    assert_int_equal(store_user_disable(service->kept.store, bob.id, false, &err), 0);
    assert_string_equal(people_names(&ann), "x a");
    struct connection_set *set = service_set_for(service, &bob);
    assert_int_equal(set->slot_count, 1);
    assert_non_null(strstr(set->missing, "the database is away"));
    set_unref(set);
    assert_int_equal(people_add(&bob, PLAIN("z"), NULL), ERR_UNAVAILABLE);
    assert_string_equal(people_show(&bob, "y"), "");
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    gone = false;
    for (unsigned i = 0; i < 1000 && !str_eq(people_names(&bob), "y a"); i++)
        nanosleep(&(struct timespec){.tv_nsec = 20 * NS_PER_MS}, NULL);
    assert_string_equal(people_names(&bob), "y a");
}

/* Without waiting there is what is known already. */
static void test_peek(void **state)
{
    (void)state;
    assert_int_equal(people_add(&ann, PLAIN("x"), NULL), 0);
    assert_int_equal(people_add(&bob, PLAIN("y"), NULL), 0);
    people_restart("connections:\n" A);
    struct connection_set *set = user_sets_peek(service->users, &ann);
    assert_int_equal(set->slot_count, 1);
    set_unref(set);
    assert_string_equal(people_names(&ann), "x a");
    set = user_sets_peek(service->users, &ann);
    assert_int_equal(set->slot_count, 2);
    set_unref(set);
}

#define ROUNDS 40

static atomic_bool stop;

static void *asker(void *argument)
{
    const struct principal *who = argument;
    const char *other = who == &ann ? "bobs" : "anns";
    while (!atomic_load(&stop)) {
        struct connection_set *set = service_set_for(service, who);
        for (size_t i = 0; set && i < set->slot_count; i++) {
            const struct slot *slot = &set->slots[i];
            if (str_starts(slot->connection->name, other))
                abort();
            if (slot->backend && backend_connection(slot->backend) != slot->connection)
                abort();
        }
        set_unref(set);
    }
    return NULL;
}

static void *editor(void *argument)
{
    const struct principal *who = argument;
    const char *name = who == &ann ? "anns" : "bobs";
    char body[256];
    struct err own = {0};
    for (unsigned i = 0; i < ROUNDS; i++) {
        char id[37] = "";
        snprintf(body, sizeof body, "{\"name\":\"%s%u\",\"backend_type\":\"toy\"," CONFIG "}", name,
                 i);
        if (manage_add(service, who, body, strlen(body), "rest", NULL, id, NULL, &own))
            abort();
        const char *change = "{\"description\":\"changed\"}";
        if (manage_edit(service, who, id, change, strlen(change), 1, NULL, NULL, NULL, &own))
            abort();
        if (i % 2 && manage_remove(service, who, id, 2, &own))
            abort();
    }
    return NULL;
}

/* Everybody asks while everybody changes theirs and the operator reloads. */
static void test_at_once(void **state)
{
    (void)state;
    pthread_t askers[4];
    pthread_t editors[2];
    atomic_store(&stop, false);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, asker, i % 2 ? &ann : &bob), 0);
    assert_int_equal(pthread_create(&editors[0], NULL, editor, &ann), 0);
    assert_int_equal(pthread_create(&editors[1], NULL, editor, &bob), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(people_reload(i % 2 ? "connections:\n" A : "connections:\n" A_MOVED), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(editors[i], NULL);
    atomic_store(&stop, true);
    for (size_t i = 0; i < 4; i++)
        pthread_join(askers[i], NULL);
    struct connection_set *set = service_set_for(service, &ann);
    assert_int_equal(set->slot_count, ROUNDS / 2 + 1);
    set_unref(set);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, people_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sight),    TEST(test_bound),      TEST(test_kept_open), TEST(test_reload),
        TEST(test_disabled), TEST(test_damaged),    TEST(test_content),   TEST(test_operator_rows),
        TEST(test_many),     TEST(test_store_gone), TEST(test_peek),      TEST(test_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
