/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of users do not lead to places of this machine or its networks, however they are written. */
#include "config.h"

#include "cmocka_all.h"
#include "harness.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/policy.h"

static struct server server;
static struct io *io;
static atomic_int names_asked;

/*
 * Stands in for the C library's: rotate.test is 127.0.0.1 the first time and 127.0.0.2 ever after, mixed.test is both, all else below .test is
 * 127.0.0.1.
 */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!name || !str_ends(name, ".test"))
        return real(name, service, hints, ret);
    int before = atomic_fetch_add(&names_asked, 1);
    bool second = str_ends(name, "rotate.test") && before > 0;
    int r = real(second ? "127.0.0.2" : "127.0.0.1", service, hints, ret);
    if (!r && str_ends(name, "mixed.test"))
        r = real("127.0.0.2", service, hints, &(*ret)->ai_next);
    return r;
}

static int setup(void **state)
{
    (void)state;
    struct io_settings settings = {0};
    server_start(&server, NULL);
    return io_create(&settings, &io, NULL);
}

static int teardown(void **state)
{
    (void)state;
    io_destroy(io);
    server_stop(&server);
    return 0;
}

static void allow(struct io *where, const char *range)
{
    struct err err = {0};
    if (io_set_allow(where, &range, range ? 1 : 0, &err))
        fail_msg("%s", err.text);
}

/* The text with which a connection is refused, at once or when it is used; fails when it is not. */
static void refusal(struct io *where, const char *url, const char *proxy, bool from_operator,
                    char *text, size_t size)
{
    struct connection *connection = connection_to(url);
    struct io_target *target = NULL;
    struct err err = {0};
    connection->from_operator = from_operator;
    connection->proxy = proxy;
    int r = io_target_create(where, connection, url, NULL, NULL, 0, &target, &err);
    if (r < 0) {
        assert_int_equal(r, ERR_INVALID);
        snprintf(text, size, "%s", err.text);
    } else {
        struct got got;
        get(where, target, "/trick", &got);
        if (got.outcome != SONDE_OUTCOME_REFUSED && got.outcome != SONDE_OUTCOME_LOST)
            fail_msg("%s is sent to", url);
        assert_int_equal(got.heads, 0);
        snprintf(text, size, "%s", got.text);
        got_free(&got);
    }
    io_target_unref(target);
    connection_unref(connection);
}

static bool seen(const char *text)
{
    struct io_target *target = target_to(io, server.port);
    struct got got;
    get(io, target, "/_seen", &got);
    bool found = got.body && strstr(got.body, text);
    got_free(&got);
    io_target_unref(target);
    return found;
}

struct trick {
    const char *before; /* the port */
    const char *after;
    bool policy; /* refused for where it leads, not for how it is written */
};

