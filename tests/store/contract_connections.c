/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of users, and the operator's. JSON may come back with other spaces: it is compared by what it holds. */
#include "contract.h"

static struct connection_row get(struct store *store, struct arena *arena, const char *id)
{
    struct err err = {0};
    struct connection_row row;
    FINE(store_connection_get(store, NULL, id, arena, &row, &err));
    return row;
}

static void check_defaults(struct store *store, struct arena *arena, const char *user)
{
    struct err err = {0};
    struct connection_row first = sample_connection(user, "d1");
    struct connection_row second = sample_connection(user, "d2");
    struct connection_row loki = sample_connection(user, "d3");
    first.is_default = second.is_default = loki.is_default = true;
    loki.backend_type = "loki";
    FINE(store_connection_add(store, &first, &err));
    FINE(store_connection_add(store, &loki, &err));
    FINE(store_connection_add(store, &second, &err));
    struct connection_row now = get(store, arena, first.id);
    CHECK(!now.is_default && now.revision == 2);
    CHECK(get(store, arena, second.id).is_default && get(store, arena, loki.id).is_default);
    now.is_default = true;
    FINE(store_connection_update(store, &now, &err));
    CHECK(get(store, arena, first.id).is_default && !get(store, arena, second.id).is_default);
    CHECK(get(store, arena, loki.id).is_default);
    /* What is gone is nobody's default. */
    FINE(store_connection_delete(store, user, first.id, 0, NOW_MS, &err));
    now = get(store, arena, second.id);
    now.is_default = true;
    FINE(store_connection_update(store, &now, &err));
}

static void check_pages(struct store *store, struct arena *arena)
{
    struct err err = {0};
    char user[ROW_ID];
    char other[ROW_ID];
    const char *names[] = {"c", "a", "e", "b", "d"};
    struct connection_row *list = NULL;
    size_t n = 0;
    make_user(store, user);
    make_user(store, other);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct connection_row row = sample_connection(user, names[i]);
        FINE(store_connection_add(store, &row, &err));
    }
    FINE(store_connections(store, user, NULL, 0, arena, &list, &n, &err));
    CHECK(n == 5 && str_eq(list[0].name, "a") && str_eq(list[4].name, "e"));
    FINE(store_connections(store, user, "b", 2, arena, &list, &n, &err));
    CHECK(n == 2 && str_eq(list[0].name, "c") && str_eq(list[1].name, "d"));
    FINE(store_connections(store, user, "e", 2, arena, &list, &n, &err));
    CHECK(n == 0);
    FINE(store_connections(store, other, NULL, 0, arena, &list, &n, &err));
    CHECK(n == 0);

    size_t all = 0;
    char after[ROW_ID] = "";
    do {
        FINE(store_connections_scan(store, after[0] ? after : NULL, 2, arena, &list, &n, &err));
        for (size_t i = 0; i < n; i++) {
            CHECK(strcmp(list[i].id, after) > 0);
            memcpy(after, list[i].id, ROW_ID);
            all += str_eq(list[i].user_id, user);
        }
    } while (n == 2);
    CHECK(all == 5);
}

