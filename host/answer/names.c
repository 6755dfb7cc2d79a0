/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "answer/answer.h"
#include "answer/envelope.h"
#include "answer/write.h"

#define ENVELOPE_SHARE 55
#define NAME_MAX_SHOWN 256
#define CURSOR_ROOM "0123456789012345678901234567890123456789012345678901234567890123"

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {"",        "gauge", "counter", "histogram",
                                        "summary", "info",  "stateset"};
    return type < ARRAY_SIZE(names) ? names[type] : "";
}

struct listing {
    const struct answer_names *input;
    struct envelope_cut cut;
    size_t first;
    size_t rows;
    size_t help; /* bytes of each help text */
    bool plain;  /* nothing but names: an array of strings */
    char cursor[65];
    struct buf json;
    struct buf text;
};

static bool has(const char *text)
{
    return text && *text;
}

static void row_json(const struct listing *listing, struct buf *buf, const struct answer_name *name)
{
    const struct name_row *row = name->row;
    buf_json_sep(buf);
    if (listing->plain) {
        write_json_cut(buf, row->name, strlen(row->name), NAME_MAX_SHOWN);
        return;
    }
    buf_add(buf, "{\"name\":");
    write_json_cut(buf, row->name, strlen(row->name), NAME_MAX_SHOWN);
    if (*type_name(row->type)) {
        buf_json_key(buf, "type");
        buf_printf(buf, "\"%s\"", type_name(row->type));
        if (row->guessed) {
            buf_json_key(buf, "type_guessed");
            buf_add(buf, "true");
        }
    }
    if (has(row->unit)) {
        buf_json_key(buf, "unit");
        write_json_cut(buf, row->unit, strlen(row->unit), 32);
    }
    if (has(row->parent)) {
        buf_json_key(buf, "of");
        write_json_cut(buf, row->parent, strlen(row->parent), NAME_MAX_SHOWN);
    }
    if (row->count) {
        buf_json_key(buf, "count");
        buf_json_int(buf, row->count > INT64_MAX ? INT64_MAX : (int64_t)row->count);
    }
    if (has(row->help) && listing->help) {
        buf_json_key(buf, "help");
        write_json_cut(buf, row->help, strlen(row->help), listing->help);
    }
    if (name->connections) {
        buf_json_key(buf, "connections");
        write_json_cut(buf, name->connections, strlen(name->connections), NAME_MAX_SHOWN);
    }
    buf_add_char(buf, '}');
}

static void row_text(const struct listing *listing, struct buf *buf, const struct answer_name *name)
{
    const struct name_row *row = name->row;
    write_line(buf, row->name, strlen(row->name), NAME_MAX_SHOWN);
    const char *type = type_name(row->type);
    if (*type || has(row->unit)) {
        buf_printf(buf, " (%s%s%s", type, *type && row->guessed ? "?" : "",
                   *type && has(row->unit) ? ", " : "");
        if (has(row->unit))
            write_line(buf, row->unit, strlen(row->unit), 32);
        buf_add_char(buf, ')');
    }
    if (has(row->parent)) {
        buf_add(buf, " of ");
        write_line(buf, row->parent, strlen(row->parent), NAME_MAX_SHOWN);
    }
    if (row->count)
        buf_printf(buf, " x%llu", (unsigned long long)row->count);
    if (has(row->help) && listing->help) {
        buf_add(buf, ": ");
        write_line(buf, row->help, strlen(row->help), listing->help);
    }
    if (name->connections) {
        buf_add(buf, " [");
        write_line(buf, name->connections, strlen(name->connections), NAME_MAX_SHOWN);
        buf_add_char(buf, ']');
    }
    buf_add_char(buf, '\n');
}

