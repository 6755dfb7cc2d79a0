/* SPDX-License-Identifier: Apache-2.0 */
/* Many exchanges at once: windows, fairness, cancel, names that take their time. */
#include "config.h"

#include "cmocka_all.h"
#include "harness.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static struct server server;
static struct io *io;
static struct io_target *target;

/*
 * Stands in for the C library's: names below slow.test wait until the test lets them go, those below
 * local.test are this machine, those below mixed.test also have a metadata address.
 */
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t names_cond = PTHREAD_COND_INITIALIZER;
static bool names_open;
static int names_asked;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!name || !str_ends(name, ".test"))
        return real(name, service, hints, ret);
    pthread_mutex_lock(&names_lock);
    names_asked++;
    while (str_ends(name, "slow.test") && !names_open)
        pthread_cond_wait(&names_cond, &names_lock);
    pthread_mutex_unlock(&names_lock);
    int r = real("127.0.0.1", service, hints, ret);
    if (!r && str_ends(name, "mixed.test"))
        r = real("169.254.169.254", service, hints, &(*ret)->ai_next);
    return r;
}

static int setup(void **state)
{
    (void)state;
    struct io_settings settings = {0};
    server_start(&server, NULL);
    assert_int_equal(io_create(&settings, &io, NULL), 0);
    target = target_to(io, server.port);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    io_target_unref(target);
    io_destroy(io);
    server_stop(&server);
    return 0;
}

static struct message *next(struct mailbox *mailbox)
{
    struct message *message = mailbox_wait(mailbox, clock_mono_ns() + 60 * NS_PER_S);
    assert_non_null(message);
    return message;
}

/* A reader that takes but does not give back gets the window and no more; then all of it, byte for byte. */
static void hold_and_read_on(const char *path, size_t total)
{
    struct mailbox *mailbox;
    struct message *held[64];
    size_t n = 0;
    size_t size = 0;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    start_get(io, mailbox, target, path, NULL, 60000);
    struct message *message;
    while ((message =
                mailbox_wait(mailbox, clock_mono_ns() + (n ? 300 * NS_PER_MS : 60 * NS_PER_S)))) {
        assert_true(n < 64);
        assert_int_not_equal(message->type, MESSAGE_END);
        size += message->type == MESSAGE_DATA ? message->size : 0;
        held[n++] = message;
    }
    if (size < 64 * 1024 || size > 256 * 1024)
        fail_msg("%s: %zu bytes in %zu messages came unasked", path, size, n);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (held[i]->type == MESSAGE_DATA) {
            assert_true(is_pattern(held[i]->data, held[i]->size, at));
            at += held[i]->size;
        }
        mailbox_release(mailbox, held[i]);
    }
    bool more = true;
    while (more) {
        message = next(mailbox);
        if (message->type == MESSAGE_DATA) {
            assert_true(is_pattern(message->data, message->size, at));
            at += message->size;
        } else {
            assert_int_equal(message->type, MESSAGE_END);
            assert_int_equal(message->outcome, SONDE_OUTCOME_OK);
            more = false;
        }
        mailbox_release(mailbox, message);
    }
    assert_int_equal(at, total);
    mailbox_destroy(mailbox);
}

static void test_back_pressure(void **state)
{
    (void)state;
    hold_and_read_on("/body?n=20000003", 20000003);
    hold_and_read_on("/chunked?n=5000003", 5000003);
    hold_and_read_on("/gzip?n=20000003", 20000003);
    hold_and_read_on("/close?n=5000003", 5000003);
}

/* Nothing is released, and the transfer costs no more than its window. */
static void test_memory_while_paused(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    long before = resident_kib();
    struct exchange *exchanges[8];
    for (size_t i = 0; i < 8; i++)
        exchanges[i] = start_get(io, mailbox, target,
                                 i % 2 ? "/body?n=50000000" : "/bomb?n=50331648", NULL, 60000);
    usleep(500000);
    long grown = resident_kib() - before;
#ifndef SONDE_SANITIZED
    assert_true(grown < 8 * 1024); /* 8 times: window, curl's buffer, what a paused read had left */
#endif
    (void)grown;
    for (size_t i = 0; i < 8; i++)
        exchange_cancel(exchanges[i]);
    for (size_t ends = 0; ends < 8;) {
        struct message *message = next(mailbox);
        ends += message->type == MESSAGE_END;
        mailbox_release(mailbox, message);
    }
    mailbox_destroy(mailbox);
}

