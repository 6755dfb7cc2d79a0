/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that people keep: made, shown, changed and removed, with every mistake told and no secret let out. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rand.h"
#include "base/str.h"
#include "people.h"

#define SECRET "tok-5f1c-of-ann"
#define CONFIG "\"connection_config\":{\"url\":\"https://198.51.100.7:9090\"}"
#define PLAIN(name) "{\"name\":\"" name "\",\"backend_type\":\"toy\"," CONFIG "}"
#define WITH_TOKEN                                                                                 \
    "{\"name\":\"prod\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":"                  \
    "\"https://prometheus.monitoring.svc:9090\",\"auth\":{\"type\":\"bearer\",\"token\":\"" SECRET \
    "\"},\"timeout_seconds\":30,\"query_limits\":{\"max_samples\":10000,"                          \
    "\"max_time_range_hours\":24}}}"
#define SHARED "connections:\n  - {name: shared, backend: toy, url: \"http://127.0.0.1:1\"}\n"

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(test_malloc(size), text, size);
}

/* Documents hold it, compared without looking at what stands around. */
static void assert_holds(const char *document, const char *part)
{
    if (!strstr(document, part))
        fail_msg("%s is not in %s (%s)", part, document, err.text);
}

static void assert_lacks(const char *document, const char *part)
{
    if (strstr(document, part))
        fail_msg("%s is in %s", part, document);
}

static int start(void **state)
{
    (void)state;
    people_start(SHARED);
    return 0;
}

static void test_example(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann, WITH_TOKEN, id), 0);
    const char *shown = people_show(&ann, id);
    assert_holds(shown, "\"name\":\"prod\"");
    assert_holds(shown, "\"url\":\"https://prometheus.monitoring.svc:9090\"");
    assert_holds(shown, "\"auth\":{\"type\":\"bearer\",\"token\":{\"masked\":true}}");
    assert_holds(shown, "\"timeout_seconds\":30");
    assert_holds(shown, "\"query_limits\":{\"max_samples\":10000,\"max_time_range_hours\":24}");
    assert_holds(shown, "\"owner\":\"you\"");
    assert_holds(shown, "\"source\":\"rest\"");
    assert_holds(shown, "\"revision\":1");
    assert_holds(shown, "\"is_enabled\":true");
    assert_lacks(shown, SECRET);
    assert_false(people_disk_holds(SECRET));
    assert_true(people_disk_holds("sonde1:"));
    /* It is opened with what was sealed, also by another process. */
    people_restart(SHARED);
    struct connection_set *set;
    struct slot *slot = people_slot(&ann, "prod", &set);
    assert_non_null(slot);
    assert_non_null(slot->backend);
    assert_string_equal(secret_reveal(slot->connection->auth.secret.literal), SECRET);
    assert_int_equal(slot->connection->max_samples, 10000);
    assert_false(slot->connection->from_operator);
    set_unref(set);
}

