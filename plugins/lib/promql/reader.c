/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include "name.h"

#include <string.h>

#define MAX_NOTES 20
#define MAX_ERROR 4096
#define MAX_VALUE ((size_t)64) /* bytes of a value that is looked at in one go */

/* What an open container is. */
enum role {
    ROLE_ENVELOPE,
    ROLE_NOTES,
    ROLE_DATA,
    ROLE_RESULT,
    ROLE_SERIES,
    ROLE_LABELS,
    ROLE_VALUES,
    ROLE_POINT,
    ROLE_HISTOGRAMS,
    ROLE_HISTOGRAM_POINT,
    ROLE_HISTOGRAM,
    ROLE_BUCKETS,
    ROLE_BUCKET,
    ROLE_NAMES,
    ROLE_FAMILIES,
    ROLE_FAMILY,
    ROLE_METADATA,
    ROLE_EXEMPLAR_LIST,
    ROLE_EXEMPLAR_SERIES,
    ROLE_EXEMPLARS,
    ROLE_EXEMPLAR,
    ROLE_EXEMPLAR_LABELS,
    ROLE_FIELDS,
    ROLE_SKIPPED,
    ROLE_WRONG,
};

enum key {
    KEY_OTHER,
    KEY_STATUS,
    KEY_DATA,
    KEY_ERROR_TYPE,
    KEY_ERROR,
    KEY_WARNINGS,
    KEY_INFOS,
    KEY_RESULT_TYPE,
    KEY_RESULT,
    KEY_METRIC,
    KEY_VALUE,
    KEY_VALUES,
    KEY_HISTOGRAM,
    KEY_HISTOGRAMS,
    KEY_COUNT,
    KEY_SUM,
    KEY_BUCKETS,
    KEY_SERIES_LABELS,
    KEY_EXEMPLARS,
    KEY_LABELS,
    KEY_TIMESTAMP,
    KEY_TYPE,
    KEY_UNIT,
    KEY_HELP,
    KEY_STATS,
    KEY_IS_PARTIAL,
};

static const char *const keys[] = {
    [KEY_STATUS] = "status",
    [KEY_DATA] = "data",
    [KEY_ERROR_TYPE] = "errorType",
    [KEY_ERROR] = "error",
    [KEY_WARNINGS] = "warnings",
    [KEY_INFOS] = "infos",
    [KEY_RESULT_TYPE] = "resultType",
    [KEY_RESULT] = "result",
    [KEY_METRIC] = "metric",
    [KEY_VALUE] = "value",
    [KEY_VALUES] = "values",
    [KEY_HISTOGRAM] = "histogram",
    [KEY_HISTOGRAMS] = "histograms",
    [KEY_COUNT] = "count",
    [KEY_SUM] = "sum",
    [KEY_BUCKETS] = "buckets",
    [KEY_SERIES_LABELS] = "seriesLabels",
    [KEY_EXEMPLARS] = "exemplars",
    [KEY_LABELS] = "labels",
    [KEY_TIMESTAMP] = "timestamp",
    [KEY_TYPE] = "type",
    [KEY_UNIT] = "unit",
    [KEY_HELP] = "help",
    [KEY_STATS] = "stats",
    [KEY_IS_PARTIAL] = "isPartial",
};

static int fault(struct promql_reader *reader, const char *text)
{
    reader->fault = text;
    return PROMQL_ROW_FAULT;
}

static int from_rows(struct promql_reader *reader, int result)
{
    return result == PROMQL_ROW_FAULT ? fault(reader, reader->rows.fault) : result;
}

static enum role parent(const struct promql_reader *reader)
{
    return (enum role)reader->roles[reader->depth - 1];
}

static uint32_t find_key(const char *text, size_t size)
{
    for (uint32_t i = 1; i < sizeof keys / sizeof keys[0]; i++)
        if (strlen(keys[i]) == size && memcmp(keys[i], text, size) == 0)
            return i;
    return KEY_OTHER;
}