/* Small answers overtake big ones: each is done while none of the big ones got anywhere near its end. */
static void test_fairness(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    size_t big[4] = {0};
    int small = 0;
    int small_done = 0;
    int big_done = 0;
    size_t most = 0;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    for (size_t i = 0; i < 4; i++)
        start_get(io, mailbox, target, "/body?n=50000000", &big[i], 60000);
    while (small_done < 20 || big_done < 4) {
        struct message *message = next(mailbox);
        size_t *count = message->owner;
        bool is_small = message->owner == &small;
        if (message->type == MESSAGE_DATA && !is_small) {
            *count += message->size;
            most = *count > most ? *count : most;
        }
        if (message->type == MESSAGE_END) {
            assert_int_equal(message->outcome, SONDE_OUTCOME_OK);
            if (is_small) {
                small_done++;
                assert_int_equal(big_done, 0); /* before the first of the big ones ended */
            } else {
                assert_int_equal(*count, 50000000);
                big_done++;
            }
        }
        mailbox_release(mailbox, message);
        /* One after the other, from when the big ones are well on their way. */
        if (most > 1000000 && small < 20 && small == small_done) {
            start_get(io, mailbox, target, "/ok", &small, 60000);
            small++;
        }
    }
    mailbox_destroy(mailbox);
}

static struct exchange *start_elsewhere(struct mailbox *mailbox, const char *host, void *owner)
{
    char url[128];
    snprintf(url, sizeof url, "http://%s:%d", host, server.port);
    struct connection *connection = connection_to(url);
    struct io_target *elsewhere = target_of(io, connection);
    connection_unref(connection);
    struct exchange *exchange = start_get(io, mailbox, elsewhere, "/ok", owner, 60000);
    io_target_unref(elsewhere);
    return exchange;
}

static void let_names_go(bool open)
{
    pthread_mutex_lock(&names_lock);
    names_open = open;
    pthread_cond_broadcast(&names_cond);
    pthread_mutex_unlock(&names_lock);
}

static void expect_cancelled(struct mailbox *mailbox, void *owner)
{
    struct got got;
    drain(mailbox, owner, &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_LOST);
    assert_string_equal(got.text, "cancelled");
    got_free(&got);
}

static void test_cancel_in_every_state(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    int owner;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    /* While its name is looked up, which goes on without it. */
    exchange_cancel(start_elsewhere(mailbox, "a.slow.test", &owner));
    expect_cancelled(mailbox, &owner);
    let_names_go(true);
    /* Before it is due. */
    struct sonde_request request = {
        .struct_size = sizeof request, .tag = 7, .method = "GET", .path = "/ok", .delay_ms = 60000};
    struct exchange_request given = {
        .request = &request, .target = target, .owner = &owner, .deadline_ns = INT64_MAX};
    struct exchange *exchange;
    assert_int_equal(exchange_start(io, mailbox, &given, &exchange, NULL), 0);
    exchange_cancel(exchange);
    exchange_cancel(exchange);
    expect_cancelled(mailbox, &owner);
    /* While it waits for an answer: the server sees the connection close. */
    exchange = start_get(io, mailbox, target, "/never?which=cancelled", &owner, 60000);
    assert_true(seen_holds(io, target, "/never?which=cancelled"));
    int64_t before = clock_mono_ns();
    exchange_cancel(exchange);
    expect_cancelled(mailbox, &owner);
    print_message("cancelled and told within %.2f ms\n",
                  (double)(clock_mono_ns() - before) / (double)NS_PER_MS);
    for (int i = 0;; i++) {
        struct got got;
        get(io, target, "/_seen", &got);
        const char *entry = strstr(got.body, "/never?which=cancelled");
        bool closed = entry && strstr(entry, "\"closed_early\": true");
        got_free(&got);
        if (closed)
            break;
        assert_true(i < 200);
        usleep(20000);
    }
    /* In the middle of a body, paused by its window. */
    exchange = start_get(io, mailbox, target, "/body?n=50000000", &owner, 60000);
    usleep(100000);
    exchange_cancel(exchange);
    expect_cancelled(mailbox, &owner);
    mailbox_destroy(mailbox);
}

/* Once its END is taken a cancel does nothing, until END is released. */
static void test_cancel_after_end(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    struct exchange *exchange = start_get(io, mailbox, target, "/ok", NULL, 60000);
    struct message *message;
    while ((message = next(mailbox))->type != MESSAGE_END)
        mailbox_release(mailbox, message);
    assert_int_equal(message->outcome, SONDE_OUTCOME_OK);
    exchange_cancel(exchange);
    exchange_cancel(exchange);
    mailbox_release(mailbox, message);
    assert_null(mailbox_wait(mailbox, clock_mono_ns() + 20 * NS_PER_MS));
    mailbox_destroy(mailbox);
}

static void test_one_flight_a_name(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    int owners[20];
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    let_names_go(false);
    int before = names_asked;
    for (size_t i = 0; i < 20; i++)
        start_elsewhere(mailbox, "b.slow.test", &owners[i]);
    usleep(50000);
    let_names_go(true);
    for (size_t ends = 0; ends < 20;) {
        struct message *message = next(mailbox);
        if (message->type == MESSAGE_END) {
            assert_int_equal(message->outcome, SONDE_OUTCOME_OK);
            ends++;
        }
        mailbox_release(mailbox, message);
    }
    pthread_mutex_lock(&names_lock);
    assert_int_equal(names_asked - before, 1);
    pthread_mutex_unlock(&names_lock);
    mailbox_destroy(mailbox);
}

