/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdbool.h>
#include <string.h>
#include <sonde/json.h>

#include "base/map.h"

#define KEYS_FEW 64
#define DEPTH_MAX 256

/*
 * json-c takes more than JSON and merges duplicate keys, so every document passes this first. Whether a key comes twice is first asked of
 * hashes alone, those of all open objects in one short array; where two agree, or there are more keys, a second look takes sets of keys.
 */
struct checker {
    struct map *keys; /* one set of keys per open object; NULL at the first look */
    uint64_t hashes[KEYS_FEW];
    unsigned char begins[DEPTH_MAX + 1]; /* of each open object's hashes */
    unsigned hash_count;
    bool unsure; /* a second look is needed */
    const char *problem;
};

static void note_key(struct checker *checker, uint32_t depth, const char *text, size_t size)
{
    uint64_t hash = hash_bytes(text, size);
    for (unsigned i = checker->begins[depth]; i < checker->hash_count; i++)
        checker->unsure = checker->unsure || checker->hashes[i] == hash;
    if (checker->hash_count < KEYS_FEW)
        checker->hashes[checker->hash_count++] = hash;
    else
        checker->unsure = true;
}

static int check_key(struct checker *checker, uint32_t depth, const char *text, size_t size)
{
    if (memchr(text, 0, size)) {
        checker->problem = "a key holds a NUL character";
        return ERR_INVALID;
    }
    if (!checker->keys) {
        note_key(checker, depth, text, size);
        return 0;
    }
    void *old = NULL;
    if (map_set(&checker->keys[depth], text, size, checker, &old)) {
        checker->problem = "an object has more than 100,000 members";
        return ERR_INVALID;
    }
    if (old) {
        checker->problem = "an object has the same key twice";
        return ERR_INVALID;
    }
    return 0;
}

static int check_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct checker *checker = user;
    if (type == SONDE_JSON_OBJECT_BEGIN) {
        if (checker->keys)
            map_init(&checker->keys[depth], 100000);
        else
            checker->begins[depth] = (unsigned char)checker->hash_count;
    } else if (type == SONDE_JSON_OBJECT_END) {
        if (checker->keys)
            map_finish(&checker->keys[depth]);
        else
            checker->hash_count = checker->begins[depth];
    } else if (type == SONDE_JSON_KEY) {
        return check_key(checker, depth - 1, text, size);
    } else if (type == SONDE_JSON_NUMBER && !memchr(text, '.', size) && !memchr(text, 'e', size) &&
               !memchr(text, 'E', size)) {
        int64_t value;
        if (sonde_parse_int64(text, size, &value)) {
            checker->problem = "an integer does not fit 64 bits";
            return ERR_INVALID;
        }
    }
    return 0;
}

/* One look; keys NULL: the first. */
static int look(const char *text, size_t size, unsigned max_depth, struct map *keys,
                bool *ret_unsure, struct err *err)
{
    struct sonde_json reader;
    struct checker checker;
    checker.keys = keys;
    checker.hash_count = 0;
    checker.unsure = false;
    checker.problem = NULL;
    if (sonde_json_init(&reader, check_event, &checker, 0, max_depth, size < 16 ? 16 : size))
        return err_set(err, ERR_MEMORY, "no memory to read a JSON document");
    int r = sonde_json_feed(&reader, text, size);
    if (!r)
        r = sonde_json_end(&reader);
    int64_t at = (int64_t)reader.offset;
    sonde_json_free(&reader);
    *ret_unsure = checker.unsure;
    if (!r)
        return 0;
    err_set(err, ERR_INVALID, "not valid JSON at byte %lld: %s", (long long)at,
            checker.problem ? checker.problem : sonde_json_error(r));
    if (err)
        err->position = at;
    return ERR_INVALID;
}

static int check(const char *text, size_t size, unsigned max_depth, struct err *err)
{
    bool unsure;
    int r = look(text, size, max_depth, NULL, &unsure, err);
    /* A mistake behind the first doubt may not be the first one. */
    if (!unsure)
        return r;
    struct map keys[DEPTH_MAX + 1];
    memset(keys, 0, sizeof keys[0] * (max_depth + 1));
    r = look(text, size, max_depth, keys, &unsure, err);
    for (unsigned i = 0; i <= max_depth; i++)
        map_finish(&keys[i]);
    return r;
}

int json_parse(const char *text, size_t size, unsigned max_depth, struct json_object **ret_object,
               struct err *err)
{
    if (max_depth > DEPTH_MAX)
        max_depth = DEPTH_MAX;
    if (size > INT32_MAX / 2)
        return err_set(err, ERR_LIMIT, "a JSON document of %zu bytes is too large", size);
    int r = check(text, size, max_depth, err);
    if (r)
        return r;
    struct json_tokener *tokener = json_tokener_new_ex((int)max_depth + 1);
    if (!tokener)
        return err_set(err, ERR_MEMORY, "no memory to read a JSON document");
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)size);
    enum json_tokener_error e = json_tokener_get_error(tokener);
    if (e == json_tokener_continue) {
        /* A number at the very end waits for what may follow it. */
        object = json_tokener_parse_ex(tokener, " ", 1);
        e = json_tokener_get_error(tokener);
    }
    json_tokener_free(tokener);
    if (e != json_tokener_success)
        return err_set(err, ERR_INVALID, "not valid JSON: %s", json_tokener_error_desc(e));
    *ret_object = object;
    return 0;
}

void buf_json_object(struct buf *buf, struct json_object *object)
{
    size_t size = 0;
    const char *text = json_object_to_json_string_length(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
    if (text)
        buf_add_n(buf, text, size);
    else
        buf->failed = 1;
}

struct json_object *json_member(struct json_object *object, const char *key)
{
    struct json_object *member = NULL;
    if (!json_object_is_type(object, json_type_object) ||
        !json_object_object_get_ex(object, key, &member))
        return NULL;
    return member;
}

const char *json_string_of(struct json_object *object, const char *key)
{
    struct json_object *member = json_member(object, key);
    return json_object_is_type(member, json_type_string) ? json_object_get_string(member) : NULL;
}