/* Containers: what may open below what. */
static const struct {
    uint8_t parent;
    uint8_t key; /* KEY_OTHER: any, or an element of an array */
    bool object;
    uint8_t role;
} children[] = {
    {ROLE_ENVELOPE, KEY_WARNINGS, false, ROLE_NOTES},
    {ROLE_ENVELOPE, KEY_INFOS, false, ROLE_NOTES},
    {ROLE_DATA, KEY_RESULT, false, ROLE_RESULT},
    {ROLE_RESULT, KEY_OTHER, true, ROLE_SERIES},
    {ROLE_SERIES, KEY_METRIC, true, ROLE_LABELS},
    {ROLE_SERIES, KEY_VALUE, false, ROLE_POINT},
    {ROLE_SERIES, KEY_VALUES, false, ROLE_VALUES},
    {ROLE_SERIES, KEY_HISTOGRAM, false, ROLE_HISTOGRAM_POINT},
    {ROLE_SERIES, KEY_HISTOGRAMS, false, ROLE_HISTOGRAMS},
    {ROLE_VALUES, KEY_OTHER, false, ROLE_POINT},
    {ROLE_HISTOGRAMS, KEY_OTHER, false, ROLE_HISTOGRAM_POINT},
    {ROLE_HISTOGRAM_POINT, KEY_OTHER, true, ROLE_HISTOGRAM},
    {ROLE_HISTOGRAM, KEY_BUCKETS, false, ROLE_BUCKETS},
    {ROLE_BUCKETS, KEY_OTHER, false, ROLE_BUCKET},
    {ROLE_FAMILIES, KEY_OTHER, false, ROLE_FAMILY},
    {ROLE_FAMILY, KEY_OTHER, true, ROLE_METADATA},
    {ROLE_EXEMPLAR_LIST, KEY_OTHER, true, ROLE_EXEMPLAR_SERIES},
    {ROLE_EXEMPLAR_SERIES, KEY_SERIES_LABELS, true, ROLE_LABELS},
    {ROLE_EXEMPLAR_SERIES, KEY_EXEMPLARS, false, ROLE_EXEMPLARS},
    {ROLE_EXEMPLARS, KEY_OTHER, true, ROLE_EXEMPLAR},
    {ROLE_EXEMPLAR, KEY_LABELS, true, ROLE_EXEMPLAR_LABELS},
    {ROLE_FIELDS, KEY_OTHER, true, ROLE_FIELDS},
};

static enum role data_role(const struct promql_reader *reader, bool object)
{
    static const struct {
        uint8_t role;
        bool object;
    } shapes[] = {
        [PROMQL_SHAPE_RESULT] = {ROLE_DATA, true},
        [PROMQL_SHAPE_NAMES] = {ROLE_NAMES, false},
        [PROMQL_SHAPE_METADATA] = {ROLE_FAMILIES, true},
        [PROMQL_SHAPE_EXEMPLARS] = {ROLE_EXEMPLAR_LIST, false},
        [PROMQL_SHAPE_FIELDS] = {ROLE_FIELDS, true},
    };
    return shapes[reader->shape].object == object ? (enum role)shapes[reader->shape].role
                                                  : ROLE_WRONG;
}

static enum role child_role(const struct promql_reader *reader, bool object)
{
    if (reader->depth == 0)
        return object ? ROLE_ENVELOPE : ROLE_WRONG;
    enum role above = parent(reader);
    if (above == ROLE_ENVELOPE && reader->key == KEY_DATA)
        return data_role(reader, object);
    bool array_above = above != ROLE_ENVELOPE && above != ROLE_DATA && above != ROLE_SERIES &&
                       above != ROLE_HISTOGRAM && above != ROLE_EXEMPLAR_SERIES &&
                       above != ROLE_EXEMPLAR && above != ROLE_METADATA && above != ROLE_FIELDS;
    bool named = false;
    for (size_t i = 0; i < sizeof children / sizeof children[0]; i++) {
        if (children[i].parent != above ||
            (children[i].key != KEY_OTHER && children[i].key != reader->key))
            continue;
        if (children[i].object == object)
            return (enum role)children[i].role;
        named = true;
    }
    /* A known key of the wrong kind is a fault; an unknown key is none of our business. */
    if (above == ROLE_FIELDS)
        return ROLE_SKIPPED;
    return named || array_above ? ROLE_WRONG : ROLE_SKIPPED;
}

