/* SPDX-License-Identifier: Apache-2.0 */
/* Schema, users, tokens, settings, replicas. */
#include "contract.h"

void contract_schema(const char *location)
{
    ARENA(arena);
    struct err err = {0};
    struct store_migration *list = NULL;
    struct store_facts facts;
    struct store *store = NULL;
    size_t n = 0;
    size_t applied = 0;
    FINE(store_migrations(location, &arena, &list, &n, &err));
    CHECK(n >= 1 && list[0].version == 1 && str_eq(list[0].name, "0001_init"));
    CHECK(!list[0].applied && !list[0].applied_ms);
    /* Nobody migrates by accident. */
    struct store_settings settings = {.location = location, .history_ns = NS_PER_DAY};
    GIVES(ERR_INVALID, store_open(&settings, &store, &err));
    CHECK(!store && strstr(err.text, "sonde db migrate"));

    FINE(store_migrate(location, &applied, &err));
    CHECK(applied == n);
    FINE(store_migrate(location, &applied, &err));
    CHECK(applied == 0);
    FINE(store_migrations(location, &arena, &list, &n, &err));
    for (size_t i = 0; i < n; i++)
        CHECK(list[i].applied && list[i].applied_ms > INT64_C(1500000000000));
    FINE(store_facts(location, &arena, &facts, &err));
    CHECK(facts.size > 0 && facts.engine && facts.engine[0]);
    bool users = false;
    for (size_t i = 0; i < facts.table_count; i++) {
        users = users || (str_eq(facts.tables[i].name, "users") && facts.tables[i].rows == 3 &&
                          facts.tables[i].newest_ms > 0);
        CHECK(!str_eq(facts.tables[i].name, "observability_query_history") ||
              (facts.tables[i].rows == 0 && facts.tables[i].newest_ms == 0));
    }
    CHECK(users);
    FINE(store_open(&settings, &store, &err));
    CHECK(store_shown(store)[0]);
    store_close(store, 0);
}

static void check_reserved(struct store *store, const char *id, const char *name)
{
    ARENA(arena);
    struct err err = {0};
    struct user_row user;
    FINE(store_user_find(store, id, NULL, NULL, &arena, &user, &err));
    CHECK(str_eq(user.name, name) && str_eq(user.id, id) && !user.external && !user.disabled);
    FINE(store_user_find(store, NULL, name, NULL, &arena, &user, &err));
    CHECK(str_eq(user.id, id));
}

void contract_users(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    struct user_row found;
    struct user_row *list = NULL;
    size_t n = 0;
    check_reserved(store, USER_LOCAL_ID, "local");
    check_reserved(store, USER_OPERATOR_ID, "operator");
    check_reserved(store, USER_KEEPER_ID, "keeper");

    struct user_row ada = {
        .name = "Ada Lovelace \xc3\xa9", .external = "https://id.example 42", .created_ms = NOW_MS};
    struct user_row bob = {.name = "bob", .created_ms = NOW_MS + 1};
    uuid7(ada.id);
    uuid7(bob.id);
    FINE(store_user_add(store, &ada, &err));
    FINE(store_user_add(store, &bob, &err));
    FINE(store_user_find(store, ada.id, NULL, NULL, &arena, &found, &err));
    CHECK(str_eq(found.name, ada.name) && str_eq(found.external, ada.external));
    CHECK(found.created_ms == NOW_MS && !found.disabled);
    FINE(store_user_find(store, NULL, NULL, "https://id.example 42", &arena, &found, &err));
    CHECK(str_eq(found.id, ada.id));
    GIVES(ERR_NOT_FOUND, store_user_find(store, NULL, "nobody", NULL, &arena, &found, &err));

    struct user_row again = {.name = "bob", .created_ms = NOW_MS};
    uuid7(again.id);
    GIVES(ERR_CONFLICT, store_user_add(store, &again, &err));
    CHECK(strstr(err.text, "bob"));
    again.name = "other";
    again.external = "https://id.example 42";
    GIVES(ERR_CONFLICT, store_user_add(store, &again, &err));

    FINE(store_user_disable(store, bob.id, true, &err));
    FINE(store_user_find(store, bob.id, NULL, NULL, &arena, &found, &err));
    CHECK(found.disabled);
    FINE(store_user_disable(store, bob.id, false, &err));
    uuid7(again.id);
    GIVES(ERR_NOT_FOUND, store_user_disable(store, again.id, true, &err));

    FINE(store_users(store, &arena, &list, &n, &err));
    CHECK(n == 5);
    for (size_t i = 1; i < n; i++)
        CHECK(strcmp(list[i - 1].name, list[i].name) < 0);
}

