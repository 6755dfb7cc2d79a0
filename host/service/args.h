/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of tools and arguments: MCP schemas, command-line options and nearest-match errors all come from it.
 *
 * Ownership: static tables. Threads: constant data and pure functions.
 */
#ifndef SERVICE_ARGS_H
#define SERVICE_ARGS_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

enum arg_type {
    ARG_STRING,
    ARG_INTEGER,
    ARG_NUMBER,
    ARG_BOOLEAN,
    ARG_DURATION, /* string such as 30s */
    ARG_OBJECT_FILTERS, /* object of strings */
    ARG_OBJECT_TIME,    /* {start, end, timezone} */
    ARG_STRING_LIST     /* array of strings, or one string with commas */
};

struct arg_spec {
    const char *name;
    enum arg_type type;
    bool required;
    int64_t min; /* integers; max 0: no bounds */
    int64_t max;
    const char *const *values; /* enumeration, NULL-terminated; NULL any */
    const char *description;   /* "" inherits: the grammar is explained once, in the first tool */
};

struct tool_spec {
    const char *name;
    const char *title;
    const char *description;
    const struct arg_spec *args;
    size_t arg_count;
};

const struct tool_spec *args_tools(size_t *ret_count);
const struct tool_spec *args_tool(const char *name);
/* The tool's JSON Schema (object root, additionalProperties false) appended. */
void args_schema(const struct tool_spec *tool, struct buf *buf);

/* Checked and coerced arguments; everything absent is NULL or has_ false. */
struct args_filter {
    const char *key;
    const char *value; /* as written: "a,b", "!a", "a*", "/re/" */
};
struct args {
    const char *query;
    const char *match;
    const char *service;
    const char *label;
    const char *signal;
    const char *connection_id;
    const char *start;
    const char *end;
    const char *timezone;
    const char *step;
    const char *by;
    const char *cursor;
    struct args_filter *filters;
    size_t filter_count;
    int64_t max_tokens; /* 0 absent */
    int64_t max_series;
    int64_t limit;
};

/*
 * Checks names (unknown: nearest match named), types ("100" for 100 and the like are coerced, "null" means absent), ranges, enumerations. 0 or ERR_INVALID
 * with one message that says what was wrong, what is accepted, what to do. Strings live in the arena.
 */
int args_parse(const struct tool_spec *tool, struct json_object *arguments, struct arena *arena, struct args *ret_args, struct err *err);

#endif
