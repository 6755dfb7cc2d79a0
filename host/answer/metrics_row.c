/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/metrics_row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "answer/histogram.h"
#include "answer/write.h"
#include "base/clock.h"

#define POINTS_ROOM 64
#define LABELS_ROOM 128
#define EXEMPLARS_MAX 2

int metrics_row_init(struct metrics_row *row, const struct answer_series *in, size_t order,
                     struct arena *arena)
{
    *row = (struct metrics_row){.in = in, .of = in->series, .order = order};
    if (!in->series->sample_count && in->series->histogram_count) {
        struct series *derived = arena_alloc(arena, sizeof *derived);
        if (!derived || histogram_p95_series(in->series, arena, derived))
            return ERR_MEMORY;
        row->of = derived;
        row->is_histogram = true;
    }
    series_summarise(row->of, &row->summary);
    return 0;
}

/* Which labels of the row are said once for all. More than LABELS_ROOM labels are all written. */
static const bool *hidden_labels(const struct metrics_row *row, const struct row_style *style,
                                 bool hidden[LABELS_ROOM])
{
    const struct series *series = row->in->series;
    if (!style->common_count || series->label_count > LABELS_ROOM)
        return NULL;
    for (size_t i = 0; i < series->label_count; i++) {
        hidden[i] = false;
        for (size_t c = 0; c < style->common_count && !hidden[i]; c++)
            hidden[i] = style->common[c].name_size == series->labels[i].name_size &&
                        memcmp(style->common[c].name, series->labels[i].name,
                               series->labels[i].name_size) == 0;
    }
    return hidden;
}

static size_t choose(const struct metrics_row *row, size_t points, size_t indices[POINTS_ROOM])
{
    return points
               ? downsample_min_max(row->of, points < POINTS_ROOM ? points : POINTS_ROOM, indices)
               : 0;
}

static void member_number(struct buf *buf, const char *key, double value)
{
    buf_json_key(buf, key);
    write_number(buf, value, DIGITS_SUMMARY);
}

static bool has_summary(const struct metrics_row *row, const struct row_style *style, size_t shown)
{
    if (style->instant && shown)
        return false;
    return !(shown && row->of->sample_count == 1 && !row->is_histogram);
}

/*
 * Whether the series has samples only from or up to some moment well inside the window (a twentieth of it, and three samples): a pod
 * came or went, a version was deployed. 0: no.
 */
static void find_edges(const struct series *series, const struct time_window *window,
                       int64_t *ret_began_ns, int64_t *ret_ended_ns)
{
    size_t first = 0;
    size_t last = series->sample_count;
    *ret_began_ns = *ret_ended_ns = 0;
    while (first < last && sample_is_missing(series->values[first]))
        first++;
    while (last > first && sample_is_missing(series->values[last - 1]))
        last--;
    if (!window || last - first < 2)
        return;
    int64_t began = series_time(series, first);
    int64_t ended = series_time(series, last - 1);
    int64_t margin = 3 * (ended - began) / (int64_t)(last - first - 1);
    if (margin < (window->end_ns - window->start_ns) / 20)
        margin = (window->end_ns - window->start_ns) / 20;
    if (began - window->start_ns > margin)
        *ret_began_ns = began;
    if (window->end_ns - ended > margin)
        *ret_ended_ns = ended;
}

static void summary_json(struct buf *buf, const struct metrics_row *row,
                         const struct row_style *style)
{
    int64_t began_ns;
    int64_t ended_ns;
    const struct series_summary *summary = &row->summary;
    buf_json_key(buf, "summary");
    buf_add_char(buf, '{');
    if (row->is_histogram)
        buf_add(buf, "\"of\":\"p95\"");
    if (!summary->count) {
        buf_json_key(buf, "numbers");
        buf_add(buf, "0}");
        return;
    }
    member_number(buf, "min", summary->min);
    member_number(buf, "max", summary->max);
    member_number(buf, "avg", summary->avg);
    member_number(buf, "p95", summary->p95);
    member_number(buf, "last", summary->last);
    buf_json_key(buf, "trend");
    buf_json_string(buf, summary->trend, strlen(summary->trend));
    if (summary->changed_ns) {
        buf_json_key(buf, "changed_at");
        write_seconds(buf, summary->changed_ns);
    }
    find_edges(row->of, style->window, &began_ns, &ended_ns);
    if (began_ns) {
        buf_json_key(buf, "began_at");
        write_seconds(buf, began_ns);
    }
    if (ended_ns) {
        buf_json_key(buf, "ended_at");
        write_seconds(buf, ended_ns);
    }
    buf_add_char(buf, '}');
}

