/* SPDX-License-Identifier: Apache-2.0 */
#include "service/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* Of the network, in the order of struct io_probe's stage. */
static const char *const stage_names[] = {"name", "address policy", "proxy", "TCP", "TLS", "HTTP"};
enum { AT_NAME, AT_POLICY, AT_PROXY, AT_TCP, AT_TLS, AT_HTTP, AT_DONE };

/* One test: with a backend of its own, so that nothing known from before stands in for what is asked now. */
struct test {
    struct service *service;
    struct call *call;
    struct backend *backend;
    const struct connection *connection;
    service_stage_fn say;
    void *user;
    struct catalogue_snapshot
        *held; /* of a connection with enforce: what its filters are resolved with; else NULL */
    struct io_probe probe;
};

static struct slot *find_slot(const struct connection_set *set, const char *name, struct err *err)
{
    struct slot *slot = set_find_id(set, name);
    if (slot)
        return slot;
    const char *names[256] = {0};
    size_t n = 0;
    for (size_t i = 0; i < set->slot_count && n < ARRAY_SIZE(names); i++)
        names[n++] = set->slots[i].connection->name;
    const char *near = str_nearest(name, names, n);
    err_set(err, ERR_NOT_FOUND, "no connection \"%.64s\"%s%s%s%s%s", name,
            near ? "; did you mean " : "", near ? near : "",
            near ? "?"
            : n  ? "; list_connections names them"
                 : ": none is configured",
            set->missing[0] ? "; " : "", set->missing);
    return NULL;
}

static void say(const struct test *test, const char *name, int ok, const char *detail,
                const char *setting)
{
    const struct service_stage stage = {
        .name = name, .ok = ok, .detail = detail ? detail : "", .setting = setting ? setting : ""};
    test->say(test->user, &stage);
}

static int run(const struct test *test, const struct sonde_query *queries, size_t n,
               struct engine_item *items, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        items[i] = (struct engine_item){.backend = test->backend, .query = &queries[i]};
    int r = engine_run(test->service->engine, test->call, items, n);
    return r ? err_set(err, r, "no memory for the test") : 0;
}

static struct sonde_query query_of(uint32_t kind, int64_t start_ns, int64_t end_ns)
{
    return (struct sonde_query){.struct_size = sizeof(struct sonde_query),
                                .kind = kind,
                                .start_ns = start_ns,
                                .end_ns = end_ns,
                                .scope = "",
                                .name = "",
                                .native = ""};
}

static int run_one(const struct test *test, const struct sonde_query *query, struct result **ret,
                   struct err *err)
{
    struct engine_item item;
    int r = run(test, query, 1, &item, err);
    if (r)
        return r;
    if (item.err.code) {
        *err = item.err;
        result_unref(item.result);
        return item.err.code;
    }
    *ret = item.result;
    return 0;
}

/* ---- The network ---- */

static void add_proxy(const struct test *test, char *detail, size_t size)
{
    const char *environment = io_environment_proxy();
    snprintf(detail, size, "%s%s%s%s", *test->probe.proxy ? test->probe.proxy : "none",
             environment ? "; " : "", environment ? environment : "",
             environment
                 ? " is set in the environment but not used: set proxy or network.proxy instead"
                 : "");
}

/* What is known of a stage that passed. */
static void detail_of(const struct test *test, int stage, char *detail, size_t size)
{
    const struct io_probe *probe = &test->probe;
    detail[0] = '\0';
    if (stage == AT_PROXY)
        add_proxy(test, detail, size);
    else if (stage == AT_TCP && probe->address[0])
        snprintf(detail, size, "%s in %.1f ms", probe->address, (double)probe->connect_ns / 1e6);
    else if (stage == AT_TLS)
        snprintf(detail, size, "%s; checked against %s", *probe->tls ? probe->tls : "done",
                 probe->ca);
    else if (stage == AT_HTTP && probe->first_byte_ns)
        snprintf(detail, size, "first byte after %.1f ms", (double)probe->first_byte_ns / 1e6);
}

static bool has_stage(const struct test *test, int stage)
{
    if (str_starts(test->connection->url, "file:"))
        return false;
    if (stage == AT_PROXY)
        return *test->probe.proxy || io_environment_proxy();
    return stage != AT_TLS || str_starts(test->connection->url, "https:");
}

