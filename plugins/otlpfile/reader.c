/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"
#include "keys.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH 64
#define AREA_SIZE 65536
#define MAX_BOUNDS (MAX_BUCKETS - 1)

/* Where in the document we are: the meaning of the object or array that is open. */
enum place {
    IN_SKIPPED,
    IN_TOP,
    IN_RESOURCE_METRICS, /* array */
    IN_RESOURCE_METRIC,
    IN_RESOURCE,
    IN_SCOPE_METRICS, /* array */
    IN_SCOPE_METRIC,
    IN_METRICS, /* array */
    IN_METRIC,
    IN_DATA,
    IN_POINTS, /* array */
    IN_POINT,
    IN_ATTRIBUTES, /* array */
    IN_ATTRIBUTE,
    IN_VALUE,
    IN_DEEP_VALUE, /* below arrayValue or kvlistValue */
    IN_BUCKETS,    /* array */
    IN_BOUNDS,     /* array */
    IN_POSITIVE,
    IN_NEGATIVE,
    IN_NEGATIVE_BUCKETS, /* array */
    IN_QUANTILES,        /* array */
    IN_QUANTILE,
    IN_EXEMPLARS, /* array */
    IN_EXEMPLAR,
};

/* A bounded heap for texts that go together: a resource's, a metric's or a point's. */
struct area {
    char *data;
    size_t used;
    bool overflow;
};

struct reader {
    struct memory *memory;
    struct reader_handler handler;
    struct sonde_json json;
    struct reader_counts counts;
    uint64_t line;
    bool line_open;   /* something but white space was fed */
    bool line_failed; /* the rest of it is skipped */
    bool line_metrics;
    bool line_otlp;
    int32_t stopped;
    uint8_t places[MAX_DEPTH];
    size_t depth;
    enum key key;
    struct area resource_area;
    struct area metric_area;
    struct area point_area;
    struct label labels[MAX_POINT_LABELS];
    size_t resource_labels;
    size_t label_count;
    bool in_resource; /* whose attributes are read */
    bool resource_seen;
    bool too_many; /* of the current point: labels, buckets or text */
    const char *attribute_key;
    size_t value_begin;
    struct metric_info metric;
    bool metric_wanted;
    bool monotonic;
    bool delta;
    struct point point;
    bool has_time;
    double counts_read[MAX_BUCKETS];
    size_t count_count;
    double negative_read[MAX_BUCKETS];
    size_t negative_count;
    double bounds_read[MAX_BOUNDS];
    size_t bound_count;
    double lower[MAX_BUCKETS];
    double upper[MAX_BUCKETS];
    double merged[MAX_BUCKETS];
    int64_t scale;
    int64_t offset;
    int64_t negative_offset;
    double zero_count;
    double zero_threshold;
    struct point_exemplar exemplars[MAX_EXEMPLARS];
};

static void area_add(struct area *area, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (area->used + 4 > AREA_SIZE) {
            area->overflow = true;
            return;
        }
        if (text[i]) {
            area->data[area->used++] = text[i];
        } else {
            /* NUL is no text that others can store. */
            memcpy(area->data + area->used, "\xef\xbf\xbd", 3);
            area->used += 3;
        }
    }
}

static const char *area_finish(struct area *area, size_t begin)
{
    area->data[area->used < AREA_SIZE ? area->used++ : AREA_SIZE - 1] = '\0';
    return area->data + begin;
}

static const char *area_text(struct area *area, const char *text, size_t size)
{
    size_t begin = area->used;

    area_add(area, text, size);
    return area_finish(area, begin);
}

static struct area *attribute_area(struct reader *r)
{
    return r->in_resource ? &r->resource_area : &r->point_area;
}

/* Proto JSON's spelling, beside those that the number parser knows. */
static double number_of(const char *text, size_t size)
{
    double value;

    if (size >= 8 && memcmp(text + size - 8, "Infinity", 8) == 0)
        return text[0] == '-' ? (double)-INFINITY : (double)INFINITY;
    return sonde_parse_double(text, size, &value) < 0 ? (double)NAN : value;
}