void contract_connections(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    struct connection_row row;
    char user[ROW_ID];
    char other[ROW_ID];
    make_user(store, user);
    make_user(store, other);
    struct connection_row prod = sample_connection(user, "prod");
    FINE(store_connection_add(store, &prod, &err));
    FINE(store_connection_get(store, user, prod.id, &arena, &row, &err));
    CHECK(str_eq(row.name, "prod") && str_eq(row.description, "of the shop"));
    CHECK(str_eq(row.backend_type, "prometheus") && strstr(row.config, "http://127.0.0.1:9090"));
    CHECK(strstr(row.tags, "\"prod\"") && str_eq(row.source, "rest"));
    CHECK(row.enabled && !row.is_default && row.revision == 1);
    CHECK(row.health == HEALTH_UNKNOWN && !row.health_error[0] && !row.checked_ms);
    CHECK(row.created_ms == NOW_MS && row.updated_ms == NOW_MS && str_eq(row.user_id, user));
    GIVES(ERR_NOT_FOUND, store_connection_get(store, other, prod.id, &arena, &row, &err));

    /* Names are the user's own. */
    struct connection_row twin = sample_connection(user, "prod");
    GIVES(ERR_CONFLICT, store_connection_add(store, &twin, &err));
    CHECK(strstr(err.text, "prod"));
    memcpy(twin.user_id, other, ROW_ID);
    FINE(store_connection_add(store, &twin, &err));

    /* Two editors. */
    struct connection_row edit = prod;
    edit.name = "production";
    edit.description = "changed";
    edit.config = "{\"url\": \"http://127.0.0.1:9091\"}";
    edit.tags = "{}";
    edit.enabled = false;
    edit.revision = 1;
    edit.updated_ms = NOW_MS + 5;
    FINE(store_connection_update(store, &edit, &err));
    GIVES(ERR_CONFLICT, store_connection_update(store, &edit, &err));
    CHECK(strstr(err.text, "2"));
    row = get(store, &arena, prod.id);
    CHECK(str_eq(row.name, "production") && str_eq(row.description, "changed"));
    CHECK(strstr(row.config, "9091") && !row.enabled && row.revision == 2);
    CHECK(row.updated_ms == NOW_MS + 5 && row.created_ms == NOW_MS);
    memcpy(edit.user_id, other, ROW_ID);
    edit.revision = 2;
    GIVES(ERR_NOT_FOUND, store_connection_update(store, &edit, &err));
    struct connection_row test = sample_connection(user, "test");
    FINE(store_connection_add(store, &test, &err));
    test.name = "production";
    test.revision = 1;
    GIVES(ERR_CONFLICT, store_connection_update(store, &test, &err));
    CHECK(str_eq(get(store, &arena, test.id).name, "test"));

    FINE(store_connection_health(store, prod.id, HEALTH_DEGRADED, "slow", NOW_MS + 9, &err));
    row = get(store, &arena, prod.id);
    CHECK(row.health == HEALTH_DEGRADED && str_eq(row.health_error, "slow"));
    CHECK(row.checked_ms == NOW_MS + 9 && row.revision == 2);

    bool swapped = true;
    char before[256];
    snprintf(before, sizeof before, "%s", row.config);
    FINE(store_connection_rewrap(store, prod.id, "{\"url\": \"x\"}", "{}", &swapped, &err));
    CHECK(!swapped);
    FINE(store_connection_rewrap(store, prod.id, before, "{\"k\": 2}", &swapped, &err));
    row = get(store, &arena, prod.id);
    CHECK(swapped && strstr(row.config, "\"k\"") && row.revision == 2);

    GIVES(ERR_NOT_FOUND, store_connection_delete(store, other, prod.id, 0, NOW_MS, &err));
    GIVES(ERR_CONFLICT, store_connection_delete(store, user, prod.id, 1, NOW_MS, &err));
    FINE(store_connection_delete(store, user, prod.id, 2, NOW_MS, &err));
    GIVES(ERR_NOT_FOUND, store_connection_get(store, user, prod.id, &arena, &row, &err));
    GIVES(ERR_NOT_FOUND, store_connection_delete(store, user, prod.id, 0, NOW_MS, &err));
    GIVES(ERR_NOT_FOUND, store_connection_health(store, prod.id, HEALTH_HEALTHY, "", NOW_MS, &err));
    /* Its name is free again. */
    struct connection_row next = sample_connection(user, "production");
    FINE(store_connection_add(store, &next, &err));
    check_defaults(store, &arena, user);
    check_pages(store, &arena);
}

static struct connection_row of_file(const char *id, const char *name)
{
    struct connection_row row = sample_connection(USER_OPERATOR_ID, name);
    row.source = "yaml";
    memcpy(row.id, id, ROW_ID);
    return row;
}

void contract_sync(struct store *store)
{
    ARENA(arena);
    struct err err = {0};
    char ids[3][ROW_ID];
    char user[ROW_ID];
    for (size_t i = 0; i < 3; i++)
        uuid7(ids[i]);
    make_user(store, user);
    struct connection_row own = sample_connection(user, "a");
    FINE(store_connection_add(store, &own, &err));
    struct connection_row rows[] = {of_file(ids[0], "a"), of_file(ids[1], "b")};
    rows[0].is_default = true;
    FINE(store_connections_sync(store, rows, 2, true, NOW_MS, &err));
    CHECK(get(store, &arena, ids[0]).is_default && get(store, &arena, ids[0]).revision == 1);

    /* The same again changes nothing, and nobody reads again for it. */
    uint64_t generation = settled_generation(store);
    FINE(store_connections_sync(store, rows, 2, true, NOW_MS + 1, &err));
    CHECK(settled_generation(store) == generation);
    CHECK(get(store, &arena, ids[0]).revision == 1);
    CHECK(get(store, &arena, ids[0]).updated_ms == NOW_MS);

    /* The default moves to one that stands before, a third comes, one changes its URL. */
    struct connection_row next[] = {of_file(ids[1], "b"), of_file(ids[2], "c"),
                                    of_file(ids[0], "a")};
    next[0].is_default = true;
    next[2].config = "{\"url\": \"http://127.0.0.1:1\"}";
    FINE(store_connections_sync(store, next, 3, true, NOW_MS + 2, &err));
    CHECK(generation_moves(store, generation));
    CHECK(get(store, &arena, ids[1]).is_default && !get(store, &arena, ids[0]).is_default);
    CHECK(strstr(get(store, &arena, ids[0]).config, "127.0.0.1:1\""));
    CHECK(get(store, &arena, ids[0]).revision > 1);

    /* What is left out is disabled, comes back with its id, and others' are not touched. */
    FINE(store_connections_sync(store, next, 1, true, NOW_MS + 3, &err));
    struct connection_row gone = get(store, &arena, ids[0]);
    CHECK(!gone.enabled && get(store, &arena, ids[1]).enabled);
    CHECK(get(store, &arena, own.id).enabled && get(store, &arena, own.id).revision == 1);
    FINE(store_connections_sync(store, rows, 1, true, NOW_MS + 4, &err));
    CHECK(get(store, &arena, ids[0]).enabled && get(store, &arena, ids[0]).is_default);
    CHECK(!get(store, &arena, ids[1]).enabled);
    FINE(store_connections_sync(store, NULL, 0, true, NOW_MS + 5, &err));
    CHECK(!get(store, &arena, ids[0]).enabled);
}
