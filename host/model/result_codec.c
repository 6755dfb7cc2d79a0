/* SPDX-License-Identifier: Apache-2.0 */
#include "model/result_codec.h"

#include <zlib.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"

#define VERSION 1
/* The quickest: beyond it a few percent cost as much time again. */
#define LEVEL 1
#define DOUBLE_BYTES 8u

static void pack_number(struct buf *buf, uint64_t number)
{
    while (number >= 0x80) {
        buf_add_char(buf, (char)(number | 0x80));
        number >>= 7;
    }
    buf_add_char(buf, (char)number);
}

static void pack_signed(struct buf *buf, int64_t number)
{
    pack_number(buf, ((uint64_t)number << 1) ^ (uint64_t)(number >> 63));
}

/* 0: NULL, else the size and one more. */
static void pack_bytes(struct buf *buf, const void *data, size_t size)
{
    pack_number(buf, data ? (uint64_t)size + 1 : 0);
    if (data)
        buf_add_n(buf, data, size);
}

static void pack_text(struct buf *buf, const char *text)
{
    pack_bytes(buf, text, text ? strlen(text) : 0);
}

/* First bytes of all, then second bytes: neighbours are alike in sign and exponent, which then compress. */
static void pack_doubles(struct buf *buf, const double *values, size_t n)
{
    char *out = n > RESULT_PACKED_MAX / DOUBLE_BYTES ? NULL : buf_reserve(buf, n * DOUBLE_BYTES);
    if (!out) {
        buf->failed = n ? 1 : buf->failed;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        for (unsigned byte = 0; byte < DOUBLE_BYTES; byte++)
            out[byte * n + i] = (char)(bits >> (8 * (DOUBLE_BYTES - 1 - byte)));
    }
    buf->size += n * DOUBLE_BYTES;
}

static void pack_double(struct buf *buf, double value)
{
    pack_doubles(buf, &value, 1);
}

static void pack_labels(struct buf *buf, const struct sonde_label *labels, size_t n)
{
    pack_number(buf, n);
    for (size_t i = 0; i < n; i++) {
        pack_bytes(buf, labels[i].name, labels[i].name_size);
        pack_bytes(buf, labels[i].value, labels[i].value_size);
    }
}

static void pack_histograms(struct buf *buf, const struct histogram_point *points, size_t n)
{
    pack_number(buf, n);
    for (size_t i = 0; i < n; i++) {
        pack_signed(buf, points[i].time_ns);
        pack_double(buf, points[i].count);
        pack_double(buf, points[i].sum);
        pack_number(buf, points[i].bucket_count);
        pack_doubles(buf, points[i].lower, points[i].bucket_count);
        pack_doubles(buf, points[i].upper, points[i].bucket_count);
        pack_doubles(buf, points[i].counts, points[i].bucket_count);
    }
}

static void pack_exemplars(struct buf *buf, const struct exemplar *exemplars, size_t n)
{
    pack_number(buf, n);
    for (size_t i = 0; i < n; i++) {
        pack_signed(buf, exemplars[i].time_ns);
        pack_double(buf, exemplars[i].value);
        pack_text(buf, exemplars[i].trace_id);
        pack_text(buf, exemplars[i].span_id);
        pack_labels(buf, exemplars[i].labels, exemplars[i].label_count);
    }
}

static void pack_series(struct buf *buf, const struct series *series)
{
    pack_labels(buf, series->labels, series->label_count);
    pack_text(buf, series->unit);
    pack_number(buf, series->type);
    pack_signed(buf, series->start_ns);
    pack_signed(buf, series->step_ns);
    pack_number(buf, series->sample_count);
    pack_number(buf, series->times != NULL);
    int64_t before = 0;
    for (size_t i = 0; series->times && i < series->sample_count; i++) {
        pack_signed(buf, (int64_t)((uint64_t)series->times[i] - (uint64_t)before));
        before = series->times[i];
    }
    pack_doubles(buf, series->values, series->sample_count);
    pack_histograms(buf, series->histograms, series->histogram_count);
    pack_exemplars(buf, series->exemplars, series->exemplar_count);
}

