/* SPDX-License-Identifier: Apache-2.0 */
#include "service/internal.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define STALE_NS (4 * NS_PER_S) /* older than this "is anything down" has no answer yet */
#define BUDGET_TOKENS 6000      /* of the rows; what is beyond is counted, and match finds it */

/*
 * Whether it must be asked before it is shown: nothing was heard of it yet, or it was well a while ago. What is not well is checked all the time
 * by the keeper, and one that hangs would make everybody wait who looks.
 */
static bool must_check(struct ask *ask, struct backend *backend)
{
    struct backend_health health;
    backend_health(backend, &health);
    catalogue_look(ask->service->catalogue, backend);
    return health.state == 0 ||
           (health.state == 1 && ask->window.now_ns - health.checked_ns > STALE_NS);
}

/* So that "is anything down" has an answer. */
static int check_stale(struct ask *ask)
{
    struct arena *arena = &ask->call->arena;
    struct engine_item *items = arena_alloc_array(arena, ask->set->slot_count, sizeof *items);
    struct sonde_query *query = arena_alloc(arena, sizeof *query);
    if (!items || !query)
        return ERR_MEMORY;
    *query = (struct sonde_query){.struct_size = sizeof *query,
                                  .kind = SONDE_KIND_HEALTH,
                                  .start_ns = ask->window.start_ns,
                                  .end_ns = ask->window.end_ns,
                                  .deadline_ms = (uint32_t)(BACKEND_CHECK_NS / NS_PER_MS),
                                  .scope = "",
                                  .name = "",
                                  .native = ""};
    size_t n = 0;
    for (size_t i = 0; i < ask->set->slot_count; i++) {
        struct backend *backend = ask->set->slots[i].backend;
        if (backend && must_check(ask, backend))
            items[n++] = (struct engine_item){.backend = backend, .query = query, .share = true};
    }
    int r = n ? engine_run(ask->service->engine, ask->call, items, n) : 0;
    for (size_t i = 0; i < n; i++)
        result_unref(items[i].result);
    return r;
}

static void add_string(struct buf *json, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    buf_json_key(json, key);
    buf_json_string(json, value, strlen(value));
}

static void add_signals(struct buf *json, struct buf *text, uint64_t caps)
{
    buf_json_key(json, "signals");
    buf_add_char(json, '[');
    static const struct {
        const char *name;
        uint32_t kind;
    } signals[] = {{"metrics", SONDE_KIND_METRICS},
                   {"logs", SONDE_KIND_LOGS},
                   {"traces", SONDE_KIND_TRACE_SEARCH}};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        if (!(caps & SONDE_CAP(signals[i].kind)))
            continue;
        buf_json_sep(json);
        buf_json_string(json, signals[i].name, strlen(signals[i].name));
        buf_printf(text, " %s", signals[i].name);
    }
    buf_add_char(json, ']');
}

static void add_health(struct buf *json, struct buf *text, const struct slot *slot, int64_t now_ns)
{
    static const char *const states[] = {"unknown", "healthy", "degraded", "unhealthy"};
    struct backend_health health = {.state = 3};
    if (slot->connection->disabled) {
        buf_json_key(json, "enabled");
        buf_add(json, "false");
        buf_add(text, ", disabled");
        return;
    }
    if (slot->backend)
        backend_health(slot->backend, &health);
    else
        utf8_clean(health.reason, sizeof health.reason, slot->err.text, strlen(slot->err.text));
    add_string(json, "health", states[health.state]);
    buf_printf(text, ", %s", states[health.state]);
    if (health.reason[0]) {
        add_string(json, "reason", health.reason);
        buf_printf(text, ": %s", health.reason);
    }
    if (slot->backend && health.uptime_24h >= 0) {
        buf_json_key(json, "uptime_24h");
        /* Down, so that 1 means never gone. */
        buf_json_double(json, floor(health.uptime_24h * 1e4) / 1e4);
        if (health.uptime_24h < 1)
            buf_printf(text, ", up %.2f %% of 24 h", floor(health.uptime_24h * 1e4) / 1e2);
    }
    if (health.newest_sample_ns) {
        int64_t age = (now_ns - health.newest_sample_ns) / NS_PER_S;
        buf_json_key(json, "newest_sample_age_s");
        buf_json_int(json, age);
        buf_printf(text, ", newest sample %lld s old", (long long)age);
    }
}

