/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/era.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/* Newest first. */
static const char *const legacy_versions[] = {"2025-11-25", "2025-06-18", ERA_BATCH_VERSION,
                                              "2024-11-05"};

static const char *legacy_version(const char *version)
{
    for (size_t i = 0; i < ARRAY_SIZE(legacy_versions); i++)
        if (str_eq(legacy_versions[i], version))
            return legacy_versions[i];
    return NULL;
}

bool era_is_legacy_version(const char *version)
{
    return legacy_version(version) != NULL;
}

const char *era_negotiate(const char *requested)
{
    const char *version = legacy_version(requested);
    return version ? version : legacy_versions[0];
}

int era_bad_envelope(struct rpc_error *error, const char *key, const char *must)
{
    rpc_fail(error, RPC_INVALID_PARAMS,
             "_meta[\"%s\"] %s: every request of " ERA_MODERN_VERSION " carries it", key, must);
    struct buf data = BUF(sizeof error->data - 1);
    buf_add_char(&data, '{');
    buf_json_key(&data, "key");
    buf_json_string(&data, key, strlen(key));
    buf_add_char(&data, '}');
    rpc_set_data(error, &data);
    buf_finish(&data);
    return error->code;
}

static int unsupported(struct rpc_error *error, const char *requested)
{
    /* What is shown back of a version is short: it may be anything. */
    char shown[64];
    utf8_clean(shown, sizeof shown, requested, strlen(requested));
    rpc_fail(error, RPC_UNSUPPORTED_VERSION,
             "protocol version %s is not supported; supported: " ERA_MODERN_VERSION
             " with _meta on each request, or initialize for %s and earlier",
             shown, legacy_versions[0]);
    struct buf data = BUF(sizeof error->data - 1);
    buf_add(&data, "{\"supported\":[\"" ERA_MODERN_VERSION "\"]");
    buf_json_key(&data, "requested");
    buf_json_string(&data, shown, strlen(shown));
    buf_add_char(&data, '}');
    rpc_set_data(error, &data);
    buf_finish(&data);
    return error->code;
}

int era_of(const struct rpc_message *message, enum era *ret_era, struct rpc_error *error)
{
    *ret_era = ERA_LEGACY;
    struct json_object *meta = json_member(message->params, "_meta");
    if (!json_object_is_type(meta, json_type_object)) {
        if (message->params && json_object_object_get_ex(message->params, "_meta", NULL))
            return rpc_fail(error, RPC_INVALID_PARAMS, "_meta must be an object");
        return 0;
    }
    struct json_object *version = NULL;
    if (!json_object_object_get_ex(meta, META_VERSION, &version)) {
        /* These two keys exist in the modern envelope alone, so half of one is not taken for legacy. */
        if (json_object_object_get_ex(meta, META_CAPABILITIES, NULL) ||
            json_object_object_get_ex(meta, META_CLIENT_INFO, NULL))
            return era_bad_envelope(error, META_VERSION, "is missing");
        return 0;
    }
    if (!json_object_is_type(version, json_type_string))
        return era_bad_envelope(error, META_VERSION, "must be a string");
    const char *text = json_object_get_string(version);
    if (legacy_version(text))
        return 0;
    *ret_era = ERA_MODERN;
    if (!str_eq(text, ERA_MODERN_VERSION))
        return unsupported(error, text);
    struct json_object *capabilities = NULL;
    if (!json_object_object_get_ex(meta, META_CAPABILITIES, &capabilities))
        return era_bad_envelope(error, META_CAPABILITIES, "is missing");
    if (!json_object_is_type(capabilities, json_type_object))
        return era_bad_envelope(error, META_CAPABILITIES, "must be an object");
    return 0;
}

bool era_looks_modern(struct json_object *document)
{
    struct json_object *meta = json_member(json_member(document, "params"), "_meta");
    if (!json_object_is_type(meta, json_type_object))
        return false;
    struct json_object *version = NULL;
    if (json_object_object_get_ex(meta, META_VERSION, &version))
        return !json_object_is_type(version, json_type_string) ||
               !legacy_version(json_object_get_string(version));
    return json_object_object_get_ex(meta, META_CAPABILITIES, NULL) ||
           json_object_object_get_ex(meta, META_CLIENT_INFO, NULL);
}

bool era_batch_is_modern(struct json_object *batch)
{
    for (size_t i = 0; i < json_object_array_length(batch); i++) {
        struct json_object *meta =
            json_member(json_member(json_object_array_get_idx(batch, i), "params"), "_meta");
        if (json_member(meta, META_VERSION) || json_member(meta, META_CAPABILITIES))
            return true;
    }
    return false;
}