/* All stages before `until` passed, that one failed (AT_DONE: none did). */
static void say_network(const struct test *test, int until, const char *why, const char *setting)
{
    for (int stage = 0; stage < AT_DONE; stage++) {
        char detail[1024];
        if (!has_stage(test, stage) && stage != until)
            continue;
        detail_of(test, stage, detail, sizeof detail);
        if (stage < until)
            say(test, stage_names[stage], 1, detail, NULL);
        else if (stage == until)
            say(test, stage_names[stage], 0, why, setting);
        else
            say(test, stage_names[stage], -1, NULL, NULL);
    }
}

/* ---- The login ---- */

static const char *login_setting(const struct connection *connection)
{
    switch (connection->auth.type) {
    case AUTH_BASIC:
        return "auth.password";
    case AUTH_BEARER:
        return "auth.token";
    case AUTH_HEADER:
        return "auth.value";
    case AUTH_OAUTH2:
        return "auth.client_secret";
    default:
        return "auth";
    }
}

/* Every credential that was sent along, by the key it is under. */
static void add_credentials(const struct connection *connection, struct buf *text)
{
    if (connection->auth.type != AUTH_NONE)
        buf_printf(text, ", %s", login_setting(connection));
    for (size_t i = 0; i < connection->param_count; i++)
        if (!connection->params[i].value)
            buf_printf(text, ", %s", connection->params[i].key);
    for (size_t i = 0; i < connection->header_count; i++)
        buf_printf(text, ", headers.%s", connection->headers[i].name);
    if (connection->tls.cert)
        buf_add(text, ", tls.cert");
    if (connection->tenant && *connection->tenant)
        buf_add(text, ", tenant");
}

static void say_login(const struct test *test)
{
    struct buf names = BUF(2000);
    add_credentials(test->connection, &names);
    const char *list = buf_text(&names);
    char detail[1024];
    if (names.size > 2)
        snprintf(detail, sizeof detail, "accepted: %.900s", list + 2);
    else
        snprintf(detail, sizeof detail, "none configured, none asked for");
    say(test, "login", 1, detail, NULL);
    buf_finish(&names);
}

/* ---- What failed ---- */

/* The transfer did not come to its end: one of the network's stages, or a credential that could not be had. */
static void say_unsent(const struct test *test, const struct err *err)
{
    const struct io_probe *probe = &test->probe;
    if (probe->stage < 0) {
        say(test, "login", 0, err->text, probe->setting);
        say_network(test, -1, NULL, NULL);
    } else {
        say_network(test, probe->stage < AT_DONE ? probe->stage : AT_HTTP, err->text,
                    probe->setting);
        say(test, "login", -1, NULL, NULL);
    }
}

static void say_failure(const struct test *test, const struct err *err)
{
    const struct io_probe *probe = &test->probe;
    if (probe->stage != AT_DONE) {
        say_unsent(test, err);
        return;
    }
    if (probe->status == 407 && *probe->proxy) {
        say_network(test, AT_PROXY, "the proxy asks for a login: put it into the proxy's URL",
                    test->connection->proxy ? "proxy" : "network.proxy");
        return;
    }
    switch (err->code) {
    case SONDE_E_AUTH:
    case SONDE_E_FORBIDDEN:
        say_network(test, AT_DONE, NULL, NULL);
        say(test, "login", 0, err->text, login_setting(test->connection));
        break;
    case SONDE_E_BUSY:
    case SONDE_E_THROTTLED: /* nothing that is set here mends these */
        say_network(test, AT_HTTP, err->text, NULL);
        break;
    case SONDE_E_TIMEOUT:
    case SONDE_E_DEADLINE:
        say_network(test, AT_HTTP, err->text, "timeout_seconds");
        break;
    default: /* something answered, but not what the adapter knows */
        say_network(test, AT_DONE, NULL, NULL);
        say(test, "product and version", 0, err->text, "url");
    }
}

/* ---- What it holds ---- */

