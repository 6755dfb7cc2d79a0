/* SPDX-License-Identifier: Apache-2.0 */
#include "service/select.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define LISTED 20
#define TERMS_MAX 64

struct selecting {
    const struct select_candidate *candidates;
    size_t n;
    bool *chosen;
    struct arena *arena;
    struct err *err;
};

static const char *name_of(const struct selecting *s, size_t i)
{
    return s->candidates[i].connection->name;
}

/* "prod (prometheus, env=prod), dev (prometheus)": those for which keep[i], or all able ones. */
static void list(const struct selecting *s, const bool *keep, struct buf *out)
{
    size_t shown = 0;
    size_t left = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (keep ? !keep[i] : !s->candidates[i].able)
            continue;
        if (shown == LISTED) {
            left++;
            continue;
        }
        const struct connection *connection = s->candidates[i].connection;
        buf_printf(out, "%s%s (%s", shown++ ? ", " : "", connection->name, connection->backend);
        for (size_t t = 0; t < connection->tag_count && t < 4; t++)
            buf_printf(out, ", %s=%s", connection->tags[t].key, connection->tags[t].value);
        buf_add(out, ")");
    }
    if (left)
        buf_printf(out, " and %zu more", left);
    if (!shown)
        buf_add(out, "none");
}

static int refuse(const struct selecting *s, int code, const bool *keep, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The message, then the list of connections that would do. */
static int refuse(const struct selecting *s, int code, const bool *keep, const char *format, ...)
{
    struct buf text = BUF(1400);
    va_list arguments;
    va_start(arguments, format);
    buf_vprintf(&text, format, arguments);
    va_end(arguments);
    struct buf names = BUF(1400);
    list(s, keep, &names);
    int r = err_set(s->err, code, "%s%s", buf_text(&text), buf_text(&names));
    buf_finish(&text);
    buf_finish(&names);
    return r;
}

static int unknown_name(const struct selecting *s, const char *term)
{
    const char **names = arena_alloc_array(s->arena, s->n ? s->n : 1, sizeof *names);
    if (!names)
        return err_set(s->err, ERR_MEMORY, "no memory for the connections");
    for (size_t i = 0; i < s->n; i++)
        names[i] = name_of(s, i);
    const char *near = str_nearest(term, names, s->n);
    if (near)
        return refuse(
            s, ERR_NOT_FOUND, NULL,
            "connection_id: no connection \"%.64s\"; did you mean \"%s\"? There are: ", term, near);
    return refuse(s, ERR_NOT_FOUND, NULL,
                  "connection_id: no connection \"%.64s\"; there are: ", term);
}

/* A pattern chooses among the able ones; what it matches beside them could not answer anyway. */
static int choose_matching(const struct selecting *s, const char *term, const char *tag_value)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++) {
        const struct connection *connection = s->candidates[i].connection;
        const char *text = tag_value ? connection_tag(connection, term) : connection->name;
        if (!s->candidates[i].able || !text || !str_glob(tag_value ? tag_value : term, text))
            continue;
        s->chosen[i] = true;
        any = true;
    }
    if (any)
        return 0;
    return refuse(s, ERR_NOT_FOUND, NULL,
                  "connection_id: \"%.64s%s%.64s\" matches no connection that can answer this; "
                  "there are: ",
                  term, tag_value ? "=" : "", tag_value ? tag_value : "");
}

static int choose_one(const struct selecting *s, size_t i)
{
    const struct connection *connection = s->candidates[i].connection;
    if (connection->disabled)
        return refuse(
            s, ERR_INVALID, NULL,
            "connection_id: %s is disabled; enable it, or ask another: ", connection->name);
    if (!s->candidates[i].able)
        return refuse(s, ERR_INVALID, NULL,
                      "connection_id: %s (%s) cannot answer this kind of question; these can: ",
                      connection->name, connection->backend);
    s->chosen[i] = true;
    return 0;
}

/* An id means one; of two with the same name the first is the user's own. */
static int choose_name(const struct selecting *s, const char *term)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq_nocase(s->candidates[i].connection->id, term))
            return choose_one(s, i);
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(name_of(s, i), term))
            return choose_one(s, i);
    return unknown_name(s, term);
}

static int choose_term(const struct selecting *s, char *term)
{
    char *slash = strchr(term, '/');
    char *equals = strchr(term, '=');
    if (slash) {
        *slash = '\0';
        return err_set(s->err, ERR_INVALID,
                       "connection_id: no connection here has scopes, so nothing may follow a "
                       "slash; write \"%.64s\"",
                       term);
    }
    if (str_eq(term, "all"))
        return choose_matching(s, "*", NULL);
    if (equals) {
        *equals = '\0';
        return choose_matching(s, term, equals + 1);
    }
    if (strpbrk(term, "*?"))
        return choose_matching(s, term, NULL);
    return choose_name(s, term);
}

