/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus.h"

#include "promql/probe.h"

#include <string.h>

/* Vendors with this API (Mimir, Cortex) name themselves in "application". */
static void buildinfo_field(struct prometheus_probe_state *state, const char *path,
                            const char *value, size_t size)
{
    if (strcmp(path, "version") == 0)
        promql_keep(state->version, sizeof state->version, value, size);
    else if (strcmp(path, "application") == 0 && size > 0)
        promql_keep(state->product, sizeof state->product, value, size);
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
        (void)promql_duration_ms(value, size, &state->timeout_ms);
    } else if (strcmp(path, "query.lookback-delta") == 0) {
        (void)promql_duration_ms(value, size, &state->lookback_ms);
    } else if (strcmp(path, "enable-feature") == 0 && state->exemplars < 0) {
        state->exemplars = lists(value, size, "exemplar-storage") ? 1 : 0;
    }
}

static struct prometheus_probe_state *state_of(struct promql_op *op)
{
    struct prometheus_probe_state *state = op->probe_state;
    if (state->product[0] == '\0') {
        promql_keep(state->product, sizeof state->product, "Prometheus", 10);
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
    /* VictoriaMetrics answers what it does not have in these words, with 400. */
    if (step != PROMETHEUS_BUILDINFO && status == 400 &&
        promql_body_has(op->steps[step], "unsupported path requested"))
        state->victoriametrics = true;
}

static void fact_number(struct promql_op *op, const char *key, uint64_t value)
{
    if (value > 0)
        promql_fact_number(op, key, value);
}

void prometheus_probe_done(struct promql_op *op)
{
    struct prometheus_probe_state *state = state_of(op);
    struct sonde_backend row = {.struct_size = sizeof row,
                                .product = state->product,
                                .version = state->version,
                                .features = state->features,
                                .feature_count = state->feature_count};
    if (state->victoriametrics) {
        /* Its buildinfo names a version of Prometheus that never was. */
        row.product = "VictoriaMetrics";
        row.version = "";
        state->exemplars = 0;
        row.status = "this is VictoriaMetrics, not Prometheus: backend: victoriametrics fits it "
                     "better (exact times, the newest samples, tenants, MetricsQL with filters)";
    }
    op->sink->backend(op->ctx, &row);
    promql_fact(op, "product", row.product);
    if (row.version[0] != '\0')
        promql_fact(op, "version", row.version);
    fact_number(op, "max_samples", state->max_samples);
    fact_number(op, "query_timeout_ms", state->timeout_ms);
    fact_number(op, "lookback_ms", state->lookback_ms);
    if (state->exemplars >= 0)
        promql_fact(op, "exemplars", state->exemplars > 0 ? "on" : "off");
}