/* Rows beyond the limit are counted, not read. */
static bool beyond_limit(struct promql_reader *reader)
{
    reader->seen++;
    return reader->limit > 0 && reader->seen > reader->limit;
}

static void begin_metadata(struct promql_reader *reader)
{
    for (size_t i = 1; i < 4; i++)
        reader->scratch[i].size = 0;
}

static int begin_fields(struct promql_reader *reader)
{
    reader->path_sizes[reader->depth] = (uint16_t)reader->path_size;
    return 0;
}

static int on_begin(struct promql_reader *reader, bool object)
{
    enum role role = child_role(reader, object);
    if (role == ROLE_WRONG)
        return fault(reader, reader->depth == 0 ? "it is no JSON object"
                                                : "a value is of another kind than expected");
    if ((role == ROLE_SERIES || role == ROLE_EXEMPLAR) && beyond_limit(reader))
        role = ROLE_SKIPPED;
    if (role == ROLE_SKIPPED || reader->depth == PROMQL_READER_DEPTH) {
        reader->skipped = 1;
        return 0;
    }
    if (reader->depth == 1 && reader->key == KEY_DATA)
        reader->has_data = true;
    if (role == ROLE_FIELDS)
        begin_fields(reader);
    reader->roles[reader->depth++] = (uint8_t)role;
    if (role == ROLE_LABELS || role == ROLE_EXEMPLAR_LABELS || role == ROLE_EXEMPLAR)
        promql_rows_clear(&reader->rows);
    if (role == ROLE_METADATA)
        begin_metadata(reader);
    if (role == ROLE_NOTES)
        reader->warning = reader->key == KEY_WARNINGS;
    if (role == ROLE_HISTOGRAM) {
        if (reader->index != 1)
            return fault(reader, "a histogram point is no pair of time and histogram");
        reader->rows.bucket_count = 0;
        reader->index = 2;
    } else if (role != ROLE_BUCKETS) {
        reader->index = 0;
    }
    return 0;
}

static int end_pair(struct promql_reader *reader, enum role role)
{
    static const char *const texts[] = {"a point is no pair of time and value",
                                        "a histogram point is no pair of time and histogram",
                                        "a bucket has not four elements"};
    if (role == ROLE_POINT)
        return reader->index == 2 ? 0 : fault(reader, texts[0]);
    if (role == ROLE_HISTOGRAM_POINT) {
        if (reader->index != 2)
            return fault(reader, texts[1]);
        reader->rows.time_ns = reader->time_ns;
        return from_rows(reader, promql_rows_histogram(&reader->rows));
    }
    if (reader->index != 4)
        return fault(reader, texts[2]);
    return from_rows(reader, promql_rows_bucket(&reader->rows, reader->bucket[1], reader->bucket[2],
                                                reader->bucket[3]));
}

static int on_end(struct promql_reader *reader)
{
    enum role role = parent(reader);
    reader->depth--;
    switch (role) {
    case ROLE_POINT:
    case ROLE_HISTOGRAM_POINT:
    case ROLE_BUCKET:
        return end_pair(reader, role);
    case ROLE_BUCKETS:
    case ROLE_HISTOGRAM:
        reader->index = 2;
        return 0;
    case ROLE_LABELS:
        return from_rows(reader, promql_rows_announce(&reader->rows));
    case ROLE_SERIES:
    case ROLE_EXEMPLAR_SERIES:
        return from_rows(reader, promql_rows_end_series(&reader->rows));
    case ROLE_EXEMPLAR:
        return from_rows(reader,
                         promql_rows_exemplar(&reader->rows, reader->time_ns, reader->number));
    case ROLE_METADATA:
        return reader->events.metadata(
            reader->events.user, sonde_text_string(&reader->scratch[0]), reader->scratch[0].size,
            sonde_text_string(&reader->scratch[1]), sonde_text_string(&reader->scratch[2]),
            sonde_text_string(&reader->scratch[3]));
    case ROLE_FIELDS:
        reader->path_size = reader->path_sizes[reader->depth];
        return 0;
    default:
        return 0;
    }
}