static void write_both(struct listing *listing)
{
    const struct answer_names *input = listing->input;
    uint64_t total = input->total > input->name_count ? input->total : input->name_count;
    const struct envelope_rows rows = {
        .has_total = true,
        .truncated = listing->first + listing->rows < total || input->total_at_least,
        .total = total,
        .total_at_least = input->total_at_least,
        .returned = listing->rows,
        .cursor = listing->cursor[0] ? listing->cursor : NULL,
    };
    buf_clear(&listing->json);
    buf_add_char(&listing->json, '{');
    envelope_json_head(&listing->json, &input->envelope, &listing->cut);
    buf_json_key(&listing->json, input->rows_key);
    buf_add_char(&listing->json, '[');
    for (size_t i = 0; i < listing->rows; i++)
        row_json(listing, &listing->json, &input->names[listing->first + i]);
    buf_add_char(&listing->json, ']');
    envelope_json_tail(&listing->json, &input->envelope, &rows, &listing->cut);
    buf_add_char(&listing->json, '}');

    buf_clear(&listing->text);
    envelope_text_head(&listing->text, &input->envelope, &rows, &listing->cut);
    for (size_t i = 0; i < listing->rows; i++)
        row_text(listing, &listing->text, &input->names[listing->first + i]);
    if (!listing->rows && !total)
        buf_printf(&listing->text, "no %s\n", input->rows_key);
    envelope_text_tail(&listing->text, &input->envelope, &rows, &listing->cut);
}

static size_t cost_of_both(const struct listing *listing)
{
    size_t json = cost_json(buf_text(&listing->json), listing->json.size);
    size_t text = cost_text(buf_text(&listing->text), listing->text.size);
    return json > text ? json : text;
}

/* Rows that fit into room at the help length set. */
static size_t count_rows(struct listing *listing, size_t room)
{
    size_t rows = 0;
    size_t used[2] = {0, 0};
    size_t most = listing->input->name_count - listing->first;
    while (rows < most) {
        const struct answer_name *name = &listing->input->names[listing->first + rows];
        buf_clear(&listing->json);
        buf_add_char(&listing->json, ';'); /* stands for the comma that a first row would not get */
        row_json(listing, &listing->json, name);
        used[0] += cost_json(buf_text(&listing->json), listing->json.size);
        buf_clear(&listing->text);
        row_text(listing, &listing->text, name);
        used[1] += cost_text(buf_text(&listing->text), listing->text.size);
        if (used[0] > room || used[1] > room)
            break;
        rows++;
    }
    return rows;
}

static void choose(struct listing *listing)
{
    static const size_t helps[] = {160, 80, 40, 0};
    const struct answer_names *input = listing->input;
    if (input->make_cursor)
        memcpy(listing->cursor, CURSOR_ROOM, sizeof CURSOR_ROOM);
    const struct envelope_rows rows = {.has_total = true,
                                       .truncated = true,
                                       .total = input->total,
                                       .total_at_least = input->total_at_least,
                                       .returned = input->name_count,
                                       .cursor = listing->cursor};
    envelope_fit(&input->envelope, &rows, ENVELOPE_SHARE, &listing->cut);
    size_t budget = envelope_budget(&input->envelope) * COST_TOKEN;
    listing->rows = 0;
    write_both(listing);
    size_t fixed = cost_of_both(listing) + 40 * COST_TOKEN / 3; /* digits of the counts */
    size_t room = budget > fixed ? budget - fixed : 0;
    size_t most = input->name_count - listing->first;
    for (size_t i = 0; i < ARRAY_SIZE(helps); i++) {
        listing->help = helps[i];
        listing->rows = count_rows(listing, room);
        /* Shorter lines go before fewer rows, but not without any help: names alone say little. */
        if (listing->rows == most || (helps[i] == 40 && listing->rows))
            break;
    }
}

int answer_names(const struct answer_names *input, struct answer *ret_answer)
{
    struct listing listing = {
        .input = input,
        .first = input->skip < input->name_count ? input->skip : input->name_count,
        .plain = true,
        .json = BUF(ANSWER_MAX),
        .text = BUF(ANSWER_MAX),
    };
    for (size_t i = 0; i < input->name_count && listing.plain; i++) {
        const struct name_row *row = input->names[i].row;
        listing.plain = !input->names[i].connections && !row->count && !has(row->unit) &&
                        !has(row->help) && !has(row->parent) && !*type_name(row->type);
    }
    choose(&listing);
    listing.cursor[0] = '\0';
    if (listing.rows && listing.first + listing.rows < input->name_count && input->make_cursor)
        input->make_cursor(input->user, listing.first + listing.rows, listing.cursor);
    write_both(&listing);
    *ret_answer = (struct answer){.json_size = listing.json.size, .text_size = listing.text.size};
    ret_answer->json = buf_steal(&listing.json);
    ret_answer->text = buf_steal(&listing.text);
    if (ret_answer->json && ret_answer->text)
        return 0;
    answer_finish(ret_answer);
    return ERR_MEMORY;
}
