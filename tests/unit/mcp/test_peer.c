/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "fake_service.h"
#include "mcp/peer.h"

#define MODERN "\"_meta\":{\"" META_VERSION "\":\"2026-07-28\",\"" META_CAPABILITIES "\":{}}"

struct client {
    struct service *service;
    struct mcp_peer *peer;
    pthread_mutex_t lock;
    pthread_cond_t came;
    char *messages[1024];
    size_t count; /* that came */
    size_t next;  /* to be looked at */
    size_t told;  /* to the peer */
    size_t ended; /* of them */
    int status;   /* of the last */
    int waiting;  /* hints that a call takes long */
    struct mcp_channel channel;
};

static void keep(void *user, const struct mcp_out *out)
{
    struct client *client = user;
    const char *message = out->text;
    size_t size = out->size;
    pthread_mutex_lock(&client->lock);
    client->ended += out->kind == MCP_ANSWER || out->kind == MCP_NOTHING;
    client->waiting += out->kind == MCP_WAITING;
    client->status = out->status;
    if (!size) {
        pthread_mutex_unlock(&client->lock);
        return;
    }
    if (client->count == sizeof client->messages / sizeof client->messages[0])
        abort();
    char *copy = calloc(1, size + 1);
    if (!copy)
        abort();
    memcpy(copy, message, size);
    client->messages[client->count++] = copy;
    pthread_cond_signal(&client->came);
    pthread_mutex_unlock(&client->lock);
}

static int begin(void **state)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client || pthread_mutex_init(&client->lock, NULL) || cond_init(&client->came))
        return -1;
    client->service = fake_service_create(30000);
    client->channel.request_id = "r-test";
    *state = client;
    return mcp_peer_create(client->service, &PRINCIPAL_LOCAL, keep, client, &client->peer);
}

static int finish(void **state)
{
    struct client *client = *state;
    if (client->peer)
        mcp_peer_destroy(client->peer, 10000);
    fake_service_destroy(client->service);
    for (size_t i = 0; i < client->count; i++)
        free(client->messages[i]);
    pthread_cond_destroy(&client->came);
    pthread_mutex_destroy(&client->lock);
    free(client);
    return 0;
}

static void tell(struct client *client, const char *message)
{
    client->told++;
    mcp_receive(client->peer, &client->channel, message, strlen(message));
}

/* The next message, waited for; the test hangs rather than pass when none comes. */
static const char *next(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    while (client->next == client->count)
        pthread_cond_wait(&client->came, &client->lock);
    const char *message = client->messages[client->next++];
    pthread_mutex_unlock(&client->lock);
    return message;
}

static void expect(struct client *client, const char *part)
{
    const char *message = next(client);
    if (!strstr(message, part))
        fail_msg("no %s in %.400s", part, message);
}

static void expect_no_more(struct client *client)
{
    assert_true(mcp_peer_wait_idle(client->peer, 10000));
    pthread_mutex_lock(&client->lock);
    size_t left = client->count - client->next;
    size_t ended = client->ended;
    pthread_mutex_unlock(&client->lock);
    assert_int_equal(left, 0);
    /* Each message ended its channel, once. */
    assert_int_equal(ended, client->told);
}

#define CALL(id, query)                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                             \
    ",\"method\":\"tools/call\",\"params\":{\"name\":\"query_metrics\",\"arguments\":{\"query\":" \
    "\"" query "\"}}}"
#define CANCEL(id) \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":" id "}}"
#define INITIALIZE(version)                                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":" \
    "\"" version "\"}}"

static void calls(void **state)
{
    struct client *client = *state;
    tell(client, CALL("1", "up"));
    const char *message = next(client);
    assert_string_equal(message, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":"
                                 "\"text\",\"text\":\"up\"}],"
                                 "\"structuredContent\":{\"query\":\"up\"}}}");
    tell(client, CALL("2", "fail"));
    expect(client, "\"structuredContent\":{\"error\":\"the backend refused: parse error at 3\"},"
                   "\"isError\":true}}");
    tell(client, CALL("3", "memory"));
    expect(client, "\"text\":\"no memory for the call\"}],\"isError\":true}}");
    tell(client, "{\"jsonrpc\":\"2.0\",\"id\":\"m\",\"method\":\"tools/call\",\"params\":{" MODERN
                 ",\"name\":\"list_connections\"}}");
    expect(client,
           "\"resultType\":\"complete\",\"_meta\":{\"" META_SERVER_INFO "\":{\"name\":\"sonde\"");
    expect_no_more(client);
}

