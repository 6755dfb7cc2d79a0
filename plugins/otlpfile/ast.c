/* SPDX-License-Identifier: Apache-2.0 */
#include "ast.h"

#include <stdio.h>
#include <string.h>

struct selector *ast_new_selector(struct ast *ast, struct ast_error *ret_error)
{
    struct selector *selector;

    if (ast->selector_count == MAX_SELECTORS) {
        snprintf(ret_error->text, sizeof(ret_error->text), "at most %d selectors are supported",
                 MAX_SELECTORS);
        return NULL;
    }
    selector = memory_get(ast->memory, sizeof(*selector));
    if (selector)
        ast->selectors[ast->selector_count++] = selector;
    return selector;
}

static bool uses_regex(uint32_t op)
{
    return op == SONDE_OP_REGEX || op == SONDE_OP_NOT_REGEX;
}

int ast_add_matcher(struct memory *memory, struct matcher **list, const struct matcher *matcher,
                    struct ast_error *ret_error)
{
    struct matcher *m = memory_get(memory, sizeof(*m));
    struct regex **regexes = memory_get(memory, (matcher->value_count + 1) * sizeof(*regexes));
    size_t position = 0;

    ret_error->text[0] = '\0';
    if (memory->full)
        return -1;
    *m = *matcher;
    m->regexes = regexes;
    for (size_t i = 0; uses_regex(m->op) && i < m->value_count; i++) {
        const char *reason = NULL;

        regexes[i] = regex_compile(memory, m->values[i], &reason, &position);
        if (regexes[i])
            continue;
        ret_error->position = (int64_t)position;
        if (reason)
            snprintf(ret_error->text, sizeof(ret_error->text),
                     "bad regular expression \"%.80s\" at byte %zu: %s", m->values[i], position,
                     reason);
        return -1;
    }
    while (*list)
        list = &(*list)->next;
    *list = m;
    return 0;
}

static bool value_holds(const struct matcher *m, const char *value)
{
    bool any = false;

    if (m->op == SONDE_OP_EXISTS)
        return value[0] != '\0';
    for (size_t i = 0; i < m->value_count && !any; i++) {
        if (uses_regex(m->op))
            any = regex_match(m->regexes[i], value);
        else if (m->op == SONDE_OP_PREFIX)
            any = strncmp(value, m->values[i], strlen(m->values[i])) == 0;
        else
            any = strcmp(value, m->values[i]) == 0;
    }
    if (m->op == SONDE_OP_NE || m->op == SONDE_OP_NOT_IN || m->op == SONDE_OP_NOT_REGEX)
        return !any;
    return any;
}

bool matchers_hold(const struct matcher *list, const struct labels *labels)
{
    for (; list; list = list->next) {
        const char *value = "";

        if (list->metric)
            continue;
        for (size_t i = 0; i < list->key_count && !value[0]; i++)
            value = labels_get(labels, list->keys[i]);
        if (!value_holds(list, value))
            return false;
    }
    return true;
}

bool matchers_hold_name(const struct matcher *list, const char *name, const char *raw)
{
    for (; list; list = list->next) {
        bool negative = list->op == SONDE_OP_NE || list->op == SONDE_OP_NOT_IN ||
                        list->op == SONDE_OP_NOT_REGEX;
        bool a;
        bool b;

        if (!list->metric)
            continue;
        a = value_holds(list, name);
        b = value_holds(list, raw);
        if (negative ? !(a && b) : !(a || b))
            return false;
    }
    return true;
}

static void print_duration(struct sonde_text *text, int64_t ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000}, {"ms", 1000000}};

    for (size_t i = 0; i < 4; i++) {
        if (ns % units[i].ns == 0 || i == 3) {
            sonde_text_add_format(text, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
            return;
        }
    }
}

static bool plain_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        bool letter =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' || *c == ':';

        if (!letter && (c == name || ((*c < '0' || *c > '9') && *c != '.')))
            return false;
    }
    return name[0] && name[strlen(name) - 1] != '.' && !strstr(name, "..");
}

static void print_escaped(struct sonde_text *text, const char *value)
{
    for (const char *c = value; *c; c++) {
        if (*c == '"' || *c == '\\')
            sonde_text_add_char(text, '\\');
        if (*c == '\n')
            sonde_text_add(text, "\\n");
        else
            sonde_text_add_char(text, *c);
    }
}

static void print_quoted(struct sonde_text *text, const char *value)
{
    sonde_text_add_char(text, '"');
    print_escaped(text, value);
    sonde_text_add_char(text, '"');
}

static void print_name(struct sonde_text *text, const char *name)
{
    if (plain_name(name))
        sonde_text_add(text, name);
    else
        print_quoted(text, name);
}

