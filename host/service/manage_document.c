/* SPDX-License-Identifier: Apache-2.0 */
#include "service/manage_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/zone.h"
#include "service/shown.h"

static void add_text(struct buf *out, const char *key, const char *value)
{
    buf_json_key(out, key);
    buf_json_string(out, value ? value : "", value ? strlen(value) : 0);
}

static void add_bool(struct buf *out, const char *key, bool value)
{
    buf_json_key(out, key);
    buf_add(out, value ? "true" : "false");
}

/* null where it never happened. */
static void add_time(struct buf *out, const char *key, int64_t unix_ns)
{
    char text[40] = "";
    buf_json_key(out, key);
    if (unix_ns && time_format(text, sizeof text, unix_ns, zone_utc(), 3))
        buf_printf(out, "\"%s\"", text);
    else
        buf_add(out, "null");
}

/* What this process saw of it itself; health NULL: nothing. */
static void add_figures(struct buf *out, const struct backend_health *health)
{
    buf_json_key(out, "uptime_24h");
    if (health && health->uptime_24h >= 0)
        buf_json_double(out, floor(health->uptime_24h * 1e4) / 1e4); /* 1 means never gone */
    else
        buf_add(out, "null");
    buf_json_key(out, "p95_ms");
    if (health && health->p95_ms >= 0)
        buf_json_int(out, health->p95_ms);
    else
        buf_add(out, "null");
    add_time(out, "last_success_at", health ? health->last_success_ns : 0);
    add_time(out, "last_failure_at", health ? health->last_failure_ns : 0);
}

static void add_health(struct buf *out, const struct slot *slot, const struct connection_row *row)
{
    static const char *const states[] = {"unknown", "healthy", "degraded", "unhealthy"};
    struct backend_health health = {0};
    char reason[512] = "";
    if (slot->connection->disabled)
        utf8_clean(reason, sizeof reason, "disabled", 8);
    else if (slot->backend)
        backend_health(slot->backend, &health);
    else
        health.state = HEALTH_UNHEALTHY;
    int64_t checked_ns = health.checked_ns;
    if (slot->backend)
        utf8_clean(reason, sizeof reason, health.reason, strlen(health.reason));
    else if (!slot->connection->disabled)
        utf8_clean(reason, sizeof reason, slot->err.text, strlen(slot->err.text));
    if (slot->backend && health.state == HEALTH_UNKNOWN && row && row->health != HEALTH_UNKNOWN) {
        /* Not asked by this process yet, but by another. */
        health.state = (int)row->health;
        checked_ns = row->checked_ms * NS_PER_MS;
        const char *error = row->health_error ? row->health_error : "";
        utf8_clean(reason, sizeof reason, error, strlen(error));
    }
    buf_json_key(out, "health");
    buf_add_char(out, '{');
    add_text(out, "status", states[health.state >= 0 && health.state <= 3 ? health.state : 0]);
    if (reason[0])
        add_text(out, "reason", reason);
    add_time(out, "checked_at", checked_ns);
    add_figures(out, slot->backend ? &health : NULL);
    buf_add_char(out, '}');
}

/* A row's configuration with its secrets masked, or what is shown of the operator's. */
static int add_config(struct buf *out, const struct slot *slot, const struct connection_row *row,
                      struct err *err)
{
    buf_json_key(out, "connection_config");
    if (!row) {
        shown_config(slot->connection, out);
        return 0;
    }
    struct json_object *config CLEANUP(json_putp) = NULL;
    const char *text = row->config && *row->config ? row->config : "{}";
    int r = json_parse(text, strlen(text), 32, &config, err);
    if (r) {
        err_prefix(err, "the stored configuration of %s: ", row->name);
        return r;
    }
    r = shown_mask(config, err);
    if (!r)
        buf_json_object(out, config);
    return r;
}

int manage_document(const struct slot *slot, const struct connection_row *row, struct buf *out,
                    struct err *err)
{
    const struct connection *connection = slot->connection;
    buf_add_char(out, '{');
    add_text(out, "id", connection->id);
    add_text(out, "name", row ? row->name : connection->name);
    add_text(out, "description", row ? row->description : connection->description);
    add_text(out, "backend_type", connection->backend);
    int r = add_config(out, slot, row, err);
    if (r)
        return r;
    add_bool(out, "is_enabled", row ? row->enabled : !connection->disabled);
    add_bool(out, "is_default", row ? row->is_default : connection->is_default);
    buf_json_key(out, "tags");
    if (row)
        buf_add(out, row->tags && *row->tags ? row->tags : "{}");
    else
        shown_tags(connection, out);
    add_text(out, "owner", row ? "you" : "operator");
    add_text(out, "source", row ? row->source : "yaml");
    buf_json_key(out, "revision");
    buf_printf(out, "%" PRIu64, row ? row->revision : connection->revision);
    add_health(out, slot, row);
    add_time(out, "created_at", row ? row->created_ms * NS_PER_MS : 0);
    add_time(out, "updated_at", row ? row->updated_ms * NS_PER_MS : 0);
    buf_add_char(out, '}');
    return out->failed ? err_set(err, ERR_MEMORY, "no memory to show a connection") : 0;
}