static int choose_named(const struct selecting *s, const char *connection_id)
{
    size_t terms = 0;
    for (const char *p = connection_id; *p;) {
        size_t size = strcspn(p, ",");
        const char *next = p[size] ? p + size + 1 : p + size;
        while (size && *p == ' ') {
            p++;
            size--;
        }
        while (size && p[size - 1] == ' ')
            size--;
        char *term = arena_strndup(s->arena, p, size);
        if (!term)
            return err_set(s->err, ERR_MEMORY, "no memory for connection_id");
        if (size && ++terms > TERMS_MAX)
            return err_set(s->err, ERR_INVALID, "connection_id: more than %d parts", TERMS_MAX);
        int r = size ? choose_term(s, term) : 0;
        if (r)
            return r;
        p = next;
    }
    if (!terms)
        return refuse(s, ERR_INVALID, NULL, "connection_id: names nothing; there are: ");
    return 0;
}

static size_t count(const bool *keep, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += keep[i];
    return total;
}

/* A user's own default of a backend type stands before the operator's of that type. */
static bool is_default(const struct selecting *s, size_t index)
{
    const struct connection *connection = s->candidates[index].connection;
    if (!s->candidates[index].able || !connection->is_default)
        return false;
    for (size_t i = 0; connection_shared(connection) && i < s->n; i++) {
        const struct connection *other = s->candidates[i].connection;
        if (s->candidates[i].able && other->is_default && !connection_shared(other) &&
            str_eq(other->backend, connection->backend))
            return false;
    }
    return true;
}

/* True when exactly one backend type has a default among the able ones; its index. */
static bool only_default(const struct selecting *s, size_t *ret_index)
{
    size_t found = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!is_default(s, i))
            continue;
        found++;
        *ret_index = i;
    }
    return found == 1;
}

/* keep: the able ones that the catalogue says fit, or all able ones where it says so of none. */
static void keep_fitting(const struct selecting *s, bool *keep)
{
    for (size_t i = 0; i < s->n; i++)
        keep[i] = s->candidates[i].able && s->candidates[i].fit == SELECT_FITS;
    if (count(keep, s->n))
        return;
    for (size_t i = 0; i < s->n; i++)
        keep[i] = s->candidates[i].able;
}

static int choose_default(const struct selecting *s, size_t able, const char **ret_why)
{
    bool *keep = arena_alloc_array(s->arena, s->n, sizeof *keep);
    if (!keep)
        return err_set(s->err, ERR_MEMORY, "no memory for the connections");
    keep_fitting(s, keep);
    size_t index = 0;
    if (count(keep, s->n) == 1) {
        while (!keep[index])
            index++;
        s->chosen[index] = true;
        *ret_why = able > 1 ? "the only connection that has what was asked about" : "";
        return 0;
    }
    if (only_default(s, &index) && keep[index]) {
        s->chosen[index] = true;
        *ret_why = "the default connection";
        return 0;
    }
    return refuse(s, ERR_INVALID, keep,
                  "connection_id is needed, because several connections can answer: one name, "
                  "several with commas, or all. There are: ");
}

static int finish(const struct selecting *s, const char *why, struct selection *ret_selection)
{
    struct selection selection = {.why = why};
    selection.chosen = arena_alloc_array(s->arena, s->n ? s->n : 1, sizeof(size_t));
    selection.not_asked = arena_alloc_array(s->arena, s->n ? s->n : 1, sizeof(char *));
    if (!selection.chosen || !selection.not_asked)
        return err_set(s->err, ERR_MEMORY, "no memory for the connections");
    for (size_t i = 0; i < s->n; i++) {
        if (s->chosen[i])
            selection.chosen[selection.chosen_count++] = i;
        else if (s->candidates[i].able)
            selection.not_asked[selection.not_asked_count++] = name_of(s, i);
    }
    *ret_selection = selection;
    return 0;
}

int select_connections(const struct select_candidate *candidates, size_t n,
                       const char *connection_id, bool everyone, struct arena *arena,
                       struct selection *ret_selection, struct err *err)
{
    struct selecting s = {.candidates = candidates, .n = n, .arena = arena, .err = err};
    s.chosen = arena_alloc_array(arena, n ? n : 1, sizeof(bool));
    if (!s.chosen)
        return err_set(err, ERR_MEMORY, "no memory for the connections");
    const char *why = "";
    size_t able = 0;
    for (size_t i = 0; i < n; i++)
        able += candidates[i].able;
    int r;
    if (!n)
        r = err_set(
            err, ERR_NOT_FOUND,
            "there are no connections; add one (`sonde connection add`), write it into the "
            "configuration file, or start with --connection prometheus=http://localhost:9090");
    else if (connection_id && *connection_id)
        r = choose_named(&s, connection_id);
    else if (!able)
        r = err_set(err, ERR_NOT_FOUND,
                    "none of the %zu connections can answer this kind of question", n);
    else if (everyone)
        r = choose_named(&s, "all");
    else
        r = choose_default(&s, able, &why);
    return r ? r : finish(&s, why, ret_selection);
}