static int64_t integer_of(const char *text, size_t size)
{
    int64_t value;

    return sonde_parse_int64(text, size, &value) < 0 ? 0 : value;
}

static void push_number(struct reader *r, double *array, size_t *count, size_t max, double value)
{
    if (*count < max)
        array[(*count)++] = value;
    else
        r->too_many = true;
}

static void point_begin(struct reader *r)
{
    r->label_count = r->resource_labels;
    r->point_area.used = 0;
    r->point_area.overflow = false;
    r->too_many = r->has_time = false;
    r->point.ended = r->point.has_value = false;
    r->point.quantile_count = r->point.exemplar_count = 0;
    r->point.hist.count = r->point.hist.sum = 0;
    r->count_count = r->negative_count = r->bound_count = 0;
    r->scale = r->offset = r->negative_offset = 0;
    r->zero_count = r->zero_threshold = 0;
    r->in_resource = false;
}

static void explicit_buckets(struct reader *r, struct hist *h)
{
    h->n = r->count_count;
    if (!h->n) { /* count and sum alone are one bucket */
        r->counts_read[0] = h->count;
        h->n = 1;
    }
    if (h->n != r->bound_count + 1) {
        r->too_many = true;
        return;
    }
    for (size_t i = 0; i < h->n; i++) {
        r->lower[i] = i ? r->bounds_read[i - 1] : (double)-INFINITY;
        r->upper[i] = i < r->bound_count ? r->bounds_read[i] : (double)INFINITY;
    }
    h->counts = r->counts_read;
    h->exponential = false;
}

static void add_bucket(struct reader *r, struct hist *h, double low, double high, double count)
{
    if (h->n == MAX_BUCKETS) {
        r->too_many = true;
        return;
    }
    r->lower[h->n] = low;
    r->upper[h->n] = high;
    r->merged[h->n++] = count;
}

/* Bucket i of scale s holds base^i < x <= base^(i+1), base = 2^(2^-s). */
static void exponential_buckets(struct reader *r, struct hist *h)
{
    double factor = ldexp(1.0, (int)-r->scale);

    h->n = 0;
    h->counts = r->merged;
    h->exponential = true;
    if (r->scale < -10 || r->scale > 20) {
        r->too_many = true;
        return;
    }
    for (size_t i = r->negative_count; i-- > 0;) {
        double index = (double)r->negative_offset + (double)i;

        if (r->negative_read[i] > 0)
            add_bucket(r, h, -exp2((index + 1) * factor), -exp2(index * factor),
                       r->negative_read[i]);
    }
    if (r->zero_count > 0)
        add_bucket(r, h, r->zero_threshold > 0 ? -r->zero_threshold : 0, r->zero_threshold,
                   r->zero_count);
    for (size_t i = 0; i < r->count_count; i++) {
        double index = (double)r->offset + (double)i;

        if (r->counts_read[i] > 0)
            add_bucket(r, h, exp2(index * factor), exp2((index + 1) * factor), r->counts_read[i]);
    }
}

static void point_end(struct reader *r)
{
    struct point *p = &r->point;
    struct label sorted[MAX_POINT_LABELS];

    p->metric = &r->metric;
    p->hist.lower = r->lower;
    p->hist.upper = r->upper;
    p->exemplars = r->exemplars;
    if (!p->ended && r->metric.kind == METRIC_HISTOGRAM)
        explicit_buckets(r, &p->hist);
    else if (!p->ended && r->metric.kind == METRIC_EXPONENTIAL)
        exponential_buckets(r, &p->hist);
    if (!r->has_time || r->too_many || r->point_area.overflow || r->resource_area.overflow) {
        r->counts.bad_points++;
        return;
    }
    if (!p->ended && !p->has_value &&
        (r->metric.kind == METRIC_GAUGE || r->metric.kind == METRIC_SUM))
        return;
    memcpy(sorted, r->labels, r->label_count * sizeof(sorted[0]));
    p->labels.at = sorted;
    p->labels.count = labels_sort(sorted, r->label_count);
    p->labels.hash = labels_hash(sorted, p->labels.count);
    r->stopped = r->handler.point(r->handler.user, p);
}