static void test_masked(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann, WITH_TOKEN, id), 0);
    /* What was read is sent back with another path: the token stays. */
    struct json_object *document = NULL;
    char *shown = copy(people_show(&ann, id));
    assert_int_equal(json_parse(shown, strlen(shown), 32, &document, &err), 0);
    test_free(shown);
    json_object_object_add(json_member(document, "connection_config"), "url",
                           json_object_new_string("https://prometheus.monitoring.svc:9090/p"));
    assert_int_equal(people_edit(&ann, id, json_object_to_json_string(document), 0), 0);
    /* It does not go to another host, by whichever key; given again it does. */
    static const char *const elsewhere[][2] = {
        {"url", "https://prometheus.monitoring.example:9090/p"},
        {"url", "http://prometheus.monitoring.svc:9090/p"},
        {"url", "https://prometheus.monitoring.svc:444/p"},
        {"proxy", "http://198.51.100.9:3128"}};
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"connection_config\":{\"%s\":\"%s\"}}", elsewhere[i][0],
                 elsewhere[i][1]);
        assert_int_equal(people_edit(&ann, id, body, 0), ERR_INVALID);
        assert_holds(mistakes.list[0].text, "connection_config.auth.token: ");
        assert_holds(mistakes.list[0].text, elsewhere[i][0]);
    }
    json_object_put(document);
    struct connection_set *set;
    struct slot *slot = people_slot(&ann, id, &set);
    assert_string_equal(slot->connection->url, "https://prometheus.monitoring.svc:9090/p");
    assert_string_equal(secret_reveal(slot->connection->auth.secret.literal), SECRET);
    assert_int_equal(slot->connection->revision, 2);
    set_unref(set);
    /* Its revision has moved on. */
    assert_int_equal(people_edit(&ann, id, "{\"revision\":1,\"description\":\"x\"}", 0),
                     ERR_CONFLICT);
    /* A masked value stands only for what is stored at its own place. */
    assert_int_equal(people_edit(&ann, id,
                                 "{\"connection_config\":{\"headers\":{\"X-Key\":{\"masked\":"
                                 "true}}}}",
                                 0),
                     ERR_INVALID);
    assert_holds(mistakes.list[0].text, "connection_config.headers.X-Key: masked");
    assert_int_equal(people_add(&ann,
                                "{\"name\":\"n\",\"backend_type\":\"toy\",\"connection_config\":{"
                                "\"url\":\"https://198.51.100.7\",\"auth\":{\"type\":\"bearer\","
                                "\"token\":{\"masked\":true}}}}",
                                NULL),
                     ERR_INVALID);
    assert_holds(mistakes.list[0].text, "connection_config.auth.token: masked");
    /* Another value takes the place of the old one; null takes the key away. */
    assert_int_equal(people_edit(&ann, id,
                                 "{\"connection_config\":{\"auth\":{\"type\":\"basic\","
                                 "\"username\":\"u\",\"password\":\"another-9d\"},\"query_limits\":"
                                 "null}}",
                                 0),
                     0);
    slot = people_slot(&ann, id, &set);
    assert_int_equal(slot->connection->auth.type, AUTH_BASIC);
    assert_string_equal(secret_reveal(slot->connection->auth.secret.literal), "another-9d");
    assert_int_equal(slot->connection->max_samples, 0);
    set_unref(set);
    assert_lacks(people_show(&ann, id), "query_limits");
    assert_false(people_disk_holds("another-9d"));
}

/* A sealed text cannot be brought in, from wherever it was taken. */
static void test_sealed_refused(void **state)
{
    (void)state;
    char id[37];
    struct connection_row row;
    struct arena arena;
    assert_int_equal(people_add(&ann, WITH_TOKEN, id), 0);
    arena_init(&arena, 1 << 20, NULL);
    assert_int_equal(store_connection_get(service->kept.store, ann.id, id, &arena, &row, &err), 0);
    char *config = copy(row.config);
    char body[4096];
    snprintf(body, sizeof body,
             "{\"name\":\"mine\",\"backend_type\":\"toy\",\"connection_config\":%s}", config);
    assert_int_equal(people_add(&bob, body, NULL), ERR_INVALID);
    assert_holds(err.text, "connection_config.auth.token: sealed values are not taken");
    snprintf(body, sizeof body, "{\"connection_config\":%s}", config);
    assert_int_equal(people_edit(&ann, id, body, 0), ERR_INVALID);
    /* Even in the table, a row that holds another's sealed text does not open. */
    row.config = config;
    row.name = "stolen";
    uuid7(row.id);
    snprintf(row.user_id, sizeof row.user_id, "%.36s", bob.id);
    assert_int_equal(store_connection_add(service->kept.store, &row, &err), 0);
    struct connection_set *set;
    struct slot *slot = people_slot(&bob, "stolen", &set);
    assert_non_null(slot);
    assert_null(slot->backend);
    assert_holds(slot->err.text, "connection_config.auth.token");
    assert_lacks(slot->err.text, SECRET);
    set_unref(set);
    test_free(config);
    arena_finish(&arena);
}