static void pack_rows(struct buf *buf, const struct result *result)
{
    pack_number(buf, result->name_count);
    for (size_t i = 0; i < result->name_count; i++) {
        const struct name_row *row = &result->names[i];
        pack_text(buf, row->name);
        pack_text(buf, row->unit);
        pack_text(buf, row->help);
        pack_text(buf, row->parent);
        pack_number(buf, row->count);
        pack_number(buf, row->type);
        pack_number(buf, row->guessed);
    }
    pack_number(buf, result->scope_count);
    for (size_t i = 0; i < result->scope_count; i++) {
        const struct scope_row *row = &result->scopes[i];
        pack_text(buf, row->id);
        pack_text(buf, row->name);
        pack_text(buf, row->sort);
        pack_text(buf, row->backend);
        pack_text(buf, row->path_prefix);
        pack_number(buf, row->is_default);
        pack_number(buf, row->header_count);
        for (size_t k = 0; k < row->header_count; k++) {
            pack_text(buf, row->headers[k].key);
            pack_text(buf, row->headers[k].value);
        }
    }
    pack_number(buf, result->note_count);
    for (size_t i = 0; i < result->note_count; i++) {
        pack_text(buf, result->notes[i].code);
        pack_text(buf, result->notes[i].text);
    }
    pack_number(buf, result->feature_count);
    for (size_t i = 0; i < result->feature_count; i++)
        pack_text(buf, result->features[i]);
}

int result_pack(const struct result *result, struct buf *buf)
{
    pack_number(buf, result->kind);
    pack_text(buf, result->product);
    pack_text(buf, result->version);
    pack_text(buf, result->status);
    pack_text(buf, result->executed);
    pack_number(buf, result->partial_reason);
    pack_text(buf, result->partial_text);
    pack_number(buf, result->total);
    pack_number(buf, result->total_kind);
    pack_bytes(buf, result->resume, result->resume_size);
    pack_number(buf, result->samples_read);
    pack_number(buf, result->reduced);
    pack_signed(buf, result->newest_sample_ns);
    pack_signed(buf, result->fetched_at_ns);
    pack_signed(buf, result->elapsed_ns);
    pack_number(buf, result->wire_bytes);
    pack_rows(buf, result);
    pack_number(buf, result->series_count);
    for (size_t i = 0; i < result->series_count && !buf->failed; i++)
        pack_series(buf, &result->series[i]);
    return buf->failed ? ERR_LIMIT : 0;
}

/* What is read; the first mistake stays. */
struct unpacking {
    const unsigned char *data;
    size_t size;
    struct result *result;
    int failed; /* ERR_* */
};

static uint64_t unpack_number(struct unpacking *in)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (!in->size)
            break;
        unsigned char byte = *in->data++;
        in->size--;
        if (shift == 63 && byte > 1)
            break;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return number;
    }
    in->failed = in->failed ? in->failed : ERR_INVALID;
    in->size = 0;
    return 0;
}

static int64_t unpack_signed(struct unpacking *in)
{
    uint64_t number = unpack_number(in);
    return (int64_t)((number >> 1) ^ (0 - (number & 1)));
}

static uint32_t unpack_small(struct unpacking *in)
{
    uint64_t number = unpack_number(in);
    if (number > UINT32_MAX)
        in->failed = in->failed ? in->failed : ERR_INVALID;
    return (uint32_t)number;
}

/* How many follow, each of which takes at least so many bytes of what is left. */
static size_t unpack_count(struct unpacking *in, size_t least)
{
    uint64_t count = unpack_number(in);
    if (count > in->size / least) {
        in->failed = in->failed ? in->failed : ERR_INVALID;
        return 0;
    }
    return (size_t)count;
}

static void *unpack_room(struct unpacking *in, size_t n, size_t size)
{
    if (in->failed || !n)
        return NULL;
    void *room = result_alloc(in->result, n, size);
    if (!room)
        in->failed = ERR_MEMORY;
    return room;
}