static void busy(void **state)
{
    struct client *client = *state;
    fake_service_refuse(client->service, true);
    tell(client, CALL("1", "up"));
    expect(client, "all 0 call threads are busy, try again in 1 s\"}],\"isError\":true}}");
    fake_service_refuse(client->service, false);
    tell(client, CALL("1", "up"));
    expect(client, "\"query\":\"up\"");
    expect_no_more(client);
}

static void cancels(void **state)
{
    struct client *client = *state;
    tell(client, CALL("1", "sleep"));
    tell(client, CALL("\"1\"", "sleep"));
    tell(client, CALL("1", "up"));
    expect(client, "id 1 is in flight already");
    tell(client, CANCEL("1"));
    tell(client, CANCEL("77"));
    tell(client, CANCEL("null"));
    tell(client, CANCEL("{}"));
    tell(client, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}");
    /* The id is free again at once; its string twin still runs. */
    tell(client, CALL("1", "again"));
    expect(client, "\"query\":\"again\"");
    tell(client, CALL("\"1\"", "up"));
    expect(client, "id \\\"1\\\" is in flight already");
    tell(client, CANCEL("\"1\""));
    expect_no_more(client);
}

static void bounded(void **state)
{
    struct client *client = *state;
    char message[512];
    for (int i = 0; i < MCP_MAX_CALLS; i++) {
        snprintf(message, sizeof message, CALL("%d", "sleep"), i);
        tell(client, message);
    }
    tell(client, CALL("1000", "up"));
    expect(client, "256 calls of this client are running");
    for (int i = 0; i < MCP_MAX_CALLS; i++) {
        snprintf(message, sizeof message, CANCEL("%d"), i);
        tell(client, message);
    }
    expect_no_more(client);
    tell(client, CALL("1000", "up"));
    expect(client, "\"query\":\"up\"");
}

static void destroyed_while_running(void **state)
{
    struct client *client = *state;
    for (int i = 0; i < 20; i++) {
        char message[512];
        snprintf(message, sizeof message, CALL("%d", "sleep"), i);
        tell(client, message);
    }
    /* No grace at all: the calls outlive the peer's transport and must not touch it. */
    mcp_peer_destroy(client->peer, 0);
    client->peer = NULL;
    pthread_mutex_lock(&client->lock);
    assert_int_equal(client->count, 0);
    pthread_mutex_unlock(&client->lock);
}

static void batches(void **state)
{
    struct client *client = *state;
#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
    tell(client, "[" PING("1") "]");
    expect(client, "\"id\":null,\"error\":{\"code\":-32600");
    tell(client, INITIALIZE("2025-03-26"));
    expect(client, "\"protocolVersion\":\"2025-03-26\"");
    tell(client, "[" PING("1") "," CALL("2", "up") ",7," CALL("3", "sleep") "," PING("4") "]");
    tell(client, CANCEL("3"));
    const char *message = next(client);
    assert_int_equal(message[0], '[');
    assert_non_null(strstr(message, "\"id\":1,\"result\":{}"));
    assert_non_null(strstr(message, "\"query\":\"up\""));
    assert_non_null(strstr(message, "\"id\":null,\"error\""));
    assert_null(strstr(message, "\"id\":3"));
    assert_non_null(strstr(message, "\"id\":4,\"result\":{}"));
    assert_int_equal(message[strlen(message) - 1], ']');
    /* Nothing but notifications: nothing is sent. */
    tell(client, "[" CANCEL("9") "]");
    tell(client, "[]");
    expect(client, "a batch holds 1 to 100 messages");
    tell(client, "[" INITIALIZE("2025-03-26") "]");
    expect(client, "initialize must not be part of a batch");
    tell(client,
         "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" MODERN "}}]");
    expect(client, "cannot be sent as a batch");
    struct buf many = BUF(1 << 20);
    buf_add_char(&many, '[');
    for (int i = 0; i <= MCP_MAX_BATCH; i++)
        buf_printf(&many, "%s" PING("%d"), i ? "," : "", i);
    buf_add_char(&many, ']');
    tell(client, buf_text(&many));
    buf_finish(&many);
    expect(client, "not 101");
    tell(client, INITIALIZE("2025-06-18"));
    expect(client, "2025-06-18");
    tell(client, "[" PING("1") "]");
    expect(client, "batches exist only where 2025-03-26");
    expect_no_more(client);
}

