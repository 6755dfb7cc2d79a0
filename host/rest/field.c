/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/field.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "service/connection_read.h"

#define NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9._-]*$"
#define UUID_PATTERN "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
#define TAG_PATTERN "^[^=]+=.+$"
#define TEXTS_KEY_MAX 63
#define TEXTS_VALUE_MAX 255
#define NEAR_MAX 32u
#define SHOWN 60

/* ---- Mistakes ---- */

void mistake_add(struct manage_mistakes *mistakes, const char *path, const char *format, ...)
{
    if (mistakes->count == ARRAY_SIZE(mistakes->list))
        return;
    char *text = mistakes->list[mistakes->count].text;
    size_t size = sizeof mistakes->list[0].text;
    char said[sizeof mistakes->list[0].text];
    char shown[SHOWN * 4 + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    /* A name of the caller's may hold anything, also what would end the path. */
    utf8_clean(shown, SHOWN, path, strlen(path));
    for (char *c = shown; *c; c++)
        if (*c == ':' || (unsigned char)*c < ' ')
            *c = '_';
    size_t n = strlen(shown);
    memcpy(text, shown, n);
    memcpy(text + n, ": ", 3);
    utf8_clean(text + n + 2, size - n - 2, said, strlen(said));
    mistakes->count++;
}

void mistake_unknown(struct manage_mistakes *mistakes, const char *name,
                     const struct fields *fields)
{
    const char *names[NEAR_MAX] = {0};
    struct buf all = BUF(1024);
    size_t n = 0;
    for (size_t i = 0; i < fields->count && n < NEAR_MAX; i++) {
        if (fields->list[i].read_only)
            continue;
        names[n++] = fields->list[i].name;
        buf_printf(&all, "%s%s", n > 1 ? ", " : "", fields->list[i].name);
    }
    const char *near = str_nearest(name, names, n);
    if (near)
        mistake_add(mistakes, name, "not known here; did you mean %s?", near);
    else
        mistake_add(mistakes, name, "not known here; %s%s", n ? "there are " : "there are none",
                    buf_text(&all));
    buf_finish(&all);
}

/* ---- Checks ---- */

/* Unicode characters, as JSON Schema counts them. */
static int64_t count_characters(const char *text, size_t size)
{
    int64_t n = 0;
    for (size_t i = 0; i < size; n++) {
        size_t step = utf8_sequence(text + i, size - i);
        i += step ? step : 1;
    }
    return n;
}

static bool is_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    }
    return !text[36];
}

static int length_check(const struct field *field, const char *text, struct err *err)
{
    int64_t n = count_characters(text, strlen(text));
    if (n >= field->min && n <= field->max)
        return 0;
    return err_set(err, ERR_INVALID, "expected %" PRId64 " to %" PRId64 " characters, got %" PRId64,
                   field->min, field->max, n);
}

static int choice_check(const struct field *field, const char *text, struct err *err)
{
    struct buf all = BUF(512);
    for (size_t i = 0; field->values[i]; i++) {
        if (str_eq(field->values[i], text)) {
            buf_finish(&all);
            return 0;
        }
        buf_printf(&all, "%s%s", i ? ", " : "", field->values[i]);
    }
    int r = err_set(err, ERR_INVALID, "expected one of %s", buf_text(&all));
    buf_finish(&all);
    return r;
}

static int name_check(const char *text, struct err *err)
{
    const char *wrong = connection_name_text(text);
    return wrong ? err_set(err, ERR_INVALID, "expected %s", wrong) : 0;
}

static int tag_check(const struct field *field, const char *text, struct err *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        return err_set(err, ERR_INVALID, "expected KEY=VALUE, such as env=prod");
    return length_check(field, text, err);
}