static const struct trick tricks[] = {
    {"http://127.0.0.1:", "", true},
    {"http://127.0.0.2:", "", true},
    {"http://localhost:", "", true},
    {"http://LocalHost:", "", true},
    {"http://a.localhost:", "", true},
    {"http://2130706433:", "", true},
    {"http://0x7f000001:", "", true},
    {"http://0x7f.0.0.1:", "", true},
    {"http://017700000001:", "", true},
    {"http://0177.0.0.1:", "", true},
    {"http://127.1:", "", true},
    {"http://127.0.1:", "", true},
    {"http://0:", "", true},
    {"http://0.0.0.0:", "", true},
    {"http://[::]:", "", true},
    {"http://[::1]:", "", true},
    {"http://[::ffff:127.0.0.1]:", "", true},
    {"http://[::ffff:7f00:1]:", "", true},
    {"http://[::127.0.0.1]:", "", true},
    {"http://[64:ff9b::7f00:1]:", "", true},
    {"http://[64:ff9b:1::7f00:1]:", "", true},
    {"http://[2002:7f00:1::1]:", "", true},
    {"http://[2001:0:1::80ff:fffe]:", "", true},
    {"http://[fe80::1]:", "", true},
    {"http://[fd00::5efe:7f00:1]:", "", true},
    {"http://169.254.169.254:", "/latest/meta-data", true},
    {"http://localhost.:", "", true},
    {"http://127.0.0.1.:", "", false}, /* an address or no name at all, as the library has it */
    {"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:", "", false},
    {"http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1:", "", false},
    {"http://127\xe3\x80\x82"
     "0\xe3\x80\x82"
     "0\xe3\x80\x82"
     "1:",
     "", false},
    {"http://x.local.test:", "", true},
    {"http://ann@127.0.0.1:", "", false},
    {"http://93.184.216.34@127.0.0.1:", "", false},
    {"http://127.0.0.1:", "@93.184.216.34", false},
    {"http://127.0.0.1\\@93.184.216.34:", "", false},
    {"file:///etc/passwd?", "", false},
    {"file://127.0.0.1:", "/etc/passwd", false},
    {"gopher://127.0.0.1:", "/_GET", false},
    {"unix:///run/x.sock:", "", false},
    {"ftp://127.0.0.1:", "", false},
    {"dict://127.0.0.1:", "", false},
};

/* Nothing arrives, and what a user reads tells neither what is there nor whether anything listens. */
static void test_tricks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        char url[256];
        char text[2][2048];
        for (int k = 0; k < 2; k++) { /* a port that listens, and one that does not */
            snprintf(url, sizeof url, "%s%d%s", tricks[i].before, k ? 1 : server.port,
                     tricks[i].after);
            refusal(io, url, NULL, false, text[k], sizeof text[k]);
        }
        bool policy = strstr(text[0], "network.allow") != NULL;
        if (tricks[i].policy && !policy)
            fail_msg("%s: \"%s\" does not name the key", url, text[0]);
        if (policy && (strcmp(text[0], text[1]) != 0 || strstr(text[0], "oopback") ||
                       strstr(text[0], "metadata")))
            fail_msg("%s: \"%s\" and \"%s\" tell", url, text[0], text[1]);
    }
    assert_false(seen("/trick"));
}

static void expect(struct io *where, struct io_target *target, const char *path, uint32_t status)
{
    struct got got;
    get(where, target, path, &got);
    if (got.outcome || got.status != status)
        fail_msg("%s: outcome %u, status %u: %s", path, got.outcome, got.status, got.text);
    got_free(&got);
}

static struct io_target *user_target(struct io *where, const char *url)
{
    struct connection *connection = connection_to(url);
    connection->from_operator = false;
    struct io_target *target = target_of(where, connection);
    connection_unref(connection);
    return target;
}

/* Opened by a range, and closed again with what was kept open; what is under way ends as it began. */
static void test_allow(void **state)
{
    (void)state;
    char url[64];
    char text[2048];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    allow(io, "127.0.0.0/30");
    struct io_target *target = user_target(io, url);
    expect(io, target, "/ok", 200);
    refusal(io, "http://127.0.0.4:1", NULL, false, text, sizeof text);
    assert_non_null(strstr(text, "network.allow"));
    int fds = open_fds();
    struct mailbox *mailbox;
    struct got got;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    start_get(io, mailbox, target, "/body?n=3000000", NULL, 60000);
    struct message *message = mailbox_wait(mailbox, clock_mono_ns() + 60 * NS_PER_S);
    assert_int_equal(message->type, MESSAGE_HEAD); /* the rest waits for its window */
    mailbox_release(mailbox, message);
    allow(io, NULL);
    refusal(io, url, NULL, false, text, sizeof text);
    assert_non_null(strstr(text, "network.allow"));
    got = (struct got){0};
    get(io, target, "/ok", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_REFUSED);
    got_free(&got);
    bool more = true;
    uint64_t size = 0;
    while (more) {
        message = mailbox_wait(mailbox, clock_mono_ns() + 60 * NS_PER_S);
        assert_non_null(message);
        size += message->size;
        more = message->type != MESSAGE_END;
        assert_int_equal(message->outcome, 0);
        mailbox_release(mailbox, message);
    }
    assert_int_equal(size, 3000000);
    /* Its socket is gone too: only a new one would be judged. */
    for (int i = 0; open_fds() >= fds && i < 200; i++)
        usleep(20000);
    assert_true(open_fds() < fds);
    /* The operator's are not touched by it. */
    struct io_target *own = target_to(io, server.port);
    expect(io, own, "/ok", 200);
    io_target_unref(own);
    allow(io, "127.0.0.1");
    expect(io, target, "/ok", 200);
    allow(io, NULL);
    io_target_unref(target);
    mailbox_destroy(mailbox);
}

