/* SPDX-License-Identifier: Apache-2.0 */
/* Opening connections: adapters, endpoints, scopes, links. */
#include "engine_fixture.h"

#define METRICS SONDE_KIND_METRICS

static void rule(const char *path, uint32_t status, const char *body)
{
    fake_io_add(&(struct fake_rule){.path = path, .status = status, .body = body});
}

static void test_open_errors(void **state)
{
    (void)state;
    struct connection *connection = connection_new();
    struct backend *backend = NULL;
    struct err err = {0};
    connection->name = "x";
    connection->backend = "toi";
    assert_int_equal(backend_open(f.engine, connection, &backend, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text,
                        "no plugin for backend \"toi\", did you mean \"toy\"?: there is toy");
    connection->backend = "broken";
    assert_int_equal(backend_open(f.engine, connection, &backend, &err), ERR_NOT_FOUND);
    assert_string_equal(
        err.text, "backend broken: its plugin /p/broken.so was refused: built for plugin ABI 9");
    connection->backend = "toy";
    connection->url = "http://forbidden";
    assert_int_equal(backend_open(f.engine, connection, &backend, &err), ERR_INVALID);
    connection->url = "http://toys";
    struct connection_param param = {.key = "sit", .value = "x"};
    connection->params = &param;
    connection->param_count = 1;
    assert_int_equal(backend_open(f.engine, connection, &backend, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "did you mean \"site\"?"));
    connection->param_count = 0;
    connection_unref(connection);
}

static int32_t open_endpoints(const struct sonde_open *open)
{
    struct sonde_endpoint row = {.struct_size = sizeof row, .name = "logs", .url = "http://logs"};
    if (toy_host->endpoint(open->ctx, &row))
        return SONDE_E_REFUSED;
    if (toy_host->endpoint(open->ctx, &row) != SONDE_E_REFUSED)
        return SONDE_E_INTERNAL; /* declared twice */
    row.name = "bad";
    row.url = "http://forbidden";
    return open->url[0] ? SONDE_OK : toy_host->endpoint(open->ctx, &row);
}

static void test_endpoints(void **state)
{
    (void)state;
    plan.open = open_endpoints;
    struct backend *backend = NULL;
    struct err err = {0};
    assert_int_equal(backend_open(f.engine, f.connection, &backend, &err), 0);
    toy_request("/api/a", 0)->endpoint = "logs";
    rule("http://logs/api/a", 200, "n x\n");
    struct backend *first = f.backend;
    f.backend = backend;
    fixture_expect(METRICS, 0, "");
    f.backend = first;
    backend_unref(backend);
    struct connection *nowhere = connection_new();
    nowhere->name = "x";
    nowhere->backend = "toy";
    assert_int_equal(backend_open(f.engine, nowhere, &backend, &err), ERR_INVALID);
    assert_string_equal(err.text, "url http://forbidden: the address is not allowed");
    connection_unref(nowhere);
}

static void test_scope(void **state)
{
    (void)state;
    struct sonde_pair header = {"X-Scope", "7"};
    struct scope_row scope = {.id = "7",
                              .backend = "toy",
                              .path_prefix = "/proxy/7",
                              .headers = &header,
                              .header_count = 1};
    struct backend *child = NULL;
    struct err err = {0};
    assert_int_equal(backend_open_scope(f.backend, &scope, &child, &err), 0);
    toy_request("/api/a", 0);
    rule(NULL, 200, "n x\n");
    struct backend *parent = f.backend;
    f.backend = child;
    fixture_expect(METRICS, 0, "");
    f.backend = parent;
    assert_string_equal(fake_io_sent(0).url, "http://toys/proxy/7");
    assert_string_equal(fake_io_sent(0).headers, "X-Scope: 7\n");
    backend_unref(child);
    scope.backend = "absent";
    assert_int_equal(backend_open_scope(f.backend, &scope, &child, &err), ERR_NOT_FOUND);
}

static void test_link(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16, NULL);
    struct sonde_query query = fixture_query(METRICS);
    assert_null(backend_link(f.backend, &query, "up", &arena));
    f.connection->ui_url = "http://ui/";
    assert_string_equal(backend_link(f.backend, &query, "up", &arena), "http://ui/graph?q=up");
    f.connection->ui_url = NULL;
    arena_finish(&arena);
}

#define T(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_open_errors), T(test_endpoints), T(test_scope),
                                       T(test_link)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