static void attribute_end(struct reader *r)
{
    struct area *area = attribute_area(r);
    const char *value = area_finish(area, r->value_begin);
    char *name = area->data + (r->attribute_key - area->data);

    if (r->label_count == MAX_POINT_LABELS) {
        r->too_many = true;
        return;
    }
    normalise(name);
    r->labels[r->label_count++] = (struct label){name, value};
    if (r->in_resource)
        r->resource_labels = r->label_count;
}

/* The place that an object or array opens. */
static enum place enter_metric(struct reader *r)
{
    static const struct {
        enum key key;
        enum metric_kind kind;
    } kinds[] = {{KEY_GAUGE, METRIC_GAUGE},
                 {KEY_SUM, METRIC_SUM},
                 {KEY_HISTOGRAM, METRIC_HISTOGRAM},
                 {KEY_EXPONENTIAL, METRIC_EXPONENTIAL},
                 {KEY_SUMMARY, METRIC_SUMMARY}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].key == r->key) {
            r->metric.kind = kinds[i].kind;
            return IN_DATA;
        }
    }
    return IN_SKIPPED;
}

static enum place enter_points(struct reader *r)
{
    if (r->key != KEY_POINTS)
        return IN_SKIPPED;
    if (!r->metric.name[0] || !r->resource_seen) {
        r->counts.misplaced++;
        return IN_SKIPPED;
    }
    r->metric_wanted = r->handler.wanted(r->handler.user, &r->metric);
    return r->metric_wanted ? IN_POINTS : IN_SKIPPED;
}

static enum place enter_point_member(struct reader *r)
{
    switch (r->key) {
    case KEY_ATTRIBUTES:
        return IN_ATTRIBUTES;
    case KEY_BUCKETS:
        return IN_BUCKETS;
    case KEY_BOUNDS:
        return IN_BOUNDS;
    case KEY_POSITIVE:
        return IN_POSITIVE;
    case KEY_NEGATIVE:
        return IN_NEGATIVE;
    case KEY_QUANTILES:
        return IN_QUANTILES;
    case KEY_EXEMPLARS:
        return IN_EXEMPLARS;
    default:
        return IN_SKIPPED;
    }
}

static enum place enter_resource_metric(struct reader *r)
{
    if (r->key == KEY_RESOURCE) {
        r->in_resource = true;
        return IN_RESOURCE;
    }
    return r->key == KEY_SCOPE_METRICS ? IN_SCOPE_METRICS : IN_SKIPPED;
}

static void metric_begin(struct reader *r)
{
    r->metric_area.used = 0;
    r->metric_area.overflow = false;
    r->metric = (struct metric_info){"", "", "", "", METRIC_NONE};
    r->metric_wanted = r->monotonic = r->delta = false;
}

static enum place enter_element(struct reader *r, enum place parent)
{
    switch (parent) {
    case IN_RESOURCE_METRICS:
        r->resource_labels = r->label_count = 0;
        r->resource_area.used = 0;
        r->resource_area.overflow = r->resource_seen = false;
        return IN_RESOURCE_METRIC;
    case IN_SCOPE_METRICS:
        return IN_SCOPE_METRIC;
    case IN_METRICS:
        metric_begin(r);
        return IN_METRIC;
    case IN_POINTS:
        point_begin(r);
        return IN_POINT;
    case IN_ATTRIBUTES:
        r->attribute_key = area_text(attribute_area(r), "", 0);
        r->value_begin = attribute_area(r)->used;
        return IN_ATTRIBUTE;
    case IN_QUANTILES:
        if (r->point.quantile_count == MAX_QUANTILES)
            return IN_SKIPPED;
        r->point.quantiles[r->point.quantile_count] = 0;
        r->point.quantile_values[r->point.quantile_count] = 0;
        return IN_QUANTILE;
    case IN_EXEMPLARS:
        if (r->point.exemplar_count == MAX_EXEMPLARS)
            return IN_SKIPPED;
        r->exemplars[r->point.exemplar_count] = (struct point_exemplar){0};
        return IN_EXEMPLAR;
    default:
        return IN_SKIPPED;
    }
}

