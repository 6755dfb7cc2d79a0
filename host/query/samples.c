/* SPDX-License-Identifier: Apache-2.0 */
#include "query/samples.h"

#include <stdlib.h>

#include "base/map.h"
#include "query/samples_internal.h"
#include "query/text.h"

#define FIRST_CAPACITY 512u
#define MAX_LABELS 256u
#define MAX_EXEMPLARS 20000u
#define MAX_BUCKETS 4096u
/* A hole costs as much as half a pair; a series with more holes than this is a list. */
#define HOLES_ALLOWED(present) ((present) + 64u)

void samples_init(struct samples *samples, struct result *result, const struct sonde_query *query,
                  uint64_t max_points, uint32_t max_series)
{
    *samples =
        (struct samples){.result = result, .max_points = max_points, .max_series = max_series};
    intern_init(&samples->intern, result);
    samples->step_ns = query->step_ns > 0 ? query->step_ns : 0;
    if (samples->step_ns && query->end_ns >= query->start_ns) {
        uint64_t n = (uint64_t)(query->end_ns - query->start_ns) / (uint64_t)samples->step_ns + 1;
        samples->expected = n < max_points ? (size_t)n : (size_t)max_points;
    } else if (query->kind == SONDE_KIND_METRICS && !samples->step_ns) {
        samples->expected = 1;
    }
}

static void free_arrays(struct samples *samples, struct building *b)
{
    size_t unit = b->list ? sizeof *b->pairs : sizeof *b->values;
    void *array = b->list ? (void *)b->pairs : (void *)b->values;
    result_resize(samples->result, array, b->capacity * unit, 0);
    b->pairs = NULL;
    b->values = NULL;
    b->capacity = 0;
}

void samples_finish(struct samples *samples)
{
    if (!samples->result)
        return;
    for (size_t i = 0; i < samples->count; i++)
        free_arrays(samples, &samples->series[i]);
    result_resize(samples->result, samples->series, samples->capacity * sizeof *samples->series, 0);
    result_resize(samples->result, samples->slots, samples->slot_count * sizeof *samples->slots, 0);
    intern_finish(&samples->intern);
    *samples = (struct samples){0};
}

/* ids are the adapter's: counters, hashes, addresses. */
static size_t slot_of(uint64_t id, size_t slot_count)
{
    return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (slot_count - 1);
}

static void place(struct samples *samples, uint32_t *slots, size_t slot_count, size_t index)
{
    size_t k = slot_of(samples->series[index].id, slot_count);
    while (slots[k])
        k = (k + 1) & (slot_count - 1);
    slots[k] = (uint32_t)index + 1;
}

static struct building *find(struct samples *samples, uint64_t id)
{
    if (samples->current < samples->count && samples->series[samples->current].id == id)
        return &samples->series[samples->current];
    if (!samples->slot_count)
        return NULL;
    size_t k = slot_of(id, samples->slot_count);
    for (; samples->slots[k]; k = (k + 1) & (samples->slot_count - 1))
        if (samples->series[samples->slots[k] - 1].id == id)
            return &samples->series[samples->slots[k] - 1];
    return NULL;
}

static int make_room(struct samples *samples)
{
    if (samples->count == samples->capacity) {
        size_t capacity = samples->capacity + samples->capacity / 2 + 16;
        struct building *grown =
            result_resize(samples->result, samples->series, samples->capacity * sizeof *grown,
                          capacity * sizeof *grown);
        if (!grown)
            return SAMPLES_FULL;
        samples->series = grown;
        samples->capacity = capacity;
    }
    if (2 * (samples->count + 1) <= samples->slot_count)
        return 0;
    size_t slot_count = samples->slot_count ? 2 * samples->slot_count : 64;
    uint32_t *slots = result_resize(samples->result, NULL, 0, slot_count * sizeof *slots);
    if (!slots)
        return SAMPLES_FULL;
    memset(slots, 0, slot_count * sizeof *slots);
    for (size_t i = 0; i < samples->count; i++)
        place(samples, slots, slot_count, i);
    result_resize(samples->result, samples->slots, samples->slot_count * sizeof *slots, 0);
    samples->slots = slots;
    samples->slot_count = slot_count;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct sonde_label *left = a;
    const struct sonde_label *right = b;
    return strcmp(left->name, right->name);
}

