/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry.h"

#include <string.h>

struct registry {
    int unused;
};

#define PARAM(name, type_, flags_, help_)                                                       \
    &(const struct sonde_param)                                                                 \
    {                                                                                           \
        .struct_size = sizeof(struct sonde_param), .type = type_, .flags = flags_, .key = name, \
        .help = help_                                                                           \
    }

static const struct sonde_param *const params[] = {
    PARAM("site", SONDE_PARAM_STRING, 0, "the site"),
    PARAM("api_key", SONDE_PARAM_STRING, SONDE_PARAM_REQUIRED | SONDE_PARAM_SECRET,
          "the key to the API"),
    PARAM("labels.extra", SONDE_PARAM_LIST, 0, "labels to add"),
    PARAM("labels.deep.on", SONDE_PARAM_BOOLEAN, 0, "a switch"),
    PARAM("wait", SONDE_PARAM_DURATION, 0, "a pause"),
    PARAM("depth", SONDE_PARAM_INTEGER, 0, "a number"),
};

static const struct sonde_auth_scheme scheme = {.struct_size = sizeof scheme, .name = "vendor"};
static const struct sonde_auth_scheme *const schemes[] = {&scheme};

static const struct sonde_param *const prometheus_params[] = {
    PARAM("scrape_interval", SONDE_PARAM_DURATION, 0, "how often targets are scraped")};

static const struct adapter prometheus = {
    .table = {.name = "prometheus", .params = prometheus_params, .param_count = 1}};
static const struct sonde_param *const otlpfile_params[] = {
    PARAM("metrics.files", SONDE_PARAM_STRING, 0, "names of files with metrics")};
static const struct adapter otlpfile = {
    .table = {.name = "otlpfile", .params = otlpfile_params, .param_count = 1}};
static const struct adapter vendor = {.table = {.name = "vendor",
                                                .params = params,
                                                .param_count = sizeof params / sizeof params[0],
                                                .auth_schemes = schemes,
                                                .auth_scheme_count = 1}};
static const struct adapter *const adapters[] = {&otlpfile, &prometheus, &vendor};
static const struct plugin_refusal refusals[] = {
    {.path = "/x/broken.so", .name = "broken", .reason = "it is broken"}};

const struct registry *fake_registry(void)
{
    static const struct registry registry;
    return &registry;
}

const struct adapter *registry_find(const struct registry *registry, const char *name)
{
    (void)registry;
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++)
        if (strcmp(adapters[i]->table.name, name) == 0)
            return adapters[i];
    return NULL;
}

const struct adapter *const *registry_adapters(const struct registry *registry, size_t *ret_count)
{
    (void)registry;
    *ret_count = sizeof adapters / sizeof adapters[0];
    return adapters;
}

const struct plugin_refusal *registry_refusals(const struct registry *registry, size_t *ret_count)
{
    (void)registry;
    *ret_count = 1;
    return refusals;
}
