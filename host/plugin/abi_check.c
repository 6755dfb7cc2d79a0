/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/abi_check.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/* Every table of major 1 has at least this; the number never changes within the major. */
#define TABLE_1_0_SIZE (offsetof(struct sonde_plugin, link) + sizeof(sonde_link_fn))
#define HEAD_SIZE (offsetof(struct sonde_plugin, needs_minor) + sizeof(uint32_t))

#define KNOWN_CAPS                                                                 \
    ((SONDE_CAP(SONDE_KIND_COUNT) - 1) | SONDE_CAP_NATIVE | SONDE_CAP_STRUCTURED | \
     SONDE_CAP_COMBINE | SONDE_CAP_NATIVE_FILTERS)

#define MAX_PARAMS 64u
#define MAX_SCHEMES 16u
#define MAX_ALLOWED 64u
#define MAX_ALIASES 64u
#define MAX_CANDIDATES 64u
#define MAX_NAME 32u

static const char *const host_keys[] = {
    "url",          "auth", "tls",  "proxy",   "headers",     "tenant", "http2",  "timeout_seconds",
    "query_limits", "ui",   "tags", "default", "description", "name",   "backend"};

static int check_head(const struct sonde_plugin *table, struct err *err)
{
    uint32_t size = table->struct_size;
    if (size < HEAD_SIZE)
        return err_set(err, ERR_INVALID,
                       "its table says struct_size %u, less than the %zu bytes of its own head",
                       size, HEAD_SIZE);
    if (table->abi_major != SONDE_ABI_MAJOR)
        return err_set(err, ERR_INVALID, "built for plugin ABI %u.%u, this host speaks %u.%u",
                       table->abi_major, table->abi_minor, SONDE_ABI_MAJOR, SONDE_ABI_MINOR);
    if (table->needs_minor > SONDE_ABI_MINOR)
        return err_set(err, ERR_INVALID, "needs plugin ABI %u.%u, this host offers %u.%u",
                       table->abi_major, table->needs_minor, SONDE_ABI_MAJOR, SONDE_ABI_MINOR);
    if (size < TABLE_1_0_SIZE)
        return err_set(err, ERR_INVALID,
                       "its table says struct_size %u, a table of ABI 1.0 has %zu", size,
                       TABLE_1_0_SIZE);
    return 0;
}