static void set_scratch(struct promql_reader *reader, size_t which, const char *text, size_t size)
{
    reader->scratch[which].size = 0;
    reader->scratch[which].failed = 0;
    sonde_text_add_n(&reader->scratch[which], text, size);
}

static int on_field_key(struct promql_reader *reader, const char *text, size_t size)
{
    size_t start = reader->path_sizes[reader->depth - 1];
    size_t room = sizeof reader->path - 1 - start;
    size_t dot = start > 0 && room > 0 ? 1 : 0;
    size = promql_cut(text, size, room - dot);
    if (dot > 0)
        reader->path[start] = '.';
    memcpy(reader->path + start + dot, text, size);
    reader->path_size = (uint32_t)(start + dot + size);
    reader->path[reader->path_size] = '\0';
    return 0;
}

static int on_key(struct promql_reader *reader, const char *text, size_t size)
{
    switch (parent(reader)) {
    case ROLE_LABELS:
    case ROLE_EXEMPLAR_LABELS:
        return from_rows(reader, promql_rows_label_name(&reader->rows, text, size));
    case ROLE_FAMILIES:
        set_scratch(reader, 0, text, size);
        return 0;
    case ROLE_FIELDS:
        return on_field_key(reader, text, size);
    default:
        reader->key = find_key(text, size);
        if (parent(reader) == ROLE_ENVELOPE && reader->key == KEY_STATS)
            reader->has_stats = true;
        return 0;
    }
}

static void copy_short(char *to, size_t to_size, const char *text, size_t size)
{
    size = promql_cut(text, size, to_size - 1);
    memcpy(to, text, size);
    to[size] = '\0';
}

static int envelope_scalar(struct promql_reader *reader, uint32_t type, const char *text,
                           size_t size)
{
    if (reader->key == KEY_DATA) {
        if (type != SONDE_JSON_NULL)
            return fault(reader, "its data is neither an object nor a list");
        reader->has_data = reader->shape != PROMQL_SHAPE_RESULT;
    }
    if (reader->key == KEY_IS_PARTIAL)
        reader->is_partial = type == SONDE_JSON_TRUE;
    if (type != SONDE_JSON_STRING)
        return 0;
    if (reader->key == KEY_STATUS)
        reader->succeeded = size == 7 && memcmp(text, "success", 7) == 0;
    else if (reader->key == KEY_ERROR_TYPE)
        copy_short(reader->error_type, sizeof reader->error_type, text, size);
    else if (reader->key == KEY_ERROR)
        reader->error = sonde_copy(reader->rows.host, reader->rows.ctx, text,
                                   promql_cut(text, size, MAX_ERROR));
    return 0;
}

static int on_note(struct promql_reader *reader, const char *text, size_t size)
{
    if (reader->note_count++ >= MAX_NOTES)
        return 0;
    set_scratch(reader, 3, text, promql_cut(text, size, MAX_ERROR));
    reader->events.note(reader->events.user, reader->warning ? "warning" : "info",
                        sonde_text_string(&reader->scratch[3]));
    return 0;
}

/* result: [time, "value"], a scalar or a string. resultType may come later. */
static int lone_scalar(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    if (reader->index == 0 && type == SONDE_JSON_NUMBER &&
        sonde_parse_seconds_ns(text, size, &reader->time_ns) == 0) {
        reader->index++;
        return 0;
    }
    if (reader->index != 1 || type != SONDE_JSON_STRING)
        return fault(reader, "its result is no list of series and no pair of time and value");
    reader->index++;
    reader->lone = true;
    reader->lone_text = sonde_copy(reader->rows.host, reader->rows.ctx, text, size);
    reader->lone_size = size;
    return reader->lone_text != NULL ? 0 : fault(reader, "there is no memory left for its text");
}

static bool parse_value(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    return (type == SONDE_JSON_STRING || type == SONDE_JSON_NUMBER) &&
           sonde_parse_double(text, size, &reader->number) == 0;
}

static int point_scalar(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    if (reader->index == 0) {
        reader->index = 1;
        if (type == SONDE_JSON_NUMBER && sonde_parse_seconds_ns(text, size, &reader->time_ns) == 0)
            return 0;
        return fault(reader, "the time of a point is no number");
    }
    if (reader->index++ != 1 || !parse_value(reader, type, text, size))
        return fault(reader, "the value of a point is no number");
    return from_rows(reader, promql_rows_point(&reader->rows, reader->time_ns, reader->number));
}

