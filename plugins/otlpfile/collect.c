/* SPDX-License-Identifier: Apache-2.0 */
/* Points as they are read become samples of the selected series, names, or exemplars. */
#include "operation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_ENTRIES 100000
#define MAX_SEEN 2000000
#define MAX_FOUND_EXEMPLARS 20000

/* The suffix that Prometheus gives a unit. */
static const char *unit_suffix(const struct metric_info *metric)
{
    static const struct {
        const char *unit;
        const char *suffix;
    } suffixes[] = {{"s", "_seconds"},      {"ms", "_milliseconds"}, {"us", "_microseconds"},
                    {"ns", "_nanoseconds"}, {"min", "_minutes"},     {"h", "_hours"},
                    {"d", "_days"},         {"By", "_bytes"},        {"KiBy", "_kibibytes"},
                    {"MiBy", "_mebibytes"}, {"GiBy", "_gibibytes"},  {"%", "_percent"},
                    {"Cel", "_celsius"},    {"Hz", "_hertz"},        {"V", "_volts"},
                    {"A", "_amperes"},      {"J", "_joules"},        {"W", "_watts"},
                    {"m", "_meters"},       {"g", "_grams"}};

    if (strcmp(metric->unit, "1") == 0 && metric->kind == METRIC_GAUGE)
        return "_ratio";
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(metric->unit, suffixes[i].unit) == 0)
            return suffixes[i].suffix;
    return "";
}

static enum variant variant_of_rest(enum metric_kind kind, const char *rest)
{
    bool histogram = kind == METRIC_HISTOGRAM || kind == METRIC_EXPONENTIAL;

    if (!rest[0])
        return VARIANT_PLAIN;
    if (kind == METRIC_SUM && strcmp(rest, "_total") == 0)
        return VARIANT_PLAIN;
    if (kind == METRIC_HISTOGRAM && strcmp(rest, "_bucket") == 0)
        return VARIANT_BUCKET;
    if ((histogram || kind == METRIC_SUMMARY) && strcmp(rest, "_count") == 0)
        return VARIANT_COUNT;
    if ((histogram || kind == METRIC_SUMMARY) && strcmp(rest, "_sum") == 0)
        return VARIANT_SUM;
    return VARIANT_NONE;
}

/* A metric is found by its own name, dots or not, and by the one Prometheus would give it. */
static enum variant variant_of_name(const char *wanted, const struct metric_info *metric)
{
    size_t n = strlen(metric->norm);
    const char *suffix = unit_suffix(metric);
    enum variant variant;

    if (strncmp(wanted, metric->norm, n) != 0)
        return VARIANT_NONE;
    variant = variant_of_rest(metric->kind, wanted + n);
    if (variant == VARIANT_NONE && suffix[0] && strncmp(wanted + n, suffix, strlen(suffix)) == 0)
        variant = variant_of_rest(metric->kind, wanted + n + strlen(suffix));
    return variant;
}

static bool selectors_want(struct operation *op, const struct metric_info *metric)
{
    bool any = false;

    for (size_t i = 0; i < op->ast.selector_count; i++) {
        const struct selector *s = op->ast.selectors[i];
        enum variant variant = s->norm ? variant_of_name(s->norm, metric) : VARIANT_PLAIN;

        if (variant != VARIANT_NONE && !matchers_hold_name(s->matchers, metric->norm, metric->name))
            variant = VARIANT_NONE;
        op->variants[i] = variant;
        op->name_seen[i] |= variant != VARIANT_NONE;
        any |= variant != VARIANT_NONE;
    }
    return any;
}

/* The host's catalogue asks for names that hold a text, in whatever spelling. */
static bool name_holds(struct operation *op, const struct metric_info *metric)
{
    const char *part = op->query->name;
    size_t n = part ? strlen(part) : 0;

    if (!n || strstr(metric->name, part))
        return true;
    for (const char *at = metric->norm; *at; at++) {
        size_t i = 0;

        for (; i < n && at[i]; i++) {
            char a = at[i];
            char b = part[i] == '.' || part[i] == '-' ? '_' : part[i];

            if (a >= 'A' && a <= 'Z')
                a = (char)(a | 0x20);
            if (b >= 'A' && b <= 'Z')
                b = (char)(b | 0x20);
            if (a != b)
                break;
        }
        if (i == n)
            return true;
    }
    return false;
}

