/* SPDX-License-Identifier: Apache-2.0 */
#include "service/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static const char *const stage_names[] = {"name", "address policy", "proxy", "TCP", "TLS", "HTTP"};

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

static void say_stages(struct slot *slot, int failed, service_stage_fn say, void *user)
{
    struct io_probe probe = {0};
    backend_probe_stages(slot->backend, &probe);
    bool tls = str_starts(slot->connection->url, "https:");
    bool file = str_starts(slot->connection->url, "file:");
    for (int stage = 0; stage < (int)ARRAY_SIZE(stage_names); stage++) {
        if ((file && stage != 5) || (stage == 4 && !tls) ||
            (stage == 2 && !slot->connection->proxy))
            continue;
        char detail[384] = "";
        if (stage == 3 && probe.address[0])
            snprintf(detail, sizeof detail, "%s in %.1f ms", probe.address,
                     (double)probe.connect_ns / 1e6);
        else if (stage == 4 && probe.tls[0])
            snprintf(detail, sizeof detail, "%s", probe.tls);
        else if (stage == 5 && probe.stage >= 6)
            snprintf(detail, sizeof detail, "first byte after %.1f ms",
                     (double)probe.first_byte_ns / 1e6);
        int ok = probe.stage > stage ? 1 : failed && probe.stage == stage ? 0 : failed ? -1 : 1;
        say(user, stage_names[stage], ok, detail);
        if (ok != 1)
            return;
    }
}

static int run_one(struct service *service, struct call *call, struct slot *slot, uint32_t kind,
                   struct result **ret, struct err *err)
{
    int64_t now = clock_unix_ns();
    struct sonde_query query = {.struct_size = sizeof query,
                                .kind = kind,
                                .start_ns = now - NS_PER_HOUR,
                                .end_ns = now,
                                .scope = "",
                                .name = "",
                                .native = ""};
    CLEANUP(catalogue_unrefp) struct catalogue_snapshot *held = NULL;
    if (kind == SONDE_KIND_METRIC_NAMES && slot->connection->enforce_count) {
        int failed = catalogue_fetch(service->catalogue, call, &slot->backend, 1, &held, err);
        if (failed || !held)
            return failed ? err_set(err, failed, "no memory for the test") : err->code;
        ask_hold(&query, held);
    }
    struct engine_item item = {.backend = slot->backend, .query = &query};
    int r = engine_run(service->engine, call, &item, 1);
    if (r)
        return err_set(err, r, "no memory for the test");
    if (item.err.code) {
        *err = item.err;
        result_unref(item.result);
        return item.err.code;
    }
    *ret = item.result;
    return 0;
}

int service_connection_test(struct service *service, struct call *call, const char *name,
                            service_stage_fn say, void *user, struct err *err)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set_for(service, &call->principal);
    if (!set)
        return err_set(err, ERR_MEMORY, "no memory for the test");
    struct slot *slot = find_slot(set, name, err);
    if (!slot)
        return err->code;
    if (!slot->backend) {
        say(user, "configuration", 0, slot->err.text);
        *err = slot->err;
        return err->code;
    }
    CLEANUP(result_unrefp) struct result *health = NULL;
    CLEANUP(result_unrefp) struct result *probe = NULL;
    CLEANUP(result_unrefp) struct result *names = NULL;
    int r = run_one(service, call, slot, SONDE_KIND_HEALTH, &health, err);
    say_stages(slot, r, say, user);
    if (r) {
        bool login = r == SONDE_E_AUTH || r == SONDE_E_FORBIDDEN;
        say(user, login ? "login" : "answer", 0, err->text);
        return r;
    }
    say(user, "login", 1,
        slot->connection->auth.type == AUTH_NONE ? "none configured, none asked for" : "accepted");
    r = run_one(service, call, slot, SONDE_KIND_PROBE, &probe, err);
    if (r) {
        say(user, "product and version", 0, err->text);
        return r;
    }
    char detail[512];
    snprintf(detail, sizeof detail, "%s %s", probe->product ? probe->product : "",
             probe->version ? probe->version : "");
    say(user, "product and version", 1, detail);
    if (probe->status && *probe->status)
        say(user, "backend", 1, probe->status);
    struct buf features = BUF(400);
    for (size_t i = 0; i < probe->feature_count; i++)
        buf_printf(&features, "%s%s", i ? ", " : "", probe->features[i]);
    if (features.size)
        say(user, "features", 1, buf_text(&features));
    buf_finish(&features);
    r = run_one(service, call, slot, SONDE_KIND_METRIC_NAMES, &names, err);
    if (r) {
        say(user, "metric names", 0, err->text);
        return r;
    }
    snprintf(detail, sizeof detail, "%zu in the last hour%s", names->name_count,
             names->name_count ? "" : ": it answers, but holds no fresh data");
    say(user, "metric names", 1, detail);
    return 0;
}
