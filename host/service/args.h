/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of tools and arguments: MCP schemas, command-line options and nearest-match errors all
 * come from it.
 *
 * Ownership: static tables. Threads: constant data and pure functions.
 */
#ifndef SERVICE_ARGS_H
#define SERVICE_ARGS_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum arg_type {
    ARG_STRING,
    ARG_INTEGER,
    ARG_DURATION,    /* string such as 30s */
    ARG_STRING_LIST, /* one string with commas; an array of strings is taken too */
    ARG_FILTERS,     /* object of strings */
    ARG_TIME_RANGE   /* object {start, end, timezone} */
};

struct arg_spec {
    const char *name;
    enum arg_type type;
    bool required;
    int64_t min; /* integers; max 0: no bounds */
    int64_t max;
    int64_t fallback;          /* integers: what the tool takes when absent; 0: none to show */
    const char *const *values; /* enumeration, NULL-terminated; NULL any */
    const char *description;   /* "": as in the first tool, where the grammar is explained once */
    size_t
        offset; /* of its member in struct args; ARG_FILTERS and ARG_TIME_RANGE have several, theirs is 0 */
    const char *
        header; /* NULL, or clients of MCP over HTTP repeat it in the header Mcp-Param-<header> (x-mcp-header); never of a secret */
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
/* ERR_NOT_FOUND with a message that names the nearest tool and all there are. */
int args_unknown_tool(const char *name, struct err *err);
/* The tool's JSON Schema (object root, additionalProperties false) appended. */
void args_schema(const struct tool_spec *tool, struct buf *buf);

/* Checked and coerced arguments; everything absent is NULL or 0. */
struct args_filter {
    const char *key;
    const char *value; /* as written: "a,b", "!a", "a*", "/re/" */
};
struct args {
    const char *query;
    const char *match;
    const char *service;
    const char *label;
    const char *connection_id;
    const char *start;
    const char *end;
    const char *timezone;
    const char *step;
    const char *cursor;
    struct args_filter *filters;
    size_t filter_count;
    int64_t max_tokens; /* 0 absent */
    int64_t max_series;
    int64_t limit;
};

/* Longest `query` and longest other string, in bytes; most filters. */
#define ARGS_QUERY_MAX 16384
#define ARGS_STRING_MAX 2048
#define ARGS_FILTERS_MAX 32

/*
 * Checks names (unknown: the nearest is named), types ("100" for 100 and the like are coerced, null and
 * "" mean absent), ranges, enumerations. arguments may be NULL: none. 0 or ERR_INVALID with one message
 * that says what was wrong, what is accepted, what to do; ERR_MEMORY. Strings live in the arena.
 */
int args_parse(const struct tool_spec *tool, struct json_object *arguments, struct arena *arena,
               struct args *ret_args, struct err *err);

#endif