bool collect_is_new(struct operation *op, uint64_t hash)
{
    size_t at;

    hash |= 1; /* 0 is a free place */
    if (op->seen_count * 2 >= op->seen_size && op->seen_size < MAX_SEEN * 2) {
        size_t size = op->seen_size ? op->seen_size * 2 : 256;
        uint64_t *bigger = memory_get(&op->memory, size * sizeof(*bigger));

        if (!bigger)
            return false;
        for (size_t i = 0; i < op->seen_size; i++) {
            if (!op->seen[i])
                continue;
            for (at = op->seen[i] & (size - 1); bigger[at]; at = (at + 1) & (size - 1))
                ;
            bigger[at] = op->seen[i];
        }
        op->seen = bigger;
        op->seen_size = size;
    }
    for (at = hash & (op->seen_size - 1); op->seen[at]; at = (at + 1) & (op->seen_size - 1))
        if (op->seen[at] == hash)
            return false;
    if (op->seen_count >= MAX_SEEN) {
        op->memory.full = true;
        return false;
    }
    op->seen[at] = hash;
    op->seen_count++;
    return true;
}

static struct entry *get_entry(struct operation *op, const char *text)
{
    void *entries;
    struct entry *entry;

    for (size_t i = op->entry_count; i-- > 0;)
        if (strcmp(op->entries[i].text, text) == 0)
            return &op->entries[i];
    entries = memory_grow(&op->memory, op->entries, op->entry_count, &op->entry_capacity,
                          sizeof(struct entry), MAX_ENTRIES);
    if (!entries)
        return NULL;
    op->entries = entries;
    entry = &op->entries[op->entry_count++];
    *entry = (struct entry){.text = memory_copy(&op->memory, text, strlen(text))};
    entry->unit = entry->help = "";
    return entry->text ? entry : NULL;
}

static uint32_t type_of(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_HISTOGRAM:
    case METRIC_EXPONENTIAL:
        return SONDE_TYPE_HISTOGRAM;
    case METRIC_SUMMARY:
        return SONDE_TYPE_SUMMARY;
    default:
        return SONDE_TYPE_GAUGE;
    }
}

static bool collect_wanted(void *user, const struct metric_info *metric)
{
    struct operation *op = user;

    op->current = NULL;
    switch (op->query->kind) {
    case SONDE_KIND_METRICS:
    case SONDE_KIND_EXEMPLARS:
        return selectors_want(op, metric);
    case SONDE_KIND_METRIC_NAMES:
        return matchers_hold_name(op->filters, metric->norm, metric->name) &&
               name_holds(op, metric);
    default:
        return (!op->metric_norm || variant_of_name(op->metric_norm, metric) != VARIANT_NONE) &&
               matchers_hold_name(op->filters, metric->norm, metric->name);
    }
}

static int32_t fail_full(struct operation *op, int rc)
{
    return rc < 0 || op->memory.full ? fail_memory(op) : 0;
}

/* ---- samples ---- */

static bool in_reach(const struct operation *op, const struct selector *s, int64_t t)
{
    int64_t first = op->query->step_ns ? op->query->start_ns : op->query->end_ns;
    int64_t back = s->range_ns ? s->range_ns : LOOKBACK;

    return t > first - s->offset_ns - back && t <= op->query->end_ns - s->offset_ns;
}