static void say_product(const struct test *test, const struct result *probe)
{
    char detail[512];
    snprintf(detail, sizeof detail, "%s%s%s",
             probe->product && *probe->product ? probe->product : "not told",
             probe->version && *probe->version ? " " : "", probe->version ? probe->version : "");
    say(test, "product and version", 1, detail, NULL);
    if (probe->status && *probe->status)
        say(test, "advice", 1, probe->status, NULL);
    struct buf features = BUF(1000);
    for (size_t i = 0; i < probe->feature_count; i++)
        buf_printf(&features, "%s%s", i ? ", " : "", probe->features[i]);
    if (probe->feature_count)
        say(test, "features", 1, features.failed ? "many" : buf_text(&features), NULL);
    buf_finish(&features);
}

/* A metric that is likely to be there always; NULL: none at all. */
static const char *choose_metric(const struct result *names)
{
    for (size_t i = 0; i < names->name_count; i++)
        if (str_eq(names->names[i].name, "up"))
            return "up";
    return names->name_count ? names->names[0].name : NULL;
}

static const struct {
    int days;
    const char *words;
} ages[] = {{1, "1 day"},    {7, "7 days"},   {15, "15 days"},
            {30, "30 days"}, {90, "90 days"}, {365, "a year"}};

#define AGES (sizeof ages / sizeof ages[0])

/* Whether there are values of the metric near these ages, all asked side by side. */
static int say_retention(const struct test *test, const struct sonde_query *newest, struct err *err)
{
    struct sonde_query queries[AGES];
    struct engine_item items[AGES];
    for (size_t i = 0; i < AGES; i++) {
        queries[i] = *newest;
        queries[i].end_ns = newest->end_ns - (int64_t)ages[i].days * NS_PER_DAY;
        queries[i].start_ns = queries[i].end_ns - NS_PER_HOUR;
        queries[i].step_ns = 10 * NS_PER_MIN;
    }
    int r = run(test, queries, AGES, items, err);
    if (r)
        return r;
    const char *oldest = NULL;
    for (size_t i = 0; i < AGES; i++) {
        if (items[i].result && items[i].result->series_count)
            oldest = ages[i].words;
        result_unref(items[i].result);
    }
    char detail[160];
    if (oldest)
        snprintf(detail, sizeof detail, "values of %.80s from %s ago", newest->operands[0]->metric,
                 oldest);
    else
        snprintf(detail, sizeof detail, "no values of %.80s from a day ago",
                 newest->operands[0]->metric);
    say(test, "retention", 1, detail, NULL);
    return 0;
}

/* A query for data is held to the connection's enforce, as every other is. */
static void hold(const struct test *test, struct sonde_query *query)
{
    if (test->held)
        ask_hold(query, test->held);
}

static int say_newest(const struct test *test, const char *metric, struct err *err)
{
    int64_t now = clock_unix_ns();
    struct sonde_operand operand = {
        .struct_size = sizeof operand, .aggregate = SONDE_AGGREGATE_COUNT, .metric = metric};
    const struct sonde_operand *const operands[] = {&operand};
    struct sonde_query query = query_of(SONDE_KIND_METRICS, now - NS_PER_HOUR, now);
    query.step_ns = 30 * NS_PER_S;
    query.operands = operands;
    query.operand_count = 1;
    hold(test, &query);
    CLEANUP(result_unrefp) struct result *newest = NULL;
    int r = run_one(test, &query, &newest, err);
    if (r) {
        say(test, "newest sample", 0, err->text, r == SONDE_E_DEADLINE ? "timeout_seconds" : NULL);
        return r;
    }
    char detail[160];
    if (newest->newest_sample_ns)
        snprintf(detail, sizeof detail, "%" PRId64 " s old (%.80s)",
                 (now - newest->newest_sample_ns) / NS_PER_S, metric);
    else
        snprintf(detail, sizeof detail, "none of %.80s in the last hour", metric);
    say(test, "newest sample", 1, detail, NULL);
    return say_retention(test, &query, err);
}

