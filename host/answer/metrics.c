/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "answer/envelope.h"
#include "answer/metrics_row.h"
#include "answer/write.h"
#include "base/mem.h"

/* answers.md section 4. */
#define POINTS_FEW 12
#define POINTS_MAX 60
#define POINTS_MIN 4
/* So many of the rows with a summary get samples even where nothing stands out. */
#define STEADY_WITH_POINTS 10
#define HOIST_FROM 5
/* The envelope's share of the budget, in percent. */
#define ENVELOPE_SHARE 55
/* More than the longest note and a cursor cost. */
#define RESERVE_TOKENS 60
/* Up to so many rows are simply written to see whether they fit. */
#define ROWS_FEW 64
#define CURSOR_ROOM "0123456789012345678901234567890123456789012345678901234567890123"
#define NOTE_SIZE 128
/* Quantiles of histograms with millions of buckets are no answer's business. */
#define DERIVED_MAX (256u << 20)

/* How many rows are shown, how many of them with samples, how many samples each. */
struct plan {
    size_t rows;
    size_t with_points;
    size_t points;
};

struct shaping {
    const struct answer_metrics *input;
    struct arena arena;
    struct metrics_row *ranked; /* all series, the most interesting first */
    size_t first;               /* rank of the first one of this page */
    size_t candidates;          /* rows this page may show */
    struct row_style style;
    struct envelope_cut cut;
    struct plan plan;
    size_t budget; /* in cost units */
    struct buf json;
    struct buf text;
    size_t rows_at[2]; /* where the rows begin and end in json, and in text */
    size_t lines_at[2];
    char note[NOTE_SIZE];
    char cursor[65];
};