static const struct {
    const char *body;
    int code;
    const char *message;
} bad_bodies[] = {
    {"", ERR_INVALID, "not valid JSON"},
    {"[]", ERR_INVALID, "expected an object"},
    {"{}", ERR_INVALID, "connection_config"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\"}", ERR_INVALID, "\"connection_config\" is missing"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":[]}", ERR_INVALID,
     "connection_config: expected an object"},
    {"{\"backend_type\":\"toy\"," CONFIG "}", ERR_INVALID, "\"name\" is missing"},
    {"{\"name\":\"x\"," CONFIG "}", ERR_INVALID, "\"backend_type\" is missing"},
    {"{\"name\":\"x\",\"backend_type\":\"toyy\"," CONFIG "}", ERR_INVALID,
     "backend_type: no backend \"toyy\" is loaded; did you mean \"toy\"?"},
    {PLAIN("x'; DROP TABLE users; --"), ERR_INVALID, "name: not a name for a connection"},
    {PLAIN("all"), ERR_INVALID, "every connection"},
    {PLAIN(""), ERR_INVALID, "name: "},
    {PLAIN("a123456789b123456789c123456789d123456789e123456789f123456789g123"), ERR_INVALID,
     "1 to 63 characters"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"colour\":1," CONFIG "}", ERR_INVALID, "colour"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"is_enabled\":\"x\"," CONFIG "}", ERR_INVALID,
     "is_enabled: expected true or false"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"tags\":[1]," CONFIG "}", ERR_INVALID, "tags: "},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"auth\":{\"type\":\"berer\",\"token\":\"" SECRET "\"}}}",
     ERR_INVALID, "connection_config.auth.type: "},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"sit\":\"b\"}}",
     ERR_INVALID, "connection_config.sit: unknown key; did you mean \"site\"?"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"name\":\"b\"}}",
     ERR_INVALID, "connection_config.name: stands beside"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"access\":{\"users\":[\"bob\"]}}}",
     ERR_INVALID, "operator's file"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"auth\":{\"type\":\"bearer\",\"token\":{\"env\":\"HOME\"}}}}",
     ERR_INVALID, "connection_config.auth.token: expected the secret itself"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"auth\":{\"type\":\"bearer\",\"token\":{\"file\":\"/etc/passwd\"}}}}",
     ERR_INVALID, "connection_config.auth.token: expected the secret itself"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"auth\":{\"type\":\"bearer\",\"token\":{\"exec\":[\"id\"]}}}}",
     ERR_INVALID, "connection_config.auth.token: expected the secret itself"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"https://a\","
     "\"tls\":{\"ca_file\":\"/etc/passwd\"}}}",
     ERR_INVALID, "connection_config.tls.ca_file: files of the server"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":\"file:///etc\"}}",
     ERR_INVALID, "connection_config.url: files are for"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":"
     "\"http://127.0.0.1:9090\"}}",
     ERR_INVALID, "connection_config: url"},
    {"{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":"
     "\"http://169.254.169.254/\"}}",
     ERR_INVALID, "connection_config: url"},
    {PLAIN("shared"), ERR_CONFLICT, "a connection of the operator's"},
};

static void test_bad_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad_bodies); i++) {
        int r = people_add(&ann, bad_bodies[i].body, NULL);
        bool told = strstr(err.text, bad_bodies[i].message) != NULL;
        for (size_t k = 0; k < mistakes.count; k++)
            told |= strstr(mistakes.list[k].text, bad_bodies[i].message) != NULL;
        if (r != bad_bodies[i].code || !told)
            fail_msg("case %zu: %d %s (%zu mistakes)", i, r, err.text, mistakes.count);
        assert_lacks(err.text, SECRET);
    }
    assert_string_equal(people_names(&ann), "shared");
}

static void test_sizes(void **state)
{
    (void)state;
    struct buf body = BUF(1 << 21);
    buf_add(&body, "{\"name\":\"x\",\"backend_type\":\"toy\"," CONFIG ",\"description\":\"");
    for (size_t i = 0; i < 4097; i++)
        buf_add_char(&body, 'd');
    buf_add(&body, "\"}");
    assert_int_equal(people_add(&ann, buf_text(&body), NULL), ERR_INVALID);
    assert_holds(err.text, "description: 4097 bytes, at most 4096");
    for (size_t i = 0; i < 1 << 20; i++)
        buf_add_char(&body, ' ');
    assert_int_equal(people_add(&ann, buf_text(&body), NULL), ERR_LIMIT);
    buf_clear(&body);
    buf_add(&body, "{\"name\":\"x\",\"backend_type\":\"toy\"," CONFIG ",\"tags\":{");
    for (unsigned i = 0; i < 33; i++)
        buf_printf(&body, "%s\"t%u\":\"v\"", i ? "," : "", i);
    buf_add(&body, "}}");
    assert_int_equal(people_add(&ann, buf_text(&body), NULL), ERR_INVALID);
    assert_holds(err.text, "tags: 33 tags, at most 32");
    buf_clear(&body);
    buf_add(&body, "{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{\"url\":"
                   "\"https://198.51.100.7\",\"site\":\"");
    for (size_t i = 0; i < 65536; i++)
        buf_add_char(&body, 's');
    buf_add(&body, "\"}}");
    assert_int_equal(people_add(&ann, buf_text(&body), NULL), ERR_LIMIT);
    assert_holds(err.text, "connection_config: ");
    buf_finish(&body);
    char name[128];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "{\"name\":\"c%u\",\"backend_type\":\"toy\"," CONFIG "}", i);
        assert_int_equal(people_add(&ann, name, NULL), 0);
    }
    assert_int_equal(people_add(&ann, PLAIN("more"), NULL), ERR_CONFLICT);
    assert_holds(err.text, "100 connections");
    assert_int_equal(people_add(&bob, PLAIN("more"), NULL), 0);
}