/* Prefixes and alternatives have no operator of their own in the text: they become expressions. */
static void print_quoted_regex(struct sonde_text *text, const char *value, bool prefix)
{
    for (; *value; value++) {
        if (strchr("\\.+*?()|[]{}^$", *value))
            sonde_text_add(text, "\\\\");
        if (*value == '"' || *value == '\\')
            sonde_text_add_char(text, '\\');
        sonde_text_add_char(text, *value);
    }
    if (prefix)
        sonde_text_add(text, ".*");
}

static void print_values(struct sonde_text *text, const struct matcher *m, bool escape)
{
    sonde_text_add_char(text, '"');
    for (size_t i = 0; i < m->value_count; i++) {
        if (i)
            sonde_text_add_char(text, '|');
        if (escape) {
            print_quoted_regex(text, m->values[i], m->op == SONDE_OP_PREFIX);
            continue;
        }
        print_escaped(text, m->values[i]);
    }
    sonde_text_add_char(text, '"');
}

static void print_matcher(struct sonde_text *text, const struct matcher *m)
{
    bool negative = m->op == SONDE_OP_NE || m->op == SONDE_OP_NOT_IN || m->op == SONDE_OP_NOT_REGEX;
    bool several = m->value_count != 1 || m->op == SONDE_OP_PREFIX;

    print_name(text, m->metric ? "__name__" : m->keys[0]);
    if (m->op == SONDE_OP_EXISTS) {
        sonde_text_add(text, "!=\"\"");
        return;
    }
    if (uses_regex(m->op) || several)
        sonde_text_add(text, negative ? "!~" : "=~");
    else
        sonde_text_add(text, negative ? "!=" : "=");
    print_values(text, m, several && !uses_regex(m->op));
}

static void print_selector(struct sonde_text *text, const struct selector *s)
{
    bool plain = s->name && plain_name(s->name);
    bool first = true;

    if (plain)
        sonde_text_add(text, s->name);
    if ((s->name && !plain) || s->matchers) {
        sonde_text_add_char(text, '{');
        if (s->name && !plain) {
            print_quoted(text, s->name);
            first = false;
        }
        for (const struct matcher *m = s->matchers; m; m = m->next) {
            if (!first)
                sonde_text_add_char(text, ',');
            first = false;
            print_matcher(text, m);
        }
        sonde_text_add_char(text, '}');
    }
    if (s->range_ns) {
        sonde_text_add_char(text, '[');
        print_duration(text, s->range_ns);
        sonde_text_add_char(text, ']');
    }
    if (s->offset_ns) {
        sonde_text_add(text, s->offset_ns < 0 ? " offset -" : " offset ");
        print_duration(text, s->offset_ns < 0 ? -s->offset_ns : s->offset_ns);
    }
}

static void print_node(struct sonde_text *text, const struct node *node);

static void print_call(struct sonde_text *text, const struct node *node, const char *name,
                       bool number)
{
    sonde_text_add(text, name);
    if (node->grouped) {
        sonde_text_add(text, node->without ? " without (" : " by (");
        for (size_t i = 0; i < node->by_count; i++) {
            if (i)
                sonde_text_add(text, ", ");
            print_name(text, node->by[i]);
        }
        sonde_text_add(text, ") ");
    }
    sonde_text_add_char(text, '(');
    if (number)
        sonde_text_add_format(text, "%.15g, ", node->number);
    print_node(text, node->left);
    sonde_text_add_char(text, ')');
}

static void print_node(struct sonde_text *text, const struct node *node)
{
    switch (node->type) {
    case NODE_NUMBER:
        sonde_text_add_format(text, "%.15g", node->number);
        break;
    case NODE_SELECTOR:
        print_selector(text, node->selector);
        break;
    case NODE_FUNCTION:
        print_call(text, node, function_names[node->code],
                   node->code == FUNCTION_QUANTILE || node->code == FUNCTION_HISTOGRAM_QUANTILE);
        break;
    case NODE_AGGREGATE:
        print_call(text, node, aggregate_names[node->code], node->code >= AGGREGATE_TOPK);
        break;
    case NODE_SCALAR:
        sonde_text_add_char(text, '(');
        if (node->number_left)
            sonde_text_add_format(text, "%.15g %c ", node->number, (char)node->code);
        print_node(text, node->left);
        if (!node->number_left)
            sonde_text_add_format(text, " %c %.15g", (char)node->code, node->number);
        sonde_text_add_char(text, ')');
        break;
    }
}

void ast_print(const struct ast *ast, struct sonde_text *text)
{
    for (size_t i = 0; i < ast->root_count; i++) {
        if (i)
            sonde_text_add(text, "; ");
        print_node(text, ast->roots[i]);
    }
}