static int by_interest(const void *a, const void *b)
{
    const struct metrics_row *x = a;
    const struct metrics_row *y = b;
    if (x->summary.interest != y->summary.interest)
        return x->summary.interest > y->summary.interest ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int rank(struct shaping *shaping)
{
    const struct answer_metrics *input = shaping->input;
    shaping->ranked =
        mem_alloc_array(input->series_count ? input->series_count : 1, sizeof *shaping->ranked);
    if (!shaping->ranked)
        return ERR_MEMORY;
    for (size_t i = 0; i < input->series_count; i++) {
        int r = metrics_row_init(&shaping->ranked[i], &input->series[i], i, &shaping->arena);
        if (r)
            return r;
        /* Thousands of series take a while: a small answer that came meanwhile goes first. */
        if (i % ROWS_FEW == ROWS_FEW - 1)
            sched_yield();
    }
    /* The order of an instant answer is the query's own: sort() and topk() mean it. */
    if (!input->instant)
        qsort(shaping->ranked, input->series_count, sizeof *shaping->ranked, by_interest);
    shaping->first = input->skip < input->series_count ? input->skip : input->series_count;
    shaping->candidates = input->series_count - shaping->first;
    if (input->max_series && input->max_series < shaping->candidates)
        shaping->candidates = input->max_series;
    return 0;
}

static struct metrics_row *row_at(struct shaping *shaping, size_t i)
{
    return &shaping->ranked[shaping->first + i];
}

static size_t left_out(const struct shaping *shaping)
{
    return shaping->input->series_count - shaping->first - shaping->plan.rows;
}

static bool same_label(const struct sonde_label *a, const struct sonde_label *b)
{
    return a->name_size == b->name_size && a->value_size == b->value_size &&
           memcmp(a->name, b->name, a->name_size) == 0 &&
           memcmp(a->value, b->value, a->value_size) == 0;
}

/* Labels and unit that all series share are said once. */
static int hoist(struct shaping *shaping)
{
    const struct answer_metrics *input = shaping->input;
    if (input->series_count < HOIST_FROM)
        return 0;
    const struct series *first = input->series[0].series;
    struct sonde_label *common =
        arena_alloc_array(&shaping->arena, first->label_count, sizeof *common);
    if (!common)
        return ERR_MEMORY;
    size_t count = first->label_count;
    if (count)
        memcpy(common, first->labels, count * sizeof *common);
    bool same_unit = first->unit && *first->unit;
    for (size_t i = 1; i < input->series_count; i++) {
        const struct series *series = input->series[i].series;
        size_t kept = 0;
        size_t at = 0;
        for (size_t c = 0; c < count; c++) {
            /* Both lists are sorted by name; a label further on still finds its match. */
            for (size_t k = at; k < series->label_count; k++) {
                if (!same_label(&common[c], &series->labels[k]))
                    continue;
                common[kept++] = common[c];
                at = k + 1;
                break;
            }
        }
        count = kept;
        same_unit = same_unit && series->unit && strcmp(series->unit, first->unit) == 0;
    }
    shaping->style.common = common;
    shaping->style.common_count = count;
    shaping->style.common_unit = same_unit ? first->unit : NULL;
    return 0;
}

static void others_range(struct shaping *shaping, double *ret_min, double *ret_max)
{
    double min = NAN;
    double max = NAN;
    size_t end = shaping->input->series_count - shaping->first;
    for (size_t i = shaping->plan.rows; i < end; i++) {
        const struct series_summary *summary = &row_at(shaping, i)->summary;
        if (!summary->count)
            continue;
        if (!(summary->min >= min))
            min = summary->min;
        if (!(summary->max <= max))
            max = summary->max;
    }
    *ret_min = min;
    *ret_max = max;
}

static const char *how_to_see(const struct shaping *shaping)
{
    return shaping->cursor[0] ? "next_cursor, more max_tokens, or narrower filters"
                              : "more max_tokens, or narrower filters";
}

static void write_others_json(struct shaping *shaping)
{
    struct buf *buf = &shaping->json;
    double min;
    double max;
    if (!left_out(shaping))
        return;
    others_range(shaping, &min, &max);
    buf_json_key(buf, "others");
    buf_printf(buf, "{\"count\":%zu", left_out(shaping));
    if (!isnan(min)) {
        buf_json_key(buf, "min");
        write_number(buf, min, DIGITS_SUMMARY);
        buf_json_key(buf, "max");
        write_number(buf, max, DIGITS_SUMMARY);
    }
    buf_json_key(buf, "see_with");
    buf_json_string(buf, how_to_see(shaping), strlen(how_to_see(shaping)));
    buf_add_char(buf, '}');
}

static void write_others_text(struct shaping *shaping)
{
    double min;
    double max;
    char text[2][32];
    if (!left_out(shaping))
        return;
    others_range(shaping, &min, &max);
    buf_printf(&shaping->text, "others: %zu series", left_out(shaping));
    if (!isnan(min)) {
        number_text(text[0], min, DIGITS_SUMMARY);
        number_text(text[1], max, DIGITS_SUMMARY);
        buf_printf(&shaping->text, ", values %s to %s", text[0], text[1]);
    }
    buf_printf(&shaping->text, "; see them with %s\n", how_to_see(shaping));
}

static struct envelope_rows rows_of(const struct shaping *shaping)
{
    return (struct envelope_rows){
        .has_total = true,
        .truncated = left_out(shaping) > 0,
        .total = shaping->input->series_count,
        .returned = shaping->plan.rows,
        .cursor = shaping->cursor[0] ? shaping->cursor : NULL,
        .note = shaping->note[0] ? shaping->note : NULL,
    };
}

/* Says where samples are not all there is. */
static void make_note(struct shaping *shaping)
{
    size_t most = 0;
    for (size_t i = 0; i < shaping->plan.with_points; i++) {
        size_t samples = row_at(shaping, i)->of->sample_count;
        most = samples > most ? samples : most;
    }
    shaping->note[0] = '\0';
    if (most > shaping->plan.points)
        snprintf(shaping->note, sizeof shaping->note,
                 "values: at most %zu of %zu samples per series, lowest and highest kept",
                 shaping->plan.points, most);
}

static void write_json(struct shaping *shaping)
{
    struct buf *buf = &shaping->json;
    const struct envelope_rows rows = rows_of(shaping);
    buf_clear(buf);
    buf_add_char(buf, '{');
    envelope_json_head(buf, &shaping->input->envelope, &shaping->cut);
    if (shaping->style.common_count) {
        buf_json_key(buf, "common_labels");
        write_labels_json(buf, shaping->style.common, shaping->style.common_count, NULL);
    }
    if (shaping->style.common_unit) {
        buf_json_key(buf, "common_unit");
        buf_json_string(buf, shaping->style.common_unit, strlen(shaping->style.common_unit));
    }
    shaping->rows_at[0] = buf->size;
    buf_json_key(buf, "results");
    buf_add_char(buf, '[');
    for (size_t i = 0; i < shaping->plan.rows; i++) {
        buf_json_sep(buf);
        metrics_row_json(buf, row_at(shaping, i), &shaping->style,
                         i < shaping->plan.with_points ? shaping->plan.points : 0);
    }
    buf_add_char(buf, ']');
    shaping->rows_at[1] = buf->size;
    write_others_json(shaping);
    envelope_json_tail(buf, &shaping->input->envelope, &rows, &shaping->cut);
    buf_add_char(buf, '}');
}

static void write_text(struct shaping *shaping)
{
    struct buf *buf = &shaping->text;
    const struct envelope_rows rows = rows_of(shaping);
    buf_clear(buf);
    envelope_text_head(buf, &shaping->input->envelope, &rows, &shaping->cut);
    if (shaping->style.common_count) {
        buf_add(buf, "all: ");
        write_labels_text(buf, shaping->style.common, shaping->style.common_count, NULL);
        if (shaping->style.common_unit)
            buf_printf(buf, " (%s)", shaping->style.common_unit);
        buf_add_char(buf, '\n');
    }
    shaping->lines_at[0] = buf->size;
    for (size_t i = 0; i < shaping->plan.rows; i++)
        metrics_row_text(buf, row_at(shaping, i), &shaping->style,
                         i < shaping->plan.with_points ? shaping->plan.points : 0);
    shaping->lines_at[1] = buf->size;
    if (!shaping->input->series_count)
        buf_add(buf, "no series\n");
    write_others_text(shaping);
    envelope_text_tail(buf, &shaping->input->envelope, &rows, &shaping->cut);
}

/* Cost of one row in the dearer of the two forms. */
static size_t row_cost(struct shaping *shaping, size_t i, size_t points)
{
    buf_clear(&shaping->json);
    metrics_row_json(&shaping->json, row_at(shaping, i), &shaping->style, points);
    buf_add_char(&shaping->json, ',');
    size_t json = cost_json(buf_text(&shaping->json), shaping->json.size);
    buf_clear(&shaping->text);
    metrics_row_text(&shaping->text, row_at(shaping, i), &shaping->style, points);
    size_t text = cost_text(buf_text(&shaping->text), shaping->text.size);
    return json > text ? json : text;
}

/* Everything but rows. */
static size_t cost_without_rows(struct shaping *shaping)
{
    shaping->plan = (struct plan){0};
    write_json(shaping);
    write_text(shaping);
    size_t json = cost_json(buf_text(&shaping->json), shaping->json.size);
    size_t text = cost_text(buf_text(&shaping->text), shaping->text.size);
    return json > text ? json : text;
}

/* Adds summaries in order of interest while they cost at most limit; returns their cost. */
static size_t add_summaries(struct shaping *shaping, size_t limit)
{
    size_t used = 0;
    while (shaping->plan.rows < shaping->candidates) {
        size_t cost = row_cost(shaping, shaping->plan.rows, shaping->input->instant ? 1 : 0);
        if (used + cost > limit)
            break;
        used += cost;
        shaping->plan.rows++;
    }
    return used;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Spends room on samples; returns what it means to use. */
static size_t add_points(struct shaping *shaping, size_t room)
{
    struct plan *plan = &shaping->plan;
    size_t longest = 0;
    size_t probe = 0;
    size_t interesting = 0;
    for (size_t i = 0; i < plan->rows; i++) {
        size_t samples = row_at(shaping, i)->of->sample_count;
        if (samples > longest) {
            longest = samples;
            probe = i;
        }
        interesting += row_at(shaping, i)->summary.interest > 0;
    }
    if (!longest)
        return 0;
    size_t few = least(POINTS_FEW, longest);
    size_t probe_cost = row_cost(shaping, probe, few);
    size_t bare_cost = row_cost(shaping, probe, 0);
    size_t per_point = probe_cost > bare_cost ? (probe_cost - bare_cost) / few + 1 : 1;
    /* While series are left out, seeing more of them is worth more than finer curves. */
    size_t most = least(plan->rows < shaping->candidates ? POINTS_FEW : POINTS_MAX, longest);
    size_t n = least(plan->rows, room / (few * per_point));
    size_t wanted = interesting > STEADY_WITH_POINTS ? interesting : STEADY_WITH_POINTS;
    n = least(n, wanted);
    if (!n && room >= POINTS_MIN * per_point)
        n = 1;
    if (!n)
        return 0;
    size_t points = least(most, room / (n * per_point));
    if (points == most && plan->rows == shaping->candidates)
        n = least(plan->rows, room / (most * per_point));
    plan->with_points = n;
    plan->points = points;
    return n * points * per_point;
}

static bool fits(const struct shaping *shaping)
{
    return cost_json(buf_text(&shaping->json), shaping->json.size) <= shaping->budget &&
           cost_text(buf_text(&shaping->text), shaping->text.size) <= shaping->budget;
}

static void write_both(struct shaping *shaping)
{
    make_note(shaping);
    write_json(shaping);
    write_text(shaping);
}

/* Values differ in length, so a plan may miss by a little: fewer samples first, then fewer rows. */
static void settle(struct shaping *shaping)
{
    struct plan *plan = &shaping->plan;
    write_both(shaping);
    for (int tries = 0; !fits(shaping) && plan->points > POINTS_MIN && tries < 2; tries++) {
        size_t cost = cost_json(buf_text(&shaping->json), shaping->json.size);
        size_t over = cost > shaping->budget ? cost - shaping->budget : 0;
        size_t points = plan->points - plan->points / 8;
        /* A sample costs about 8 tokens. */
        size_t cut = over / (8 * COST_TOKEN) / (plan->with_points ? plan->with_points : 1) + 1;
        points = least(points, plan->points > cut ? plan->points - cut : POINTS_MIN);
        plan->points = points > POINTS_MIN ? points : POINTS_MIN;
        write_both(shaping);
    }
    while (!fits(shaping) && plan->rows) {
        if (shaping->input->instant || !plan->with_points)
            plan->rows -= plan->rows / 16 + 1;
        else
            plan->with_points -= plan->with_points / 8 + 1;
        plan->with_points = least(plan->with_points, plan->rows);
        write_both(shaping);
    }
}

/* Tokens of what stands around the rows, the query aside. */
static size_t fixed_tokens(const struct buf *buf, const size_t at[2], const char *query)
{
    size_t cost = cost_text(buf->data, at[0]) + cost_text(buf->data + at[1], buf->size - at[1]);
    size_t asked = query ? cost_text(query, strlen(query)) : 0;
    return (cost - least(asked, cost)) / COST_TOKEN + 1;
}

/*
 * Most answers are a few values, far below the budget: all of them as they are. They are written once, and this is the plan the long way
 * would come to. False when it might not be.
 */
static bool all_fits(struct shaping *shaping)
{
    const struct answer_metrics *input = shaping->input;
    if (!input->instant || shaping->candidates > ROWS_FEW)
        return false;
    shaping->cut = envelope_uncut();
    shaping->plan =
        (struct plan){.rows = shaping->candidates, .with_points = shaping->candidates, .points = 1};
    if (left_out(shaping))
        return false;
    write_both(shaping);
    if (shaping->json.failed || shaping->text.failed)
        return false;
    const char *query = input->envelope.query_executed;
    /* A byte is a token at most; mostly that is enough to know, and nothing is counted. */
    size_t room = shaping->budget * ENVELOPE_SHARE / 100;
    size_t most = (RESERVE_TOKENS + shaping->json.size + shaping->text.size) * COST_TOKEN;
    if (most > room) {
        size_t json = cost_json(shaping->json.data, shaping->json.size);
        size_t text = cost_text(shaping->text.data, shaping->text.size);
        most = (json > text ? json : text) + RESERVE_TOKENS * COST_TOKEN;
    }
    return most <= room &&
           fixed_tokens(&shaping->json, shaping->rows_at, query) + RESERVE_TOKENS <= FIXED_TOKENS &&
           fixed_tokens(&shaping->text, shaping->lines_at, query) + RESERVE_TOKENS <= FIXED_TOKENS;
}

static void choose_plan(struct shaping *shaping)
{
    /* Room for the longest note and cursor is kept from the start. */
    snprintf(shaping->note, sizeof shaping->note,
             "values: at most 60 of 9999999 samples per series, lowest and highest kept");
    if (shaping->input->make_cursor)
        snprintf(shaping->cursor, sizeof shaping->cursor, "%s", CURSOR_ROOM);
    struct envelope_rows rows = rows_of(shaping);
    envelope_fit(&shaping->input->envelope, &rows, ENVELOPE_SHARE, &shaping->cut);
    size_t fixed = cost_without_rows(shaping);
    size_t room = shaping->budget > fixed ? shaping->budget - fixed : 0;
    if (shaping->input->instant) {
        /* A row's one value is all it has: there is nothing to weigh against it. */
        add_summaries(shaping, room);
        shaping->plan.with_points = shaping->plan.rows;
        shaping->plan.points = 1;
        return;
    }
    size_t used = add_summaries(shaping, least(room, shaping->budget / 2));
    if (!shaping->plan.rows)
        used = add_summaries(shaping, room); /* one row with many labels */
    room -= least(room, used);
    room -= least(room, add_points(shaping, room));
    /* What samples did not need goes to further summaries, a reserve for longer values kept. */
    if (room > shaping->budget / 50)
        add_summaries(shaping, room - shaping->budget / 50);
}

int answer_metrics(const struct answer_metrics *input, struct answer *ret_answer, size_t *ret_shown)
{
    struct shaping shaping = {
        .input = input,
        .budget = envelope_budget(&input->envelope) * COST_TOKEN,
        .json = BUF(ANSWER_MAX),
        .text = BUF(ANSWER_MAX),
        .style = {.instant = input->instant,
                  .zone = input->envelope.zone,
                  .window = input->envelope.window},
    };
    arena_init(&shaping.arena, DERIVED_MAX, NULL);
    int r = rank(&shaping);
    if (!r)
        r = hoist(&shaping);
    if (!r && !all_fits(&shaping)) {
        choose_plan(&shaping);
        settle(&shaping);
        shaping.cursor[0] = '\0';
        if (left_out(&shaping) && shaping.plan.rows && input->make_cursor)
            input->make_cursor(input->user, shaping.first + shaping.plan.rows, shaping.cursor);
        write_both(&shaping);
    }
    if (!r && (shaping.json.failed || shaping.text.failed))
        r = ERR_MEMORY;
    mem_free(shaping.ranked);
    arena_finish(&shaping.arena);
    if (r) {
        buf_finish(&shaping.json);
        buf_finish(&shaping.text);
        return r;
    }
    *ret_answer = (struct answer){.json_size = shaping.json.size, .text_size = shaping.text.size};
    ret_answer->json = buf_steal(&shaping.json);
    ret_answer->text = buf_steal(&shaping.text);
    if (!ret_answer->json || !ret_answer->text) {
        answer_finish(ret_answer);
        return ERR_MEMORY;
    }
    if (ret_shown)
        *ret_shown = shaping.plan.rows;
    return 0;
}