int field_check_text(const struct field *field, const char *text, struct err *err)
{
    int64_t number;
    switch (field->type) {
    case FIELD_NAME:
        return name_check(text, err);
    case FIELD_UUID:
        return is_uuid(text) ? 0
                             : err_set(err, ERR_INVALID,
                                       "expected a UUID, such as "
                                       "01890a5d-ac96-774b-bcce-b302099a8057");
    case FIELD_TAG:
        return tag_check(field, text, err);
    case FIELD_INTEGER:
        if (str_to_int(text, field->min, field->max, &number))
            return err_set(err, ERR_INVALID, "expected a whole number from %" PRId64 " to %" PRId64,
                           field->min, field->max);
        return 0;
    case FIELD_CHOICE:
        return choice_check(field, text, err);
    default:
        return length_check(field, text, err);
    }
}

static void texts_check(const struct field *field, struct json_object *value,
                        struct manage_mistakes *mistakes)
{
    if (json_object_object_length(value) > field->max)
        mistake_add(mistakes, field->name, "expected at most %" PRId64 " members", field->max);
    struct json_object_iterator at;
    json_each(at, value)
    {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *member = json_object_iter_peek_value(&at);
        char path[128];
        snprintf(path, sizeof path, "%s.%.64s", field->name, key);
        int64_t key_size = count_characters(key, strlen(key));
        if (key_size < 1 || key_size > TEXTS_KEY_MAX)
            mistake_add(mistakes, path, "expected a key of 1 to %d characters", TEXTS_KEY_MAX);
        else if (!json_object_is_type(member, json_type_string))
            mistake_add(mistakes, path, "expected a string");
        else if (count_characters(json_object_get_string(member),
                                  (size_t)json_object_get_string_len(member)) > TEXTS_VALUE_MAX)
            mistake_add(mistakes, path, "expected at most %d characters", TEXTS_VALUE_MAX);
        else if (strlen(json_object_get_string(member)) !=
                 (size_t)json_object_get_string_len(member))
            mistake_add(mistakes, path, "a NUL character is not taken");
    }
}

static void member_check(const struct field *field, struct json_object *value,
                         struct manage_mistakes *mistakes)
{
    static const struct {
        enum json_type type;
        const char *text;
    } wanted[] = {[FIELD_BOOLEAN] = {json_type_boolean, "true or false"},
                  [FIELD_OBJECT] = {json_type_object, "an object"},
                  [FIELD_TEXTS] = {json_type_object, "an object of strings"},
                  [FIELD_ANY] = {json_type_null, ""}};
    enum json_type type = wanted[field->type].text ? wanted[field->type].type : json_type_string;
    struct err err = {0};
    if (!json_object_is_type(value, type)) {
        mistake_add(mistakes, field->name, "expected %s",
                    wanted[field->type].text ? wanted[field->type].text : "a string");
    } else if (field->type == FIELD_TEXTS) {
        texts_check(field, value, mistakes);
    } else if (field->type == FIELD_OBJECT) {
        if (json_object_object_length(value) > field->max)
            mistake_add(mistakes, field->name, "expected at most %" PRId64 " members", field->max);
    } else if (type == json_type_string) {
        const char *text = json_object_get_string(value);
        if (strlen(text) != (size_t)json_object_get_string_len(value))
            mistake_add(mistakes, field->name, "a NUL character is not taken");
        else if (field_check_text(field, text, &err))
            mistake_add(mistakes, field->name, "%s", err.text);
    }
}

int fields_check_body(const struct fields *fields, struct json_object *body,
                      struct manage_mistakes *mistakes)
{
    size_t before = mistakes->count;
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        struct json_object *value = NULL;
        bool there = json_object_object_get_ex(body, field->name, &value);
        if (there && !field->read_only)
            member_check(field, value, mistakes);
        else if (!there && field->required)
            mistake_add(mistakes, field->name, "missing, and needed");
    }
    struct json_object_iterator at;
    json_each(at, body)
    {
        const char *key = json_object_iter_peek_name(&at);
        bool known = false;
        for (size_t i = 0; i < fields->count && !known; i++)
            known = str_eq(fields->list[i].name, key);
        if (!known)
            mistake_unknown(mistakes, key, fields);
    }
    return mistakes->count > before ? ERR_INVALID : 0;
}