static int histogram_scalar(struct promql_reader *reader, uint32_t type, const char *text,
                            size_t size)
{
    if (reader->key != KEY_COUNT && reader->key != KEY_SUM)
        return 0;
    if (!parse_value(reader, type, text, size))
        return fault(reader, "the count or sum of a histogram is no number");
    if (reader->key == KEY_COUNT)
        reader->rows.count = reader->number;
    else
        reader->rows.sum = reader->number;
    return 0;
}

static int bucket_scalar(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    if (reader->index >= 4 || !parse_value(reader, type, text, size))
        return fault(reader, "a bucket of a histogram is not made of four numbers");
    reader->bucket[reader->index++] = reader->number;
    return 0;
}

static int exemplar_scalar(struct promql_reader *reader, uint32_t type, const char *text,
                           size_t size)
{
    if (reader->key == KEY_VALUE && !parse_value(reader, type, text, size))
        return fault(reader, "the value of an exemplar is no number");
    if (reader->key == KEY_TIMESTAMP &&
        (type != SONDE_JSON_NUMBER || sonde_parse_seconds_ns(text, size, &reader->time_ns) != 0))
        return fault(reader, "the time of an exemplar is no number");
    return 0;
}

static int name_scalar(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    if (type != SONDE_JSON_STRING)
        return fault(reader, "a name is no string");
    return beyond_limit(reader) ? 0 : reader->events.name(reader->events.user, text, size);
}

static int metadata_scalar(struct promql_reader *reader, uint32_t type, const char *text,
                           size_t size)
{
    if (type != SONDE_JSON_STRING)
        return 0;
    if (reader->key == KEY_TYPE)
        set_scratch(reader, 1, text, size);
    else if (reader->key == KEY_UNIT)
        set_scratch(reader, 2, text, size);
    else if (reader->key == KEY_HELP)
        set_scratch(reader, 3, text, promql_cut(text, size, MAX_ERROR));
    return 0;
}

static void field_scalar(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    static const char *const words[] = {
        [SONDE_JSON_TRUE] = "true", [SONDE_JSON_FALSE] = "false", [SONDE_JSON_NULL] = ""};
    if (type == SONDE_JSON_TRUE || type == SONDE_JSON_FALSE || type == SONDE_JSON_NULL) {
        text = words[type];
        size = strlen(text);
    }
    reader->events.field(reader->events.user, reader->path, text, size);
}

static int label_scalar(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    if (type != SONDE_JSON_STRING)
        return fault(reader, "the value of a label is no string");
    return from_rows(reader, promql_rows_label_value(&reader->rows, text, size));
}

static int on_scalar(struct promql_reader *reader, uint32_t type, const char *text, size_t size)
{
    if (reader->depth == 0)
        return fault(reader, "it is no JSON object");
    switch (parent(reader)) {
    case ROLE_ENVELOPE:
        return envelope_scalar(reader, type, text, size);
    case ROLE_NOTES:
        return type == SONDE_JSON_STRING ? on_note(reader, text, size) : 0;
    case ROLE_DATA:
        if (reader->key == KEY_RESULT_TYPE && type == SONDE_JSON_STRING)
            copy_short(reader->result_type, sizeof reader->result_type, text, size);
        return 0;
    case ROLE_RESULT:
        return lone_scalar(reader, type, text, size);
    case ROLE_LABELS:
    case ROLE_EXEMPLAR_LABELS:
        return label_scalar(reader, type, text, size);
    case ROLE_POINT:
    case ROLE_HISTOGRAM_POINT:
        return point_scalar(reader, type, text, size);
    case ROLE_HISTOGRAM:
        return histogram_scalar(reader, type, text, size);
    case ROLE_BUCKET:
        return bucket_scalar(reader, type, text, size);
    case ROLE_NAMES:
        return name_scalar(reader, type, text, size);
    case ROLE_METADATA:
        return metadata_scalar(reader, type, text, size);
    case ROLE_EXEMPLAR:
        return exemplar_scalar(reader, type, text, size);
    case ROLE_FIELDS:
        field_scalar(reader, type, text, size);
        return 0;
    case ROLE_VALUES:
    case ROLE_HISTOGRAMS:
    case ROLE_BUCKETS:
    case ROLE_EXEMPLAR_LIST:
    case ROLE_EXEMPLARS:
        return fault(reader, "a value is of another kind than expected");
    default:
        return 0;
    }
}