static enum place enter(struct reader *r, enum place parent)
{
    switch (parent) {
    case IN_TOP:
        return r->key == KEY_RESOURCE_METRICS ? IN_RESOURCE_METRICS : IN_SKIPPED;
    case IN_RESOURCE_METRIC:
        return enter_resource_metric(r);
    case IN_RESOURCE:
        return r->key == KEY_ATTRIBUTES ? IN_ATTRIBUTES : IN_SKIPPED;
    case IN_SCOPE_METRIC:
        return r->key == KEY_METRICS ? IN_METRICS : IN_SKIPPED;
    case IN_METRIC:
        return enter_metric(r);
    case IN_DATA:
        return enter_points(r);
    case IN_POINT:
        return enter_point_member(r);
    case IN_ATTRIBUTE:
        return r->key == KEY_VALUE ? IN_VALUE : IN_SKIPPED;
    case IN_VALUE:
    case IN_DEEP_VALUE:
        return IN_DEEP_VALUE;
    case IN_POSITIVE:
        return r->key == KEY_BUCKETS ? IN_BUCKETS : IN_SKIPPED;
    case IN_NEGATIVE:
        return r->key == KEY_BUCKETS ? IN_NEGATIVE_BUCKETS : IN_SKIPPED;
    default:
        return enter_element(r, parent);
    }
}

static void leave(struct reader *r, enum place place)
{
    switch (place) {
    case IN_RESOURCE:
        r->resource_seen = true;
        r->in_resource = false;
        break;
    case IN_METRIC:
        if (r->metric_wanted)
            r->handler.metric_end(r->handler.user, &r->metric, r->monotonic, r->delta);
        break;
    case IN_POINT:
        point_end(r);
        break;
    case IN_ATTRIBUTE:
        attribute_end(r);
        break;
    case IN_QUANTILE:
        r->point.quantile_count++;
        break;
    case IN_EXEMPLAR:
        r->point.exemplar_count++;
        break;
    default:
        break;
    }
}

static void metric_member(struct reader *r, const char *text, size_t size)
{
    if (r->key == KEY_NAME) {
        r->metric.name = area_text(&r->metric_area, text, size);
        size_t begin = r->metric_area.used;

        area_text(&r->metric_area, text, size);
        normalise(r->metric_area.data + begin);
        r->metric.norm = r->metric_area.data + begin;
    } else if (r->key == KEY_UNIT) {
        r->metric.unit = area_text(&r->metric_area, text, size);
    } else if (r->key == KEY_DESCRIPTION) {
        r->metric.help = area_text(&r->metric_area, text, size < 1024 ? size : 1024);
    }
}

static void data_member(struct reader *r, uint32_t type, const char *text, size_t size)
{
    /* An enumeration may be a number or its name. */
    if (r->key == KEY_TEMPORALITY)
        r->delta = (size == 1 && text[0] == '1') ||
                   (size == 29 && memcmp(text, "AGGREGATION_TEMPORALITY_DELTA", 29) == 0);
    else if (r->key == KEY_MONOTONIC)
        r->monotonic = type == SONDE_JSON_TRUE;
}

static void point_member(struct reader *r, const char *text, size_t size)
{
    struct point *p = &r->point;

    switch (r->key) {
    case KEY_TIME:
        r->has_time = sonde_parse_int64(text, size, &p->time_ns) == 0 && p->time_ns > 0;
        break;
    case KEY_DOUBLE:
    case KEY_INT:
        p->value = number_of(text, size);
        p->has_value = true;
        break;
    case KEY_FLAGS:
        p->ended = integer_of(text, size) & 1;
        break;
    case KEY_COUNT:
        p->hist.count = number_of(text, size);
        break;
    case KEY_SUM:
        p->hist.sum = number_of(text, size);
        break;
    case KEY_SCALE:
        r->scale = integer_of(text, size);
        break;
    case KEY_ZERO:
        r->zero_count = number_of(text, size);
        break;
    case KEY_ZERO_THRESHOLD:
        r->zero_threshold = number_of(text, size);
        break;
    default:
        break;
    }
}

