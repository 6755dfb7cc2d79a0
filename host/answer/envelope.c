/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/envelope.h"

#include <string.h>

#include "answer/write.h"
#include "base/clock.h"
#include "base/mem.h"

#define URL_MAX 600
#define ARGUMENTS_MAX 1500

size_t envelope_budget(const struct envelope *envelope)
{
    size_t budget = envelope && envelope->budget ? envelope->budget : BUDGET_DEFAULT;
    return budget < BUDGET_MIN ? BUDGET_MIN : budget;
}

static void json_member(struct buf *buf, const char *key, const char *value, size_t max)
{
    if (!value || !*value)
        return;
    buf_json_key(buf, key);
    write_json_cut(buf, value, strlen(value), max);
}

static void json_time(struct buf *buf, const char *key, int64_t ns, const struct zone *zone)
{
    char text[48];
    size_t size = time_format(text, sizeof text, ns, zone, 3);
    buf_json_key(buf, key);
    buf_json_string(buf, text, size);
}

static const struct zone *zone_of(const struct envelope *envelope)
{
    return envelope->zone ? envelope->zone : zone_utc();
}

static void json_window(struct buf *buf, const struct envelope *envelope)
{
    const struct time_window *window = envelope->window;
    if (!window)
        return;
    buf_json_key(buf, "time_range");
    buf_add_char(buf, '{');
    json_time(buf, "start", window->start_ns, zone_of(envelope));
    json_time(buf, "end", window->end_ns, zone_of(envelope));
    json_member(buf, "timezone", zone_name(zone_of(envelope)), 64);
    json_time(buf, "now", window->now_ns, zone_of(envelope));
    buf_add_char(buf, '}');
}

/* Age of the newest sample in s at `now`; -1 unknown. */
static int64_t age_of(const struct envelope *envelope, int64_t newest_ns)
{
    if (!newest_ns || !envelope->window)
        return -1;
    int64_t age = (envelope->window->now_ns - newest_ns) / NS_PER_S;
    return age < 0 ? 0 : age;
}

static void json_connection(struct buf *buf, const struct envelope *envelope,
                            const struct answer_connection *connection,
                            const struct envelope_cut *cut)
{
    buf_json_sep(buf);
    buf_add_char(buf, '{');
    json_member(buf, "name", connection->name, 96);
    if (connection->error) {
        json_member(buf, "error", connection->error, cut->error);
        json_member(buf, "error_class", connection->error_class, 32);
    }
    if (!connection->error || connection->returned) {
        buf_json_key(buf, "returned");
        buf_json_int(buf, (int64_t)connection->returned);
    }
    json_member(buf, "query_executed", connection->executed, cut->query);
    int64_t age = age_of(envelope, connection->newest_sample_ns);
    if (age >= 300 && envelope->connection_count > 1) {
        buf_json_key(buf, "newest_sample_age_s");
        buf_json_int(buf, age);
    }
    if (cut->url && connection->url && strlen(connection->url) <= URL_MAX)
        json_member(buf, "url", connection->url, URL_MAX);
    buf_add_char(buf, '}');
}

/* Connections that failed come first; those that are left out are counted. */
struct left_out {
    size_t failed;
    size_t well;
    size_t returned;
};

static void count_left_out(const struct envelope *envelope, const struct envelope_cut *cut,
                           struct left_out *ret)
{
    size_t failed = 0;
    size_t well = 0;
    *ret = (struct left_out){0};
    for (size_t i = 0; i < envelope->connection_count; i++) {
        const struct answer_connection *connection = &envelope->connections[i];
        if (connection->error ? failed++ < cut->errors : well++ < cut->others)
            continue;
        if (connection->error)
            ret->failed++;
        else
            ret->well++;
        ret->returned += connection->returned;
    }
}

static void json_connections(struct buf *buf, const struct envelope *envelope,
                             const struct envelope_cut *cut)
{
    if (!envelope->connection_count)
        return;
    buf_json_key(buf, "connections");
    buf_add_char(buf, '[');
    for (int pass = 0; pass < 2; pass++) {
        size_t shown = 0;
        size_t most = pass == 0 ? cut->errors : cut->others;
        for (size_t i = 0; i < envelope->connection_count; i++) {
            const struct answer_connection *connection = &envelope->connections[i];
            if (!connection->error == (pass == 1) && shown++ < most)
                json_connection(buf, envelope, connection, cut);
        }
    }
    struct left_out left;
    count_left_out(envelope, cut, &left);
    if (left.failed || left.well) {
        buf_json_sep(buf);
        buf_printf(buf, "{\"not_listed\":%zu,\"failed\":%zu,\"returned\":%zu}",
                   left.failed + left.well, left.failed, left.returned);
    }
    buf_add_char(buf, ']');
}