static int on_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct promql_reader *reader = user;
    (void)depth;
    bool begins = type == SONDE_JSON_OBJECT_BEGIN || type == SONDE_JSON_ARRAY_BEGIN;
    bool ends = type == SONDE_JSON_OBJECT_END || type == SONDE_JSON_ARRAY_END;
    if (reader->skipped > 0) {
        reader->skipped += begins ? 1u : 0u;
        reader->skipped -= ends ? 1u : 0u;
        return 0;
    }
    if (begins)
        return on_begin(reader, type == SONDE_JSON_OBJECT_BEGIN);
    if (ends)
        return on_end(reader);
    if (type == SONDE_JSON_KEY)
        return on_key(reader, text, size);
    return on_scalar(reader, type, text, size);
}

/* Digits at *at as a number, at most max of them; how many there were. */
static size_t take_digits(const char **at, const char *end, size_t max, uint64_t *number)
{
    const char *p = *at;
    while (p < end && (size_t)(p - *at) < max && *p >= '0' && *p <= '9')
        *number = *number * 10 + (uint64_t)(*p++ - '0');
    size_t n = (size_t)(p - *at);
    *at = p;
    return n;
}

/* A time in seconds as Prometheus writes it: at most 10 digits, at most 9 behind the point. */
static bool take_time(const char **at, const char *end, int64_t *ret_ns)
{
    static const uint32_t scales[] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                      10000,      1000,      100,      10,      1};
    uint64_t seconds = 0;
    uint64_t part = 0;
    size_t digits = 0;
    const char *first = *at;
    size_t whole = take_digits(at, end, 10, &seconds);
    if (whole == 0 || (*first == '0' && whole > 1))
        return false;
    if (*at < end && **at == '.') {
        ++*at;
        digits = take_digits(at, end, 9, &part);
        if (digits == 0)
            return false;
    }
    /* 10 digits of seconds may be more than 64 bits of ns: 2262 is soon enough for the long way. */
    if (seconds > INT64_C(9000000000))
        return false;
    *ret_ns = (int64_t)(seconds * 1000000000 + part * scales[digits]);
    return true;
}

/* A value in quotes; *at stands behind the first. What is no plain decimal of at most 53 bits is left to the long way, correctly rounded. */
static bool take_value(const char **at, const char *end, double *ret_value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *first = *at;
    const char *p = first;
    uint64_t mantissa = 0;
    size_t fraction = 0;
    bool negative = p < end && *p == '-';
    p += negative;
    size_t whole = take_digits(&p, end, 19, &mantissa);
    if (p < end && *p == '.') {
        p++;
        fraction = take_digits(&p, end, 19 - whole, &mantissa);
    }
    if (p < end && *p == '"' && whole + fraction > 0 && mantissa <= UINT64_C(1) << 53) {
        /* Both are exact, so the quotient is rounded once. */
        double value = (double)mantissa / powers[fraction];
        *ret_value = negative ? -value : value;
        *at = p + 1;
        return true;
    }
    size_t room = (size_t)(end - first);
    const char *quote = memchr(first, '"', room < MAX_VALUE ? room : MAX_VALUE);
    if (quote == NULL || sonde_parse_double(first, (size_t)(quote - first), ret_value) != 0)
        return false;
    *at = quote + 1;
    return true;
}

/*
 * The points of a matrix, which are nearly all of a large answer: [time,"value"], again and again, without white space. Anything else is
 * left to the events.
 */
