/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define METRICS SONDE_KIND_METRICS
#define LONG (10 * NS_PER_S)

static void rule(const char *path, uint32_t status, const char *body)
{
    fake_io_add(&(struct fake_rule){.path = path, .status = status, .body = body});
}

static void test_rows(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    toy_request("/api/b", 0);
    fake_io_add(&(struct fake_rule){
        .path = "/api/a", .status = 200, .body = "s 1\np 1 5 50\n", .chunk = 1});
    rule("/api/b", 200, "p 1 6 60\n");
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->series[0].sample_count, 2);
    assert_true(item.result->series[0].values[1] == 60);
    assert_int_equal(atomic_load(&plan.last_reason), SONDE_DONE);
    assert_true(item.result->wire_bytes > 0 && item.result->fetched_at_ns > 0);
    struct backend_health health;
    backend_health(f.backend, &health);
    assert_int_equal(health.state, 1);
    assert_int_equal(health.requests, 2);
    assert_int_equal(health.failures, 0);
    result_unref(item.result);
}

static void test_side_by_side(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        toy_request("/api/page", i < 3 ? SONDE_REQUEST_MORE : 0);
    rule("/api/page", 200, "n x\n");
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->name_count, 4);
    result_unref(item.result);
}

static void test_throttled_then_well(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/a", .status = 429, .times = 2});
    rule("/api/a", 200, "n x\n");
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->name_count, 1);
    assert_int_equal(fake_io_count(), 3);
    assert_int_equal(atomic_load(&plan.last_attempt), 3);
    assert_int_equal(atomic_load(&plan.response_ends), 3);
    assert_true(fake_io_sent(1).at_ns - fake_io_sent(0).at_ns >= 150 * NS_PER_MS);
    assert_true(fake_io_sent(2).at_ns - fake_io_sent(1).at_ns >= 600 * NS_PER_MS);
    result_unref(item.result);
}

static int32_t wait_two_minutes(struct toy_op *op, uint32_t tag,
                                const struct sonde_outcome *outcome)
{
    (void)tag;
    (void)outcome;
    return toy_host->fail_after(op->ctx, SONDE_E_THROTTLED, 120000, "quota used up");
}

static void test_no_time_to_wait(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    rule("/api/a", 429, "");
    plan.end = wait_two_minutes;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, SONDE_E_THROTTLED);
    assert_string_equal(item.err.text, "quota used up");
    assert_int_equal(item.err.wait_ms, 120000);
    assert_int_equal(fake_io_count(), 1);
}

static void test_busy_needs_idempotent(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    rule("/api/a", 503, "");
    fixture_expect(METRICS, SONDE_E_BUSY, "the toy backend said no");
    assert_int_equal(fake_io_count(), 1);
    assert_int_equal(atomic_load(&plan.last_can_retry), 0);
    plan.requests[0].flags = SONDE_REQUEST_IDEMPOTENT;
    fixture_expect(METRICS, SONDE_E_BUSY, "the toy backend said no");
    assert_int_equal(fake_io_count(), 4);
    struct backend_health health;
    backend_health(f.backend, &health);
    assert_int_equal(health.state, 2);
    assert_string_equal(health.reason, "the toy backend said no");
}

static void test_timeout_not_retried(void **state)
{
    (void)state;
    toy_request("/api/a", SONDE_REQUEST_IDEMPOTENT);
    rule("/api/a", 504, "");
    fixture_expect(METRICS, SONDE_E_TIMEOUT, "said no");
    assert_int_equal(fake_io_count(), 1);
}

static int32_t throttled_after_rows(struct toy_op *op, uint32_t tag,
                                    const struct sonde_outcome *outcome)
{
    (void)tag;
    (void)outcome;
    return toy_host->fail(op->ctx, SONDE_E_THROTTLED, -1, "enough");
}

static void test_no_retry_after_rows(void **state)
{
    (void)state;
    toy_request("/api/a", SONDE_REQUEST_IDEMPOTENT);
    rule("/api/a", 200, "n x\n");
    plan.end = throttled_after_rows;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, SONDE_E_THROTTLED);
    assert_int_equal(fake_io_count(), 1);
    /* What came is kept, and says that it is not all. */
    assert_int_equal(item.result->name_count, 1);
    assert_int_equal(item.result->partial_reason, SONDE_PARTIAL_BACKEND);
    result_unref(item.result);
}

