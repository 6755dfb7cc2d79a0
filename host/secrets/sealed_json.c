/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/sealed_json.h"

#include <stdio.h>
#include <string.h>

struct walk {
    sealed_visit *visit;
    void *user;
    struct err *err;
    char field[SEALED_FIELD_MAX];
};

const char *sealed_text(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_object) || json_object_object_length(value) != 1)
        return NULL;
    return json_string_of(value, "sealed");
}

static int walk_value(struct walk *walk, struct json_object *value, size_t size, unsigned depth,
                      struct json_object **ret_value);

/* Goes on below the name; *ret_value as a visit leaves it. */
static int walk_member(struct walk *walk, const char *name, struct json_object *value, size_t size,
                       unsigned depth, struct json_object **ret_value)
{
    int n = snprintf(walk->field + size, sizeof walk->field - size, "%s%s", size ? "." : "", name);
    if (n < 0 || (size_t)n >= sizeof walk->field - size)
        return err_set(walk->err, ERR_LIMIT, "a key of the configuration is longer than %d bytes",
                       SEALED_FIELD_MAX - 1);
    return walk_value(walk, value, size + (size_t)n, depth + 1, ret_value);
}

static int walk_object(struct walk *walk, struct json_object *object, size_t size, unsigned depth)
{
    /* The value of an existing key may be replaced while its object is gone through. */
    struct json_object_iterator at;
    json_each(at, object)
    {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *member = json_object_iter_peek_value(&at);
        struct json_object *made = NULL;
        int r = walk_member(walk, key, member, size, depth, &made);
        if (r)
            return r;
        if (made && json_object_object_add(object, key, made)) {
            json_object_put(made);
            return err_set(walk->err, ERR_MEMORY, "no memory for a configuration");
        }
    }
    return 0;
}

static int walk_list(struct walk *walk, struct json_object *list, size_t size, unsigned depth)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *made = NULL;
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        int r = walk_member(walk, name, json_object_array_get_idx(list, i), size, depth, &made);
        if (r)
            return r;
        if (made && json_object_array_put_idx(list, i, made)) {
            json_object_put(made);
            return err_set(walk->err, ERR_MEMORY, "no memory for a configuration");
        }
    }
    return 0;
}

static int walk_value(struct walk *walk, struct json_object *value, size_t size, unsigned depth,
                      struct json_object **ret_value)
{
    const char *sealed = sealed_text(value);
    walk->field[size] = '\0';
    if (sealed)
        return walk->visit(walk->user, walk->field, sealed, ret_value, walk->err);
    if (depth > SEALED_DEPTH_MAX)
        return err_set(walk->err, ERR_LIMIT, "a configuration nested deeper than %d levels",
                       SEALED_DEPTH_MAX);
    if (json_object_is_type(value, json_type_object))
        return walk_object(walk, value, size, depth);
    if (json_object_is_type(value, json_type_array))
        return walk_list(walk, value, size, depth);
    return 0;
}

int sealed_walk(struct json_object *document, sealed_visit *visit, void *user, struct err *err)
{
    struct walk walk = {.visit = visit, .user = user, .err = err};
    if (json_object_is_type(document, json_type_object))
        return walk_object(&walk, document, 0, 0);
    if (json_object_is_type(document, json_type_array))
        return walk_list(&walk, document, 0, 0);
    return 0;
}

static int make_value(struct buf *text, struct json_object **ret_value, struct err *err)
{
    struct json_object *value = json_object_new_object();
    struct json_object *string = json_object_new_string_len(buf_text(text), (int)text->size);
    if (text->failed || !value || !string || json_object_object_add(value, "sealed", string)) {
        json_object_put(value);
        json_object_put(string);
        return err_set(err, ERR_MEMORY, "no memory for a sealed value");
    }
    *ret_value = value;
    return 0;
}

int sealed_make(struct keyring *keyring, const struct seal_place *place, const void *data,
                size_t size, struct json_object **ret_value, struct err *err)
{
    struct buf text = BUF(SEALED_MAX);
    int r = seal(keyring, place, data, size, &text, err);
    if (!r)
        r = make_value(&text, ret_value, err);
    buf_finish(&text);
    return r;
}

struct resealing {
    struct keyring *keyring;
    struct seal_place place;
    bool changed;
};

static int visit_reseal(void *user, const char *field, const char *sealed,
                        struct json_object **ret_value, struct err *err)
{
    struct resealing *resealing = user;
    struct buf text = BUF(SEALED_MAX);
    bool changed = false;
    resealing->place.field = field;
    int r = reseal(resealing->keyring, &resealing->place, sealed, &text, &changed, err);
    if (!r && changed)
        r = make_value(&text, ret_value, err);
    buf_finish(&text);
    if (r < 0)
        err_prefix(err, "%s: ", field);
    resealing->changed |= changed;
    return r;
}

int sealed_reseal(struct keyring *keyring, const struct seal_place *place,
                  struct json_object *document, bool *ret_changed, struct err *err)
{
    struct resealing resealing = {.keyring = keyring, .place = *place};
    int r = sealed_walk(document, visit_reseal, &resealing, err);
    if (r < 0)
        return r;
    *ret_changed = resealing.changed;
    return 0;
}