/* Text in JSON that YAML would read otherwise, or not at all. */
static void test_json_texts(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann,
                                "{\t\"name\":\"x\",\n\t\"backend_type\":\"toy\",\r\n" CONFIG
                                ",\"description\":\"\\ud83d\\ude00 \\u00e9 \\\"q\\\" \\\\ \\/ # "
                                "yes: *a &b\\n\\tend\",\"tags\":{\"a\":\"true\",\"b\":\"1.50\"}}",
                                id),
                     0);
    struct connection_set *set;
    struct slot *slot = people_slot(&ann, id, &set);
    assert_string_equal(slot->connection->description,
                        "\xf0\x9f\x98\x80 \xc3\xa9 \"q\" \\ / # yes: *a &b\n\tend");
    assert_string_equal(connection_tag(slot->connection, "a"), "true");
    assert_string_equal(connection_tag(slot->connection, "b"), "1.50");
    set_unref(set);
}

static void test_rights(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann, PLAIN("mine"), id), 0);
    struct principal reader = ann;
    reader.rights = RIGHT_READ;
    assert_int_equal(people_add(&reader, PLAIN("other"), NULL), ERR_FORBIDDEN);
    assert_int_equal(people_edit(&reader, id, "{\"description\":\"x\"}", 0), ERR_FORBIDDEN);
    assert_int_equal(manage_remove(service, &reader, id, 0, &err), ERR_FORBIDDEN);
    assert_holds(err.text, "\"manage\"");
    assert_holds(people_show(&reader, id), "\"mine\"");
    /* The operator's is seen, not changed. */
    assert_holds(people_show(&ann, "shared"), "\"owner\":\"operator\"");
    assert_int_equal(people_edit(&ann, "shared", "{\"description\":\"x\"}", 0), ERR_FORBIDDEN);
    assert_int_equal(manage_remove(service, &ann, "shared", 0, &err), ERR_FORBIDDEN);
    /* A token of the operator's file owns nothing. */
    struct principal token = {
        .id = "token-0123456789abcdef", .name = "token 1", .rights = RIGHTS_ALL};
    assert_int_equal(people_add(&token, PLAIN("x"), NULL), ERR_FORBIDDEN);
    assert_string_equal(people_names(&token), "shared");
}

/* The local user may name what the process may read. */
static void test_local(void **state)
{
    (void)state;
    setenv("SONDE_TEST_TOKEN", SECRET, 1);
    assert_int_equal(people_add(&PRINCIPAL_LOCAL,
                                "{\"name\":\"x\",\"backend_type\":\"toy\",\"connection_config\":{"
                                "\"url\":\"http://127.0.0.1:9\",\"auth\":{\"type\":\"bearer\","
                                "\"token\":{\"env\":\"SONDE_TEST_TOKEN\"}}}}",
                                NULL),
                     0);
    assert_holds(people_show(&PRINCIPAL_LOCAL, "x"), "\"token\":{\"env\":\"SONDE_TEST_TOKEN\"}");
    struct connection_set *set;
    struct slot *slot = people_slot(&PRINCIPAL_LOCAL, "x", &set);
    assert_true(slot->connection->from_operator);
    assert_int_equal(slot->connection->auth.secret.kind, SECRET_ENV);
    set_unref(set);
    assert_int_equal(people_add(&PRINCIPAL_LOCAL,
                                "{\"name\":\"y\",\"backend_type\":\"toy\",\"connection_config\":{"
                                "\"url\":\"http://127.0.0.1:9\",\"auth\":{\"type\":\"bearer\","
                                "\"token\":{\"file\":\"relative\"}}}}",
                                NULL),
                     ERR_INVALID);
    assert_holds(err.text, "whole path");
}