/* Makes every running call look older. */
static void age(struct client *client, int64_t seconds)
{
    pthread_mutex_lock(&client->peer->send_lock);
    pthread_mutex_lock(&client->peer->lock);
    for (struct mcp_call *call = client->peer->calls; call; call = call->next) {
        call->started_ns -= seconds * NS_PER_S;
        call->next_progress_ns -= seconds * NS_PER_S;
    }
    pthread_mutex_unlock(&client->peer->lock);
    pthread_mutex_unlock(&client->peer->send_lock);
}

static void progress(void **state)
{
    struct client *client = *state;
    assert_true(mcp_peer_tick(client->peer) == INT64_MAX);
    tell(client, CALL("1", "sleep"));
    tell(client, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"_meta\":{"
                 "\"progressToken\":\"t/7\"},\"name\":\"query_metrics\",\"arguments\":{\"query\":"
                 "\"sleep\"}}}");
    int64_t due = mcp_peer_tick(client->peer);
    assert_true(due > clock_mono_ns() && due <= clock_mono_ns() + MCP_PROGRESS_NS);
    age(client, 6);
    mcp_peer_tick(client->peer);
    expect(client, "\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"t/7\","
                   "\"progress\":");
    age(client, 5);
    mcp_peer_tick(client->peer);
    mcp_peer_tick(client->peer);
    const char *second = next(client);
    const char *first = client->messages[client->next - 2];
    int64_t values[2];
    for (int i = 0; i < 2; i++) {
        const char *digits = strstr(i ? second : first, "\"progress\":");
        assert_non_null(digits);
        values[i] = strtoll(digits + 11, NULL, 10);
    }
    assert_true(values[1] > values[0] && values[0] >= 6);
    tell(client, CANCEL("2"));
    age(client, 10);
    assert_true(mcp_peer_tick(client->peer) == INT64_MAX);
    tell(client, CANCEL("1"));
    expect_no_more(client);
    tell(client, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"_meta\":{"
                 "\"progressToken\":{}},\"name\":\"list_metrics\"}}");
    expect(client, "progressToken must be");
}

/* What a call says by itself: rising values alone; its last words before the answer. */
static void own_progress(void **state)
{
    struct client *client = *state;
    tell(client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"_meta\":{"
                 "\"progressToken\":7},\"name\":\"query_metrics\",\"arguments\":{\"query\":"
                 "\"steps\"}}}");
    expect(client, "\"progressToken\":7,\"progress\":0,\"total\":3,\"message\":\"a step\"}}");
    expect(client, "\"progress\":1,");
    expect(client, "\"progress\":2,");
    expect(client, "\"progress\":3,");
    expect(client, "\"id\":1,\"result\"");
    tell(client, CALL("2", "steps"));
    expect(client, "\"id\":2,\"result\"");
    expect_no_more(client);
}

static void blocks(void **state)
{
    struct client *client = *state;
    tell(client, CALL("1", "blocks"));
    expect(client,
           "\"content\":[{\"type\":\"text\",\"text\":\"blocks\"},{\"type\":\"text\",\"text\":"
           "\"one\"},{\"type\":\"text\",\"text\":\"two\"}],");
    expect_no_more(client);
}

/* A transport that wants to know hears once that a call takes long. */
static void waiting(void **state)
{
    struct client *client = *state;
    client->channel.tell_waiting = true;
    tell(client, CALL("1", "sleep"));
    assert_true(mcp_peer_tick(client->peer) != INT64_MAX);
    age(client, 6);
    assert_true(mcp_peer_tick(client->peer) == INT64_MAX);
    age(client, 6);
    mcp_peer_tick(client->peer);
    tell(client, CANCEL("1"));
    expect_no_more(client);
    assert_int_equal(client->waiting, 1);
}