static void test_ranges(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       "/8", "10.0.0.0/33", "10.0.0/8",
                                      "::/129", "x",  "10.0.0.0/"};
    struct err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct err){0};
        assert_int_equal(io_set_allow(io, &bad[i], 1, &err), ERR_INVALID);
        assert_non_null(strstr(err.text, "network.allow"));
    }
    static const struct {
        const char *range, *address;
        bool may;
    } rows[] = {
        {"10.1.0.0/16", "10.1.255.1", true},
        {"10.1.0.0/16", "10.2.0.1", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.4", false},
        {"10.1.77.3/15", "10.0.0.1", true},
        {"fd12::/16", "fd12:1::1", true},
        {"fd12::/16", "fd13::1", false},
        {"10.0.0.0/8", "::ffff:10.0.0.1", true},
        {"::ffff:0:0/96", "10.0.0.1", false},
        {"0.0.0.0/0", "fd12::1", false},
        {"0.0.0.0/0", "127.0.0.1", true},
        {"0.0.0.0/0", "169.254.169.254", false},
        {"169.254.169.254", "169.254.169.254", false},
        {"0.0.0.0/0", "0.0.0.0", false},
        {"0.0.0.0/0", "224.0.0.1", false},
        {"::/0", "fd00:ec2::254", false},
        {"::/0", "fe80::a9fe:a9fe", false},
        {"0.0.0.0/0", "100.100.100.200", false},
        {"0.0.0.0/0", "100.64.0.1", true},
        {"0.0.0.0/0", "168.63.129.16", false},
        {"::/0", "64:ff9b::a9fe:a9fe", false},
        {"::/0", "::1", true},
        {"::/0", "::", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address_policy *policy = NULL;
        struct sockaddr_storage address;
        assert_int_equal(policy_create(&rows[i].range, 1, &policy, NULL), 0);
        assert_true(address_parse(rows[i].address, &address));
        const char *why = address_refusal((struct sockaddr *)&address, false, policy);
        if (!why != rows[i].may)
            fail_msg("%s with %s: %s", rows[i].address, rows[i].range, why ? why : "may");
        policy_unref(policy);
    }
    struct sockaddr_storage address;
    assert_true(address_parse("127.0.0.1", &address));
    assert_true(own_address((struct sockaddr *)&address));
    assert_true(address_parse("192.0.2.1", &address));
    assert_false(own_address((struct sockaddr *)&address));
}

/* The provider of credentials alone goes there; no connection does, the operator's neither. */
static void test_metadata(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://169.254.169.254/", "http://[fd00:ec2::254]/",
                                       "http://100.100.100.200/", "http://[fd20:ce::254]/",
                                       "http://0xa9fea9fe/"};
    char text[2048];
    allow(io, "0.0.0.0/0");
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        refusal(io, urls[i], NULL, true, text, sizeof text);
        assert_non_null(strstr(text, "metadata"));
        refusal(io, urls[i], NULL, false, text, sizeof text);
        assert_null(strstr(text, "metadata"));
    }
    allow(io, NULL);
}

