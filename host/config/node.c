/* SPDX-License-Identifier: Apache-2.0 */
#include "config/node.h"

#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/str.h"

struct reader {
    yaml_parser_t parser;
    const char *text;
    size_t size;
    const char *file;
    struct arena *arena;
    struct err *err;
    struct node *stack[NODE_MAX_DEPTH];
    size_t depth;
    struct node *root;
    const char *key; /* read, its value not yet */
    int key_line;
    int key_column;
    size_t count;
    bool done;
};

static int line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

static int no_memory(const struct reader *reader)
{
    return err_set(reader->err, ERR_MEMORY, "%s: no memory to read it", reader->file);
}

/* The byte at a mark; marks count characters, so it is found by line. */
static char char_at(const struct reader *reader, yaml_mark_t mark)
{
    const char *p = reader->text;
    const char *end = p + reader->size;
    for (size_t line = 0; line < mark.line && p < end; line++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline ? newline + 1 : end;
    }
    for (size_t column = 0; column < mark.column && p < end; column++)
        p += utf8_sequence(p, (size_t)(end - p)) ? utf8_sequence(p, (size_t)(end - p)) : 1;
    return p < end ? *p : '\0';
}

static int reader_error(const struct reader *reader)
{
    size_t line = 1;
    size_t offset = reader->parser.problem_offset;
    for (size_t i = 0; i < offset && i < reader->size; i++)
        line += reader->text[i] == '\n';
    return err_set(reader->err, ERR_INVALID,
                   "%s:%zu: not valid text: %s (byte %zu); save the file as UTF-8 without control "
                   "characters",
                   reader->file, line, reader->parser.problem, offset);
}

/* Turns what the parser says into what the person at the keyboard can mend. */
static int syntax_error(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return no_memory(reader);
    if (parser->error == YAML_READER_ERROR)
        return reader_error(reader);
    const char *problem = parser->problem ? parser->problem : "it cannot be read";
    const char *context = parser->context ? parser->context : "";
    int line = line_of(parser->problem_mark);
    if (char_at(reader, parser->problem_mark) == '\t')
        return err_set(reader->err, ERR_INVALID,
                       "%s:%d: a tab where YAML takes only spaces; indent with spaces",
                       reader->file, line);
    if (strstr(context, "alias") || strstr(context, "anchor"))
        return err_set(reader->err, ERR_INVALID,
                       "%s:%d: a value that begins with '*' or '&' must stand in quotes",
                       reader->file, line);
    if (strstr(problem, "mapping values are not allowed"))
        return err_set(
            reader->err, ERR_INVALID,
            "%s:%d: \"key: value\" is not possible here; look at the indentation of this line "
            "and the one above, or put a value that holds \": \" in quotes",
            reader->file, line);
    if (*context)
        return err_set(reader->err, ERR_INVALID, "%s:%d: not valid YAML: %s %s (begun on line %d)",
                       reader->file, line, problem, context, line_of(parser->context_mark));
    return err_set(reader->err, ERR_INVALID, "%s:%d: not valid YAML: %s", reader->file, line,
                   problem);
}

static int refuse(const struct reader *reader, int line, const char *what)
{
    return err_set(reader->err, ERR_INVALID, "%s:%d: %s", reader->file, line, what);
}

/* Hangs a child on its parent; lists and maps grow by doubling. */
static int append(struct reader *reader, struct node *parent, struct node *child)
{
    if (parent->type == NODE_MAP && parent->child_count == NODE_MAX_KEYS)
        return refuse(reader, child->line, "more than 1000 keys in one map");
    if (parent->child_count == parent->child_capacity) {
        size_t capacity = parent->child_capacity ? 2 * parent->child_capacity : 4;
        struct node **children = arena_grow(reader->arena, parent->children, parent->child_count,
                                            capacity, sizeof(struct node *));
        if (!children)
            return no_memory(reader);
        parent->children = children;
        parent->child_capacity = capacity;
    }
    parent->children[parent->child_count++] = child;
    return 0;
}

static struct node *parent_of(const struct reader *reader)
{
    return reader->depth ? reader->stack[reader->depth - 1] : NULL;
}

static int new_node(struct reader *reader, enum node_type type, yaml_mark_t mark,
                    struct node **ret_node)
{
    if (++reader->count > NODE_MAX_COUNT)
        return refuse(reader, line_of(mark), "more than 50000 values in one file");
    struct node *node = arena_alloc(reader->arena, sizeof *node);
    if (!node)
        return no_memory(reader);
    struct node *parent = parent_of(reader);
    bool keyed = parent && parent->type == NODE_MAP;
    *node = (struct node){.type = type,
                          .key = keyed ? reader->key : "",
                          .value = "",
                          .file = reader->file,
                          .line = keyed ? reader->key_line : line_of(mark),
                          .column = keyed ? reader->key_column : (int)mark.column + 1};
    reader->key = NULL;
    if (!parent)
        reader->root = node;
    else {
        int r = append(reader, parent, node);
        if (r)
            return r;
    }
    *ret_node = node;
    return 0;
}