static size_t on_elements(void *user, const char *text, size_t size, int *ret_stop)
{
    struct promql_reader *reader = user;
    if (reader->skipped > 0 || reader->depth == 0 || parent(reader) != ROLE_VALUES)
        return 0;
    const char *end = text + size;
    const char *done = text;
    for (const char *p = done; p < end && *p == '['; done = p) {
        int64_t time_ns;
        double value;
        p++;
        if (!take_time(&p, end, &time_ns) || end - p < 2 || p[0] != ',' || p[1] != '"')
            break;
        p += 2;
        if (!take_value(&p, end, &value) || end - p < 2 || p[0] != ']' || p[1] != ',')
            break;
        p += 2;
        *ret_stop = from_rows(reader, promql_rows_point(&reader->rows, time_ns, value));
        if (*ret_stop != 0)
            return (size_t)(p - text);
    }
    return (size_t)(done - text);
}

int promql_reader_init(struct promql_reader *reader, const struct sonde_host *host,
                       struct sonde_ctx *ctx, const struct sonde_sink *sink,
                       const struct promql_reader_events *events)
{
    memset(reader, 0, sizeof *reader);
    if (sonde_json_init(&reader->json, on_event, reader, SONDE_JSON_LENIENT, 64, 0) != 0)
        return -1;
    reader->json.elements = on_elements;
    reader->usable = true;
    reader->events = *events;
    promql_rows_init(&reader->rows, host, ctx, sink);
    for (size_t i = 0; i < 4; i++)
        sonde_text_init(&reader->scratch[i], host, ctx, (size_t)64 * 1024);
    return 0;
}

void promql_reader_start(struct promql_reader *reader, enum promql_shape shape, uint64_t limit)
{
    sonde_json_reset(&reader->json);
    reader->shape = shape;
    reader->limit = limit;
    reader->seen = 0;
    reader->has_data = false;
    reader->succeeded = false;
    reader->error_type[0] = '\0';
    reader->error = NULL;
    reader->fault = NULL;
    reader->depth = 0;
    reader->skipped = 0;
    reader->key = KEY_OTHER;
    reader->has_stats = false;
    reader->is_partial = false;
    reader->index = 0;
    reader->note_count = 0;
    reader->path_size = 0;
    reader->path[0] = '\0';
    reader->result_type[0] = '\0';
    reader->lone = false;
    reader->rows.announced = false;
    reader->rows.batch = 0;
    promql_rows_clear(&reader->rows);
}

static int checked(struct promql_reader *reader, int result)
{
    if (result < 0 && result != PROMQL_ROW_FAULT)
        return fault(reader, sonde_json_error(result));
    return result;
}

int promql_reader_feed(struct promql_reader *reader, const void *data, size_t size)
{
    if (reader->fault != NULL)
        return PROMQL_ROW_FAULT;
    return checked(reader, sonde_json_feed(&reader->json, data, size));
}

static int end_lone(struct promql_reader *reader)
{
    double value;
    if (strcmp(reader->result_type, "string") == 0) {
        reader->events.note(reader->events.user, "string", reader->lone_text);
        return 0;
    }
    if (sonde_parse_double(reader->lone_text, reader->lone_size, &value) != 0)
        return fault(reader, "the value of a scalar is no number");
    int result = promql_rows_announce(&reader->rows);
    if (result == PROMQL_ROW_OK)
        result = promql_rows_point(&reader->rows, reader->time_ns, value);
    if (result == PROMQL_ROW_OK)
        result = promql_rows_end_series(&reader->rows);
    reader->seen = 1;
    return from_rows(reader, result);
}

int promql_reader_end(struct promql_reader *reader)
{
    if (reader->fault != NULL)
        return PROMQL_ROW_FAULT;
    int result = checked(reader, sonde_json_end(&reader->json));
    if (result != PROMQL_ROW_OK)
        return result;
    if (!reader->succeeded && reader->error == NULL && reader->error_type[0] == '\0')
        return fault(reader, "it has no status \"success\"");
    if (reader->succeeded && !reader->has_data && reader->shape == PROMQL_SHAPE_RESULT)
        return fault(reader, "it has no data");
    return reader->lone ? end_lone(reader) : PROMQL_ROW_OK;
}

void promql_reader_free(struct promql_reader *reader)
{
    if (reader->usable)
        sonde_json_free(&reader->json);
    reader->usable = false;
}