static int add_named(struct series_set *set, const struct point *p, const char *suffix, double v,
                     uint32_t type, const char *unit)
{
    char name[512];
    struct series *series;

    snprintf(name, sizeof(name), "%s%s", p->metric->name, suffix);
    series = series_set_get(set, name, &p->labels);
    if (!series)
        return -1;
    if (!series->count) {
        series->type = type;
        series->unit = unit[0] ? memory_copy(set->memory, unit, strlen(unit)) : "";
    }
    if (!series->unit)
        return -1;
    return series_add(set, series, p->time_ns, p->ended ? absent_value() : v, NULL);
}

static int add_with_label(struct series_set *set, const struct point *p, const char *suffix,
                          const char *name, double at, double v, uint32_t type)
{
    struct label labels[MAX_POINT_LABELS + 1];
    char text[40] = "+Inf";
    struct point extended = *p;

    if (!isinf(at))
        snprintf(text, sizeof(text), "%.15g", at);
    memcpy(labels, p->labels.at, p->labels.count * sizeof(labels[0]));
    labels[p->labels.count] = (struct label){name, text};
    extended.labels.at = labels;
    extended.labels.count = labels_sort(labels, p->labels.count + 1);
    extended.labels.hash = labels_hash(labels, extended.labels.count);
    return add_named(set, &extended, suffix, v, type, "");
}

/* The point says that the series ended, not which buckets or quantiles it had. */
static int end_all(struct series_set *set, const struct point *p, const char *label)
{
    for (size_t i = 0; i < set->count; i++) {
        struct series *series = set->all[i];
        size_t n = strlen(p->metric->name);
        struct labels rest;

        if (strncmp(series->metric, p->metric->name, n) != 0)
            continue;
        if (labels_select(set->memory, &series->labels, &label, 1, false, &rest) < 0)
            return -1;
        if (labels_equal(&rest, &p->labels) &&
            series_add(set, series, p->time_ns, absent_value(), NULL) < 0)
            return -1;
    }
    return 0;
}

static int add_buckets(struct series_set *set, const struct point *p)
{
    double total = 0;

    if (p->ended)
        return end_all(set, p, "le");
    for (size_t i = 0; i < p->hist.n; i++) {
        total += p->hist.counts[i];
        if (add_with_label(set, p, "_bucket", "le", p->hist.upper[i], total, SONDE_TYPE_COUNTER) <
            0)
            return -1;
    }
    return 0;
}

static int add_quantiles(struct series_set *set, const struct point *p)
{
    if (p->ended)
        return end_all(set, p, "quantile");
    for (size_t i = 0; i < p->quantile_count; i++)
        if (add_with_label(set, p, "", "quantile", p->quantiles[i], p->quantile_values[i],
                           SONDE_TYPE_SUMMARY) < 0)
            return -1;
    return 0;
}

static int add_histogram(struct series_set *set, const struct point *p)
{
    struct series *series = series_set_get(set, p->metric->name, &p->labels);

    if (!series)
        return -1;
    if (!series->count) {
        series->type = SONDE_TYPE_HISTOGRAM;
        series->histogram = true;
        series->unit = memory_copy(set->memory, p->metric->unit, strlen(p->metric->unit));
    }
    if (!series->histogram)
        return 0;
    return series_add(set, series, p->time_ns, p->ended ? absent_value() : 0,
                      p->ended ? NULL : &p->hist);
}

static int add_sample(struct series_set *set, enum variant variant, const struct point *p)
{
    enum metric_kind kind = p->metric->kind;

    switch (variant) {
    case VARIANT_BUCKET:
        return add_buckets(set, p);
    case VARIANT_COUNT:
        return add_named(set, p, "_count", p->hist.count, SONDE_TYPE_COUNTER, "");
    case VARIANT_SUM:
        return add_named(set, p, "_sum", p->hist.sum, SONDE_TYPE_COUNTER, p->metric->unit);
    default:
        if (kind == METRIC_HISTOGRAM || kind == METRIC_EXPONENTIAL)
            return add_histogram(set, p);
        if (kind == METRIC_SUMMARY)
            return add_quantiles(set, p);
        return add_named(set, p, "", p->value, SONDE_TYPE_GAUGE, p->metric->unit);
    }
}

