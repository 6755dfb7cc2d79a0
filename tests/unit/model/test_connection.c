/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "model/connection.h"

static struct connection *make(void)
{
    struct connection *c = connection_new();
    struct arena *arena = &c->arena;
    c->id = "id";
    c->name = "a";
    c->backend = "prometheus";
    c->description = "d";
    c->url = "http://a";
    c->tenant = "t";
    c->proxy = "http://p";
    c->ui_kind = "grafana";
    c->ui_url = "http://g";
    c->ui_param = "p";
    c->auth = (struct connection_auth){
        .type = AUTH_BASIC,
        .scheme = "s",
        .user = "u",
        .header = "h",
        .secret = {.kind = SECRET_LITERAL, .literal = secret_new("one", 3)}};
    c->tls = (struct connection_tls){
        .ca_file = "c", .ca_pem = "p", .cert = "c", .key = "k", .server_name = "n"};
    c->headers = arena_alloc_array(arena, 1, sizeof *c->headers);
    c->headers[0] =
        (struct connection_header){.name = "X", .value = {.kind = SECRET_ENV, .name = "VARIABLE"}};
    c->header_count = 1;
    c->params = arena_alloc_array(arena, 1, sizeof *c->params);
    c->params[0] = (struct connection_param){.key = "k", .value = "v"};
    c->param_count = 1;
    c->tags = arena_alloc_array(arena, 1, sizeof *c->tags);
    c->tags[0] = (struct sonde_pair){.key = "env", .value = "prod"};
    c->tag_count = 1;
    c->enforce = arena_alloc_array(arena, 1, sizeof *c->enforce);
    c->enforce[0] = (struct sonde_pair){.key = "namespace", .value = "a"};
    c->enforce_count = 1;
    static const char *const users[] = {"ann", "bob"};
    c->access_users = users;
    c->access_user_count = 2;
    c->timeout_ns = 1;
    c->max_samples = 2;
    c->max_time_range_ns = 3;
    c->revision = 4;
    return c;
}

/* Each member makes a difference: one that is forgotten in the comparison would keep a changed connection as it was. */
#define DIFFERS(member, other)                \
    do {                                      \
        struct connection *b = make();        \
        b->member = other;                    \
        assert_false(connection_equal(a, b)); \
        connection_unref(b);                  \
    } while (0)

static void test_equal(void **state)
{
    (void)state;
    struct connection *a = make();
    struct connection *same = make();
    same->revision = 9;
    assert_true(connection_equal(a, a));
    assert_true(connection_equal(a, same));
    connection_unref(same);
    DIFFERS(id, "x");
    DIFFERS(name, "x");
    DIFFERS(backend, "x");
    DIFFERS(description, NULL);
    DIFFERS(url, "x");
    DIFFERS(tenant, "x");
    DIFFERS(proxy, NULL);
    DIFFERS(ui_kind, "x");
    DIFFERS(ui_url, "x");
    DIFFERS(ui_param, "x");
    DIFFERS(auth.type, AUTH_BEARER);
    DIFFERS(auth.scheme, "x");
    DIFFERS(auth.user, "x");
    DIFFERS(auth.header, "x");
    DIFFERS(auth.secret.kind, SECRET_ENV);
    DIFFERS(auth.secret.name, "x");
    DIFFERS(tls.ca_file, "x");
    DIFFERS(tls.ca_pem, "x");
    DIFFERS(tls.cert, "x");
    DIFFERS(tls.key, "x");
    DIFFERS(tls.server_name, "x");
    DIFFERS(tls.insecure_skip_verify, true);
    DIFFERS(headers[0].name, "Y");
    DIFFERS(headers[0].value.name, "OTHER");
    DIFFERS(header_count, 0);
    DIFFERS(params[0].key, "x");
    DIFFERS(params[0].value, "x");
    DIFFERS(params[0].secret.name, "x");
    DIFFERS(param_count, 0);
    DIFFERS(tags[0].key, "x");
    DIFFERS(tags[0].value, "x");
    DIFFERS(tag_count, 0);
    static const char *const command[] = {"pass", "show", NULL};
    static const char *const others[] = {"ann", "eve"};
    DIFFERS(owner, "x");
    DIFFERS(disabled, true);
    DIFFERS(auth.token_url, "x");
    DIFFERS(auth.client_id, "x");
    DIFFERS(auth.oauth_scope, "x");
    DIFFERS(auth.oauth_audience, "x");
    DIFFERS(auth.secret.command, command);
    DIFFERS(enforce[0].key, "x");
    DIFFERS(enforce[0].value, "x");
    DIFFERS(enforce_count, 0);
    DIFFERS(access_users, others);
    DIFFERS(access_user_count, 1);
    DIFFERS(timeout_ns, 9);
    DIFFERS(max_samples, 9);
    DIFFERS(max_time_range_ns, 9);
    DIFFERS(http2, true);
    DIFFERS(is_default, true);
    DIFFERS(from_operator, true);
    connection_unref(a);
}

static void test_secret(void **state)
{
    (void)state;
    struct connection *a = make();
    struct connection *b = make();
    secret_free(b->auth.secret.literal);
    b->auth.secret.literal = secret_new("two", 3);
    assert_false(connection_equal(a, b));
    secret_free(b->auth.secret.literal);
    b->auth.secret.literal = NULL;
    assert_false(connection_equal(a, b));
    connection_unref(a);
    connection_unref(b);
}

static void test_command(void **state)
{
    (void)state;
    static const char *const one[] = {"pass", "show", NULL};
    static const char *const longer[] = {"pass", "show", "x", NULL};
    struct connection *a = make();
    struct connection *b = make();
    a->auth.secret.command = one;
    b->auth.secret.command = longer;
    assert_false(connection_equal(a, b));
    assert_false(connection_equal(b, a));
    connection_unref(a);
    connection_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal), cmocka_unit_test(test_command),
                                       cmocka_unit_test(test_secret)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