static int32_t fail_in_head(struct toy_op *op, uint32_t tag, const struct sonde_response_head *head)
{
    toy_head(op, tag, head);
    return head->status == 429 ? toy_host->fail_after(op->ctx, SONDE_E_THROTTLED, 1, "slow down")
                               : SONDE_OK;
}

static void test_error_in_head(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/a", .status = 429, .body = "abc", .times = 1});
    rule("/api/a", 200, "n x\n");
    plan.head = fail_in_head;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->name_count, 1);
    assert_int_equal(atomic_load(&plan.response_ends), 2);
    result_unref(item.result);
}

static void test_lost_before_first_byte(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){
        .path = "/api/a", .outcome = SONDE_OUTCOME_LOST, .text = "reset", .times = 1});
    rule("/api/a", 200, "n x\n");
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    /* Sent again without asking. */
    assert_int_equal(fake_io_count(), 2);
    assert_int_equal(atomic_load(&plan.response_ends), 1);
    result_unref(item.result);
}

static void test_lost_creates_not_repeated(void **state)
{
    (void)state;
    toy_request("/api/a", SONDE_REQUEST_CREATES | SONDE_REQUEST_IDEMPOTENT);
    fixture_expect(METRICS, SONDE_E_UNREACHABLE, "nothing listens there");
    assert_int_equal(fake_io_count(), 1);
    struct backend_health health;
    backend_health(f.backend, &health);
    assert_int_equal(health.state, 3);
    assert_int_equal(health.failures, 1);
}

static void test_cut_short(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/a",
                                    .status = 200,
                                    .body = "n x\n",
                                    .outcome = SONDE_OUTCOME_LOST,
                                    .text = "closed after 4 bytes"});
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, SONDE_E_BAD_ANSWER);
    assert_string_equal(item.err.text, "closed after 4 bytes");
    assert_int_equal(item.result->name_count, 1);
    assert_int_equal(fake_io_count(), 1);
    result_unref(item.result);
}

static int32_t shrug(struct toy_op *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    (void)tag;
    (void)outcome;
    op->answered++;
    return SONDE_OK;
}

static void test_cut_short_and_ignored(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/a",
                                    .status = 200,
                                    .body = "n x\n",
                                    .outcome = SONDE_OUTCOME_LOST,
                                    .text = "closed after 4 bytes"});
    plan.end = shrug;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->partial_reason, SONDE_PARTIAL_LOST);
    assert_string_equal(item.result->partial_text, "closed after 4 bytes");
    result_unref(item.result);
}

static void test_too_large(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/a",
                                    .status = 200,
                                    .outcome = SONDE_OUTCOME_TOO_LARGE,
                                    .text = "more than 64 MiB"});
    fixture_expect(METRICS, SONDE_E_TOO_MUCH, "more than 64 MiB");
}

static int32_t wait_for_ever(struct toy_op *op, struct sonde_request *request)
{
    (void)op;
    (void)request;
    return SONDE_WAIT;
}

static void test_waits_for_nothing(void **state)
{
    (void)state;
    plan.next = wait_for_ever;
    fixture_expect(METRICS, SONDE_E_INTERNAL, "plugin toy waits for nothing");
}

static int32_t endless(struct toy_op *op, struct sonde_request *request)
{
    *request = plan.requests[0];
    request->tag = op->steps;
    return SONDE_REQUEST;
}

static void test_endless_requests(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    rule("/api/a", 200, "n x\n");
    plan.next = endless;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(fake_io_count(), 200);
    assert_int_equal(item.result->name_count, 200);
    assert_int_equal(item.result->partial_reason, SONDE_PARTIAL_LIMIT);
    assert_non_null(strstr(item.result->partial_text, "stopped after 200 requests"));
    result_unref(item.result);
}

static void test_endless_refused_requests(void **state)
{
    (void)state;
    toy_request("/admin/a", 0);
    plan.next = endless;
    plan.end = shrug;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(fake_io_count(), 0);
    assert_int_equal(item.result->partial_reason, SONDE_PARTIAL_LIMIT);
    result_unref(item.result);
}