const struct sonde_label *samples_labels(struct samples *samples, const struct sonde_label *labels,
                                         size_t n, size_t *ret_count)
{
    if (n > MAX_LABELS)
        n = MAX_LABELS;
    struct sonde_label *copy = result_alloc(samples->result, n, sizeof *copy);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        copy[i].name =
            intern_text(&samples->intern, labels[i].name, labels[i].name_size, &copy[i].name_size);
        copy[i].value = intern_text(&samples->intern, labels[i].value, labels[i].value_size,
                                    &copy[i].value_size);
        if (!copy[i].name || !copy[i].value)
            return NULL;
    }
    qsort(copy, n, sizeof *copy, by_name);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || strcmp(copy[kept - 1].name, copy[i].name) != 0)
            copy[kept++] = copy[i];
    *ret_count = kept;
    return copy;
}

int samples_announce(struct samples *samples, const struct sonde_series *row)
{
    if (find(samples, row->id))
        return 0;
    if (samples->count >= samples->max_series || make_room(samples))
        return SAMPLES_FULL;
    struct building b = {.id = row->id, .list = samples->bucket_ns != 0};
    size_t unit_size = 0;
    b.out.type = row->type;
    b.out.labels = samples_labels(samples, row->labels, row->label_count, &b.out.label_count);
    b.out.unit =
        intern_text(&samples->intern, row->unit, row->unit ? strlen(row->unit) : 0, &unit_size);
    if (!b.out.labels || !b.out.unit)
        return SAMPLES_FULL;
    samples->series[samples->count] = b;
    place(samples, samples->slots, samples->slot_count, samples->count);
    samples->count++;
    return 0;
}

/* Room for one more; 0 or -1. */
static int reserve(struct samples *samples, struct building *b)
{
    if (b->count < b->capacity)
        return 0;
    size_t capacity = b->capacity + b->capacity / 4 + 16;
    if (!b->capacity) {
        capacity = samples->expected ? samples->expected : 16;
        if (capacity > FIRST_CAPACITY)
            capacity = FIRST_CAPACITY;
    } else if (!b->list && b->revisited && capacity > samples->expected &&
               b->count < samples->expected) {
        capacity = samples->expected;
    } else if (!b->list && !b->revisited && b->count < samples->expected) {
        /* All of it at once: growing by steps leaves the smaller copies' holes in the heap. What is not used is given back
         * when the next series begins. */
        capacity = samples->expected;
    }
    size_t unit = b->list ? sizeof *b->pairs : sizeof *b->values;
    void *grown = result_resize(samples->result, b->list ? (void *)b->pairs : (void *)b->values,
                                b->capacity * unit, capacity * unit);
    if (!grown)
        return -1;
    if (b->list)
        b->pairs = grown;
    else
        b->values = grown;
    b->capacity = capacity;
    return 0;
}

int samples_to_list(struct samples *samples, struct building *b)
{
    size_t present = b->count - b->missing;
    size_t capacity = present + 16;
    struct sample_pair *pairs = result_resize(samples->result, NULL, 0, capacity * sizeof *pairs);
    if (!pairs)
        return -1;
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        if (!sample_is_missing(b->values[i]))
            pairs[n++] = (struct sample_pair){b->start_ns + (int64_t)i * b->step_ns, b->values[i]};
    free_arrays(samples, b);
    samples->kept -= b->missing;
    b->pairs = pairs;
    b->count = n;
    b->capacity = capacity;
    b->missing = 0;
    b->list = true;
    return 0;
}

static int append_pair(struct samples *samples, struct building *b, int64_t t, double v)
{
    if (reserve(samples, b))
        return -1;
    if (b->count && b->pairs[b->count - 1].time_ns >= t)
        b->unsorted = true;
    b->pairs[b->count++] = (struct sample_pair){t, v};
    samples->kept++;
    return 0;
}