static void expect_refused(const char *host, bool from_operator, const char *says)
{
    char url[128];
    struct got got;
    snprintf(url, sizeof url, "http://%s:%d", host, server.port);
    struct connection *connection = connection_to(url);
    connection->from_operator = from_operator;
    struct io_target *refused = target_of(io, connection);
    get(io, refused, "/ok", &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_REFUSED);
    if (!strstr(got.text, says))
        fail_msg("\"%s\" does not say \"%s\"", got.text, says);
    got_free(&got);
    struct io_probe probe;
    io_target_probe(refused, &probe);
    assert_int_equal(probe.stage, 1);
    io_target_unref(refused);
    connection_unref(connection);
}

/* Names are judged by what they stand for, all of it. */
static void test_policy_after_look_up(void **state)
{
    (void)state;
    expect_refused("x.local.test", false, "network.allow");
    expect_refused("x.mixed.test", true, "a cloud metadata address (169.254.169.254)");
    /* The same name for the operator works, and its connection is not lent to others. */
    struct mailbox *mailbox;
    struct got got;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    start_elsewhere(mailbox, "x.local.test", NULL);
    drain(mailbox, NULL, &got);
    assert_int_equal(got.outcome, SONDE_OUTCOME_OK);
    got_free(&got);
    mailbox_destroy(mailbox);
    expect_refused("x.local.test", false, "network.allow");
}

/* 2,000 exchanges, 32 in flight, a third of them cancelled: descriptors and memory stay. */
static void test_many(void **state)
{
    (void)state;
    enum { ALL = 2000, WIDTH = 32 };
    static const char *const paths[] = {"/ok", "/body?n=20000", "/gzip?n=300000", "/status/503"};
    struct mailbox *mailbox;
    int started = 0;
    int ended = 0;
    int lost = 0;
    int fds = -1;
    assert_int_equal(mailbox_create(io, &mailbox), 0);
    while (ended < ALL) {
        while (started < ALL && started - ended < WIDTH) {
            struct exchange *exchange =
                start_get(io, mailbox, target, paths[started % 4], NULL, 60000);
            if (started % 3 == 0)
                exchange_cancel(exchange);
            started++;
        }
        struct message *message = next(mailbox);
        if (message->type == MESSAGE_END) {
            ended++;
            lost += message->outcome == SONDE_OUTCOME_LOST;
            assert_true(message->outcome == SONDE_OUTCOME_OK || str_eq(message->text, "cancelled"));
        }
        mailbox_release(mailbox, message);
        if (ended == ALL / 4 && fds < 0)
            fds = open_fds();
    }
    assert_true(lost > 0 && lost <= ALL / 3 + 1);
    mailbox_destroy(mailbox);
    if (open_fds() > fds + WIDTH)
        fail_msg("%d descriptors, %d after the first quarter", open_fds(), fds);
    struct io_stats stats;
    io_stats(io, &stats);
    assert_int_equal(stats.in_flight, 0);
    assert_true(stats.exchanges >= ALL);
}

/* Ended by io_destroy, whatever they were at; what is left may be released later. */
static void test_destroy_in_flight(void **state)
{
    (void)state;
    struct io_settings settings = {0};
    struct io *own;
    struct mailbox *mailbox;
    assert_int_equal(io_create(&settings, &own, NULL), 0);
    assert_int_equal(mailbox_create(own, &mailbox), 0);
    struct io_target *there = target_to(own, server.port);
    start_get(own, mailbox, there, "/never", NULL, 60000);
    start_get(own, mailbox, there, "/body?n=50000000", NULL, 60000);
    let_names_go(false);
    char url[64];
    snprintf(url, sizeof url, "http://c.slow.test:%d", server.port);
    struct connection *connection = connection_to(url);
    struct io_target *slow = target_of(own, connection);
    start_get(own, mailbox, slow, "/ok", NULL, 60000);
    usleep(50000);
    io_destroy(own);
    for (int ends = 0; ends < 3;) {
        struct message *message = next(mailbox);
        ends += message->type == MESSAGE_END;
        mailbox_release(mailbox, message);
    }
    mailbox_destroy(mailbox);
    io_target_unref(slow);
    io_target_unref(there);
    connection_unref(connection);
    let_names_go(true);
    usleep(50000); /* the stuck look-up ends by itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_memory_while_paused),
        cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_cancel_in_every_state),
        cmocka_unit_test(test_cancel_after_end),
        cmocka_unit_test(test_one_flight_a_name),
        cmocka_unit_test(test_policy_after_look_up),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_destroy_in_flight),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