/* With a NUL behind; "" also where nothing can be read, so that texts need no further look. */
static const char *unpack_bytes(struct unpacking *in, size_t *ret_size)
{
    uint64_t size = unpack_number(in);
    *ret_size = 0;
    if (in->failed || !size)
        return in->failed ? "" : NULL;
    if (--size > in->size) {
        in->failed = ERR_INVALID;
        return "";
    }
    char *copy = unpack_room(in, (size_t)size + 1, 1);
    if (!copy)
        return "";
    memcpy(copy, in->data, (size_t)size);
    in->data += size;
    in->size -= (size_t)size;
    *ret_size = (size_t)size;
    return copy;
}

static const char *unpack_maybe(struct unpacking *in)
{
    size_t size;
    return unpack_bytes(in, &size);
}

/* What readers never expect to be NULL. */
static const char *unpack_text(struct unpacking *in)
{
    const char *text = unpack_maybe(in);
    return text ? text : "";
}

static const double *unpack_doubles(struct unpacking *in, size_t n)
{
    if (n > in->size / DOUBLE_BYTES)
        in->failed = in->failed ? in->failed : ERR_INVALID;
    double *values = unpack_room(in, n, sizeof *values);
    if (!values)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        for (unsigned byte = 0; byte < DOUBLE_BYTES; byte++)
            bits = bits << 8 | in->data[byte * n + i];
        memcpy(&values[i], &bits, sizeof bits);
    }
    in->data += n * DOUBLE_BYTES;
    in->size -= n * DOUBLE_BYTES;
    return values;
}

static double unpack_double(struct unpacking *in)
{
    const double *value = unpack_doubles(in, 1);
    return value ? *value : 0;
}

static const struct sonde_label *unpack_labels(struct unpacking *in, size_t *ret_count)
{
    size_t n = unpack_count(in, 2);
    struct sonde_label *labels = unpack_room(in, n, sizeof *labels);
    *ret_count = labels ? n : 0;
    for (size_t i = 0; i < *ret_count; i++) {
        labels[i].name = unpack_bytes(in, &labels[i].name_size);
        labels[i].value = unpack_bytes(in, &labels[i].value_size);
        if (!labels[i].name || !labels[i].value)
            in->failed = in->failed ? in->failed : ERR_INVALID;
    }
    return labels;
}

static void unpack_histograms(struct unpacking *in, struct series *series)
{
    size_t n = unpack_count(in, 2 + 2 * DOUBLE_BYTES);
    struct histogram_point *points = unpack_room(in, n, sizeof *points);
    for (size_t i = 0; points && i < n && !in->failed; i++) {
        points[i].time_ns = unpack_signed(in);
        points[i].count = unpack_double(in);
        points[i].sum = unpack_double(in);
        points[i].bucket_count = (uint32_t)unpack_count(in, 3 * DOUBLE_BYTES);
        points[i].lower = unpack_doubles(in, points[i].bucket_count);
        points[i].upper = unpack_doubles(in, points[i].bucket_count);
        points[i].counts = unpack_doubles(in, points[i].bucket_count);
    }
    series->histograms = points;
    series->histogram_count = points ? n : 0;
}

static void unpack_exemplars(struct unpacking *in, struct series *series)
{
    size_t n = unpack_count(in, 4 + DOUBLE_BYTES);
    struct exemplar *exemplars = unpack_room(in, n, sizeof *exemplars);
    for (size_t i = 0; exemplars && i < n && !in->failed; i++) {
        exemplars[i].time_ns = unpack_signed(in);
        exemplars[i].value = unpack_double(in);
        exemplars[i].trace_id = unpack_text(in);
        exemplars[i].span_id = unpack_text(in);
        exemplars[i].labels = unpack_labels(in, &exemplars[i].label_count);
    }
    series->exemplars = exemplars;
    series->exemplar_count = exemplars ? n : 0;
}