static void test_endless_bytes(void **state)
{
    (void)state;
    fixture_down();
    f.settings.max_operation_bytes = 4096;
    fixture_up();
    toy_request("/api/a", 0);
    fake_io_add(
        &(struct fake_rule){.path = "/api/a", .status = 200, .body = "n x\n", .repeat = 10000});
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->partial_reason, SONDE_PARTIAL_LIMIT);
    assert_int_equal(item.result->name_count, 1024);
    assert_true(fake_io_sent(0).cancelled);
    result_unref(item.result);
}

static void test_full_stops(void **state)
{
    (void)state;
    fixture_down();
    f.settings.max_series = 2;
    fixture_up();
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){
        .path = "/api/a", .status = 200, .body = "s 1\ns 2\ns 3\ns 4\n", .chunk = 4});
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->series_count, 2);
    assert_int_equal(item.result->partial_reason, SONDE_PARTIAL_LIMIT);
    assert_int_equal(atomic_load(&plan.last_reason), SONDE_DONE);
    assert_true(fake_io_sent(0).cancelled);
    assert_int_equal(atomic_load(&plan.response_ends), 1);
    result_unref(item.result);
}

static int32_t done_after_first(struct toy_op *op, uint32_t tag, const void *data, size_t size)
{
    toy_data(op, tag, data, size);
    return SONDE_DONE;
}

static void test_data_done_cancels_rest(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(
        &(struct fake_rule){.path = "/api/a", .status = 200, .body = "n x\nn y\n", .chunk = 4});
    plan.data = done_after_first;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->name_count, 1);
    assert_int_equal(item.result->partial_reason, 0);
    assert_true(fake_io_sent(0).cancelled);
    assert_int_equal(atomic_load(&plan.last_outcome), SONDE_OUTCOME_OK);
    result_unref(item.result);
}

static void refused(const char *method, const char *path, const char *endpoint, const char *header,
                    const char *text)
{
    struct sonde_pair pair = {header ? header : "X", "v"};
    plan.count = 0;
    struct sonde_request *request = toy_request(path, 0);
    request->method = method;
    request->endpoint = endpoint;
    request->headers = &pair;
    request->header_count = 1;
    fixture_expect(METRICS, SONDE_E_REFUSED, text);
    assert_int_equal(fake_io_count(), 0);
    assert_int_equal(atomic_load(&plan.last_outcome), SONDE_OUTCOME_REFUSED);
}

static void test_refused(void **state)
{
    (void)state;
    refused("GET", "/other", NULL, NULL, "did not declare it");
    refused("DELETE", "/api/x", NULL, NULL, "did not declare it");
    refused("GET", "//api/x", NULL, NULL, "exactly one '/'");
    refused("GET", "api/x", NULL, NULL, "exactly one '/'");
    refused("GET", NULL, NULL, NULL, "exactly one '/'");
    refused(NULL, "/api/x", NULL, NULL, "method");
    refused("GET", "/api/../admin", NULL, NULL, "segment");
    refused("GET", "/api/%2e%2E/admin", NULL, NULL, "segment");
    refused("GET", "/api/a b", NULL, NULL, "0x20");
    refused("GET", "/api/a\r\nX: y", NULL, NULL, "0x0d");
    refused("GET", "/api/a", "elsewhere", NULL, "endpoint \"elsewhere\" was not declared");
    static const char *const owned[] = {
        "Host",       "authorization",       "Cookie",           "Content-Length",
        "Connection", "Proxy-Authorization", "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        refused("GET", "/api/a", NULL, owned[i], "not sent");
}

static int32_t odd_code(struct toy_op *op, struct sonde_request *request)
{
    (void)op;
    (void)request;
    return -77;
}

static int32_t bad_query(struct toy_op *op)
{
    return toy_host->fail(op->ctx, SONDE_E_BAD_QUERY, 4, "unexpected )");
}

static int32_t silent(struct toy_op *op)
{
    (void)op;
    return SONDE_E_UNSUPPORTED;
}

static void test_errors_of_plugins(void **state)
{
    (void)state;
    plan.next = odd_code;
    fixture_expect(METRICS, SONDE_E_INTERNAL, "plugin toy returned -77 from op_next");
    plan.begin = bad_query;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, SONDE_E_BAD_QUERY);
    assert_int_equal(item.err.position, 4);
    assert_string_equal(item.err.text, "unexpected )");
    plan.begin = silent;
    fixture_expect(METRICS, SONDE_E_UNSUPPORTED, "gave no reason");
    atomic_store(&plan.ends, atomic_load(&plan.begins)); /* an op that did not begin has no end */
}

