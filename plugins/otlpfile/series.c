/* SPDX-License-Identifier: Apache-2.0 */
#include "series.h"

#include <stdlib.h>
#include <string.h>

#define ABSENT UINT64_C(0x7ff0000000000002) /* a signalling NaN, as Prometheus marks staleness */

double absent_value(void)
{
    uint64_t bits = ABSENT;
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

bool is_absent(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits == ABSENT;
}

struct series_set *series_set_create(struct memory *memory)
{
    struct series_set *set = memory_get(memory, sizeof(*set));

    if (set)
        set->memory = memory;
    return set;
}

static void table_put(struct series_set *set, uint64_t hash, size_t index)
{
    size_t at = hash & (set->table_size - 1);

    while (set->table[at])
        at = (at + 1) & (set->table_size - 1);
    set->table[at] = (uint32_t)index + 1;
}

static int table_grow(struct series_set *set)
{
    size_t size = set->table_size ? set->table_size * 2 : 64;
    uint32_t *table;

    if (set->count * 2 < set->table_size)
        return 0;
    table = memory_get(set->memory, size * sizeof(*table));
    if (!table)
        return -1;
    set->table = table;
    set->table_size = size;
    for (size_t i = 0; i < set->count; i++)
        table_put(set, hash_text(set->all[i]->labels.hash, set->all[i]->metric), i);
    return 0;
}

static int copy_labels(struct memory *memory, const struct labels *from, struct labels *ret_labels)
{
    struct label *at = memory_get(memory, (from->count + 1) * sizeof(*at));

    for (size_t i = 0; at && i < from->count; i++) {
        at[i].name = memory_copy(memory, from->at[i].name, strlen(from->at[i].name));
        at[i].value = memory_copy(memory, from->at[i].value, strlen(from->at[i].value));
    }
    *ret_labels = (struct labels){at, from->count, from->hash};
    return memory->full ? -1 : 0;
}

struct series *series_set_get(struct series_set *set, const char *metric,
                              const struct labels *labels)
{
    uint64_t hash = hash_text(labels->hash, metric);
    struct series *s;
    void *all;

    if (table_grow(set) < 0)
        return NULL;
    for (size_t at = hash & (set->table_size - 1); set->table[at];
         at = (at + 1) & (set->table_size - 1)) {
        s = set->all[set->table[at] - 1];
        if (strcmp(s->metric, metric) == 0 && labels_equal(&s->labels, labels))
            return s;
    }
    all = memory_grow(set->memory, set->all, set->count, &set->capacity, sizeof(struct series *),
                      MAX_SERIES);
    s = all ? memory_get(set->memory, sizeof(*s)) : NULL;
    if (!s)
        return NULL;
    set->all = all;
    s->metric = memory_copy(set->memory, metric, strlen(metric));
    s->unit = "";
    if (copy_labels(set->memory, labels, &s->labels) < 0)
        return NULL;
    s->index = set->count;
    set->all[set->count] = s;
    table_put(set, hash, set->count++);
    return s;
}

static int touch(struct series_set *set, struct series *series)
{
    void *touched;

    if (series->touched)
        return 0;
    touched = memory_grow(set->memory, set->touched, set->touched_count, &set->touched_capacity,
                          sizeof(struct series *), MAX_SERIES);
    if (!touched)
        return -1;
    set->touched = touched;
    set->touched[set->touched_count++] = series;
    series->touched = true;
    return 0;
}

/* Histograms of one series mostly share their bounds. */
static struct hist *keep_hist(struct series_set *set, const struct series *series,
                              const struct hist *h)
{
    const struct hist *last = series->count ? series->samples[series->count - 1].h : NULL;
    struct hist *copy = hist_copy(set->memory, h);
    double *lower;
    double *upper;

    if (!copy)
        return NULL;
    if (last && last->n == h->n && memcmp(last->upper, h->upper, h->n * sizeof(double)) == 0) {
        copy->lower = last->lower;
        copy->upper = last->upper;
        return copy;
    }
    lower = memory_get(set->memory, (h->n + 1) * sizeof(double));
    upper = memory_get(set->memory, (h->n + 1) * sizeof(double));
    if (!lower || !upper)
        return NULL;
    if (h->n) {
        memcpy(lower, h->lower, h->n * sizeof(double));
        memcpy(upper, h->upper, h->n * sizeof(double));
    }
    copy->lower = lower;
    copy->upper = upper;
    return copy;
}

int series_add(struct series_set *set, struct series *series, int64_t t, double v,
               const struct hist *h)
{
    struct sample sample = {.t = t, .v = v};
    void *samples = memory_grow(set->memory, series->samples, series->count, &series->capacity,
                                sizeof(struct sample), MAX_SAMPLES);

    if (!samples || touch(set, series) < 0)
        return -1;
    series->samples = samples;
    if (h) {
        sample.h = keep_hist(set, series, h);
        if (!sample.h)
            return -1;
    }
    series->samples[series->count++] = sample;
    return 0;
}

void series_set_metric_end(struct series_set *set, bool counter, bool delta)
{
    for (size_t i = 0; i < set->touched_count; i++) {
        struct series *s = set->touched[i];

        s->touched = false;
        if (counter && s->type == SONDE_TYPE_GAUGE)
            s->type = SONDE_TYPE_COUNTER;
        s->delta |= delta;
    }
    set->touched_count = 0;
}

static int by_time(const void *a, const void *b)
{
    const struct sample *x = a;
    const struct sample *y = b;

    return x->t < y->t ? -1 : x->t > y->t;
}

static void sort_samples(struct series *s)
{
    bool sorted = true;
    size_t n = 0;

    for (size_t i = 1; i < s->count && sorted; i++)
        sorted = s->samples[i - 1].t < s->samples[i].t;
    if (sorted)
        return;
    qsort(s->samples, s->count, sizeof(s->samples[0]), by_time);
    for (size_t i = 0; i < s->count; i++)
        if (i + 1 == s->count || s->samples[i].t != s->samples[i + 1].t)
            s->samples[n++] = s->samples[i];
    s->count = n;
}

static int accumulate(struct series_set *set, struct series *s)
{
    double total = 0;
    struct hist *before = NULL;

    for (size_t i = 0; i < s->count; i++) {
        struct sample *sample = &s->samples[i];

        if (is_absent(sample->v))
            continue;
        total += sample->v;
        sample->v = total;
        if (sample->h && before && hist_add(set->memory, sample->h, before, 1) < 0)
            return -1;
        before = sample->h;
    }
    return 0;
}

int series_set_finish(struct series_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        sort_samples(set->all[i]);
        if (set->all[i]->delta && accumulate(set, set->all[i]) < 0)
            return -1;
    }
    return 0;
}