static void json_not_asked(struct buf *buf, const struct envelope *envelope,
                           const struct envelope_cut *cut)
{
    if (!envelope->not_asked_count)
        return;
    buf_json_key(buf, "not_asked");
    buf_add_char(buf, '[');
    size_t shown =
        envelope->not_asked_count < cut->not_asked ? envelope->not_asked_count : cut->not_asked;
    for (size_t i = 0; i < shown; i++) {
        buf_json_sep(buf);
        write_json_cut(buf, envelope->not_asked[i], strlen(envelope->not_asked[i]), 96);
    }
    if (shown < envelope->not_asked_count) {
        buf_json_sep(buf);
        buf_printf(buf, "\"%zu more\"", envelope->not_asked_count - shown);
    }
    buf_add_char(buf, ']');
}

void envelope_json_head(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_cut *cut)
{
    json_window(buf, envelope);
    json_connections(buf, envelope, cut);
    json_not_asked(buf, envelope, cut);
    json_member(buf, "query_executed", envelope->query_executed, cut->query);
}

static int64_t newest_age(const struct envelope *envelope)
{
    int64_t newest = 0;
    for (size_t i = 0; i < envelope->connection_count; i++)
        if (envelope->connections[i].newest_sample_ns > newest)
            newest = envelope->connections[i].newest_sample_ns;
    return age_of(envelope, newest);
}

/* How long ago the oldest rows were fetched, in s; -1: all of them just now. */
static int64_t cached_age(const struct envelope *envelope)
{
    int64_t oldest = 0;
    for (size_t i = 0; i < envelope->connection_count; i++) {
        int64_t cached_ns = envelope->connections[i].cached_ns;
        if (cached_ns && (!oldest || cached_ns < oldest))
            oldest = cached_ns;
    }
    return age_of(envelope, oldest);
}

/* What was assumed of the window, the caller's notes (what is missing comes first), the rows' own. */
static const char *note_at(const struct envelope *envelope, const struct envelope_rows *rows,
                           size_t index)
{
    if (envelope->window && envelope->window->note[0] && index-- == 0)
        return envelope->window->note;
    if (index < envelope->note_count)
        return envelope->notes[index];
    return index == envelope->note_count ? rows->note : NULL;
}

static void json_notes(struct buf *buf, const struct envelope *envelope,
                       const struct envelope_rows *rows, const struct envelope_cut *cut)
{
    const char *note;
    for (size_t i = 0; i < cut->notes && (note = note_at(envelope, rows, i)) != NULL; i++) {
        if (i == 0) {
            buf_json_key(buf, "notes");
            buf_add_char(buf, '[');
        }
        buf_json_sep(buf);
        write_json_cut(buf, note, strlen(note), cut->note);
        if (i + 1 == cut->notes || !note_at(envelope, rows, i + 1))
            buf_add_char(buf, ']');
    }
}

static void json_next(struct buf *buf, const struct envelope *envelope,
                      const struct envelope_cut *cut)
{
    size_t count = envelope->next_count < cut->next ? envelope->next_count : cut->next;
    if (!count)
        return;
    buf_json_key(buf, "next");
    buf_add_char(buf, '[');
    for (size_t i = 0; i < count; i++) {
        buf_json_sep(buf);
        buf_add_char(buf, '{');
        json_member(buf, "tool", envelope->next[i].tool, 96);
        if (envelope->next[i].arguments) {
            buf_json_key(buf, "arguments");
            buf_add(buf, envelope->next[i].arguments);
        }
        json_member(buf, "why", envelope->next[i].why, 160);
        buf_add_char(buf, '}');
    }
    buf_add_char(buf, ']');
}

void envelope_json_tail(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_rows *rows, const struct envelope_cut *cut)
{
    if (rows->truncated) {
        buf_json_key(buf, "truncated");
        buf_add(buf, "true");
    }
    if (rows->has_total) {
        buf_json_key(buf, "total");
        buf_json_int(buf, rows->total > INT64_MAX ? INT64_MAX : (int64_t)rows->total);
        if (rows->total_at_least) {
            buf_json_key(buf, "total_at_least");
            buf_add(buf, "true");
        }
        buf_json_key(buf, "returned");
        buf_json_int(buf, (int64_t)rows->returned);
    }
    json_member(buf, "next_cursor", rows->cursor, 64);
    if (envelope->query_time_ns) {
        buf_json_key(buf, "query_time_ms");
        write_number(buf, (double)envelope->query_time_ns / 1e6, 3);
    }
    int64_t age = newest_age(envelope);
    if (age >= 0) {
        buf_json_key(buf, "newest_sample_age_s");
        buf_json_int(buf, age);
    }
    age = cached_age(envelope);
    if (age >= 0) {
        buf_json_key(buf, "cached_age_s");
        buf_json_int(buf, age);
    }
    json_notes(buf, envelope, rows, cut);
    if (cut->url && envelope->url && strlen(envelope->url) <= URL_MAX)
        json_member(buf, "url", envelope->url, URL_MAX);
    json_next(buf, envelope, cut);
}