void contract_tokens(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    struct token_row *list = NULL;
    size_t n = 0;
    char user[ROW_ID];
    char other[ROW_ID];
    make_user(store, user);
    make_user(store, other);
    struct token_row token = {.name = "laptop",
                              .prefix = "sonde_ab",
                              .rights = RIGHT_READ | RIGHT_ADMIN,
                              .created_ms = NOW_MS,
                              .expires_ms = NOW_MS + DAY_MS};
    uuid7(token.id);
    memcpy(token.user_id, user, ROW_ID);
    rand_bytes(token.hash, sizeof token.hash);
    FINE(store_token_add(store, &token, &err));
    struct token_row second = token;
    uuid7(second.id);
    GIVES(ERR_CONFLICT, store_token_add(store, &second, &err)); /* the same hash */
    rand_bytes(second.hash, sizeof second.hash);
    second.connections = "[\"a\"]";
    second.created_ms = NOW_MS + 5;
    second.expires_ms = 0;
    FINE(store_token_add(store, &second, &err));

    FINE(store_tokens(store, user, &arena, &list, &n, &err));
    CHECK(n == 2);
    CHECK(str_eq(list[0].id, token.id) && str_eq(list[1].id, second.id));
    CHECK(memcmp(list[0].hash, token.hash, sizeof token.hash) == 0);
    CHECK(str_eq(list[0].name, "laptop") && str_eq(list[0].prefix, "sonde_ab"));
    CHECK(list[0].rights == (RIGHT_READ | RIGHT_ADMIN) && !list[0].connections);
    CHECK(list[0].expires_ms == NOW_MS + DAY_MS && list[0].created_ms == NOW_MS);
    CHECK(!list[0].used_ms && !list[0].revoked_ms && !list[0].user_disabled);
    CHECK(list[0].user_name && list[0].user_name[0] && str_eq(list[0].user_id, user));
    CHECK(list[1].connections && strstr(list[1].connections, "\"a\"") && !list[1].expires_ms);
    FINE(store_tokens(store, other, &arena, &list, &n, &err));
    CHECK(n == 0);
    FINE(store_tokens(store, NULL, &arena, &list, &n, &err));
    CHECK(n >= 2);

    FINE(store_token_revoke(store, token.id, NOW_MS + 7, &err));
    FINE(store_token_revoke(store, token.id, NOW_MS + 9, &err)); /* the first time stays */
    uuid7(second.id);
    GIVES(ERR_NOT_FOUND, store_token_revoke(store, second.id, NOW_MS, &err));
    FINE(store_user_disable(store, user, true, &err));
    store_token_used(store, token.id, NOW_MS + 8);
    store_token_used(store, token.id, NOW_MS + 3); /* never back */
    flush(store);
    FINE(store_tokens(store, user, &arena, &list, &n, &err));
    CHECK(n == 2 && list[0].revoked_ms == NOW_MS + 7 && list[0].user_disabled);
    CHECK(list[0].used_ms == NOW_MS + 8);

    uuid7(second.id);
    uuid7(second.user_id);
    rand_bytes(second.hash, sizeof second.hash);
    GIVES(ERR_INVALID, store_token_add(store, &second, &err)); /* of nobody */
}

void contract_settings(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    const char *value = NULL;
    bool swapped = true;
    GIVES(ERR_NOT_FOUND, store_setting_get(store, "canary", &arena, &value, &err));
    FINE(store_setting_init(store, "canary", "one", &arena, &value, &err));
    CHECK(str_eq(value, "one"));
    FINE(store_setting_init(store, "canary", "two", &arena, &value, &err));
    CHECK(str_eq(value, "one"));
    FINE(store_setting_swap(store, "canary", "other", "three", &swapped, &err));
    CHECK(!swapped);
    FINE(store_setting_swap(store, "canary", "one", "three", &swapped, &err));
    CHECK(swapped);
    FINE(store_setting_get(store, "canary", &arena, &value, &err));
    CHECK(str_eq(value, "three"));
    FINE(store_setting_swap(store, "absent", "one", "three", &swapped, &err));
    CHECK(!swapped);

    struct replica_row *list = NULL;
    size_t n = 0;
    struct replica_row first = {
        .host = "a", .key_ids = "[\"k1\"]", .started_ms = NOW_MS, .seen_ms = NOW_MS};
    struct replica_row second = {
        .host = "b", .key_ids = "[]", .started_ms = NOW_MS + 1, .seen_ms = NOW_MS + 60000};
    uuid7(first.id);
    uuid7(second.id);
    FINE(store_replica_beat(store, &first, &err));
    FINE(store_replica_beat(store, &second, &err));
    FINE(store_replicas(store, NOW_MS, &arena, &list, &n, &err));
    CHECK(n == 2 && str_eq(list[0].host, "a") && strstr(list[0].key_ids, "k1"));
    FINE(store_replicas(store, NOW_MS + 1, &arena, &list, &n, &err));
    CHECK(n == 1 && str_eq(list[0].id, second.id) && list[0].seen_ms == NOW_MS + 60000);
    first.key_ids = "[\"k2\", \"k1\"]";
    first.seen_ms = NOW_MS + 70000;
    FINE(store_replica_beat(store, &first, &err));
    FINE(store_replicas(store, NOW_MS + 1, &arena, &list, &n, &err));
    CHECK(n == 2 && strstr(list[0].key_ids, "k2") && list[0].started_ms == NOW_MS);
    store_replica_gone(store, first.id);
    FINE(store_replicas(store, 0, &arena, &list, &n, &err));
    CHECK(n == 1 && str_eq(list[0].id, second.id));
}