static void values_json(struct buf *buf, const struct metrics_row *row, const size_t *indices,
                        size_t n)
{
    buf_json_key(buf, "values");
    buf_add_char(buf, '[');
    for (size_t i = 0; i < n && !row->is_histogram; i++) {
        char text[32];
        buf_json_sep(buf);
        buf_add_char(buf, '[');
        write_seconds(buf, series_time(row->of, indices[i]));
        buf_add_n(buf, ",\"", 2);
        buf_add_n(buf, text, number_text(text, row->of->values[indices[i]], DIGITS_SAMPLE));
        buf_add_n(buf, "\"]", 2);
    }
    buf_add_char(buf, ']');
}

static void histogram_json(struct buf *buf, const struct metrics_row *row, const size_t *indices,
                           size_t n)
{
    buf_json_key(buf, "histogram");
    buf_add(buf, "{\"columns\":[\"time\",\"count\",\"sum\",\"p50\",\"p95\",\"p99\"],\"rows\":[");
    for (size_t i = 0; i < n; i++) {
        const struct histogram_point *point = &row->in->series->histograms[indices[i]];
        const double cells[] = {point->count, point->sum, histogram_quantile(point, 0.5),
                                histogram_quantile(point, 0.95), histogram_quantile(point, 0.99)};
        buf_json_sep(buf);
        buf_add_char(buf, '[');
        write_seconds(buf, point->time_ns);
        for (size_t c = 0; c < ARRAY_SIZE(cells); c++) {
            buf_json_sep(buf);
            write_number(buf, cells[c], DIGITS_SUMMARY);
        }
        buf_add_char(buf, ']');
    }
    buf_add(buf, "]}");
}

/* The highest ones: they lead to the traces worth seeing. */
static size_t choose_exemplars(const struct series *series,
                               const struct exemplar *ret[EXEMPLARS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < series->exemplar_count; i++) {
        const struct exemplar *candidate = &series->exemplars[i];
        if (!candidate->trace_id || !*candidate->trace_id)
            continue;
        size_t at = count;
        while (at > 0 && candidate->value > ret[at - 1]->value)
            at--;
        if (at >= EXEMPLARS_MAX)
            continue;
        if (count < EXEMPLARS_MAX)
            count++;
        for (size_t k = count - 1; k > at; k--)
            ret[k] = ret[k - 1];
        ret[at] = candidate;
    }
    return count;
}

static void exemplars_json(struct buf *buf, const struct series *series)
{
    const struct exemplar *chosen[EXEMPLARS_MAX];
    size_t count = choose_exemplars(series, chosen);
    if (!count)
        return;
    buf_json_key(buf, "exemplars");
    buf_add_char(buf, '[');
    for (size_t i = 0; i < count; i++) {
        buf_json_sep(buf);
        buf_add_char(buf, '{');
        buf_json_key(buf, "time");
        write_seconds(buf, chosen[i]->time_ns);
        member_number(buf, "value", chosen[i]->value);
        buf_json_key(buf, "trace_id");
        write_json_cut(buf, chosen[i]->trace_id, strlen(chosen[i]->trace_id), 64);
        buf_add_char(buf, '}');
    }
    buf_add_char(buf, ']');
}

void metrics_row_json(struct buf *buf, const struct metrics_row *row, const struct row_style *style,
                      size_t points)
{
    const struct series *series = row->in->series;
    bool hidden[LABELS_ROOM];
    size_t indices[POINTS_ROOM];
    size_t n = choose(row, points, indices);
    buf_add_char(buf, '{');
    if (row->in->connection) {
        buf_json_key(buf, "connection");
        buf_json_string(buf, row->in->connection, strlen(row->in->connection));
    }
    buf_json_key(buf, "metric");
    write_labels_json(buf, series->labels, series->label_count, hidden_labels(row, style, hidden));
    values_json(buf, row, indices, n);
    if (row->is_histogram && n)
        histogram_json(buf, row, indices, n);
    if (series->unit && *series->unit && !style->common_unit) {
        buf_json_key(buf, "unit");
        buf_json_string(buf, series->unit, strlen(series->unit));
    }
    if (has_summary(row, style, n))
        summary_json(buf, row, style);
    if (n)
        exemplars_json(buf, series);
    buf_add_char(buf, '}');
}

/* Local time, as short as the window allows. */
static void time_text(struct buf *buf, const struct row_style *style, int64_t ns, bool seconds)
{
    const struct zone *zone = style->zone ? style->zone : zone_utc();
    struct civil at;
    zone_civil(zone, ns, &at);
    bool one_day = false;
    if (style->window) {
        struct civil from;
        struct civil to;
        zone_civil(zone, style->window->start_ns, &from);
        zone_civil(zone, style->window->end_ns, &to);
        one_day = from.day == to.day && from.month == to.month && from.year == to.year &&
                  from.offset_s == to.offset_s && at.day == to.day && at.month == to.month;
    }
    if (!one_day)
        buf_printf(buf, "%04d-%02d-%02dT", (int)at.year, at.month, at.day);
    buf_printf(buf, "%02d:%02d", at.hour, at.minute);
    if (seconds || at.second || at.nanosecond)
        buf_printf(buf, ":%02d", at.second);
    if (at.nanosecond)
        buf_printf(buf, ".%03d", (int)(at.nanosecond / NS_PER_MS));
}