static void unpack_series(struct unpacking *in, struct series *series)
{
    series->labels = unpack_labels(in, &series->label_count);
    series->unit = unpack_text(in);
    series->type = unpack_small(in);
    series->start_ns = unpack_signed(in);
    series->step_ns = unpack_signed(in);
    size_t n = unpack_count(in, DOUBLE_BYTES);
    bool has_times = unpack_number(in) != 0;
    int64_t *times = has_times ? unpack_room(in, n, sizeof *times) : NULL;
    uint64_t time = 0;
    for (size_t i = 0; times && i < n; i++) {
        time += (uint64_t)unpack_signed(in);
        times[i] = (int64_t)time;
    }
    series->times = times;
    series->values = unpack_doubles(in, n);
    series->sample_count = series->values ? n : 0;
    unpack_histograms(in, series);
    unpack_exemplars(in, series);
}

static void unpack_names(struct unpacking *in)
{
    size_t n = unpack_count(in, 7);
    struct name_row *names = unpack_room(in, n, sizeof *names);
    for (size_t i = 0; names && i < n && !in->failed; i++) {
        names[i].name = unpack_text(in);
        names[i].unit = unpack_text(in);
        names[i].help = unpack_text(in);
        names[i].parent = unpack_maybe(in);
        names[i].count = unpack_number(in);
        names[i].type = unpack_small(in);
        names[i].guessed = unpack_number(in) != 0;
    }
    in->result->names = names;
    in->result->name_count = names ? n : 0;
}

static void unpack_scopes(struct unpacking *in)
{
    size_t n = unpack_count(in, 7);
    struct scope_row *scopes = unpack_room(in, n, sizeof *scopes);
    for (size_t i = 0; scopes && i < n && !in->failed; i++) {
        scopes[i].id = unpack_text(in);
        scopes[i].name = unpack_text(in);
        scopes[i].sort = unpack_maybe(in);
        scopes[i].backend = unpack_maybe(in);
        scopes[i].path_prefix = unpack_maybe(in);
        scopes[i].is_default = unpack_number(in) != 0;
        size_t count = unpack_count(in, 2);
        struct sonde_pair *headers = unpack_room(in, count, sizeof *headers);
        for (size_t k = 0; headers && k < count; k++) {
            headers[k].key = unpack_text(in);
            headers[k].value = unpack_text(in);
        }
        scopes[i].headers = headers;
        scopes[i].header_count = headers ? count : 0;
    }
    in->result->scopes = scopes;
    in->result->scope_count = scopes ? n : 0;
}

static void unpack_rows(struct unpacking *in)
{
    unpack_names(in);
    unpack_scopes(in);
    size_t n = unpack_count(in, 2);
    struct note_row *notes = unpack_room(in, n, sizeof *notes);
    for (size_t i = 0; notes && i < n && !in->failed; i++) {
        notes[i].code = unpack_text(in);
        notes[i].text = unpack_text(in);
    }
    in->result->notes = notes;
    in->result->note_count = notes ? n : 0;
    n = unpack_count(in, 1);
    const char **features = unpack_room(in, n, sizeof *features);
    for (size_t i = 0; features && i < n; i++)
        features[i] = unpack_text(in);
    in->result->features = features;
    in->result->feature_count = features ? n : 0;
}

static void unpack_result(struct unpacking *in)
{
    struct result *result = in->result;
    result->kind = unpack_small(in);
    result->product = unpack_text(in);
    result->version = unpack_text(in);
    result->status = unpack_maybe(in);
    result->executed = unpack_text(in);
    result->partial_reason = unpack_small(in);
    result->partial_text = unpack_text(in);
    result->total = unpack_number(in);
    result->total_kind = unpack_small(in);
    result->resume = unpack_bytes(in, &result->resume_size);
    result->samples_read = unpack_number(in);
    result->reduced = unpack_number(in) != 0;
    result->newest_sample_ns = unpack_signed(in);
    result->fetched_at_ns = unpack_signed(in);
    result->elapsed_ns = unpack_signed(in);
    result->wire_bytes = unpack_number(in);
    unpack_rows(in);
    size_t n = unpack_count(in, 9);
    struct series *series = unpack_room(in, n, sizeof *series);
    for (size_t i = 0; series && i < n && !in->failed; i++)
        unpack_series(in, &series[i]);
    result->series = series;
    result->series_count = series ? n : 0;
    if (!in->failed && in->size)
        in->failed = ERR_INVALID;
}