static int32_t collect_samples(struct operation *op, const struct point *p)
{
    for (size_t i = 0; i < op->ast.selector_count; i++) {
        const struct selector *s = op->ast.selectors[i];

        if (op->variants[i] == VARIANT_NONE || !in_reach(op, s, p->time_ns) ||
            !matchers_hold(s->matchers, &p->labels))
            continue;
        if (add_sample(s->set, op->variants[i], p) < 0)
            return fail_memory(op);
    }
    return fail_full(op, 0);
}

/* ---- exemplars ---- */

static int add_exemplar(struct operation *op, const struct series *series, size_t selector,
                        const struct point_exemplar *e)
{
    uint64_t id = (uint64_t)selector << 32 | series->index;
    uint64_t hash = hash_text(hash_text(HASH_BEGIN ^ id, e->trace_id), e->span_id);
    void *exemplars;

    hash ^= (uint64_t)e->time_ns * UINT64_C(0x9e3779b97f4a7c15);
    if (e->time_ns < op->begin_ns || e->time_ns > op->end_ns || !collect_is_new(op, hash))
        return 0;
    exemplars = memory_grow(&op->memory, op->exemplars, op->exemplar_count, &op->exemplar_capacity,
                            sizeof(struct found_exemplar), MAX_FOUND_EXEMPLARS);
    if (!exemplars)
        return -1;
    op->exemplars = exemplars;
    op->exemplars[op->exemplar_count++] = (struct found_exemplar){series, id, *e};
    return 0;
}

static int32_t collect_exemplars(struct operation *op, const struct point *p)
{
    for (size_t i = 0; p->exemplar_count && i < op->ast.selector_count; i++) {
        const struct selector *s = op->ast.selectors[i];
        struct series *series;

        if (op->variants[i] == VARIANT_NONE || !matchers_hold(s->matchers, &p->labels))
            continue;
        series = series_set_get(s->set, p->metric->name, &p->labels);
        if (series && !series->type) {
            series->type = type_of(p->metric->kind);
            series->unit = memory_copy(&op->memory, p->metric->unit, strlen(p->metric->unit));
        }
        for (size_t j = 0; series && j < p->exemplar_count; j++)
            if (add_exemplar(op, series, i, &p->exemplars[j]) < 0)
                return fail_memory(op);
    }
    return fail_full(op, 0);
}

/* ---- names ---- */

static int32_t collect_name(struct operation *op, const struct point *p)
{
    const struct metric_info *m = p->metric;

    if (!op->current) {
        struct entry *entry = get_entry(op, m->name);

        if (!entry)
            return fail_memory(op);
        if (!entry->type) {
            entry->type = type_of(m->kind);
            entry->unit = memory_copy(&op->memory, m->unit, strlen(m->unit));
            entry->help = memory_copy(&op->memory, m->help, strlen(m->help));
        }
        op->current = entry;
    }
    if (collect_is_new(op, hash_text(p->labels.hash, m->name)))
        op->current->count++;
    return fail_full(op, 0);
}

static int32_t collect_label(struct operation *op, const char *name, const char *value)
{
    struct entry *entry;

    /* Most points repeat what was seen: the hash spares the search. */
    if (!collect_is_new(op, hash_text(hash_text(HASH_BEGIN, name), value)))
        return fail_full(op, 0);
    entry = get_entry(op, name);
    if (!entry)
        return fail_memory(op);
    entry->count++;
    return 0;
}

static int32_t collect_label_names(struct operation *op, const struct point *p)
{
    int32_t rc = collect_label(op, "__name__", p->metric->name);

    for (size_t i = 0; rc == 0 && i < p->labels.count; i++)
        rc = collect_label(op, p->labels.at[i].name, p->labels.at[i].value);
    return rc;
}

