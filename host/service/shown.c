/* SPDX-License-Identifier: Apache-2.0 */
#include "service/shown.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "secrets/sealed_json.h"

static const char masked[] = "{\"masked\":true}";

static void add_text(struct buf *json, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    buf_json_key(json, key);
    buf_json_string(json, value, strlen(value));
}

static void add_masked(struct buf *json, const char *key, const struct secret_ref *ref)
{
    if (ref->kind == SECRET_NONE)
        return;
    buf_json_key(json, key);
    buf_add(json, masked);
}

static void add_true(struct buf *json, const char *key, bool value)
{
    if (!value)
        return;
    buf_json_key(json, key);
    buf_add(json, "true");
}

static void add_pairs(struct buf *json, const struct sonde_pair *pairs, size_t n)
{
    buf_add_char(json, '{');
    for (size_t i = 0; i < n; i++) {
        buf_json_key(json, pairs[i].key);
        buf_json_string(json, pairs[i].value, strlen(pairs[i].value));
    }
    buf_add_char(json, '}');
}

void shown_tags(const struct connection *connection, struct buf *json)
{
    add_pairs(json, connection->tags, connection->tag_count);
}

static void add_auth(struct buf *json, const struct connection_auth *auth)
{
    static const char *const types[] = {
        [AUTH_NONE] = "none",     [AUTH_BASIC] = "basic",   [AUTH_BEARER] = "bearer",
        [AUTH_HEADER] = "header", [AUTH_SCHEME] = "scheme", [AUTH_OAUTH2] = "oauth2"};
    static const char *const secrets[] = {
        [AUTH_NONE] = "secret",  [AUTH_BASIC] = "password", [AUTH_BEARER] = "token",
        [AUTH_HEADER] = "value", [AUTH_SCHEME] = "value",   [AUTH_OAUTH2] = "client_secret"};
    if (auth->type == AUTH_NONE)
        return;
    buf_json_key(json, "auth");
    buf_add_char(json, '{');
    add_text(json, "type", auth->type == AUTH_SCHEME ? auth->scheme : types[auth->type]);
    add_text(json, "username", auth->user);
    add_text(json, "header", auth->header);
    add_text(json, "token_url", auth->token_url);
    add_text(json, "client_id", auth->client_id);
    add_masked(json, secrets[auth->type], &auth->secret);
    buf_add_char(json, '}');
}

static void add_limits(struct buf *json, const struct connection *connection)
{
    if (!connection->max_samples && !connection->max_time_range_ns)
        return;
    buf_json_key(json, "query_limits");
    buf_add_char(json, '{');
    if (connection->max_samples) {
        buf_json_key(json, "max_samples");
        buf_printf(json, "%" PRIu64, connection->max_samples);
    }
    if (connection->max_time_range_ns) {
        buf_json_key(json, "max_time_range_hours");
        buf_json_double(json, (double)connection->max_time_range_ns / (double)NS_PER_HOUR);
    }
    buf_add_char(json, '}');
}

/* Dotted keys stay as they are: this document is read by people. */
static void add_params(struct buf *json, const struct connection *connection)
{
    for (size_t i = 0; i < connection->param_count; i++) {
        const struct connection_param *param = &connection->params[i];
        if (param->value)
            add_text(json, param->key, param->value);
        else
            add_masked(json, param->key, &param->secret);
    }
}

void shown_config(const struct connection *connection, struct buf *json)
{
    buf_add_char(json, '{');
    add_text(json, "url", connection->url);
    add_text(json, "tenant", connection->tenant);
    add_auth(json, &connection->auth);
    if (connection->proxy) { /* an address may hold a login */
        buf_json_key(json, "proxy");
        buf_add(json, masked);
    }
    if (connection->header_count) {
        buf_json_key(json, "headers");
        buf_add_char(json, '{');
        for (size_t i = 0; i < connection->header_count; i++)
            add_masked(json, connection->headers[i].name, &connection->headers[i].value);
        buf_add_char(json, '}');
    }
    if (connection->tls.server_name || connection->tls.insecure_skip_verify) {
        buf_json_key(json, "tls");
        buf_add_char(json, '{');
        add_text(json, "server_name", connection->tls.server_name);
        add_true(json, "insecure_skip_verify", connection->tls.insecure_skip_verify);
        buf_add_char(json, '}');
    }
    buf_json_key(json, "timeout_seconds");
    buf_json_double(json, (double)connection->timeout_ns / (double)NS_PER_S);
    add_limits(json, connection);
    add_true(json, "http2", connection->http2);
    if (connection->enforce_count) {
        buf_json_key(json, "enforce");
        add_pairs(json, connection->enforce, connection->enforce_count);
    }
    add_params(json, connection);
    buf_add_char(json, '}');
}

static int mask(void *user, const char *field, const char *sealed, struct json_object **ret_value,
                struct err *err)
{
    (void)user;
    (void)field;
    (void)sealed;
    struct json_object *value = json_object_new_object();
    struct json_object *yes = json_object_new_boolean(1);
    if (!value || !yes || json_object_object_add(value, "masked", yes)) {
        json_object_put(value);
        json_object_put(yes);
        return err_set(err, ERR_MEMORY, "no memory to show a connection");
    }
    *ret_value = value;
    return 0;
}

int shown_mask(struct json_object *config, struct err *err)
{
    return sealed_walk(config, mask, NULL, err);
}