static void test_kind_not_offered(void **state)
{
    (void)state;
    fixture_expect(SONDE_KIND_TRACE, SONDE_E_UNSUPPORTED, "backend toy does not offer traces");
    assert_int_equal(atomic_load(&plan.begins), 0);
    struct sonde_query query = fixture_query(METRICS);
    query.must_understand = SONDE_MUST_ENFORCED_FILTERS;
    struct engine_item item = {.backend = f.backend, .query = &query};
    struct call call = {.deadline_ns = clock_mono_ns() + LONG};
    assert_int_equal(mailbox_create(NULL, &call.mailbox), 0);
    engine_run(f.engine, &call, &item, 1);
    mailbox_destroy(call.mailbox);
    assert_int_equal(item.err.code, SONDE_E_UNSUPPORTED);
    assert_int_equal(atomic_load(&plan.begins), 0);
}

static int32_t log_row(struct toy_op *op, uint32_t tag, const void *data, size_t size)
{
    (void)tag;
    (void)data;
    (void)size;
    struct sonde_log row = {.struct_size = sizeof row};
    op->sink->log(op->ctx, &row);
    return SONDE_OK;
}

static void test_row_not_held(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    rule("/api/a", 200, "n x\n");
    plan.data = log_row;
    fixture_expect(SONDE_KIND_LOGS, SONDE_E_INTERNAL, "row of the kind log");
}

static void test_deadline(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    fake_io_add(&(struct fake_rule){.path = "/api/a", .hang = true});
    struct engine_item item = fixture_run(METRICS, 100 * NS_PER_MS);
    assert_int_equal(item.err.code, SONDE_E_DEADLINE);
    assert_int_equal(atomic_load(&plan.last_outcome), SONDE_OUTCOME_TIMED_OUT);
    result_unref(item.result);
}

static int32_t leave_close(struct toy_op *op, uint32_t tag, const struct sonde_response_head *head)
{
    struct sonde_request request = {
        .struct_size = sizeof request, .method = "POST", .path = "/api/close?id=7"};
    op->sink->at_end(op->ctx, 0, &request);
    request.path = "/api/other";
    op->sink->at_end(op->ctx, 1, &request);
    op->sink->at_end(op->ctx, 1, NULL);
    return toy_head(op, tag, head);
}

static void test_at_end(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    toy_request("/api/b", 0);
    rule("/api/a", 200, "n x\n");
    fake_io_add(&(struct fake_rule){.path = "/api/b", .hang = true});
    plan.head = leave_close;
    /* The op ends by its deadline in the middle of the second page; the close is sent nevertheless, once. */
    struct engine_item item = fixture_run(METRICS, 100 * NS_PER_MS);
    assert_int_equal(item.err.code, SONDE_E_DEADLINE);
    assert_int_equal(fake_io_count(), 3);
    assert_string_equal(fake_io_sent(2).path, "/api/close?id=7");
    assert_string_equal(fake_io_sent(2).method, "POST");
    assert_true(fake_io_sent(2).detached);
    result_unref(item.result);
}

static int32_t leave_forbidden(struct toy_op *op, uint32_t tag,
                               const struct sonde_response_head *head)
{
    struct sonde_request request = {
        .struct_size = sizeof request, .method = "POST", .path = "/admin/close"};
    op->sink->at_end(op->ctx, 0, &request);
    return toy_head(op, tag, head);
}

static void test_at_end_refused(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    rule("/api/a", 200, "n x\n");
    plan.head = leave_forbidden;
    fixture_expect(METRICS, SONDE_E_INTERNAL, "left a request for the end that is not sent");
    assert_int_equal(fake_io_count(), 1);
}

static int32_t stale(struct toy_op *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    (void)tag;
    op->answered++;
    if (outcome->outcome || op->fact_count)
        return SONDE_OK;
    op->sink->fact(op->ctx, "dialect", "new", 0);
    return toy_host->fail(op->ctx, SONDE_E_STALE_FACTS, -1, "another dialect");
}

