/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a PromQL text and names its vector selectors and labels, without building a tree. What it
 * does not know it refuses: a selector overlooked would escape a filter.
 *
 * Ownership: the text is the caller's; visitors get offsets into it. Threads: pure.
 */
#ifndef SONDE_PROMQL_WALK_H
#define SONDE_PROMQL_WALK_H

#include <stdbool.h>
#include <stddef.h>

/* Where matchers may be put into one selector. */
struct promql_slot {
    size_t at;
    bool braces; /* at is before its '}' */
    bool comma;  /* something stands before at that needs a ',' */
};

struct promql_visitor {
    void *user;
    void (*selector)(void *user, const struct promql_slot *slot); /* may be NULL */
    /* The name of a label in a matcher or a label list, without quotes; may be NULL. */
    void (*label)(void *user, const char *name, size_t size);
    /* A function called by this name; may be NULL. False refuses the text. */
    bool (*function)(void *user, const char *name, size_t size);
};

struct promql_fault {
    size_t position;  /* byte in the text */
    const char *text; /* static; what is wrong there */
};

/* Nesting of parentheses a text may have. */
#define PROMQL_MAX_DEPTH 200

typedef int (*promql_walk_fn)(const char *text, size_t size, const struct promql_visitor *visitor,
                              struct promql_fault *ret_fault);

/* 0, or -1 with the fault filled in. Slots come in the order of the text. */
int promql_walk(const char *text, size_t size, const struct promql_visitor *visitor,
                struct promql_fault *ret_fault);

#endif