static void cancels_all(void **state)
{
    struct client *client = *state;
    tell(client, CALL("1", "sleep"));
    tell(client, CALL("2", "sleep"));
    mcp_peer_cancel_all(client->peer);
    tell(client, CALL("1", "up"));
    expect(client, "\"id\":1,\"result\"");
    expect_no_more(client);
}

#define LISTEN(id)                                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"subscriptions/listen\",\"params\":{" \
    "\"notifications\":{\"toolsListChanged\":true}," MODERN "}}"

static void listens(void **state)
{
    struct client *client = *state;
    tell(client, LISTEN("\"s\""));
    expect(client, "\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{\"_meta\":{"
                   "\"" META_SUBSCRIPTION "\":\"s\"},\"notifications\":{}}}");
    tell(client, LISTEN("\"s\""));
    expect(client, "in flight already");
    /* It is no call: nobody waits for it, and calls can be cancelled without it. */
    assert_true(mcp_peer_wait_idle(client->peer, 0));
    mcp_peer_cancel_all(client->peer);
    tell(client, LISTEN("1"));
    expect(client, "acknowledged");
    tell(client, CANCEL("1"));
    tell(client, LISTEN("1"));
    expect(client, "acknowledged");
    for (int i = 2; i < MCP_MAX_LISTENS; i++) {
        char message[512];
        snprintf(message, sizeof message, LISTEN("%d"), i);
        tell(client, message);
        expect(client, "acknowledged");
    }
    tell(client, LISTEN("99"));
    expect(client, "16 subscriptions are open already");
    mcp_peer_end_listens(client->peer);
    for (int i = 0; i < MCP_MAX_LISTENS; i++)
        expect(client, "\"" META_SUBSCRIPTION "\":");
    expect_no_more(client);
    tell(client, LISTEN("1"));
    expect(client, "acknowledged");
    /* Left open: the end of the peer frees it. */
}

/* What a message that was refused means over HTTP. */
static void statuses(void **state)
{
    struct client *client = *state;
    static const struct {
        const char *message;
        int status;
    } cases[] = {
        {"{", 400},
        {"[]", 400},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", 400},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no\"}", 200},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no\",\"params\":{" MODERN "}}", 404},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" MODERN "}}", 404},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", 200},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", 200},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
         "\"" META_VERSION "\":\"2099-01-01\"}}}",
         400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tell(client, cases[i].message);
        next(client);
        if (client->status != cases[i].status)
            fail_msg("%s: %d", cases[i].message, client->status);
    }
}

static void many_threads(void **state)
{
    struct client *client = *state;
    char message[512];
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 32; i++) {
            snprintf(message, sizeof message, i % 2 ? CALL("%d", "up") : CALL("%d", "sleep 5ms"),
                     i);
            tell(client, message);
            if (i % 3 == 0) {
                snprintf(message, sizeof message, CANCEL("%d"), i);
                tell(client, message);
            }
            mcp_peer_tick(client->peer);
        }
        assert_true(mcp_peer_wait_idle(client->peer, 10000));
    }
    pthread_mutex_lock(&client->lock);
    assert_true(client->count >= 8 * 21 && client->count <= 8 * 32);
    pthread_mutex_unlock(&client->lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls, begin, finish),
        cmocka_unit_test_setup_teardown(busy, begin, finish),
        cmocka_unit_test_setup_teardown(cancels, begin, finish),
        cmocka_unit_test_setup_teardown(bounded, begin, finish),
        cmocka_unit_test_setup_teardown(destroyed_while_running, begin, finish),
        cmocka_unit_test_setup_teardown(batches, begin, finish),
        cmocka_unit_test_setup_teardown(progress, begin, finish),
        cmocka_unit_test_setup_teardown(own_progress, begin, finish),
        cmocka_unit_test_setup_teardown(blocks, begin, finish),
        cmocka_unit_test_setup_teardown(waiting, begin, finish),
        cmocka_unit_test_setup_teardown(cancels_all, begin, finish),
        cmocka_unit_test_setup_teardown(listens, begin, finish),
        cmocka_unit_test_setup_teardown(statuses, begin, finish),
        cmocka_unit_test_setup_teardown(many_threads, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
