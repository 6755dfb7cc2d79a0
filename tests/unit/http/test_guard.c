/* SPDX-License-Identifier: Apache-2.0 */
/* Which names are this server, which URLs carry tokens, and how events are written. */
#include <string.h>

#include "base/buf.h"
#include "cmocka_all.h"
#include "http/guard.h"
#include "http/http.h"

static const char *const hosts[] = {"sonde.example.org", "10.0.0.9"};
static const struct guard_names names = {hosts, 2};

static const char *local(void *user)
{
    return user;
}

static int host(const char *authority)
{
    return guard_authority(&names, authority, local, (void *)(uintptr_t) "192.168.1.7");
}

static int origin(const char *text)
{
    return guard_origin(&names, text, local, (void *)(uintptr_t) "192.168.1.7");
}

static void test_hosts(void **state)
{
    (void)state;
    static const char *const ours[] = {"localhost",
                                       "LOCALHOST:80",
                                       "127.0.0.1",
                                       "127.0.0.1:7464",
                                       "[::1]",
                                       "[::1]:7464",
                                       "a.localhost",
                                       "a.b.localhost:1",
                                       "sonde.example.org",
                                       "Sonde.Example.ORG:65535",
                                       "10.0.0.9",
                                       "192.168.1.7:7464",
                                       "192.168.1.7",
                                       "localhost:"};
    static const char *const others[] = {"example.org",
                                         "localhost.example.org",
                                         "127.0.0.1.example.org",
                                         "xlocalhost",
                                         ".localhost.",
                                         "sonde.example.org.evil",
                                         "192.168.1.8",
                                         "[::2]",
                                         "2130706433",
                                         "127.1",
                                         "0.0.0.0"};
    static const char *const bad[] = {"",
                                      " ",
                                      ":80",
                                      "a b",
                                      "[::1",
                                      "::1",
                                      "[]",
                                      "user@localhost",
                                      "localhost/",
                                      "localhost:80:80",
                                      "localhost:8a",
                                      "localhost:123456",
                                      "[::1]x",
                                      "localhost,evil.org",
                                      "loc%61lhost"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (host(ours[i]) != 1)
            fail_msg("%s is not ours", ours[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (host(others[i]) != 0)
            fail_msg("%s: %d", others[i], host(others[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (host(bad[i]) != -1)
            fail_msg("%s: %d", bad[i], host(bad[i]));
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[256] = 0;
    assert_int_equal(host(longest), -1);
    longest[255] = 0;
    assert_int_equal(host(longest), 0);
}

static void test_origins(void **state)
{
    (void)state;
    assert_int_equal(origin("http://localhost:3000"), 1);
    assert_int_equal(origin("https://sonde.example.org"), 1);
    assert_int_equal(origin("http://[::1]:1"), 1);
    assert_int_equal(origin("vscode-webview://localhost"), 1);
    assert_true(origin("null") <= 0);
    assert_true(origin("") <= 0);
    assert_true(origin("localhost") <= 0);
    assert_true(origin("http://evil.org") <= 0);
    assert_true(origin("http://evil.org/http://localhost") <= 0);
    assert_true(origin("http://localhost@evil.org") <= 0);
    assert_true(origin("http://localhost http://evil.org") <= 0);
}

static void test_tokens(void **state)
{
    (void)state;
    assert_true(guard_token_in_query("token=a"));
    assert_true(guard_token_in_query("a=b&access_token=c"));
    assert_true(guard_token_in_query("a&token="));
    assert_false(guard_token_in_query(""));
    assert_false(guard_token_in_query("next_token=a"));
    assert_false(guard_token_in_query("a=token=b"));
    assert_false(guard_token_in_query("tokens=1&&"));
    assert_string_equal(guard_bearer("Bearer abc"), "abc");
    assert_string_equal(guard_bearer("bEARER   abc"), "abc");
    assert_null(guard_bearer("Bearer"));
    assert_null(guard_bearer("Bearer "));
    assert_null(guard_bearer("Bearerabc"));
    assert_null(guard_bearer("Basic abc"));
    assert_null(guard_bearer("Bearer a b"));
    assert_null(guard_bearer("Bearer a, Bearer b"));
    assert_null(guard_bearer(""));
}

static void expect_event(const struct http_event *event, const char *text)
{
    struct buf buf = BUF(4096);
    http_write_event(&buf, event);
    assert_false(buf.failed);
    assert_string_equal(buf_text(&buf), text);
    buf_finish(&buf);
}

static void test_events(void **state)
{
    (void)state;
    expect_event(&(struct http_event){.data = "x", .data_size = 1}, "data: x\n\n");
    expect_event(&(struct http_event){.data = "", .data_size = 0}, "data: \n\n");
    expect_event(&(struct http_event){.data = "a\nb\r\nc\rd\n", .data_size = 9},
                 "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
    expect_event(
        &(struct http_event){
            .event = "message", .id = "7", .retry_ms = 1500, .data = "{}", .data_size = 2},
        "event: message\nid: 7\nretry: 1500\ndata: {}\n\n");
    expect_event(&(struct http_event){.id = "0", .empty_data = true}, "id: 0\ndata: \n\n");
    /* No field can end its line and begin another. */
    expect_event(&(struct http_event){.event = "a\ndata: b", .id = "c\r\nd"},
                 "event: adata: b\nid: cd\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
