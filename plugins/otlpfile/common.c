/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include <string.h>

void *memory_get(struct memory *memory, size_t size)
{
    void *p = memory->full ? NULL : memory->host->alloc(memory->ctx, size ? size : 1);

    if (!p)
        memory->full = true;
    return p;
}

char *memory_copy(struct memory *memory, const char *text, size_t size)
{
    char *copy = memory_get(memory, size + 1);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void *memory_grow(struct memory *memory, void *array, size_t count, size_t *capacity,
                  size_t element, size_t max)
{
    size_t room = *capacity ? *capacity * 2 : 8;
    void *bigger;

    if (count < *capacity)
        return array;
    if (count >= max) {
        memory->full = true;
        return NULL;
    }
    if (room > max)
        room = max;
    bigger = memory_get(memory, room * element);
    if (!bigger)
        return NULL;
    if (count)
        memcpy(bigger, array, count * element);
    *capacity = room;
    return bigger;
}

const char *labels_get(const struct labels *labels, const char *name)
{
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->at[i].name, name) == 0)
            return labels->at[i].value;
    return "";
}

/* FNV-1a, the terminating NUL included so that "ab","c" differs from "a","bc". */
uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    } while (*text++);
    return hash;
}

uint64_t labels_hash(const struct label *at, size_t count)
{
    uint64_t hash = HASH_BEGIN;

    for (size_t i = 0; i < count; i++)
        hash = hash_text(hash_text(hash, at[i].name), at[i].value);
    return hash;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
    if (a->hash != b->hash || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->at[i].name, b->at[i].name) != 0 ||
            strcmp(a->at[i].value, b->at[i].value) != 0)
            return false;
    return true;
}

static bool contains(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

int labels_select(struct memory *memory, const struct labels *labels, const char *const *names,
                  size_t count, bool keep, struct labels *ret_labels)
{
    struct label *at = memory_get(memory, (labels->count + 1) * sizeof(*at));
    size_t n = 0;

    if (!at)
        return -1;
    for (size_t i = 0; i < labels->count; i++)
        if (contains(names, count, labels->at[i].name) == keep)
            at[n++] = labels->at[i];
    *ret_labels = (struct labels){at, n, labels_hash(at, n)};
    return 0;
}

int labels_with(struct memory *memory, const struct labels *labels, const char *name,
                const char *value, struct labels *ret_labels)
{
    struct label *at = memory_get(memory, (labels->count + 1) * sizeof(*at));
    size_t n;

    if (!at)
        return -1;
    if (labels->count)
        memcpy(at, labels->at, labels->count * sizeof(*at));
    at[labels->count] = (struct label){name, value};
    n = labels_sort(at, labels->count + 1);
    *ret_labels = (struct labels){at, n, labels_hash(at, n)};
    return 0;
}

size_t labels_sort(struct label *at, size_t count)
{
    size_t n = 0;

    for (size_t i = 1; i < count; i++) {
        struct label moved = at[i];
        size_t j = i;

        for (; j > 0 && strcmp(at[j - 1].name, moved.name) > 0; j--)
            at[j] = at[j - 1];
        at[j] = moved;
    }
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && strcmp(at[i].name, at[i + 1].name) == 0)
            continue;
        if (at[i].value[0])
            at[n++] = at[i];
    }
    return n;
}

void normalise(char *text)
{
    for (; *text; text++) {
        char c = *text;

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == ':'))
            *text = '_';
    }
}

char *normalised_copy(struct memory *memory, const char *text, size_t size)
{
    char *copy = memory_copy(memory, text, size);

    if (copy)
        normalise(copy);
    return copy;
}
