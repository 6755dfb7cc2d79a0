/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed values out of a tree, collecting every mistake with file, line, key, what was found and what is accepted.
 * Each check_ function returns true and fills its ret_ parameter, or notes one mistake and returns false.
 *
 * Ownership: the caller's arena and mistakes array. Threads: one thread.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/config.h"

struct check {
    const struct node *root; /* paths in messages begin here */
    struct arena *arena;
    struct config_mistake *mistakes; /* [CONFIG_MAX_MISTAKES] */
    size_t count;                    /* those that fit */
    size_t total;
};

/* "FILE:LINE: KEY: " and the text; "KEY: " alone where the tree has no file (""). */
void check_fail(struct check *check, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* ERR_INVALID with the first mistake (and how many more there are), or 0 when there is none. */
int check_result(const struct check *check, struct err *err);

/* What was found, for messages: "a list", "a map", "no value", or the value in quotes, cut to 60 characters. Arena text. */
const char *check_found(struct check *check, const struct node *node);
/* True for a map; null counts as an empty one (the caller then finds no children). */
bool check_map(struct check *check, const struct node *node);
/*
 * Every key of the map is in keys[n]; one that is in later[] is refused as "not in this version", every other
 * with the nearest match.
 */
void check_keys(struct check *check, const struct node *map, const char *const *keys, size_t n,
                const char *const *later, size_t later_n);
/* The one message for a key that is not known. */
void check_unknown_key(struct check *check, const struct node *node, const char *const *keys,
                       size_t n);
bool check_later_key(struct check *check, const struct node *node, const char *const *later,
                     size_t n);
bool check_text(struct check *check, const struct node *node,
                const char **ret_text); /* not empty */
bool check_whole(struct check *check, const struct node *node, int64_t min, int64_t max,
                 int64_t *ret_value);
bool check_bool(struct check *check, const struct node *node, bool *ret_value);
/* ns; plain digits are seconds. */
bool check_duration(struct check *check, const struct node *node, int64_t min_ns, int64_t max_ns,
                    int64_t *ret_ns);
bool check_size(struct check *check, const struct node *node, uint64_t min, uint64_t max,
                uint64_t *ret_bytes);
/* One of values[n], as an index. */
bool check_choice(struct check *check, const struct node *node, const char *const *values, size_t n,
                  size_t *ret_index);
/* A list of texts; one text alone counts as a list of one. Arena memory. */
bool check_texts(struct check *check, const struct node *node, const char *const **ret_texts,
                 size_t *ret_count);
/*
 * The path as seen from the folder of the configuration file; "~/" is the home folder. Whether it exists is not looked at.
 */
bool check_path(struct check *check, const struct node *node, const char **ret_path);
/* An address of a proxy: http://HOST:PORT or https://. The value is never shown, it may hold a password. */
bool check_proxy(struct check *check, const struct node *node, const char **ret_proxy);
/* NULL for an http or https URL with a host and without user-info, blanks or a query; else what is wrong with it. */
const char *check_url_text(const char *url, bool may_login);
/* check_path for a text, without a check: NULL when there is no memory or no home folder. */
const char *check_resolve_path(const char *file, const char *path, struct arena *arena);

#endif