static void exemplar_member(struct reader *r, const char *text, size_t size)
{
    struct point_exemplar *e = &r->exemplars[r->point.exemplar_count];

    if (r->key == KEY_TIME)
        e->time_ns = integer_of(text, size);
    else if (r->key == KEY_DOUBLE || r->key == KEY_INT)
        e->value = number_of(text, size);
    else if (r->key == KEY_TRACE && size < sizeof(e->trace_id))
        memcpy(e->trace_id, text, size);
    else if (r->key == KEY_SPAN && size < sizeof(e->span_id))
        memcpy(e->span_id, text, size);
}

static void value_member(struct reader *r, enum place place, const char *text, size_t size)
{
    struct area *area = attribute_area(r);

    if (place == IN_DEEP_VALUE && area->used > r->value_begin)
        area_add(area, ",", 1);
    area_add(area, text, size);
}

static void scalar(struct reader *r, enum place place, uint32_t type, const char *text, size_t size)
{
    switch (place) {
    case IN_METRIC:
        metric_member(r, text, size);
        break;
    case IN_DATA:
        data_member(r, type, text, size);
        break;
    case IN_POINT:
        point_member(r, text, size);
        break;
    case IN_ATTRIBUTE:
        if (r->key == KEY_KEY) {
            r->attribute_key = area_text(attribute_area(r), text, size);
            r->value_begin = attribute_area(r)->used;
        }
        break;
    case IN_VALUE:
    case IN_DEEP_VALUE:
        value_member(r, place, text, size);
        break;
    case IN_BUCKETS:
        push_number(r, r->counts_read, &r->count_count, MAX_BUCKETS, number_of(text, size));
        break;
    case IN_NEGATIVE_BUCKETS:
        push_number(r, r->negative_read, &r->negative_count, MAX_BUCKETS, number_of(text, size));
        break;
    case IN_BOUNDS:
        push_number(r, r->bounds_read, &r->bound_count, MAX_BOUNDS, number_of(text, size));
        break;
    case IN_POSITIVE:
        if (r->key == KEY_OFFSET)
            r->offset = integer_of(text, size);
        break;
    case IN_NEGATIVE:
        if (r->key == KEY_OFFSET)
            r->negative_offset = integer_of(text, size);
        break;
    case IN_QUANTILE:
        if (r->key == KEY_QUANTILE)
            r->point.quantiles[r->point.quantile_count] = number_of(text, size);
        else if (r->key == KEY_VALUE)
            r->point.quantile_values[r->point.quantile_count] = number_of(text, size);
        break;
    case IN_EXEMPLAR:
        exemplar_member(r, text, size);
        break;
    default:
        break;
    }
}

static void note_key(struct reader *r, const char *text, size_t size)
{
    bool metrics = r->key == KEY_RESOURCE_METRICS;

    if (metrics || r->key == KEY_RESOURCE_LOGS || r->key == KEY_RESOURCE_SPANS) {
        r->line_otlp = true;
        r->line_metrics |= metrics;
    } else if (!r->counts.first_key[0] && !r->line_otlp) {
        size_t n = size < sizeof(r->counts.first_key) - 1 ? size : sizeof(r->counts.first_key) - 1;

        for (size_t i = 0; i < n; i++) /* it ends in a message */
            r->counts.first_key[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    }
}

static int on_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct reader *r = user;
    enum place place = r->depth ? (enum place)r->places[r->depth - 1] : IN_SKIPPED;

    (void)depth;
    switch (type) {
    case SONDE_JSON_KEY:
        if (place == IN_SKIPPED)
            break;
        r->key = key_of(text, size);
        if (place == IN_TOP)
            note_key(r, text, size);
        break;
    case SONDE_JSON_OBJECT_BEGIN:
    case SONDE_JSON_ARRAY_BEGIN:
        if (r->depth == 0)
            place = type == SONDE_JSON_OBJECT_BEGIN ? IN_TOP : IN_SKIPPED;
        else if (place != IN_SKIPPED)
            place = enter(r, place);
        r->places[r->depth++] = (uint8_t)place;
        break;
    case SONDE_JSON_OBJECT_END:
    case SONDE_JSON_ARRAY_END:
        r->depth--;
        leave(r, place);
        break;
    case SONDE_JSON_TRUE:
        scalar(r, place, type, "true", 4);
        break;
    case SONDE_JSON_FALSE:
        scalar(r, place, type, "false", 5);
        break;
    case SONDE_JSON_STRING:
    case SONDE_JSON_NUMBER:
        scalar(r, place, type, text, size);
        break;
    default:
        break;
    }
    return r->stopped;
}