static int append_value(struct samples *samples, struct building *b, double v)
{
    if (reserve(samples, b))
        return -1;
    b->values[b->count++] = v;
    samples->kept++;
    if (b->step_ns && __builtin_add_overflow(b->next_ns, b->step_ns, &b->next_ns))
        b->next_ns = INT64_MAX;
    return 0;
}

/* A point that is not simply the next one: 1 when the grid took it, 0 when it does not fit, -1 without memory. */
static int place_on_grid(struct samples *samples, struct building *b, int64_t t, double v)
{
    int64_t offset;
    if (__builtin_sub_overflow(t, b->start_ns, &offset) || offset < 0)
        return 0;
    if (offset && !b->step_ns) {
        b->step_ns = offset;
        b->next_ns = t;
    }
    if (offset && offset % b->step_ns)
        return 0;
    uint64_t index = offset ? (uint64_t)(offset / b->step_ns) : 0;
    if (index < b->count) {
        b->missing -= sample_is_missing(b->values[index]) ? 1 : 0;
        b->values[index] = v;
        return 1;
    }
    uint64_t gap = index - b->count;
    if (gap + b->missing > HOLES_ALLOWED(b->count - b->missing))
        return 0;
    for (; gap; gap--) {
        if (append_value(samples, b, sample_missing()))
            return -1;
        b->missing++;
    }
    return append_value(samples, b, v) ? -1 : 1;
}

static int add_one(struct samples *samples, struct building *b, int64_t t, double v)
{
    if (b->list)
        return append_pair(samples, b, t, v);
    if (!b->count) {
        b->start_ns = t;
        b->step_ns = samples->step_ns;
        b->next_ns = t;
        return append_value(samples, b, v);
    }
    if (t == b->next_ns && b->step_ns)
        return append_value(samples, b, v);
    int r = place_on_grid(samples, b, t, v);
    if (r)
        return r < 0 ? -1 : 0;
    return samples_to_list(samples, b) || append_pair(samples, b, t, v) ? -1 : 0;
}

static uint64_t limit(const struct samples *samples)
{
    return samples->bucket_ns ? samples->max_points / 2 : samples->max_points;
}

/* A first width that keeps about a quarter: 2 of 8. */
static int64_t first_bucket(const struct samples *samples)
{
    int64_t widest = samples->step_ns;
    for (size_t i = 0; i < samples->count && !samples->step_ns; i++) {
        const struct building *b = &samples->series[i];
        int64_t step = b->step_ns;
        if (b->list && b->count > 1) {
            int64_t span = b->pairs[b->count - 1].time_ns - b->pairs[0].time_ns;
            step = (span < 0 ? -span : span) / (int64_t)b->count;
        }
        widest = step > widest ? step : widest;
    }
    if (widest < 1)
        widest = 1;
    return widest > INT64_MAX / 8 ? INT64_MAX / 2 : 8 * widest;
}

static int reduce_all(struct samples *samples)
{
    bool first = !samples->bucket_ns;
    if (first)
        samples->bucket_ns = first_bucket(samples);
    for (;;) {
        for (size_t i = 0; i < samples->count; i++)
            if (samples_reduce_one(samples, &samples->series[i]))
                return -1;
        if (samples->kept <= samples->max_points / 4 || samples->bucket_ns > INT64_MAX / 4)
            break;
        samples->bucket_ns *= 2;
        for (size_t i = 0; i < samples->count; i++)
            samples->series[i].reduced = 0;
    }
    /* Several points a series stay whatever the width; beyond the limit that way, no more is taken. */
    return samples->kept > limit(samples) ? -1 : 0;
}

static int leave_current(struct samples *samples)
{
    if (samples->current >= samples->count)
        return 0;
    struct building *b = &samples->series[samples->current];
    if (samples->bucket_ns && b->count - b->reduced > 64 && samples_reduce_one(samples, b))
        return -1;
    if (!b->revisited)
        samples_trim(samples, b);
    return 0;
}