static void add_row(struct buf *json, struct buf *text, const struct slot *slot, int64_t now_ns)
{
    const struct connection *connection = slot->connection;
    char product[128] = "";
    char version[128] = "";
    buf_json_sep(json);
    buf_add_char(json, '{');
    add_string(json, "name", connection->name);
    add_string(json, "id", connection->id);
    add_string(json, "backend", connection->backend);
    add_string(json, "description", connection->description);
    add_string(json, "url", connection->url);
    buf_printf(text, "%s: %s", connection->name, connection->backend);
    if (slot->backend) {
        backend_product(slot->backend, product, sizeof product, version, sizeof version);
        add_signals(json, text, backend_adapter(slot->backend)->table.caps);
    }
    if (product[0]) {
        buf_json_key(json, "product");
        buf_json_string(json, product, strlen(product));
        buf_printf(text, ", %s %s", product, version);
    }
    add_string(json, "version", version);
    char advice[256] = "";
    if (slot->backend)
        backend_advice(slot->backend, advice, sizeof advice);
    add_string(json, "note", advice);
    if (connection->tag_count) {
        buf_json_key(json, "tags");
        buf_add_char(json, '{');
        for (size_t i = 0; i < connection->tag_count; i++) {
            add_string(json, connection->tags[i].key, connection->tags[i].value);
            buf_printf(text, " %s=%s", connection->tags[i].key, connection->tags[i].value);
        }
        buf_add_char(json, '}');
    }
    if (!connection_shared(connection)) {
        add_string(json, "owner", "you");
        buf_add(text, ", your own");
    }
    if (connection->is_default) {
        buf_json_key(json, "default");
        buf_add(json, "true");
        buf_add(text, ", default");
    }
    add_health(json, text, slot, now_ns);
    if (advice[0])
        buf_printf(text, "; %s", advice);
    buf_add_char(json, '}');
    buf_add_char(text, '\n');
}

static bool wanted(const struct ask *ask, const struct connection *connection)
{
    const char *match = ask->args.match;
    if (!match || !*match || strcasestr(connection->name, match) ||
        str_glob(match, connection->name) || str_eq(match, connection->backend))
        return true;
    for (size_t i = 0; i < connection->tag_count; i++)
        if (str_eq(match, connection->tags[i].value))
            return true;
    return false;
}

int tool_list_connections(struct ask *ask, struct answer *ret_answer, struct err *err)
{
    int r = check_stale(ask);
    if (r)
        return err_set(err, r, "no memory for the health checks");
    struct buf json = BUF(256 * 1024);
    struct buf text = BUF(256 * 1024);
    buf_add(&json, "{\"connections\":[");
    size_t shown = 0;
    size_t fitting = 0;
    for (size_t i = 0; i < ask->set->slot_count; i++) {
        if (!wanted(ask, ask->set->slots[i].connection))
            continue;
        fitting++;
        if (tokens_json(buf_text(&json), json.size) > BUDGET_TOKENS)
            continue;
        add_row(&json, &text, &ask->set->slots[i], ask->window.now_ns);
        shown++;
    }
    buf_printf(&json, "],\"total\":%zu,\"returned\":%zu", fitting, shown);
    if (shown < fitting) {
        ask_note(ask, "match narrows: a part of the name, a backend, a tag's value");
        buf_add(&json, ",\"truncated\":true");
        buf_printf(&text, "and %zu more\n", fitting - shown);
    }
    if (ask->set->slot_count && !fitting)
        buf_printf(&text, "None of the %zu connections matches.\n", ask->set->slot_count);
    if (!ask->set->slot_count)
        buf_add(&text,
                "No connections: add one with `sonde connection add`, in sonde.yaml, or start "
                "with --connection prometheus=URL.\n");
    if (ask->note_count) {
        buf_add(&json, ",\"notes\":[");
        for (size_t i = 0; i < ask->note_count; i++) {
            buf_json_sep(&json);
            buf_json_string(&json, ask->notes[i], strlen(ask->notes[i]));
            buf_printf(&text, "%s\n", ask->notes[i]);
        }
        buf_add_char(&json, ']');
    }
    buf_add_char(&json, '}');
    ret_answer->json_size = json.size;
    ret_answer->text_size = text.size;
    ret_answer->json = buf_steal(&json);
    ret_answer->text = buf_steal(&text);
    return ret_answer->json && ret_answer->text ? 0 : ERR_MEMORY;
}
