/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/params.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define MAX_NAMES 64u

const struct sonde_param *params_find(const struct adapter *adapter, const char *key)
{
    for (size_t i = 0; i < adapter->table.param_count; i++)
        if (str_eq(adapter->table.params[i]->key, key))
            return adapter->table.params[i];
    return NULL;
}

static const struct connection_param *given(const struct connection *connection, const char *key)
{
    for (size_t i = 0; i < connection->param_count; i++)
        if (str_eq(connection->params[i].key, key))
            return &connection->params[i];
    return NULL;
}

static int unknown_key(const struct adapter *adapter, const char *key, struct err *err)
{
    const char *names[MAX_NAMES] = {0};
    size_t n = 0;
    for (; n < adapter->table.param_count && n < MAX_NAMES; n++)
        names[n] = adapter->table.params[n]->key;
    const char *backend = adapter->table.name;
    const char *near = str_nearest(key, names, n);
    if (near)
        return err_set(err, ERR_INVALID, "backend %s has no parameter \"%s\": did you mean \"%s\"?",
                       backend, key, near);
    char list[512] = "";
    for (size_t i = 0; i < n && strlen(list) + strlen(names[i]) + 3 < sizeof list; i++) {
        size_t used = strlen(list);
        if (i) {
            memcpy(list + used, ", ", 3);
            used += 2;
        }
        memcpy(list + used, names[i], strlen(names[i]) + 1);
    }
    return err_set(err, ERR_INVALID, "backend %s has no parameter \"%s\": %s%s", backend, key,
                   n ? "it knows " : "it takes none beside the common ones", list);
}

static bool parse_boolean(const char *text, bool *ret_value)
{
    if (str_eq_nocase(text, "true") || str_eq_nocase(text, "yes") || str_eq_nocase(text, "on")) {
        *ret_value = true;
        return true;
    }
    *ret_value = false;
    return str_eq_nocase(text, "false") || str_eq_nocase(text, "no") || str_eq_nocase(text, "off");
}

/* Canonical text of a value, or NULL (err set). With arena NULL only the check; the result is then the value itself. */
static const char *canonical(const struct sonde_param *param, const char *value,
                             struct arena *arena, struct err *err)
{
    int64_t number = 0;
    bool truth = false;
    switch (param->type) {
    case SONDE_PARAM_INTEGER:
        if (str_to_int(value, INT64_MIN, INT64_MAX, &number)) {
            err_set(err, ERR_INVALID, "%s: expected a whole number, got \"%s\"", param->key, value);
            return NULL;
        }
        return arena ? arena_printf(arena, "%lld", (long long)number) : value;
    case SONDE_PARAM_BOOLEAN:
        if (!parse_boolean(value, &truth)) {
            err_set(err, ERR_INVALID, "%s: expected true or false, got \"%s\"", param->key, value);
            return NULL;
        }
        return truth ? "true" : "false";
    case SONDE_PARAM_DURATION:
        if (str_to_duration(value, &number)) {
            err_set(err, ERR_INVALID,
                    "%s: expected a duration such as 250ms, 30s or 5m, got \"%s\"", param->key,
                    value);
            return NULL;
        }
        return arena ? arena_printf(arena, "%lld", (long long)(number / NS_PER_MS)) : value;
    default:
        return arena ? arena_strdup(arena, value) : value;
    }
}

static bool secret_set(const struct connection_param *param)
{
    return param->secret.kind != SECRET_NONE || (param->value && param->value[0]);
}

static int check_given(const struct adapter *adapter, const struct connection_param *param,
                       struct err *err)
{
    const struct sonde_param *known = params_find(adapter, param->key);
    if (!known)
        return unknown_key(adapter, param->key, err);
    if (known->flags & SONDE_PARAM_SECRET)
        return 0;
    if (!param->value)
        return err_set(err, ERR_INVALID,
                       "%s is no secret of backend %s: write its value itself, not where to get it",
                       param->key, adapter->table.name);
    return canonical(known, param->value, NULL, err) ? 0 : ERR_INVALID;
}

static int check_scheme(const struct adapter *adapter, const struct connection *connection,
                        struct err *err)
{
    if (connection->auth.type != AUTH_SCHEME)
        return 0;
    const char *names[16] = {0};
    size_t n = 0;
    for (; n < adapter->table.auth_scheme_count && n < 16; n++) {
        names[n] = adapter->table.auth_schemes[n]->name;
        if (str_eq(names[n], connection->auth.scheme))
            return 0;
    }
    const char *scheme = connection->auth.scheme ? connection->auth.scheme : "";
    const char *near = str_nearest(scheme, names, n);
    return err_set(err, ERR_INVALID,
                   "auth.type \"%s\" is unknown to backend %s%s%s%s: accepted are none, bearer, "
                   "basic, header%s%s",
                   scheme, adapter->table.name, near ? ", did you mean \"" : "", near ? near : "",
                   near ? "\"" : "", n ? " and the backend's own, such as " : "",
                   n ? names[0] : "");
}

int params_check(const struct adapter *adapter, const struct connection *connection,
                 struct err *err)
{
    for (size_t i = 0; i < connection->param_count; i++) {
        const char *key = connection->params[i].key;
        int r = check_given(adapter, &connection->params[i], err);
        if (r)
            return r;
        if (given(connection, key) != &connection->params[i])
            return err_set(err, ERR_INVALID, "%s is given twice", key);
    }
    for (size_t i = 0; i < adapter->table.param_count; i++) {
        const struct sonde_param *param = adapter->table.params[i];
        const struct connection_param *value = given(connection, param->key);
        bool set = value && ((param->flags & SONDE_PARAM_SECRET) ? secret_set(value)
                                                                 : value->value[0] != '\0');
        if ((param->flags & SONDE_PARAM_REQUIRED) && !set && !param->def)
            return err_set(err, ERR_INVALID, "backend %s needs the parameter %s: %s",
                           adapter->table.name, param->key,
                           param->help ? param->help : "it has no default");
    }
    return check_scheme(adapter, connection, err);
}

int params_fill(const struct adapter *adapter, const struct connection *connection,
                struct arena *arena, const struct sonde_pair **ret_pairs, size_t *ret_count,
                struct err *err)
{
    int r = params_check(adapter, connection, err);
    if (r)
        return r;
    size_t count = adapter->table.param_count;
    struct sonde_pair *pairs = arena_alloc_array(arena, count, sizeof *pairs);
    size_t n = 0;
    struct err bad = {0};
    for (size_t i = 0; pairs && i < count; i++) {
        const struct sonde_param *param = adapter->table.params[i];
        const struct connection_param *value = given(connection, param->key);
        const char *text = NULL;
        if (param->flags & SONDE_PARAM_SECRET)
            text = value && secret_set(value) ? "set" : "";
        else if (value || param->def)
            text = canonical(param, value ? value->value : param->def, arena, &bad);
        else
            continue;
        if (!text && bad.code)
            return err_set(err, ERR_INVALID, "the default of plugin %s: %s", adapter->table.name,
                           bad.text);
        pairs[n++] = (struct sonde_pair){.key = param->key, .value = text};
    }
    if (!pairs || arena->failed)
        return err_set(err, ERR_MEMORY, "no memory for the parameters of a connection");
    *ret_pairs = pairs;
    *ret_count = n;
    return 0;
}