static int32_t always_stale(struct toy_op *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    (void)tag;
    (void)outcome;
    return toy_host->fail(op->ctx, SONDE_E_STALE_FACTS, -1, "another dialect");
}

static void test_stale_facts(void **state)
{
    (void)state;
    toy_request("/api/a", 0);
    rule("/api/a", 200, "n x\n");
    plan.end = stale;
    struct engine_item item = fixture_run(METRICS, LONG);
    assert_int_equal(item.err.code, 0);
    assert_int_equal(item.result->name_count, 1); /* rows of the first time are gone */
    assert_int_equal(atomic_load(&plan.begins), 2);
    result_unref(item.result);
    plan.end = always_stale;
    fixture_expect(METRICS, SONDE_E_INTERNAL, "stale twice");
    assert_int_equal(atomic_load(&plan.begins), 4);
}

static atomic_uint probes;
static atomic_uint with_fact;

static int32_t probing_begin(struct toy_op *op)
{
    if (op->query->kind == SONDE_KIND_PROBE) {
        atomic_fetch_add(&probes, 1);
        op->sink->fact(op->ctx, "version", "3.1", 0);
        struct sonde_backend row = {.struct_size = sizeof row, .product = "Toy", .version = "3.1"};
        op->sink->backend(op->ctx, &row);
    } else if (op->fact_count == 1 && strcmp(op->facts[0].value, "3.1") == 0) {
        atomic_fetch_add(&with_fact, 1);
    }
    return SONDE_OK;
}

static void test_probe_first(void **state)
{
    (void)state;
    toy.table.caps |= SONDE_CAP(SONDE_KIND_PROBE);
    plan.begin = probing_begin;
    toy_request("/api/a", 0);
    rule("/api/a", 200, "n x\n");
    atomic_store(&probes, 0);
    atomic_store(&with_fact, 0);
    fixture_expect(METRICS, 0, "");
    fixture_expect(METRICS, 0, "");
    assert_int_equal(atomic_load(&probes), 1);
    assert_int_equal(atomic_load(&with_fact), 2);
    char product[16];
    char version[16];
    backend_product(f.backend, product, sizeof product, version, sizeof version);
    assert_string_equal(product, "Toy");
    assert_string_equal(version, "3.1");
}

static void test_probe_fails(void **state)
{
    (void)state;
    toy.table.caps |= SONDE_CAP(SONDE_KIND_PROBE);
    toy_request("/api/a", 0);
    /* Down: the query is not even tried. Tried again the next time. */
    fixture_expect(METRICS, SONDE_E_UNREACHABLE, "nothing listens there");
    assert_int_equal(atomic_load(&plan.begins), 1);
    fixture_expect(METRICS, SONDE_E_UNREACHABLE, "nothing listens there");
    assert_int_equal(atomic_load(&plan.begins), 2);
    /* Refused for itself only: the query goes on without facts, and the next one does not ask again. */
    fake_io_add(&(struct fake_rule){.path = "/api/a", .status = 403, .times = 1});
    rule("/api/a", 200, "n x\n");
    fixture_expect(METRICS, 0, "");
    assert_int_equal(atomic_load(&plan.begins), 4);
    fixture_expect(METRICS, 0, "");
    assert_int_equal(atomic_load(&plan.begins), 5);
}

static void run_two(struct call *call, void *argument)
{
    struct engine_item *items = argument;
    assert_int_equal(engine_run(f.engine, call, items, 3), 0);
}

static void test_many_side_by_side(void **state)
{
    (void)state;
    toy.table.caps |= SONDE_CAP(SONDE_KIND_PROBE);
    toy_request("/api/a", 0);
    rule("/api/a", 200, "n x\n");
    struct connection *down = connection_new();
    down->name = "down";
    down->backend = "toy";
    down->url = "http://down";
    struct backend *other = NULL;
    assert_int_equal(backend_open(f.engine, down, &other, NULL), 0);
    fake_io_reset();
    fake_io_add(&(struct fake_rule){.path = "http://toys/api/a", .status = 200, .body = "n x\n"});
    struct sonde_query query = fixture_query(METRICS);
    struct engine_item items[] = {{.backend = f.backend, .query = &query},
                                  {.backend = other, .query = &query},
                                  {.backend = f.backend, .query = &query}};
    assert_int_equal(
        call_run(NULL, &f.budget, &PRINCIPAL_LOCAL, clock_mono_ns() + LONG, run_two, items, NULL),
        0);
    assert_int_equal(items[0].err.code, 0);
    assert_int_equal(items[2].err.code, 0);
    assert_int_equal(items[1].err.code, SONDE_E_UNREACHABLE);
    assert_int_equal(items[0].result->name_count, 1);
    assert_null(items[1].result);
    assert_int_equal(atomic_load(&plan.begins), 4); /* two probes, two queries */
    result_unref(items[0].result);
    result_unref(items[2].result);
    backend_unref(other);
    connection_unref(down);
}

