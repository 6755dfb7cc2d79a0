/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a metric's or label's name allows to say about it: how to write it in a query or a path, and
 * which type and unit its suffix suggests.
 *
 * Ownership: text goes to the caller's builder; units are static. Threads: pure.
 */
#ifndef SONDE_PROMQL_NAME_H
#define SONDE_PROMQL_NAME_H

#include <sonde/plugin.h>
#include <sonde/text.h>

#include <stdbool.h>

/* True for [a-zA-Z_][a-zA-Z0-9_]*, what every version takes without quotes. */
bool promql_is_label_name(const char *name, size_t size);
/* The same with ':' allowed. */
bool promql_is_metric_name(const char *name, size_t size);
/* A PromQL string in double quotes. */
void promql_add_string(struct sonde_text *text, const char *data, size_t size);
/* A label name in a query: quoted only where it must be. */
void promql_add_label(struct sonde_text *text, const char *name);
/* The same as MetricsQL writes it, with a backslash before what is no part of a plain name. */
void promql_add_escaped_label(struct sonde_text *text, const char *name);
/* value with everything escaped that means something to RE2. */
void promql_add_regex_literal(struct sonde_text *text, const char *value);
/* A label name in a path segment; names beyond the legacy set become U__... (Prometheus 3). */
void promql_add_path_name(struct sonde_text *text, const char *name);
/* The same for servers that take every name as it is, percent-encoded. */
void promql_add_plain_path_name(struct sonde_text *text, const char *name);

/* The most bytes of valid UTF-8 up to max that do not split a character. */
size_t promql_cut(const char *text, size_t size, size_t max);
/* Takes back the character that a fixed buffer cut in two. */
void promql_trim(char *text);

struct promql_guess {
    uint32_t type;      /* SONDE_TYPE_* */
    const char *unit;   /* UCUM, or NULL */
    bool keeps_unit;    /* the unit of the family is that of the series too: not of counts */
    size_t family_size; /* bytes of the name before the suffix that the OpenMetrics family lacks */
};

/* What the suffix suggests. */
struct promql_guess promql_guess_name(const char *name, size_t size);
/* The UCUM word for a unit as metadata spells it ("seconds"); the word itself where none is known. */
const char *promql_unit(const char *word);

#endif
