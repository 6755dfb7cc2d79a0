/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <stddef.h>
#include <string.h>

static int is_name(const char *name)
{
    if (!name || *name < 'a' || *name > 'z')
        return 0;
    size_t n = 0;
    for (; name[n]; n++) {
        const char c = name[n];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return 0;
    }
    return n <= 32;
}

static void check_slots(const struct sonde_plugin *table)
{
    const struct {
        const char *name;
        int is_set;
    } slots[] = {{"open", table->open != NULL},
                 {"close", table->close != NULL},
                 {"op_begin", table->op_begin != NULL},
                 {"op_next", table->op_next != NULL},
                 {"op_response_head", table->op_response_head != NULL},
                 {"op_response_data", table->op_response_data != NULL},
                 {"op_response_end", table->op_response_end != NULL},
                 {"op_end", table->op_end != NULL},
                 {"version", table->version != NULL},
                 {"license", table->license != NULL},
                 {"summary", table->summary != NULL},
                 {"homepage", table->homepage != NULL}};
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        if (!slots[i].is_set)
            kit_die("the plugin's table lacks %s", slots[i].name);
    }
}

static void check_data(const struct sonde_plugin *table)
{
    for (size_t i = 0; i < table->allowed_count; i++) {
        const struct sonde_allowed *allowed = table->allowed[i];
        if (allowed->struct_size != sizeof(*allowed) || !allowed->method || !*allowed->method ||
            !allowed->path_prefix || allowed->path_prefix[0] != '/')
            kit_die("allowed[%zu] needs its struct_size, a method and a path that begins with '/'",
                    i);
    }
    for (size_t i = 0; i < table->param_count; i++) {
        const struct sonde_param *param = table->params[i];
        if (param->struct_size != sizeof(*param) || !param->key || !*param->key || !param->help ||
            param->type < SONDE_PARAM_STRING || param->type > SONDE_PARAM_LIST)
            kit_die("params[%zu] needs its struct_size, a key, a type and a help text", i);
    }
    for (size_t i = 0; i < table->alias_count; i++) {
        if (table->aliases[i]->struct_size != sizeof(struct sonde_alias))
            kit_die("aliases[%zu] needs its struct_size", i);
    }
    for (size_t i = 0; i < table->auth_scheme_count; i++) {
        if (table->auth_schemes[i]->struct_size != sizeof(struct sonde_auth_scheme))
            kit_die("auth_schemes[%zu] needs its struct_size", i);
    }
}

void kit_check_table(const struct sonde_plugin *table)
{
    if (table->struct_size != sizeof(*table))
        kit_die("the plugin's table has struct_size %u instead of %zu", table->struct_size,
                sizeof(*table));
    if (table->abi_major != SONDE_ABI_MAJOR || table->needs_minor > SONDE_ABI_MINOR)
        kit_die("the plugin's table is of ABI %u.%u and needs minor %u; this testkit is of %u.%u",
                table->abi_major, table->abi_minor, table->needs_minor, SONDE_ABI_MAJOR,
                SONDE_ABI_MINOR);
    if (!is_name(table->name))
        kit_die("the plugin's name must be [a-z][a-z0-9_]{0,31}");
    check_slots(table);
    check_data(table);
    if (table->required_caps)
        kit_die("the plugin's table requires caps %llx, of which this host has none",
                (unsigned long long)table->required_caps);
}
