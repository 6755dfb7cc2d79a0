/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include "name.h"

#include <string.h>

void promql_metadata_init(struct promql_metadata *metadata, const struct sonde_host *host,
                          struct sonde_ctx *ctx)
{
    *metadata = (struct promql_metadata){.host = host, .ctx = ctx};
}

static uint32_t hash(const char *name, size_t size)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)name[i]) * 16777619u;
    return value;
}

/* The place of a name, or the free one where it belongs. The table is never full. */
static struct promql_family *find(struct promql_family *places, uint32_t capacity, const char *name,
                                  size_t size)
{
    uint32_t i = hash(name, size) & (capacity - 1);
    while (places[i].name != NULL &&
           (places[i].name_size != size || memcmp(places[i].name, name, size) != 0))
        i = (i + 1) & (capacity - 1);
    return &places[i];
}

static bool grow(struct promql_metadata *metadata)
{
    if (metadata->count * 2 < metadata->capacity)
        return true;
    if (metadata->count >= PROMQL_MAX_FAMILIES)
        return false;
    uint32_t capacity = metadata->capacity == 0 ? 256 : metadata->capacity * 2;
    struct promql_family *places = metadata->host->alloc(metadata->ctx, capacity * sizeof *places);
    if (places == NULL)
        return false;
    for (uint32_t i = 0; i < metadata->capacity; i++) {
        const struct promql_family *family = &metadata->places[i];
        if (family->name != NULL)
            *find(places, capacity, family->name, family->name_size) = *family;
    }
    metadata->places = places;
    metadata->capacity = capacity;
    return true;
}

static uint32_t type_of(const char *word)
{
    static const struct {
        const char *word;
        uint32_t type;
    } types[] = {
        {"counter", SONDE_TYPE_COUNTER},     {"gauge", SONDE_TYPE_GAUGE},
        {"histogram", SONDE_TYPE_HISTOGRAM}, {"gaugehistogram", SONDE_TYPE_HISTOGRAM},
        {"summary", SONDE_TYPE_SUMMARY},     {"info", SONDE_TYPE_INFO},
        {"stateset", SONDE_TYPE_STATESET},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].word, word) == 0)
            return types[i].type;
    return SONDE_TYPE_UNKNOWN;
}

static const char *keep(struct promql_metadata *metadata, const char *text, size_t size)
{
    if (size == 0)
        return "";
    metadata->bytes += size + 1;
    if (metadata->bytes > PROMQL_MAX_FAMILY_BYTES)
        return NULL;
    return sonde_copy(metadata->host, metadata->ctx, text, size);
}

void promql_metadata_add(struct promql_metadata *metadata, const char *name, size_t size,
                         const char *type, const char *unit, const char *help)
{
    if (metadata->full || size == 0)
        return;
    if (!grow(metadata)) {
        metadata->full = true;
        return;
    }
    struct promql_family *place = find(metadata->places, metadata->capacity, name, size);
    if (place->name != NULL)
        return;
    const char *kept = keep(metadata, name, size);
    const char *kept_unit = keep(metadata, unit, strlen(unit));
    const char *kept_help = keep(metadata, help, strlen(help));
    if (kept == NULL || kept_unit == NULL || kept_help == NULL) {
        metadata->full = true;
        return;
    }
    *place = (struct promql_family){.name = kept,
                                    .name_size = size,
                                    .type = type_of(type),
                                    .unit = kept_unit,
                                    .help = kept_help};
    metadata->count++;
}

static const struct promql_family *look_up(const struct promql_metadata *metadata, const char *name,
                                           size_t size)
{
    if (metadata->capacity == 0)
        return NULL;
    const struct promql_family *family = find(metadata->places, metadata->capacity, name, size);
    return family->name != NULL ? family : NULL;
}

void promql_metadata_describe(const struct promql_metadata *metadata, struct sonde_name *row)
{
    struct promql_guess guess = promql_guess_name(row->name, row->name_size);
    const struct promql_family *family = look_up(metadata, row->name, row->name_size);
    bool whole = family != NULL;
    if (!whole && guess.family_size < row->name_size)
        family = look_up(metadata, row->name, guess.family_size);
    row->type = guess.type;
    row->unit = guess.unit;
    row->help = NULL;
    row->guessed = family == NULL && guess.type != SONDE_TYPE_UNKNOWN ? 1 : 0;
    if (family == NULL)
        return;
    /* A part of a histogram or summary is what its suffix says; the family says the rest. */
    if (whole || family->type == SONDE_TYPE_COUNTER || family->type == SONDE_TYPE_INFO)
        row->type = family->type;
    if (row->type == SONDE_TYPE_UNKNOWN && guess.type != SONDE_TYPE_UNKNOWN) {
        row->type = guess.type;
        row->guessed = 1;
    }
    if (family->unit[0] != '\0' && (whole || guess.keeps_unit))
        row->unit = promql_unit(family->unit);
    if (family->help[0] != '\0')
        row->help = family->help;
}