static int32_t collect_label_values(struct operation *op, const struct point *p)
{
    const char *value = strcmp(op->label_norm, "__name__") == 0
                            ? p->metric->name
                            : labels_get(&p->labels, op->label_norm);
    struct entry *entry;

    if (!value[0] ||
        !collect_is_new(op, hash_text(hash_text(p->labels.hash, p->metric->name), value)))
        return fail_full(op, 0);
    entry = get_entry(op, value);
    if (!entry)
        return fail_memory(op);
    entry->count++;
    return 0;
}

static int32_t collect_point(void *user, const struct point *p)
{
    struct operation *op = user;

    switch (op->query->kind) {
    case SONDE_KIND_METRICS:
        return collect_samples(op, p);
    case SONDE_KIND_EXEMPLARS:
        return collect_exemplars(op, p);
    default:
        break;
    }
    if (p->ended || p->time_ns < op->begin_ns || p->time_ns > op->end_ns ||
        !matchers_hold(op->filters, &p->labels))
        return 0;
    if (op->query->kind == SONDE_KIND_METRIC_NAMES)
        return collect_name(op, p);
    if (op->query->kind == SONDE_KIND_LABEL_NAMES)
        return collect_label_names(op, p);
    return collect_label_values(op, p);
}

static void collect_metric_end(void *user, const struct metric_info *metric, bool monotonic,
                               bool delta)
{
    struct operation *op = user;
    bool counter = metric->kind == METRIC_SUM && monotonic;

    if (op->query->kind == SONDE_KIND_METRICS)
        for (size_t i = 0; i < op->ast.selector_count; i++)
            series_set_metric_end(op->ast.selectors[i]->set, counter, delta);
    if (op->current && counter)
        op->current->type = SONDE_TYPE_COUNTER;
}

const struct reader_handler collect_handler = {
    .wanted = collect_wanted, .point = collect_point, .metric_end = collect_metric_end};

/* ---- after a file ---- */

static void file_fault(struct operation *op, const struct file *file, const struct reader_counts *c)
{
    if (op->first_fault[0])
        return;
    if (c->bad_lines == c->lines)
        snprintf(op->first_fault, sizeof(op->first_fault),
                 "%.100s is no file of OTLP/JSON lines: line %llu is no JSON (%s)", file->name,
                 (unsigned long long)c->first_bad_line,
                 c->first_bad_reason ? c->first_bad_reason : "it ends early");
    else
        snprintf(op->first_fault, sizeof(op->first_fault),
                 "%.100s is no file of OTLP/JSON lines: each line should be an object with "
                 "resourceMetrics, but the first key is '%s'",
                 file->name, c->first_key);
}

static void note(struct operation *op, const char *code, const struct file *file, uint64_t n,
                 const char *what)
{
    char text[512];

    snprintf(text, sizeof(text), "%.100s: %llu %s", file->name, (unsigned long long)n, what);
    op->sink->note(op->memory.ctx, code, text);
}

int32_t collect_file_end(struct operation *op, const struct file *file)
{
    const struct reader_counts *c = reader_counts(op->reader);
    char text[512];

    if (c->lines && !c->otlp_lines) {
        file_fault(op, file, c);
        return 0;
    }
    op->good_files++;
    if (!c->lines)
        note(op, "empty_file", file, 0, "lines: nothing was written yet");
    if (c->bad_lines) {
        snprintf(text, sizeof(text),
                 "%.100s: %llu of %llu lines are damaged and were left out from the damage on; the "
                 "first is line %llu (%s)",
                 file->name, (unsigned long long)c->bad_lines, (unsigned long long)c->lines,
                 (unsigned long long)c->first_bad_line,
                 c->first_bad_reason ? c->first_bad_reason : "");
        op->sink->note(op->memory.ctx, "damaged_lines", text);
        op->sink->partial(op->memory.ctx, SONDE_PARTIAL_BACKEND, text);
    }
    if (c->bad_points)
        note(op, "points_left_out", file, c->bad_points,
             "data points without a time, or with more labels or buckets than fit, were left out");
    if (c->misplaced)
        note(op, "points_left_out", file, c->misplaced,
             "metrics came before their resource or their name and were left out");
    return 0;
}