static bool name_ok(const char *name)
{
    size_t n = strnlen(name, MAX_NAME + 1);
    if (!n || n > MAX_NAME || name[0] < 'a' || name[0] > 'z')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static int check_identity(const struct sonde_plugin *t, struct err *err)
{
    const struct {
        const char *member;
        const char *text;
    } texts[] = {{"name", t->name},
                 {"version", t->version},
                 {"license", t->license},
                 {"summary", t->summary}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (!texts[i].text || !texts[i].text[0])
            return err_set(err, ERR_INVALID, "its table lacks %s", texts[i].member);
    if (!name_ok(t->name))
        return err_set(
            err, ERR_INVALID,
            "its name \"%.40s\" is malformed: a lower-case letter, then up to 31 of a-z, "
            "0-9 and _",
            t->name);
    return 0;
}

static int check_functions(const struct sonde_plugin *t, struct err *err)
{
    const struct {
        const char *member;
        bool there;
    } functions[] = {{"open", t->open},
                     {"close", t->close},
                     {"op_begin", t->op_begin},
                     {"op_next", t->op_next},
                     {"op_response_head", t->op_response_head},
                     {"op_response_data", t->op_response_data},
                     {"op_response_end", t->op_response_end},
                     {"op_end", t->op_end}};
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
        if (!functions[i].there)
            return err_set(err, ERR_INVALID, "its function %s is NULL", functions[i].member);
    return 0;
}

static int check_caps(const struct sonde_plugin *t, struct err *err)
{
    uint64_t unknown = t->required_caps & ~KNOWN_CAPS;
    if (unknown)
        return err_set(err, ERR_INVALID,
                       "requires features this host (ABI %u.%u) does not know: required_caps bits "
                       "0x%llx",
                       SONDE_ABI_MAJOR, SONDE_ABI_MINOR, (unsigned long long)unknown);
    if (!(t->caps & (SONDE_CAP(SONDE_KIND_COUNT) - 1)))
        return err_set(err, ERR_INVALID, "its caps 0x%llx hold no kind of query",
                       (unsigned long long)t->caps);
    return 0;
}

/* An array of count pointers: none may be NULL, no more than max. */
static int check_array(const char *member, const void *array, size_t count, size_t max,
                       struct err *err)
{
    if (count > max)
        return err_set(err, ERR_INVALID, "its table has %zu %s, at most %zu are accepted", count,
                       member, max);
    if (count && !array)
        return err_set(err, ERR_INVALID, "its %s is NULL although it counts %zu", member, count);
    const void *const *entries = array;
    for (size_t i = 0; i < count; i++)
        if (!entries[i])
            return err_set(err, ERR_INVALID, "its %s[%zu] is NULL", member, i);
    return 0;
}

static bool key_ok(const char *key)
{
    size_t n = strlen(key);
    return n && n <= 64 && key[0] >= 'a' && key[0] <= 'z' && key[n - 1] != '.' &&
           !strstr(key, "..") && strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.") == n;
}

static int check_params(const struct sonde_plugin *t, struct err *err)
{
    int r = check_array("params", t->params, t->param_count, MAX_PARAMS, err);
    if (r)
        return r;
    for (size_t i = 0; i < t->param_count; i++) {
        const struct sonde_param *param = t->params[i];
        if (param->struct_size < sizeof *param || !param->key || !key_ok(param->key))
            return err_set(err, ERR_INVALID,
                           "its params[%zu] has no key of the form \"group.name\" in lower case",
                           i);
        if (param->type < SONDE_PARAM_STRING || param->type > SONDE_PARAM_LIST)
            return err_set(err, ERR_INVALID, "its parameter %s has the unknown type %u", param->key,
                           param->type);
        size_t group = strcspn(param->key, ".");
        for (size_t k = 0; k < ARRAY_SIZE(host_keys); k++)
            if (strlen(host_keys[k]) == group && memcmp(host_keys[k], param->key, group) == 0)
                return err_set(
                    err, ERR_INVALID,
                    "its parameter %s is a key of the host's own and may not be declared",
                    param->key);
        for (size_t k = 0; k < i; k++)
            if (strcmp(t->params[k]->key, param->key) == 0)
                return err_set(err, ERR_INVALID, "its parameter %s is declared twice", param->key);
    }
    return 0;
}

static int check_scheme(const struct sonde_auth_scheme *scheme, size_t i, struct err *err)
{
    if (scheme->struct_size < sizeof *scheme || !scheme->name || !key_ok(scheme->name))
        return err_set(err, ERR_INVALID, "its auth_schemes[%zu] has no usable name", i);
    int r = check_array("placements", scheme->placements, scheme->placement_count, 16, err);
    if (r)
        return r;
    for (size_t k = 0; k < scheme->placement_count; k++) {
        const struct sonde_placement *placement = scheme->placements[k];
        if (placement->struct_size < sizeof *placement || placement->place < SONDE_PLACE_HEADER ||
            placement->place > SONDE_PLACE_SIGV4 || !placement->template_ ||
            (placement->place != SONDE_PLACE_BASIC && !placement->name))
            return err_set(err, ERR_INVALID, "its auth scheme %s has a malformed placement %zu",
                           scheme->name, k);
    }
    return 0;
}

static int check_aliases(const struct sonde_plugin *t, struct err *err)
{
    int r = check_array("aliases", t->aliases, t->alias_count, MAX_ALIASES, err);
    for (size_t i = 0; !r && i < t->alias_count; i++) {
        const struct sonde_alias *alias = t->aliases[i];
        if (alias->struct_size < sizeof *alias || !alias->logical)
            return err_set(err, ERR_INVALID, "its aliases[%zu] has no logical key", i);
        r = check_array("candidates", alias->candidates, alias->candidate_count, MAX_CANDIDATES,
                        err);
    }
    return r;
}

static int check_data(const struct sonde_plugin *t, struct err *err)
{
    int r = check_params(t, err);
    if (!r)
        r = check_array("auth_schemes", t->auth_schemes, t->auth_scheme_count, MAX_SCHEMES, err);
    for (size_t i = 0; !r && i < t->auth_scheme_count; i++)
        r = check_scheme(t->auth_schemes[i], i, err);
    if (!r)
        r = check_array("allowed", t->allowed, t->allowed_count, MAX_ALLOWED, err);
    for (size_t i = 0; !r && i < t->allowed_count; i++) {
        const struct sonde_allowed *allowed = t->allowed[i];
        if (allowed->struct_size < sizeof *allowed || !allowed->method || !allowed->method[0] ||
            !allowed->path_prefix || allowed->path_prefix[0] != '/')
            r = err_set(err, ERR_INVALID,
                        "its allowed[%zu] needs a method and a path_prefix that begins with /", i);
    }
    return r ? r : check_aliases(t, err);
}

int abi_check(const struct sonde_plugin *table, struct sonde_plugin *ret_table, struct err *err)
{
    int r = check_head(table, err);
    if (r)
        return r;
    struct sonde_plugin copy = {0};
    memcpy(&copy, table, table->struct_size < sizeof copy ? table->struct_size : sizeof copy);
    r = check_caps(&copy, err);
    if (!r)
        r = check_identity(&copy, err);
    if (!r)
        r = check_functions(&copy, err);
    if (!r)
        r = check_data(&copy, err);
    if (r)
        return r;
    *ret_table = copy;
    return 0;
}

uint64_t abi_unknown_caps(const struct sonde_plugin *table)
{
    return table->caps & ~KNOWN_CAPS;
}