static void test_defaults(void **state)
{
    (void)state;
    char one[37];
    char two[37];
    assert_int_equal(
        people_add(&ann,
                   "{\"is_default\":true,\"name\":\"one\",\"backend_type\":\"toy\"," CONFIG "}",
                   one),
        0);
    assert_int_equal(
        people_add(&ann,
                   "{\"is_default\":true,\"name\":\"two\",\"backend_type\":\"toy\"," CONFIG "}",
                   two),
        0);
    assert_int_equal(
        people_add(&bob,
                   "{\"is_default\":true,\"name\":\"one\",\"backend_type\":\"toy\"," CONFIG "}",
                   NULL),
        0);
    assert_holds(people_show(&ann, one), "\"is_default\":false");
    assert_holds(people_show(&ann, two), "\"is_default\":true");
    assert_holds(people_show(&bob, "one"), "\"is_default\":true");
    assert_int_equal(people_edit(&ann, one, "{\"is_default\":true}", 0), 0);
    assert_holds(people_show(&ann, two), "\"is_default\":false");
    struct connection_set *set;
    struct slot *slot = people_slot(&ann, two, &set);
    assert_false(slot->connection->is_default);
    set_unref(set);
}

static void test_edits(void **state)
{
    (void)state;
    char id[37];
    uint64_t revision = 0;
    struct buf out = BUF(1 << 16);
    assert_int_equal(people_add(&ann, PLAIN("a"), id), 0);
    assert_int_equal(people_add(&ann, PLAIN("b"), NULL), 0);
    assert_int_equal(people_edit(&ann, id, "{\"name\":\"b\"}", 0), ERR_CONFLICT);
    assert_int_equal(people_edit(&ann, id, "{\"name\":\"shared\"}", 0), ERR_CONFLICT);
    assert_int_equal(people_edit(&ann, id, "{\"name\":\"c\"}", 7), ERR_CONFLICT);
    assert_holds(err.text, "revision is 1");
    assert_int_equal(people_edit(&ann, id, "{\"backend_type\":\"other\"}", 0), ERR_INVALID);
    assert_holds(err.text, "backend_type: is \"toy\"");
    assert_int_equal(people_edit(&ann, id, "{\"nam\":\"c\"}", 0), ERR_INVALID);
    assert_holds(mistakes.list[0].text, "nam: ");
    assert_int_equal(people_edit(&ann, "no-such", "{\"name\":\"c\"}", 0), ERR_NOT_FOUND);
    const char *body = "{\"name\":\"c\",\"tags\":{\"env\":\"prod\"},\"description\":\"d\"}";
    assert_int_equal(
        manage_edit(service, &ann, id, body, strlen(body), 1, &out, &revision, &mistakes, &err), 0);
    assert_int_equal(revision, 2);
    assert_holds(buf_text(&out), "\"name\":\"c\"");
    assert_holds(buf_text(&out), "\"tags\":{\"env\":\"prod\"}");
    buf_finish(&out);
    assert_int_equal(people_edit(&ann, id, "{\"tags\":null,\"description\":null}", 2), 0);
    assert_holds(people_show(&ann, id), "\"tags\":{}");
    assert_holds(people_show(&ann, id), "\"description\":\"\"");
    assert_holds(people_show(&ann, id), "198.51.100.7");
    /* An address that is not allowed is refused here too. */
    assert_int_equal(
        people_edit(&ann, id, "{\"connection_config\":{\"url\":\"http://127.0.0.1\"}}", 0),
        ERR_INVALID);
}

static void test_proxy(void **state)
{
    (void)state;
    char id[37];
    assert_int_equal(people_add(&ann,
                                "{\"name\":\"p\",\"backend_type\":\"toy\",\"connection_config\":{"
                                "\"url\":\"https://198.51.100.7\",\"proxy\":"
                                "\"http://me:" SECRET "@198.51.100.9:3128\",\"headers\":{"
                                "\"X-Key\":\"" SECRET "\"}}}",
                                id),
                     0);
    assert_false(people_disk_holds(SECRET));
    const char *shown = people_show(&ann, id);
    assert_holds(shown, "\"proxy\":{\"masked\":true}");
    assert_holds(shown, "\"headers\":{\"X-Key\":{\"masked\":true}}");
    struct connection_set *set;
    struct slot *slot = people_slot(&ann, id, &set);
    assert_string_equal(slot->connection->proxy, "http://me:" SECRET "@198.51.100.9:3128");
    assert_string_equal(secret_reveal(slot->connection->headers[0].value.literal), SECRET);
    set_unref(set);
    assert_int_equal(
        people_edit(&ann, id, "{\"connection_config\":{\"proxy\":{\"masked\":true}}}", 0), 0);
    slot = people_slot(&ann, id, &set);
    assert_string_equal(slot->connection->proxy, "http://me:" SECRET "@198.51.100.9:3128");
    set_unref(set);
}