static void test_gate(void **state)
{
    (void)state;
    fixture_down();
    f.settings.per_connection = 2;
    fixture_up();
    for (int i = 0; i < 12; i++)
        toy_request("/api/page", SONDE_REQUEST_MORE);
    rule("/api/page", 200, "n x\n");
    struct sonde_query query = fixture_query(METRICS);
    struct engine_item items[] = {{.backend = f.backend, .query = &query},
                                  {.backend = f.backend, .query = &query},
                                  {.backend = f.backend, .query = &query}};
    assert_int_equal(
        call_run(NULL, &f.budget, &PRINCIPAL_LOCAL, clock_mono_ns() + LONG, run_two, items, NULL),
        0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(items[i].err.code, 0);
        assert_int_equal(items[i].result->name_count, 12);
        result_unref(items[i].result);
    }
    assert_int_equal(fake_io_count(), 36);
    assert_true(fake_io_peak() <= 2);
}

static void test_delay(void **state)
{
    (void)state;
    toy_request("/api/a", 0)->delay_ms = 120;
    rule("/api/a", 200, "n x\n");
    int64_t before = clock_mono_ns();
    fixture_expect(METRICS, 0, "");
    assert_true(fake_io_sent(0).at_ns - before >= 120 * NS_PER_MS);
}

static int32_t rate_end(struct toy_op *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    op->sink->rate(op->ctx, "spans", 0, 3600000);
    return toy_end(op, tag, outcome);
}

static void test_rate(void **state)
{
    (void)state;
    toy_request("/api/a", 0)->rate_key = "spans";
    rule("/api/a", 200, "n x\n");
    plan.end = rate_end;
    fixture_expect(METRICS, 0, "");
    fixture_expect(METRICS, SONDE_E_THROTTLED, "rate limit \"spans\" is used up");
    assert_int_equal(fake_io_count(), 1);
}

static int32_t same_tag(struct toy_op *op, struct sonde_request *request)
{
    (void)op;
    *request = plan.requests[0];
    return SONDE_REQUEST;
}

static void test_same_tag(void **state)
{
    (void)state;
    toy_request("/api/a", SONDE_REQUEST_MORE);
    fake_io_add(&(struct fake_rule){.path = "/api/a", .hang = true});
    plan.next = same_tag;
    fixture_expect(METRICS, SONDE_E_INTERNAL, "two requests in flight with the tag 0");
}

#define T(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_rows),
                                       T(test_side_by_side),
                                       T(test_throttled_then_well),
                                       T(test_no_time_to_wait),
                                       T(test_busy_needs_idempotent),
                                       T(test_timeout_not_retried),
                                       T(test_no_retry_after_rows),
                                       T(test_error_in_head),
                                       T(test_lost_before_first_byte),
                                       T(test_lost_creates_not_repeated),
                                       T(test_cut_short),
                                       T(test_cut_short_and_ignored),
                                       T(test_too_large),
                                       T(test_waits_for_nothing),
                                       T(test_endless_requests),
                                       T(test_endless_refused_requests),
                                       T(test_endless_bytes),
                                       T(test_full_stops),
                                       T(test_data_done_cancels_rest),
                                       T(test_refused),
                                       T(test_errors_of_plugins),
                                       T(test_kind_not_offered),
                                       T(test_row_not_held),
                                       T(test_deadline),
                                       T(test_at_end),
                                       T(test_at_end_refused),
                                       T(test_stale_facts),
                                       T(test_probe_first),
                                       T(test_probe_fails),
                                       T(test_many_side_by_side),
                                       T(test_gate),
                                       T(test_delay),
                                       T(test_rate),
                                       T(test_same_tag)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