struct reader *reader_create(struct memory *memory, const struct reader_handler *handler)
{
    struct reader *r = memory_get(memory, sizeof(*r));

    if (!r)
        return NULL;
    r->memory = memory;
    r->handler = *handler;
    r->resource_area.data = memory_get(memory, AREA_SIZE);
    r->metric_area.data = memory_get(memory, AREA_SIZE);
    r->point_area.data = memory_get(memory, AREA_SIZE);
    metric_begin(r);
    if (memory->full ||
        sonde_json_init(&r->json, on_event, r, SONDE_JSON_LENIENT, MAX_DEPTH, 0) < 0)
        return NULL;
    return r;
}

static void line_begin(struct reader *r)
{
    sonde_json_reset(&r->json);
    r->line++;
    r->line_open = r->line_failed = r->line_metrics = r->line_otlp = false;
    r->depth = 0;
}

void reader_begin(struct reader *reader)
{
    reader->counts = (struct reader_counts){0};
    reader->line = 0;
    line_begin(reader);
}

static int32_t line_feed(struct reader *r, const char *data, size_t size)
{
    int rc;

    while (!r->line_open && size && (*data == ' ' || *data == '\t' || *data == '\r')) {
        data++;
        size--;
    }
    if (!size || r->line_failed)
        return 0;
    r->line_open = true;
    rc = sonde_json_feed(&r->json, data, size);
    if (r->stopped)
        return r->stopped;
    if (rc == SONDE_JSON_E_MEMORY)
        return SONDE_E_TOO_MUCH;
    if (rc < 0) {
        r->line_failed = true;
        r->counts.bad_lines++;
        if (!r->counts.first_bad_line) {
            r->counts.first_bad_line = r->line;
            r->counts.first_bad_reason = sonde_json_error(rc);
        }
    }
    return 0;
}

/* complete: the line ended in a newline, so that it must be whole. */
static void line_end(struct reader *r, bool complete)
{
    int rc = 0;

    if (!r->line_open)
        return;
    if (!r->line_failed)
        rc = sonde_json_end(&r->json);
    if (rc < 0 && complete) {
        r->counts.bad_lines++;
        if (!r->counts.first_bad_line) {
            r->counts.first_bad_line = r->line;
            r->counts.first_bad_reason = sonde_json_error(rc);
        }
    }
    r->counts.lines++;
    r->counts.otlp_lines += r->line_otlp;
    r->counts.metric_lines += r->line_metrics;
}

int32_t reader_feed(struct reader *reader, const char *data, size_t size)
{
    while (size) {
        const char *end = memchr(data, '\n', size);
        size_t n = end ? (size_t)(end - data) : size;
        int32_t rc = line_feed(reader, data, n);

        if (rc < 0)
            return rc;
        if (!end)
            return 0;
        line_end(reader, true);
        line_begin(reader);
        data += n + 1;
        size -= n + 1;
    }
    return 0;
}

int32_t reader_end(struct reader *reader)
{
    line_end(reader, false);
    line_begin(reader);
    return reader->stopped;
}

const struct reader_counts *reader_counts(const struct reader *reader)
{
    return &reader->counts;
}

void reader_free(struct reader *reader)
{
    if (reader)
        sonde_json_free(&reader->json);
}
