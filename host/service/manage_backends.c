/* SPDX-License-Identifier: Apache-2.0 */
/* The adapters with what a connection of each may say, as JSON Schema (2020-12): the common keys and the adapter's own. */
#include "service/manage_internal.h"

#include <string.h>

#include "base/str.h"

static void add_text(struct buf *out, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    buf_json_key(out, key);
    buf_json_string(out, value, strlen(value));
}

static const char secret_schema[] =
    "{\"description\":\"the secret itself; shown as {\\\"masked\\\": true}, which sent back keeps "
    "it\",\"writeOnly\":true,\"anyOf\":[{\"type\":\"string\",\"minLength\":1},{\"type\":\"object\","
    "\"required\":[\"masked\"],\"properties\":{\"masked\":{\"const\":true}}}]}";

/* What the reader of connections takes of every backend, but auth. */
static const char common_schema[] =
    "\"url\":{\"type\":\"string\",\"format\":\"uri\",\"description\":\"where it is, such as "
    "https://prometheus.example\"},"
    "\"tls\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"ca_pem\":{\"type\":\"string\"},\"server_name\":{\"type\":\"string\"},"
    "\"insecure_skip_verify\":{\"type\":\"boolean\"},\"ca_file\":{\"type\":\"string\"},"
    "\"cert\":{\"type\":\"string\"},\"key\":{\"type\":\"string\"}}},"
    "\"tenant\":{\"type\":\"string\"},"
    "\"http2\":{\"type\":\"boolean\",\"default\":false},"
    "\"timeout_seconds\":{\"type\":[\"number\",\"string\"],\"default\":30},"
    "\"query_limits\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"max_samples\":{\"type\":\"integer\",\"minimum\":1},"
    "\"max_time_range_hours\":{\"type\":\"number\",\"exclusiveMinimum\":0}}},"
    "\"ui\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"kind\":{\"type\":\"string\"},\"url\":{\"type\":\"string\",\"format\":\"uri\"},"
    "\"param\":{\"type\":\"string\"}}},"
    "\"enforce\":{\"type\":\"object\",\"description\":\"filters that every query is held to\","
    "\"additionalProperties\":{\"type\":\"string\"}}";

static void add_login(struct buf *out, const struct sonde_plugin *table)
{
    buf_json_key(out, "auth");
    buf_add(out, "{\"type\":\"object\",\"required\":[\"type\"],\"properties\":{\"type\":{\"enum\":"
                 "[\"none\",\"basic\",\"bearer\",\"header\",\"oauth2\"");
    for (size_t i = 0; i < table->auth_scheme_count; i++) {
        buf_add_char(out, ',');
        buf_json_string(out, table->auth_schemes[i]->name, strlen(table->auth_schemes[i]->name));
    }
    buf_add(out, "]},\"username\":{\"type\":\"string\"},\"header\":{\"type\":\"string\"},"
                 "\"token_url\":{\"type\":\"string\"},\"client_id\":{\"type\":\"string\"},"
                 "\"scope\":{\"type\":\"string\"},\"audience\":{\"type\":\"string\"}");
    static const char *const secrets[] = {"password", "token", "value", "client_secret"};
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
        buf_printf(out, ",\"%s\":%s", secrets[i], secret_schema);
    buf_add(out, "}}");
}

static void add_param(struct buf *out, const struct sonde_param *param)
{
    static const char *const types[] = {[SONDE_PARAM_STRING] = "\"string\"",
                                        [SONDE_PARAM_INTEGER] = "\"integer\"",
                                        [SONDE_PARAM_BOOLEAN] = "\"boolean\"",
                                        [SONDE_PARAM_DURATION] = "[\"string\",\"number\"]",
                                        [SONDE_PARAM_LIST] =
                                            "\"array\",\"items\":{\"type\":\"string\"}"};
    buf_json_key(out, param->key);
    if (param->flags & SONDE_PARAM_SECRET) {
        buf_add(out, secret_schema);
        return;
    }
    bool known = param->type < ARRAY_SIZE(types) && types[param->type];
    buf_printf(out, "{\"type\":%s", known ? types[param->type] : "\"string\"");
    add_text(out, "description", param->help);
    if (param->def && (param->type == SONDE_PARAM_INTEGER || param->type == SONDE_PARAM_BOOLEAN))
        buf_printf(out, ",\"default\":%s", param->def);
    else if (param->type != SONDE_PARAM_LIST)
        add_text(out, "default", param->def);
    buf_add_char(out, '}');
}

static void add_schema(struct buf *out, const struct sonde_plugin *table)
{
    buf_json_key(out, "parameters");
    buf_add(out,
            "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
            "\"additionalProperties\":false,\"properties\":{");
    buf_add(out, common_schema);
    buf_json_key(out, "proxy");
    buf_add(out, secret_schema);
    buf_json_key(out, "headers");
    buf_printf(out, "{\"type\":\"object\",\"additionalProperties\":%s}", secret_schema);
    add_login(out, table);
    for (size_t i = 0; i < table->param_count; i++)
        add_param(out, table->params[i]);
    buf_add(out, "},\"required\":[");
    for (size_t i = 0; i < table->param_count; i++) {
        const struct sonde_param *param = table->params[i];
        if (!(param->flags & SONDE_PARAM_REQUIRED) || param->def)
            continue;
        buf_json_sep(out);
        buf_json_string(out, param->key, strlen(param->key));
    }
    buf_add(out, "]}");
}

static void add_signals(struct buf *out, uint64_t caps)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } signals[] = {{"metrics", SONDE_KIND_METRICS},
                   {"logs", SONDE_KIND_LOGS},
                   {"traces", SONDE_KIND_TRACE_SEARCH}};
    buf_json_key(out, "signals");
    buf_add_char(out, '[');
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        if (!(caps & SONDE_CAP(signals[i].kind)))
            continue;
        buf_json_sep(out);
        buf_json_string(out, signals[i].name, strlen(signals[i].name));
    }
    buf_add_char(out, ']');
}

int manage_backends(struct service *service, struct buf *out, struct err *err)
{
    size_t n;
    const struct adapter *const *adapters = registry_adapters(service->registry, &n);
    buf_add(out, "{\"backends\":[");
    for (size_t i = 0; i < n; i++) {
        const struct sonde_plugin *table = &adapters[i]->table;
        buf_json_sep(out);
        buf_add_char(out, '{');
        add_text(out, "name", table->name);
        add_text(out, "version", table->version);
        add_text(out, "summary", table->summary);
        add_text(out, "homepage", table->homepage);
        add_signals(out, table->caps);
        add_schema(out, table);
        buf_add_char(out, '}');
    }
    buf_add(out, "]}");
    return out->failed ? err_set(err, ERR_MEMORY, "no memory for the list of backends") : 0;
}