static void text_field(struct buf *buf, const char *before, const char *value, size_t max,
                       const char *after)
{
    buf_add(buf, before);
    write_line(buf, value, strlen(value), max);
    buf_add(buf, after);
}

static void text_connections(struct buf *buf, const struct envelope *envelope,
                             const struct envelope_cut *cut)
{
    size_t shown = 0;
    for (size_t i = 0; i < envelope->connection_count && shown < cut->others; i++) {
        const struct answer_connection *connection = &envelope->connections[i];
        if (connection->error)
            continue;
        text_field(buf, shown++ ? ", " : "connections: ", connection->name, 96, "");
        buf_printf(buf, " (%zu", connection->returned);
        int64_t age = age_of(envelope, connection->newest_sample_ns);
        if (age >= 300 && envelope->connection_count > 1)
            buf_printf(buf, ", newest sample %lld s old", (long long)age);
        if (connection->executed)
            text_field(buf, ", asked: ", connection->executed, cut->query, "");
        if (cut->url && connection->url && strlen(connection->url) <= URL_MAX)
            text_field(buf, ", ", connection->url, URL_MAX, "");
        buf_add_char(buf, ')');
    }
    struct left_out left;
    count_left_out(envelope, cut, &left);
    if (left.failed || left.well)
        buf_printf(buf, "%s%zu more (%zu failed, %zu returned)",
                   shown ? ", " : "connections: ", left.failed + left.well, left.failed,
                   left.returned);
    if (shown || left.failed || left.well)
        buf_add_char(buf, '\n');
    if (!envelope->not_asked_count)
        return;
    size_t most =
        envelope->not_asked_count < cut->not_asked ? envelope->not_asked_count : cut->not_asked;
    buf_add(buf, "not asked: ");
    for (size_t i = 0; i < most; i++)
        text_field(buf, i ? ", " : "", envelope->not_asked[i], 96, "");
    if (most < envelope->not_asked_count)
        buf_printf(buf, "%s%zu more", most ? ", " : "", envelope->not_asked_count - most);
    buf_add_char(buf, '\n');
}

void envelope_text_head(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_rows *rows, const struct envelope_cut *cut)
{
    size_t failed = 0;
    for (size_t i = 0; i < envelope->connection_count && failed < cut->errors; i++) {
        const struct answer_connection *connection = &envelope->connections[i];
        if (!connection->error)
            continue;
        failed++;
        text_field(buf, "FAILED ", connection->name, 96, "");
        if (connection->error_class)
            text_field(buf, " (", connection->error_class, 32, ")");
        text_field(buf, ": ", connection->error, cut->error, "");
        if (connection->returned)
            buf_printf(buf, "; %zu returned before", connection->returned);
        buf_add_char(buf, '\n');
    }
    if (rows->has_total)
        buf_printf(buf, "%zu of %s%llu shown\n", rows->returned,
                   rows->total_at_least ? "at least " : "", (unsigned long long)rows->total);
    if (envelope->query_executed && *envelope->query_executed)
        text_field(buf, "query: ", envelope->query_executed, cut->query, "\n");
    if (envelope->window) {
        char text[3][48];
        time_format(text[0], sizeof text[0], envelope->window->start_ns, zone_of(envelope), 3);
        time_format(text[1], sizeof text[1], envelope->window->end_ns, zone_of(envelope), 3);
        time_format(text[2], sizeof text[2], envelope->window->now_ns, zone_of(envelope), 3);
        buf_printf(buf, "time: %s to %s (%s), now %s\n", text[0], text[1],
                   zone_name(zone_of(envelope)), text[2]);
    }
    text_connections(buf, envelope, cut);
    const char *note;
    for (size_t i = 0; i < cut->notes && (note = note_at(envelope, rows, i)) != NULL; i++)
        text_field(buf, "note: ", note, cut->note, "\n");
}