static int read_key(struct reader *reader, const struct node *map, const char *text,
                    yaml_mark_t mark)
{
    if (!*text)
        return refuse(reader, line_of(mark), "a key is empty");
    const struct node *first = node_get(map, text);
    if (first)
        return err_set(reader->err, ERR_INVALID,
                       "%s:%d: the key \"%s\" is given twice, first on line %d; keep one",
                       reader->file, line_of(mark), text, first->line);
    reader->key = text;
    reader->key_line = line_of(mark);
    reader->key_column = (int)mark.column + 1;
    return 0;
}

static int on_scalar(struct reader *reader, const yaml_event_t *event)
{
    const char *data = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    if (memchr(data, '\0', size))
        return refuse(reader, line_of(event->start_mark), "a NUL character inside a text");
    char *text = arena_strndup(reader->arena, data, size);
    if (!text)
        return no_memory(reader);
    const struct node *parent = parent_of(reader);
    if (parent && parent->type == NODE_MAP && !reader->key)
        return read_key(reader, parent, text, event->start_mark);
    struct node *node;
    int r = new_node(reader, NODE_SCALAR, event->start_mark, &node);
    if (r)
        return r;
    node->value = text;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return 0;
}

static int on_open(struct reader *reader, const yaml_event_t *event, enum node_type type)
{
    const struct node *parent = parent_of(reader);
    int line = line_of(event->start_mark);
    if (parent && parent->type == NODE_MAP && !reader->key)
        return refuse(reader, line, "a key must be plain text, not a list or a map");
    if (reader->depth == NODE_MAX_DEPTH)
        return refuse(reader, line, "nested more than 16 levels deep");
    struct node *node;
    int r = new_node(reader, type, event->start_mark, &node);
    if (r)
        return r;
    reader->stack[reader->depth++] = node;
    return 0;
}

static const char *const no_anchors =
    "anchors and aliases (&name, *name) are not accepted: write the value out";
static const char *const no_tags =
    "tags (!name) are not accepted: put a value that begins with '!' in quotes";

static int on_event(struct reader *reader, const yaml_event_t *event)
{
    int line = line_of(event->start_mark);
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse(reader, line, no_anchors);
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor)
            return refuse(reader, line, no_anchors);
        if (event->data.scalar.tag)
            return refuse(reader, line, no_tags);
        return on_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor)
            return refuse(reader, line, no_anchors);
        if (event->data.sequence_start.tag)
            return refuse(reader, line, no_tags);
        return on_open(reader, event, NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor)
            return refuse(reader, line, no_anchors);
        if (event->data.mapping_start.tag)
            return refuse(reader, line, no_tags);
        return on_open(reader, event, NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        return 0;
    case YAML_DOCUMENT_START_EVENT:
        if (reader->root)
            return refuse(reader, line, "a second document (---): one file holds one");
        return 0;
    case YAML_STREAM_END_EVENT:
        reader->done = true;
        return 0;
    default:
        return 0;
    }
}

static int read_events(struct reader *reader)
{
    while (!reader->done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event))
            return syntax_error(reader);
        int r = on_event(reader, &event);
        yaml_event_delete(&event);
        if (r)
            return r;
    }
    return 0;
}

int node_parse(const char *text, size_t size, const char *file, struct arena *arena,
               struct node **ret_node, struct err *err)
{
    if (size > NODE_MAX_TEXT)
        return err_set(err, ERR_INVALID, "%s: larger than 1 MiB", file);
    struct reader reader = {.text = text, .size = size, .file = file, .arena = arena, .err = err};
    reader.file = arena_strdup(arena, file);
    if (!reader.file || !yaml_parser_initialize(&reader.parser))
        return err_set(err, ERR_MEMORY, "%s: no memory to read it", file);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    int r = read_events(&reader);
    yaml_parser_delete(&reader.parser);
    if (r)
        return r;
    if (!reader.root || node_is_null(reader.root)) {
        yaml_mark_t start = {0};
        reader.count = 0;
        r = new_node(&reader, NODE_MAP, start, &reader.root);
        if (r)
            return r;
    }
    *ret_node = reader.root;
    return 0;
}

const struct node *node_get(const struct node *map, const char *key)
{
    for (size_t i = 0; map && map->type == NODE_MAP && i < map->child_count; i++)
        if (strcmp(map->children[i]->key, key) == 0)
            return map->children[i];
    return NULL;
}

bool node_is_null(const struct node *node)
{
    return node->type == NODE_SCALAR && !node->quoted &&
           (!*node->value || str_eq(node->value, "~") || str_eq(node->value, "null"));
}

/* Depth is at most NODE_MAX_DEPTH, so recursion is bounded. */
static bool find_path(const struct node *from, const struct node *node, struct buf *path)
{
    if (from == node)
        return true;
    for (size_t i = 0; i < from->child_count; i++) {
        const struct node *child = from->children[i];
        size_t size = path->size;
        if (from->type == NODE_LIST)
            buf_printf(path, "[%zu]", i);
        else
            buf_printf(path, "%s%s", size ? "." : "", child->key);
        if (find_path(child, node, path))
            return true;
        buf_truncate(path, size);
    }
    return false;
}

const char *node_path(const struct node *root, const struct node *node, struct arena *arena)
{
    struct buf path = BUF(4096);
    find_path(root, node, &path);
    const char *text = arena_strdup(arena, buf_text(&path));
    buf_finish(&path);
    return text ? text : "";
}
