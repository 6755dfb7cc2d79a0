/* SPDX-License-Identifier: Apache-2.0 */
#include "rewrite.h"

#include "walk.h"

#include <string.h>

#define MAX_TEXT ((size_t)1024 * 1024)

struct rewriting {
    const struct promql_context *context;
    struct sonde_text out;
    const char *matchers;
    size_t matchers_size;
    size_t copied; /* bytes of the native text in out */
    struct promql_insert *inserts;
    size_t insert_count;
    size_t insert_capacity;
    bool too_many;
    bool enforced;
};

static bool grow(struct rewriting *state)
{
    if (state->insert_count < state->insert_capacity)
        return true;
    size_t capacity = state->insert_capacity == 0 ? 16 : state->insert_capacity * 4;
    if (capacity > PROMQL_MAX_INSERTS)
        return false;
    struct promql_insert *inserts =
        state->context->host->alloc(state->context->ctx, capacity * sizeof *inserts);
    if (inserts == NULL)
        return false;
    if (state->insert_count > 0)
        memcpy(inserts, state->inserts, state->insert_count * sizeof *inserts);
    state->inserts = inserts;
    state->insert_capacity = capacity;
    return true;
}

static void insert(void *user, const struct promql_slot *slot)
{
    struct rewriting *state = user;
    if (!grow(state)) {
        state->too_many = true;
        return;
    }
    sonde_text_add_n(&state->out, state->context->native + state->copied, slot->at - state->copied);
    state->copied = slot->at;
    size_t before = state->out.size;
    if (!slot->braces)
        sonde_text_add_char(&state->out, '{');
    if (slot->comma)
        sonde_text_add_char(&state->out, ',');
    sonde_text_add_n(&state->out, state->matchers, state->matchers_size);
    if (!slot->braces)
        sonde_text_add_char(&state->out, '}');
    state->inserts[state->insert_count++] =
        (struct promql_insert){.at = slot->at, .size = state->out.size - before};
}

/* info() joins target_info by itself, past any matcher that could be added. */
static bool may_call(void *user, const char *name, size_t size)
{
    const struct rewriting *state = user;
    return !(state->enforced && size == 4 && memcmp(name, "info", 4) == 0);
}

static int32_t run(struct rewriting *state)
{
    const struct promql_context *context = state->context;
    struct promql_visitor visitor = {.user = state, .selector = insert, .function = may_call};
    struct promql_fault fault;
    if (promql_context_walk(context, &visitor, &fault) != 0)
        return sonde_failf(
            context->host, context->ctx, SONDE_E_BAD_QUERY, (int64_t)fault.position,
            "the filters cannot be added to this %s: %s",
            context->dialect->language != NULL ? context->dialect->language : "PromQL", fault.text);
    sonde_text_add_n(&state->out, context->native + state->copied,
                     context->native_size - state->copied);
    if (state->too_many || state->out.failed)
        return sonde_failf(context->host, context->ctx, SONDE_E_TOO_MUCH, -1,
                           "the query is too long once the filters are added to each of its "
                           "selectors");
    return 0;
}

int32_t promql_rewrite(const struct promql_context *context, const struct promql_filters *filters,
                       struct promql_rewrite *ret_rewrite)
{
    struct promql_rewrite rewrite = {.text = context->native,
                                     .size = context->native_size,
                                     .original = context->native,
                                     .original_size = context->native_size};
    if (filters->counts[0] + filters->counts[1] > 0) {
        struct rewriting state = {.context = context, .enforced = promql_has_enforced(filters)};
        struct sonde_text matchers;
        sonde_text_init(&matchers, context->host, context->ctx, MAX_TEXT);
        int32_t result = promql_add_matchers(context, &matchers, filters);
        if (result != 0)
            return result;
        if (matchers.failed)
            return sonde_failf(context->host, context->ctx, SONDE_E_TOO_MUCH, -1,
                               "the filters have too many values");
        state.matchers = sonde_text_string(&matchers);
        state.matchers_size = matchers.size;
        sonde_text_init(&state.out, context->host, context->ctx, MAX_TEXT);
        result = run(&state);
        if (result != 0)
            return result;
        rewrite.text = sonde_text_string(&state.out);
        rewrite.size = state.out.size;
        rewrite.inserts = state.inserts;
        rewrite.insert_count = state.insert_count;
    }
    *ret_rewrite = rewrite;
    return 0;
}

/* A byte of the text sent, in the user's text. */
static size_t original_byte(const struct promql_rewrite *rewrite, size_t sent)
{
    size_t shift = 0;
    for (size_t i = 0; i < rewrite->insert_count; i++) {
        size_t start = rewrite->inserts[i].at + shift;
        if (sent < start)
            break;
        if (sent < start + rewrite->inserts[i].size)
            return rewrite->inserts[i].at;
        shift += rewrite->inserts[i].size;
    }
    return sent - shift;
}

int64_t promql_original_position(const struct promql_rewrite *rewrite, uint64_t line,
                                 uint64_t column)
{
    if (rewrite->original == NULL || line == 0 || column == 0)
        return -1;
    size_t at = 0;
    for (uint64_t l = 1; l < line; l++) {
        const char *end = memchr(rewrite->text + at, '\n', rewrite->size - at);
        if (end == NULL)
            return -1;
        at = (size_t)(end - rewrite->text) + 1;
    }
    if (column - 1 > rewrite->size - at)
        return -1;
    return (int64_t)original_byte(rewrite, at + (size_t)(column - 1));
}

static size_t digits(const char *text, uint64_t *ret_value)
{
    size_t n = 0;
    uint64_t value = 0;
    while (n < 9 && text[n] >= '0' && text[n] <= '9')
        value = value * 10 + (uint64_t)(text[n++] - '0');
    *ret_value = value;
    return n;
}

/* Bytes of "line:column" at p; 0 if there is none or another digit follows. */
static size_t read_position(const char *p, uint64_t *ret_line, uint64_t *ret_column)
{
    size_t line = digits(p, ret_line);
    if (line == 0 || p[line] != ':')
        return 0;
    size_t column = digits(p + line + 1, ret_column);
    return column > 0 ? line + 1 + column : 0;
}

/* "1:17: parse error" or "(1:17)". A time of day in a message is neither. */
static bool is_position(const char *message, const char *p, size_t size)
{
    bool bracketed = p > message && p[-1] == '(' && p[size] == ')';
    bool leads = (p == message || p[-1] == ' ' || p[-1] == '\n') &&
                 strncmp(p + size, ": parse error", 13) == 0;
    return bracketed || leads;
}

static void add_position(const struct promql_rewrite *rewrite, size_t at, struct sonde_text *text)
{
    size_t line = 1;
    size_t start = 0;
    for (size_t i = 0; i < at && i < rewrite->original_size; i++) {
        if (rewrite->original[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    sonde_text_add_format(text, "%zu:%zu", line, at - start + 1);
}

int64_t promql_translate_message(const struct promql_rewrite *rewrite, const char *message,
                                 struct sonde_text *text)
{
    int64_t first = -1;
    for (const char *p = message; *p != '\0';) {
        uint64_t line;
        uint64_t column;
        size_t size =
            p == message || (p[-1] < '0' || p[-1] > '9') ? read_position(p, &line, &column) : 0;
        int64_t at = size > 0 && is_position(message, p, size)
                         ? promql_original_position(rewrite, line, column)
                         : -1;
        if (at < 0) {
            sonde_text_add_char(text, *p++);
            continue;
        }
        add_position(rewrite, (size_t)at, text);
        first = first < 0 ? at : first;
        p += size;
    }
    return first;
}