void envelope_text_tail(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_rows *rows, const struct envelope_cut *cut)
{
    if (rows->cursor)
        text_field(buf, "next_cursor: ", rows->cursor, 64, "\n");
    char text[32];
    if (envelope->query_time_ns) {
        number_text(text, (double)envelope->query_time_ns / 1e6, 3);
        buf_printf(buf, "took %s ms", text);
    }
    const char *comma = envelope->query_time_ns ? ", " : "";
    int64_t age = newest_age(envelope);
    if (age >= 0) {
        buf_printf(buf, "%snewest sample %lld s old", comma, (long long)age);
        comma = ", ";
    }
    age = cached_age(envelope);
    if (age >= 0) {
        buf_printf(buf, "%scached, fetched %lld s ago", comma, (long long)age);
        comma = ", ";
    }
    if (*comma)
        buf_add_char(buf, '\n');
    if (cut->url && envelope->url && strlen(envelope->url) <= URL_MAX)
        text_field(buf, "url: ", envelope->url, URL_MAX, "\n");
    for (size_t i = 0; i < envelope->next_count && i < cut->next; i++) {
        text_field(buf, "next: ", envelope->next[i].tool, 96, " ");
        if (envelope->next[i].arguments)
            text_field(buf, "", envelope->next[i].arguments, ARGUMENTS_MAX, "");
        if (envelope->next[i].why)
            text_field(buf, " - ", envelope->next[i].why, 160, "");
        buf_add_char(buf, '\n');
    }
}

static size_t measure(struct buf *buf, const struct envelope *envelope,
                      const struct envelope_rows *rows, const struct envelope_cut *cut)
{
    buf_clear(buf);
    buf_add_char(buf, '{');
    envelope_json_head(buf, envelope, cut);
    envelope_json_tail(buf, envelope, rows, cut);
    size_t json = cost_json(buf_text(buf), buf->size);
    buf_clear(buf);
    envelope_text_head(buf, envelope, rows, cut);
    envelope_text_tail(buf, envelope, rows, cut);
    size_t text = cost_text(buf_text(buf), buf->size);
    return (json > text ? json : text) / COST_TOKEN + 1;
}

/* The fixed part alone: nothing of what may be long for a good reason. */
static size_t measure_fixed(struct buf *buf, const struct envelope *envelope,
                            const struct envelope_rows *rows, const struct envelope_cut *cut)
{
    struct envelope plain = *envelope;
    struct envelope_cut bare = *cut;
    plain.query_executed = NULL;
    bare.query = 0;
    bare.errors = 0;
    bare.next = 0;
    return measure(buf, &plain, rows, &bare);
}

/* One step less of the fixed part; false when there is none left. */
static bool shrink_fixed(struct envelope_cut *cut)
{
    if (cut->others > 6)
        cut->others = 6;
    else if (cut->not_asked > 6)
        cut->not_asked = 6;
    else if (cut->note > 240)
        cut->note = 240;
    else if (cut->notes > 3)
        cut->notes = 3;
    else if (cut->url)
        cut->url = false;
    else if (cut->note > 120)
        cut->note = 120;
    else if (cut->others > 2)
        cut->others = 2;
    else if (cut->not_asked > 3)
        cut->not_asked = 3;
    else if (cut->notes > 1)
        cut->notes = 1;
    else if (cut->not_asked > 1)
        cut->not_asked = 1;
    else if (cut->others > 0)
        cut->others = 0;
    else if (cut->notes > 0)
        cut->notes = 0;
    else if (cut->not_asked > 0)
        cut->not_asked = 0;
    else
        return false;
    return true;
}

static bool shrink_rest(struct envelope_cut *cut)
{
    if (cut->next)
        cut->next--;
    else if (cut->query > 400)
        cut->query = 400;
    else if (cut->error > 400)
        cut->error = 400;
    else if (cut->url)
        cut->url = false;
    else if (cut->errors > 8)
        cut->errors = 8;
    else if (cut->query > 160)
        cut->query = 160;
    else if (cut->error > 160)
        cut->error = 160;
    else if (cut->errors > 3)
        cut->errors = 3;
    else if (cut->query > 60)
        cut->query = 60;
    else if (cut->error > 80)
        cut->error = 80;
    else if (shrink_fixed(cut))
        return true;
    else if (cut->errors > 1)
        cut->errors = 1;
    else if (cut->query > 24)
        cut->query = 24;
    else if (cut->errors && cut->error > 40)
        cut->error = 40;
    else if (cut->errors)
        cut->errors = 0;
    else
        return false;
    return true;
}

struct envelope_cut envelope_uncut(void)
{
    return (struct envelope_cut){.query = 4000,
                                 .error = 1500,
                                 .errors = 64,
                                 .others = 24,
                                 .not_asked = 24,
                                 .notes = 8,
                                 .note = 400,
                                 .next = 3,
                                 .url = true};
}

void envelope_fit(const struct envelope *envelope, const struct envelope_rows *rows, size_t share,
                  struct envelope_cut *ret_cut)
{
    struct envelope_cut cut = envelope_uncut();
    struct buf buf = BUF(ANSWER_MAX);
    size_t limit = envelope_budget(envelope) * share / 100;
    while (measure_fixed(&buf, envelope, rows, &cut) > FIXED_TOKENS && shrink_fixed(&cut))
        ;
    while (measure(&buf, envelope, rows, &cut) > limit && shrink_rest(&cut))
        ;
    buf_finish(&buf);
    *ret_cut = cut;
}