static int say_data(const struct test *test, struct err *err)
{
    uint64_t caps = backend_adapter(test->backend)->table.caps;
    int64_t now = clock_unix_ns();
    CLEANUP(result_unrefp) struct result *names = NULL;
    if (!(caps & SONDE_CAP(SONDE_KIND_METRIC_NAMES)) || !(caps & SONDE_CAP(SONDE_KIND_METRICS)))
        return 0;
    struct sonde_query query = query_of(SONDE_KIND_METRIC_NAMES, now - NS_PER_HOUR, now);
    hold(test, &query);
    int r = run_one(test, &query, &names, err);
    if (r) {
        say(test, "metric names", 0, err->text, r == SONDE_E_DEADLINE ? "timeout_seconds" : NULL);
        return r;
    }
    char detail[160];
    snprintf(detail, sizeof detail, "%zu in the last hour%s", names->name_count,
             names->name_count ? "" : ": it answers, but holds no fresh data");
    say(test, "metric names", 1, detail, NULL);
    const char *metric = choose_metric(names);
    return metric ? say_newest(test, metric, err) : 0;
}

/* ---- The test ---- */

/* Refused before anything was asked: the text begins with the setting. */
static void say_refused(const struct test *test, const struct err *err)
{
    char setting[64] = "";
    size_t size = strcspn(err->text, ": ");
    if (err->text[size] == ':' && size < sizeof setting)
        memcpy(setting, err->text, size);
    bool policy =
        strstr(err->text, "network.allow") || strstr(err->text, "no connection may reach");
    if (strstr(err->text, "network.allow"))
        snprintf(setting, sizeof setting, "network.allow");
    say(test, policy ? stage_names[AT_POLICY] : "configuration", 0, err->text, setting);
}

static int run_test(struct test *test, struct err *err)
{
    uint64_t caps = backend_adapter(test->backend)->table.caps;
    bool probes = caps & SONDE_CAP(SONDE_KIND_PROBE);
    CLEANUP(result_unrefp) struct result *first = NULL;
    CLEANUP(result_unrefp) struct result *health = NULL;
    struct sonde_query query = query_of(probes ? SONDE_KIND_PROBE : SONDE_KIND_HEALTH, 0, 0);
    int r = run_one(test, &query, &first, err);
    if (r == SONDE_E_CANCELLED || r == ERR_MEMORY || r == ERR_BUSY)
        return r;
    backend_probe_stages(test->backend, &test->probe);
    if (r) {
        say_failure(test, err);
        return r;
    }
    if (probes && caps & SONDE_CAP(SONDE_KIND_HEALTH)) {
        query.kind = SONDE_KIND_HEALTH;
        r = run_one(test, &query, &health, err);
    }
    if (r == SONDE_E_AUTH || r == SONDE_E_FORBIDDEN) {
        say_failure(test, err);
        return r;
    }
    say_network(test, AT_DONE, NULL, NULL);
    say_login(test);
    say_product(test, first);
    if (r) {
        say(test, "health", 0, err->text, NULL);
        return r;
    }
    if (test->connection->enforce_count) {
        r = catalogue_fetch(test->service->catalogue, test->call, &test->backend, 1, &test->held,
                            err);
        if (r || !test->held) {
            r = r ? err_set(err, r, "no memory for the test") : err->code;
            say(test, "metric names", 0, err->text, "enforce");
            return r;
        }
    }
    return say_data(test, err);
}

int connection_test_slot(struct service *service, struct call *call, const struct slot *slot,
                         service_stage_fn say_stage, void *user, struct err *err)
{
    CLEANUP(backend_unrefp) struct backend *backend = NULL;
    struct test test = {.service = service,
                        .call = call,
                        .connection = slot->connection,
                        .say = say_stage,
                        .user = user};
    int r = backend_open(service->engine, slot->connection, &backend, err);
    if (r) {
        say_refused(&test, err);
        return r;
    }
    test.backend = backend;
    r = run_test(&test, err);
    catalogue_unref(test.held);
    /* What it found is soon known to those who do not test, too. */
    if (slot->backend)
        catalogue_look(service->catalogue, slot->backend);
    return r;
}

int service_connection_test(struct service *service, struct call *call, const char *name,
                            service_stage_fn say_stage, void *user, struct err *err)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set_for(service, &call->principal);
    if (!set)
        return err_set(err, ERR_MEMORY, "no memory for the test");
    struct slot *slot = find_slot(set, name, err);
    return slot ? connection_test_slot(service, call, slot, say_stage, user, err) : err->code;
}