static const char *page(const struct principal *who, const struct manage_filter *filter)
{
    static char text[1 << 16];
    struct buf out = BUF(1 << 20);
    err = (struct err){0};
    text[0] = '\0';
    if (!manage_list(service, who, filter, &out, &err))
        snprintf(text, sizeof text, "%s", buf_text(&out));
    buf_finish(&out);
    return text;
}

static void test_list(void **state)
{
    (void)state;
    assert_int_equal(people_add(&ann, PLAIN("zeta"), NULL), 0);
    assert_int_equal(
        people_add(
            &ann,
            "{\"tags\":{\"env\":\"prod\"},\"name\":\"alpha\",\"backend_type\":\"toy\"," CONFIG "}",
            NULL),
        0);
    assert_int_equal(people_add(&bob, PLAIN("hidden"), NULL), 0);
    struct manage_filter filter = {.limit = 2};
    const char *text = page(&ann, &filter);
    assert_holds(text, "\"alpha\"");
    assert_holds(text, "\"shared\"");
    assert_lacks(text, "\"zeta\"");
    assert_lacks(text, "hidden");
    struct json_object *first = NULL;
    assert_int_equal(json_parse(text, strlen(text), 32, &first, &err), 0);
    filter.cursor = json_string_of(first, "next_cursor");
    assert_non_null(filter.cursor);
    text = page(&ann, &filter);
    assert_holds(text, "\"zeta\"");
    assert_lacks(text, "\"alpha\"");
    assert_holds(text, "\"next_cursor\":null");
    json_object_put(first);
    filter = (struct manage_filter){.limit = 10, .tag = "env=prod"};
    text = page(&ann, &filter);
    assert_holds(text, "\"alpha\"");
    assert_lacks(text, "\"zeta\"");
    filter.tag = "env=dev";
    assert_string_equal(page(&ann, &filter), "{\"connections\":[],\"next_cursor\":null}");
    filter = (struct manage_filter){.limit = 10, .backend_type = "toyy"};
    page(&ann, &filter);
    assert_int_equal(err.code, ERR_INVALID);
    assert_holds(err.text, "\"toy\"");
    filter = (struct manage_filter){.limit = 10, .cursor = "' OR 1=1"};
    page(&ann, &filter);
    assert_int_equal(err.code, ERR_INVALID);
    filter = (struct manage_filter){.limit = 201};
    page(&ann, &filter);
    assert_int_equal(err.code, ERR_INVALID);
}

static void test_backends(void **state)
{
    (void)state;
    struct buf out = BUF(1 << 20);
    assert_int_equal(manage_backends(service, &out, &err), 0);
    struct json_object *all = NULL;
    assert_int_equal(json_parse(buf_text(&out), out.size, 32, &all, &err), 0);
    struct json_object *toy_backend = json_object_array_get_idx(json_member(all, "backends"), 0);
    assert_string_equal(json_string_of(toy_backend, "name"), "toy");
    struct json_object *keys = json_member(json_member(toy_backend, "parameters"), "properties");
    assert_string_equal(json_string_of(json_member(keys, "site"), "type"), "string");
    assert_non_null(json_member(keys, "url"));
    assert_non_null(json_member(keys, "auth"));
    json_object_put(all);
    buf_finish(&out);
}

/* Without a store only what the file says is there, and that is said. */
static void test_no_store(void **state)
{
    (void)state;
    struct kept kept = service->kept;
    service->kept = (struct kept){0};
    assert_int_equal(people_add(&ann, PLAIN("x"), NULL), ERR_UNAVAILABLE);
    assert_string_equal(people_names(&ann), "shared");
    assert_holds(people_show(&ann, "shared"), "\"shared\"");
    service->kept = kept;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, people_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_example),    TEST(test_masked),  TEST(test_sealed_refused),
        TEST(test_bad_bodies), TEST(test_sizes),   TEST(test_json_texts),
        TEST(test_rights),     TEST(test_local),   TEST(test_defaults),
        TEST(test_edits),      TEST(test_proxy),   TEST(test_list),
        TEST(test_backends),   TEST(test_no_store)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