int samples_add(struct samples *samples, uint64_t id, size_t n, const int64_t *t, const double *v)
{
    struct building *b = find(samples, id);
    if (!b)
        return SAMPLES_UNKNOWN;
    size_t index = (size_t)(b - samples->series);
    if (index != samples->current) {
        if (leave_current(samples))
            return SAMPLES_FULL;
        samples->current = index;
        b->revisited = b->revisited || b->count;
    }
    for (size_t i = 0; i < n; i++) {
        if (sample_is_missing(v[i]))
            continue;
        if (add_one(samples, b, t[i], v[i]))
            return SAMPLES_FULL;
        samples->read++;
        if (t[i] > samples->newest_ns && !isnan(v[i]))
            samples->newest_ns = t[i];
        if (samples->kept > limit(samples) && reduce_all(samples))
            return SAMPLES_FULL;
    }
    return 0;
}

/* Larger copy of an arena array; 0 or -1. */
static int more_rows(struct result *result, void **rows, uint32_t count, uint32_t *capacity,
                     size_t size)
{
    if (count < *capacity)
        return 0;
    uint32_t grown_capacity = *capacity ? 2 * *capacity : 4;
    char *grown = result_alloc(result, grown_capacity, size);
    if (!grown)
        return -1;
    if (count)
        memcpy(grown, *rows, count * size);
    *rows = grown;
    *capacity = grown_capacity;
    return 0;
}

int samples_add_histogram(struct samples *samples, const struct sonde_histogram_point *row)
{
    struct building *b = find(samples, row->series_id);
    if (!b)
        return SAMPLES_UNKNOWN;
    size_t n = row->bucket_count;
    uint64_t cost = 1 + n; /* buckets count like points, they weigh more */
    if (n > MAX_BUCKETS || samples->kept + cost > limit(samples))
        return SAMPLES_FULL;
    void *rows = b->histograms;
    double *numbers = result_alloc(samples->result, 3 * n, sizeof *numbers);
    if (!numbers || more_rows(samples->result, &rows, b->histogram_count, &b->histogram_capacity,
                              sizeof *b->histograms))
        return SAMPLES_FULL;
    b->histograms = rows;
    if (n) {
        memcpy(numbers, row->lower, n * sizeof *numbers);
        memcpy(numbers + n, row->upper, n * sizeof *numbers);
        memcpy(numbers + 2 * n, row->counts, n * sizeof *numbers);
    }
    b->histograms[b->histogram_count++] =
        (struct histogram_point){.time_ns = row->time_ns,
                                 .count = row->count,
                                 .sum = row->sum,
                                 .bucket_count = row->bucket_count,
                                 .lower = numbers,
                                 .upper = numbers + n,
                                 .counts = numbers + 2 * n};
    samples->kept += cost;
    samples->read++;
    if (row->time_ns > samples->newest_ns)
        samples->newest_ns = row->time_ns;
    return 0;
}

int samples_add_exemplar(struct samples *samples, const struct sonde_exemplar *row)
{
    struct building *b = find(samples, row->series_id);
    if (!b)
        return SAMPLES_UNKNOWN;
    void *rows = b->exemplars;
    if (samples->exemplar_count == MAX_EXEMPLARS ||
        more_rows(samples->result, &rows, b->exemplar_count, &b->exemplar_capacity,
                  sizeof *b->exemplars))
        return SAMPLES_FULL;
    b->exemplars = rows;
    struct exemplar exemplar = {.time_ns = row->time_ns, .value = row->value};
    char trace_id[33];
    char span_id[17];
    text_trace_id(trace_id, row->trace_id);
    text_span_id(span_id, row->span_id);
    exemplar.trace_id = text_keep(samples->result, trace_id);
    exemplar.span_id = text_keep(samples->result, span_id);
    exemplar.labels = samples_labels(samples, row->labels, row->label_count, &exemplar.label_count);
    if (!exemplar.trace_id || !exemplar.span_id || !exemplar.labels)
        return SAMPLES_FULL;
    b->exemplars[b->exemplar_count++] = exemplar;
    samples->exemplar_count++;
    return 0;
}
