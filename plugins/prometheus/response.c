/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus.h"

#include "promql/name.h"

#include <sonde/json.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

static void set(char *to, size_t to_size, const char *value, size_t size)
{
    size = promql_cut(value, size, to_size - 1);
    memcpy(to, value, size);
    to[size] = '\0';
}

/* Vendors with this API (Mimir, Cortex) name themselves in "application". */
static void buildinfo_field(struct prometheus_probe_state *state, const char *path,
                            const char *value, size_t size)
{
    if (strcmp(path, "version") == 0)
        set(state->version, sizeof state->version, value, size);
    else if (strcmp(path, "application") == 0 && size > 0)
        set(state->product, sizeof state->product, value, size);
}

/* Lists of every function and operator say nothing that a query would not. */
static bool is_told(const char *path)
{
    static const char *const groups[] = {"api.", "tsdb.", "promql.", "otlp_receiver.",
                                         "prometheus."};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strncmp(path, groups[i], strlen(groups[i])) == 0)
            return true;
    return false;
}

static void feature_field(struct promql_op *op, struct prometheus_probe_state *state,
                          const char *path, const char *value, size_t size)
{
    bool on = size == 4 && memcmp(value, "true", 4) == 0;
    if (strcmp(path, "tsdb.exemplar_storage") == 0)
        state->exemplars = on ? 1 : 0;
    if (!on || !is_told(path) || state->feature_count == PROMETHEUS_MAX_FEATURES)
        return;
    const char *kept = sonde_copy(op->host, op->ctx, path, strlen(path));
    if (kept != NULL)
        state->features[state->feature_count++] = kept;
}

/* A duration as Prometheus prints its flags: "2m", "1h30m"; 0 where it is something else. */
static uint64_t duration_ms(const char *value, size_t size)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    uint64_t total = 0;
    size_t i = 0;
    while (i < size) {
        uint64_t n = 0;
        size_t start = i;
        while (i < size && value[i] >= '0' && value[i] <= '9' && i - start < 12)
            n = n * 10 + (uint64_t)(value[i++] - '0');
        size_t unit = 0;
        while (unit < 5 && (size - i < strlen(units[unit].unit) ||
                            memcmp(value + i, units[unit].unit, strlen(units[unit].unit)) != 0))
            unit++;
        if (start == i || unit == 5)
            return 0;
        total += n * units[unit].ms;
        i += strlen(units[unit].unit);
    }
    return total;
}

/* Whether a comma-separated list holds the word. */
static bool lists(const char *value, size_t size, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= size; i++)
        if (memcmp(value + i, word, n) == 0 && (i == 0 || value[i - 1] == ',') &&
            (i + n == size || value[i + n] == ','))
            return true;
    return false;
}

static void flag_field(struct prometheus_probe_state *state, const char *path, const char *value,
                       size_t size)
{
    int64_t number;
    state->flags_read = true;
    if (strcmp(path, "query.max-samples") == 0) {
        if (sonde_parse_int64(value, size, &number) == 0 && number > 0)
            state->max_samples = (uint64_t)number;
    } else if (strcmp(path, "query.timeout") == 0) {
        state->timeout_ms = duration_ms(value, size);
    } else if (strcmp(path, "query.lookback-delta") == 0) {
        state->lookback_ms = duration_ms(value, size);
    } else if (strcmp(path, "enable-feature") == 0 && state->exemplars < 0) {
        state->exemplars = lists(value, size, "exemplar-storage") ? 1 : 0;
    }
}

static struct prometheus_probe_state *state_of(struct promql_op *op)
{
    struct prometheus_probe_state *state = op->probe_state;
    if (state->product[0] == '\0') {
        set(state->product, sizeof state->product, "Prometheus", 10);
        state->exemplars = -1;
    }
    return state;
}

void prometheus_probe_field(struct promql_op *op, size_t step, const char *path, const char *value,
                            size_t size)
{
    struct prometheus_probe_state *state = state_of(op);
    if (step == PROMETHEUS_BUILDINFO)
        buildinfo_field(state, path, value, size);
    else if (step == PROMETHEUS_FEATURES)
        feature_field(op, state, path, value, size);
    else if (step == PROMETHEUS_FLAGS)
        flag_field(state, path, value, size);
}

/* A retried answer starts over, so what its first attempt told must not count twice. */
void prometheus_probe_answered(struct promql_op *op, size_t step, uint32_t status)
{
    struct prometheus_probe_state *state = state_of(op);
    if (step == PROMETHEUS_FEATURES && status != 200)
        state->feature_count = 0;
}

static void fact_number(struct promql_op *op, const char *key, uint64_t value)
{
    char text[24];
    if (value == 0)
        return;
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    op->sink->fact(op->ctx, key, text, DAY_MS);
}

void prometheus_probe_done(struct promql_op *op)
{
    struct prometheus_probe_state *state = state_of(op);
    struct sonde_backend row = {.struct_size = sizeof row,
                                .product = state->product,
                                .version = state->version,
                                .features = state->features,
                                .feature_count = state->feature_count};
    op->sink->backend(op->ctx, &row);
    op->sink->fact(op->ctx, "product", state->product, DAY_MS);
    if (state->version[0] != '\0')
        op->sink->fact(op->ctx, "version", state->version, DAY_MS);
    fact_number(op, "max_samples", state->max_samples);
    fact_number(op, "query_timeout_ms", state->timeout_ms);
    fact_number(op, "lookback_ms", state->lookback_ms);
    if (state->exemplars >= 0)
        op->sink->fact(op->ctx, "exemplars", state->exemplars > 0 ? "on" : "off", DAY_MS);
}