int result_unpack(const void *data, size_t size, size_t max_bytes, struct budget *budget,
                  struct result **ret_result)
{
    CLEANUP(result_unrefp) struct result *result = result_new(0, max_bytes, budget);
    if (!result)
        return ERR_MEMORY;
    struct unpacking in = {.data = data, .size = size, .result = result};
    unpack_result(&in);
    if (in.failed)
        return in.failed;
    *ret_result = STEAL(result);
    return 0;
}

/* A zlib stream of data into out. 0, or ERR_MEMORY. */
static int deflate_into(const struct buf *data, unsigned char *out, size_t *size)
{
    /* No larger a window than there is data: most results are small, and its memory costs more than the work. */
    int window = 9;
    while (window < 15 && ((size_t)1 << window) < data->size)
        window++;
    z_stream stream = {.next_in = (Bytef *)data->data,
                       .avail_in = (uInt)data->size,
                       .next_out = out,
                       .avail_out = (uInt)*size};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, window, window > 12 ? 8 : 4, Z_DEFAULT_STRATEGY))
        return ERR_MEMORY;
    int r = deflate(&stream, Z_FINISH);
    *size = stream.total_out;
    deflateEnd(&stream);
    return r == Z_STREAM_END ? 0 : ERR_MEMORY;
}

int result_encode(const struct result *result, struct buf *buf)
{
    struct buf packed = BUF(RESULT_PACKED_MAX);
    int r = result_pack(result, &packed);
    /* What zlib's bound for the smallest windows comes to, and more. */
    size_t size = packed.size + packed.size / 4 + 256;
    void *squeezed = r ? NULL : mem_alloc(size);
    if (!r && !squeezed)
        r = ERR_MEMORY;
    if (!r)
        r = deflate_into(&packed, squeezed, &size);
    if (!r) {
        buf_printf(buf, "{\"v\":%d,\"n\":%zu,\"z\":\"", VERSION, packed.size);
        base64_add(buf, squeezed, size);
        buf_add(buf, "\"}");
        r = buf->failed ? ERR_LIMIT : 0;
    }
    mem_free(squeezed);
    buf_finish(&packed);
    return r;
}

/* The zlib stream behind the text. 0 or ERR_*; *ret_data is mem_free'd by the caller. */
static int inflate_text(const char *z, size_t z_size, size_t size, void **ret_data)
{
    void *squeezed = mem_alloc(z_size / 4 * 3 + 3);
    void *data = mem_alloc(size);
    int r = squeezed && data ? 0 : ERR_MEMORY;
    ptrdiff_t squeezed_size = r ? 0 : base64_read(z, z_size, squeezed, z_size / 4 * 3 + 3);
    uLongf inflated = (uLongf)size;
    if (!r &&
        (squeezed_size <= 0 ||
         uncompress(data, &inflated, squeezed, (uLong)squeezed_size) != Z_OK || inflated != size))
        r = ERR_INVALID;
    mem_free(squeezed);
    if (r)
        mem_free(data);
    else
        *ret_data = data;
    return r;
}

int result_decode(const char *text, size_t size, size_t max_bytes, struct budget *budget,
                  struct result **ret_result)
{
    CLEANUP(json_putp) struct json_object *object = NULL;
    if (json_parse(text, size, 2, &object, NULL))
        return ERR_INVALID;
    struct json_object *version = json_member(object, "v");
    struct json_object *count = json_member(object, "n");
    struct json_object *z = json_member(object, "z");
    if (!json_object_is_type(version, json_type_int) || json_object_get_int64(version) != VERSION ||
        !json_object_is_type(count, json_type_int) || !json_object_is_type(z, json_type_string))
        return ERR_INVALID;
    int64_t n = json_object_get_int64(count);
    if (n <= 0 || (uint64_t)n > RESULT_PACKED_MAX)
        return ERR_INVALID;
    void *data = NULL;
    int r = inflate_text(json_object_get_string(z), (size_t)json_object_get_string_len(z),
                         (size_t)n, &data);
    if (r)
        return r;
    r = result_unpack(data, (size_t)n, max_bytes, budget, ret_result);
    mem_free(data);
    return r;
}