static void number_add(struct buf *buf, const char *before, double value, int digits)
{
    char text[32];
    buf_add(buf, before);
    buf_add_n(buf, text, number_text(text, value, digits));
}

static void summary_text(struct buf *buf, const struct metrics_row *row,
                         const struct row_style *style)
{
    const struct series_summary *summary = &row->summary;
    if (row->is_histogram)
        buf_add(buf, " p95 of a histogram:");
    if (!summary->count) {
        buf_add(buf, " no numbers");
        return;
    }
    number_add(buf, " min ", summary->min, DIGITS_SUMMARY);
    number_add(buf, " max ", summary->max, DIGITS_SUMMARY);
    number_add(buf, " avg ", summary->avg, DIGITS_SUMMARY);
    number_add(buf, " p95 ", summary->p95, DIGITS_SUMMARY);
    number_add(buf, " last ", summary->last, DIGITS_SUMMARY);
    buf_printf(buf, " %s", summary->trend);
    if (summary->changed_ns) {
        buf_add(buf, " at ");
        time_text(buf, style, summary->changed_ns, true);
    }
    int64_t began_ns;
    int64_t ended_ns;
    find_edges(row->of, style->window, &began_ns, &ended_ns);
    if (began_ns) {
        buf_add(buf, ", began ");
        time_text(buf, style, began_ns, true);
    }
    if (ended_ns) {
        buf_add(buf, ", ended ");
        time_text(buf, style, ended_ns, true);
    }
}

static void values_text(struct buf *buf, const struct metrics_row *row,
                        const struct row_style *style, const size_t *indices, size_t n)
{
    bool seconds = false;
    for (size_t i = 0; i < n; i++)
        seconds = seconds || series_time(row->of, indices[i]) % NS_PER_MIN;
    if (row->is_histogram)
        buf_add(buf, " time=count/sum/p50/p95/p99");
    for (size_t i = 0; i < n; i++) {
        buf_add_char(buf, ' ');
        time_text(buf, style, series_time(row->of, indices[i]), seconds);
        if (!row->is_histogram) {
            number_add(buf, "=", row->of->values[indices[i]], DIGITS_SAMPLE);
            continue;
        }
        const struct histogram_point *point = &row->in->series->histograms[indices[i]];
        number_add(buf, "=", point->count, DIGITS_SUMMARY);
        number_add(buf, "/", point->sum, DIGITS_SUMMARY);
        number_add(buf, "/", histogram_quantile(point, 0.5), DIGITS_SUMMARY);
        number_add(buf, "/", histogram_quantile(point, 0.95), DIGITS_SUMMARY);
        number_add(buf, "/", histogram_quantile(point, 0.99), DIGITS_SUMMARY);
    }
}

static void exemplars_text(struct buf *buf, const struct series *series,
                           const struct row_style *style)
{
    const struct exemplar *chosen[EXEMPLARS_MAX];
    size_t count = choose_exemplars(series, chosen);
    for (size_t i = 0; i < count; i++) {
        buf_add(buf, "  exemplar ");
        time_text(buf, style, chosen[i]->time_ns, true);
        number_add(buf, "=", chosen[i]->value, DIGITS_SUMMARY);
        buf_add(buf, " trace ");
        write_line(buf, chosen[i]->trace_id, strlen(chosen[i]->trace_id), 64);
        buf_add_char(buf, '\n');
    }
}

void metrics_row_text(struct buf *buf, const struct metrics_row *row, const struct row_style *style,
                      size_t points)
{
    const struct series *series = row->in->series;
    bool hidden[LABELS_ROOM];
    size_t indices[POINTS_ROOM];
    size_t n = choose(row, points, indices);
    if (row->in->connection) {
        buf_add_char(buf, '[');
        write_line(buf, row->in->connection, strlen(row->in->connection), 96);
        buf_add(buf, "] ");
    }
    write_labels_text(buf, series->labels, series->label_count, hidden_labels(row, style, hidden));
    if (series->unit && *series->unit && !style->common_unit) {
        buf_add(buf, " (");
        write_line(buf, series->unit, strlen(series->unit), 32);
        buf_add_char(buf, ')');
    }
    buf_add_char(buf, ':');
    bool summed = has_summary(row, style, n);
    if (summed)
        summary_text(buf, row, style);
    if (n) {
        if (summed)
            buf_add(buf, "\n ");
        values_text(buf, row, style, indices, n);
    }
    buf_add_char(buf, '\n');
    if (n)
        exemplars_text(buf, series, style);
}
