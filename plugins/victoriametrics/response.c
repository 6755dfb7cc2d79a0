/* SPDX-License-Identifier: Apache-2.0 */
#include "victoriametrics.h"

#include "promql/name.h"
#include "promql/probe.h"

#include <stdio.h>
#include <string.h>

/* A line of /metrics is name{label="value", ...} value; what is read of it holds no escapes. */
static bool label_of(const char *line, size_t size, const char *label, const char **ret_value,
                     size_t *ret_size)
{
    size_t n = strlen(label);
    for (size_t i = 0; i + n + 2 < size; i++) {
        if (memcmp(line + i, label, n) != 0 || line[i + n] != '=' || line[i + n + 1] != '"' ||
            (i > 0 && line[i - 1] != '{' && line[i - 1] != ' ' && line[i - 1] != ','))
            continue;
        const char *value = line + i + n + 2;
        const char *end = memchr(value, '"', (size_t)(line + size - value));
        if (end == NULL)
            return false;
        *ret_value = value;
        *ret_size = (size_t)(end - value);
        return true;
    }
    return false;
}

static bool begins(const char *text, size_t size, const char *with)
{
    size_t n = strlen(with);
    return size >= n && memcmp(text, with, n) == 0;
}

static bool is(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

/* version="victoria-metrics-20220801-115230-tags-v1.79.5", short_version="v1.79.5": both empty in Debian's package. */
static void app_version(struct victoriametrics_probe_state *state, const char *line, size_t size)
{
    const char *value;
    size_t value_size;
    /* A front's own metrics are no answer to what stands behind it. */
    if (label_of(line, size, "version", &value, &value_size) && value_size > 0 &&
        !begins(value, value_size, "victoria-metrics") && !begins(value, value_size, "vmselect") &&
        !begins(value, value_size, "vmsingle"))
        return;
    state->is_ours |= value_size > 0;
    if (!label_of(line, size, "short_version", &value, &value_size) || value_size == 0)
        return;
    if (value[0] == 'v') {
        value++;
        value_size--;
    }
    promql_keep(state->version, sizeof state->version, value, value_size);
}

static void flag(struct victoriametrics_probe_state *state, const char *line, size_t size)
{
    const char *name;
    const char *value;
    size_t name_size;
    size_t value_size;
    int64_t number;
    if (!label_of(line, size, "name", &name, &name_size) ||
        !label_of(line, size, "value", &value, &value_size))
        return;
    if (is(name, name_size, "search.latencyOffset")) {
        state->is_ours = true;
        state->has_offset = is(value, value_size, "0s") ||
                            promql_duration_ms(value, value_size, &state->latency_offset_ms) == 0;
    } else if (is(name, name_size, "search.maxPointsPerTimeseries")) {
        if (sonde_parse_int64(value, value_size, &number) == 0 && number > 1)
            state->max_points = (uint64_t)number;
    } else if (is(name, name_size, "search.maxQueryDuration")) {
        (void)promql_duration_ms(value, value_size, &state->timeout_ms);
    } else if (is(name, name_size, "search.ignoreExtraFiltersAtLabelsAPI")) {
        state->ignores_match = is(value, value_size, "true");
    }
}

void victoriametrics_probe_line(struct promql_op *op, size_t step, const char *line, size_t size)
{
    struct victoriametrics_probe_state *state = op->probe_state;
    (void)step;
    if (begins(line, size, "vm_app_version{"))
        app_version(state, line, size);
    else if (begins(line, size, "flag{"))
        flag(state, line, size);
}

/* goVersion and its neighbours are Prometheus'; vendors with its API name themselves in "application". */
void victoriametrics_probe_field(struct promql_op *op, size_t step, const char *path,
                                 const char *value, size_t size)
{
    struct victoriametrics_probe_state *state = op->probe_state;
    if (step != VICTORIAMETRICS_BUILDINFO)
        return;
    if (strcmp(path, "goVersion") == 0)
        state->is_foreign = true;
    else if (strcmp(path, "application") == 0)
        promql_keep(state->foreign, sizeof state->foreign, value, size);
    else if (strcmp(path, "version") == 0)
        promql_keep(state->foreign_version, sizeof state->foreign_version, value, size);
}

void victoriametrics_probe_answered(struct promql_op *op, size_t step, uint32_t status)
{
    struct victoriametrics_probe_state *state = op->probe_state;
    if (step == VICTORIAMETRICS_QUERY && status == 200 && op->steps[step]->reader.has_stats)
        state->is_ours = true;
}

void victoriametrics_probe_done(struct promql_op *op)
{
    struct victoriametrics_probe_state *state = op->probe_state;
    bool foreign = state->is_foreign && !state->is_ours;
    const char *product = !foreign                    ? op->instance->dialect->product
                          : state->foreign[0] != '\0' ? state->foreign
                                                      : "Prometheus";
    const char *version = foreign ? state->foreign_version : state->version;
    char advice[200];
    struct sonde_backend row = {.struct_size = sizeof row, .product = product, .version = version};
    if (foreign) {
        (void)snprintf(advice, sizeof advice,
                       "this is %s, not VictoriaMetrics: backend: prometheus fits it better",
                       product);
        row.status = advice;
    }
    op->sink->backend(op->ctx, &row);
    promql_fact(op, "product", product);
    if (version[0] != '\0')
        promql_fact(op, "version", version);
    if (state->has_offset)
        promql_fact_number(op, "latency_offset_ms", state->latency_offset_ms);
    if (state->max_points > 0)
        promql_fact_number(op, "max_points", state->max_points);
    if (state->timeout_ms > 0)
        promql_fact_number(op, "query_timeout_ms", state->timeout_ms);
    if (state->ignores_match)
        promql_fact(op, "ignores_match", "yes");
}