/* Only what was checked is connected to: nobody looks the name up again. */
static void test_rotating_name(void **state)
{
    (void)state;
    char url[64];
    char text[2048];
    struct io_settings settings = {0};
    struct io *own;
    snprintf(url, sizeof url, "http://rotate.test:%d", server.port);
    assert_int_equal(io_create(&settings, &own, NULL), 0);
    allow(own, "127.0.0.1");
    atomic_store(&names_asked, 0);
    struct io_target *target = user_target(own, url);
    for (int i = 0; i < 3; i++)
        expect(own, target, "/ok", 200);
    struct io_probe probe;
    io_target_probe(target, &probe);
    assert_true(str_starts(probe.address, "127.0.0.1:"));
    assert_int_equal(atomic_load(&names_asked), 1);
    io_target_unref(target);
    io_destroy(own);
    /* Looked up anew it leads elsewhere, and that is refused; so is a name one of whose addresses is. */
    assert_int_equal(io_create(&settings, &own, NULL), 0);
    allow(own, "127.0.0.1");
    refusal(own, url, NULL, false, text, sizeof text);
    assert_non_null(strstr(text, "network.allow"));
    snprintf(url, sizeof url, "http://x.mixed.test:%d", server.port);
    refusal(own, url, NULL, false, text, sizeof text);
    assert_non_null(strstr(text, "network.allow"));
    io_destroy(own);
    assert_false(seen("/trick"));
}

static void test_redirect(void **state)
{
    (void)state;
    char url[64];
    char path[128];
    struct got got;
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    snprintf(path, sizeof path, "/redirect?to=http%%3A%%2F%%2F127.0.0.2%%3A%d%%2Fthere",
             server.port);
    allow(io, "127.0.0.1");
    struct io_target *target = user_target(io, url);
    get(io, target, path, &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    assert_int_equal(got.status, 302);
    assert_null(strstr(got.headers, "200"));
    got_free(&got);
    io_target_unref(target);
    allow(io, NULL);
    assert_false(seen("\"/there"));
}

/* It is the proxy that is connected to, so it is the proxy that is judged. */
static void test_proxies(void **state)
{
    (void)state;
    char proxy[64];
    char text[2048];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", server.port);
    refusal(io, "http://93.184.216.34:9090", proxy, false, text, sizeof text);
    assert_true(str_starts(text, "proxy: 127.0.0.1 "));
    assert_non_null(strstr(text, "network.allow"));
    snprintf(proxy, sizeof proxy, "http://x.local.test:%d", server.port);
    refusal(io, "http://93.184.216.34:9090", proxy, false, text, sizeof text);
    assert_non_null(strstr(text, "proxy: x.local.test "));
    assert_non_null(strstr(text, "network.allow"));
    refusal(io, "http://93.184.216.34:9090", "http://169.254.169.254", true, text, sizeof text);
    assert_non_null(strstr(text, "metadata"));
    assert_false(seen("/trick"));
    /* The operator's proxy for all may be anywhere, and still leads no user to places of its own. */
    struct io_settings settings = {.proxy = proxy};
    struct io *own;
    assert_int_equal(io_create(&settings, &own, NULL), 0);
    struct io_target *target = user_target(own, "http://prom.invalid:9090/echo");
    expect(own, target, "/x", 200);
    io_target_unref(target);
    static const char *const urls[] = {"http://10.0.0.1/", "http://localhost:9090/",
                                       "http://[::1]:9090/", "http://a.localhost./"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        refusal(own, urls[i], NULL, false, text, sizeof text);
        assert_true(str_starts(text, "url: "));
        assert_non_null(strstr(text, "network.allow"));
    }
    io_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tricks),   cmocka_unit_test(test_allow),
        cmocka_unit_test(test_ranges),   cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_redirect), cmocka_unit_test(test_rotating_name),
        cmocka_unit_test(test_proxies),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