/* ---- What the document says of them ---- */

static void add_text(struct buf *buf, const char *key, const char *text)
{
    buf_json_key(buf, key);
    buf_json_string(buf, text, strlen(text));
}

static void add_number(struct buf *buf, const char *key, int64_t number)
{
    buf_json_key(buf, key);
    buf_json_int(buf, number);
}

static void add_lengths(struct buf *buf, int64_t min, int64_t max)
{
    add_text(buf, "type", "string");
    if (min > 0)
        add_number(buf, "minLength", min);
    add_number(buf, "maxLength", max);
}

static void add_choices(struct buf *buf, const struct field *field)
{
    add_text(buf, "type", "string");
    buf_json_key(buf, "enum");
    buf_add_char(buf, '[');
    for (size_t i = 0; field->values[i]; i++) {
        buf_json_sep(buf);
        buf_json_string(buf, field->values[i], strlen(field->values[i]));
    }
    buf_add_char(buf, ']');
}

static void add_object(struct buf *buf, const struct field *field)
{
    add_text(buf, "type", "object");
    add_number(buf, "maxProperties", field->max);
    if (field->type != FIELD_TEXTS)
        return;
    buf_printf(buf,
               ",\"propertyNames\":{\"minLength\":1,\"maxLength\":%d},"
               "\"additionalProperties\":{\"type\":\"string\",\"maxLength\":%d}",
               TEXTS_KEY_MAX, TEXTS_VALUE_MAX);
}

static void add_type(const struct field *field, struct buf *buf)
{
    switch (field->type) {
    case FIELD_NAME:
        add_lengths(buf, 1, CONNECTION_NAME_MAX);
        add_text(buf, "pattern", NAME_PATTERN);
        break;
    case FIELD_UUID:
        add_text(buf, "type", "string");
        add_text(buf, "format", "uuid");
        add_text(buf, "pattern", UUID_PATTERN);
        break;
    case FIELD_TAG:
        add_lengths(buf, field->min, field->max);
        add_text(buf, "pattern", TAG_PATTERN);
        break;
    case FIELD_INTEGER:
        add_text(buf, "type", "integer");
        add_number(buf, "minimum", field->min);
        add_number(buf, "maximum", field->max);
        break;
    case FIELD_BOOLEAN:
        add_text(buf, "type", "boolean");
        break;
    case FIELD_CHOICE:
        add_choices(buf, field);
        break;
    case FIELD_OBJECT:
    case FIELD_TEXTS:
        add_object(buf, field);
        break;
    case FIELD_ANY:
        break;
    default:
        add_lengths(buf, field->min, field->max);
    }
}

void field_write_schema(const struct field *field, struct buf *buf)
{
    add_type(field, buf);
    if (field->read_only) {
        buf_json_key(buf, "readOnly");
        buf_add(buf, "true");
    }
    if (field->fallback) {
        buf_json_key(buf, "default");
        if (field->type == FIELD_INTEGER || field->type == FIELD_BOOLEAN)
            buf_add(buf, field->fallback);
        else
            buf_json_string(buf, field->fallback, strlen(field->fallback));
    }
}

void fields_write_schema(const struct fields *fields, struct buf *buf)
{
    buf_add(buf, "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[");
    for (size_t i = 0; i < fields->count; i++) {
        if (!fields->list[i].required)
            continue;
        buf_json_sep(buf);
        buf_json_string(buf, fields->list[i].name, strlen(fields->list[i].name));
    }
    buf_add(buf, "],\"properties\":{");
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        buf_json_key(buf, field->name);
        buf_add_char(buf, '{');
        field_write_schema(field, buf);
        add_text(buf, "description", field->about);
        if (field->example) {
            buf_json_key(buf, "examples");
            buf_printf(buf, "[%s]", field->example);
        }
        buf_add_char(buf, '}');
    }
    buf_add(buf, "}}");
}
