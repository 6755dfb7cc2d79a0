/* SPDX-License-Identifier: Apache-2.0 */
/* The folder's list: [{"name","size","mtime_ns"}], and which of its files hold metrics. */
#include "operation.h"

#include <stdlib.h>
#include <string.h>

static void take_member(struct operation *op, const char *text, size_t size)
{
    struct listing *l = &op->listing;

    if (strcmp(l->key, "name") == 0)
        l->file.name = memory_copy(&op->memory, text, size);
    else if (strcmp(l->key, "size") == 0)
        (void)sonde_parse_int64(text, size, &l->file.size);
    else if (strcmp(l->key, "mtime_ns") == 0)
        (void)sonde_parse_int64(text, size, &l->file.mtime_ns);
}

static int take_file(struct operation *op)
{
    const struct file *file = &op->listing.file;
    void *files;

    if (!file->name || !file->name[0] || strchr(file->name, '/'))
        return 0;
    files = memory_grow(&op->memory, op->all_files, op->all_count, &op->all_capacity,
                        sizeof(struct file), MAX_FILES);
    if (!files)
        return -1;
    op->all_files = files;
    op->all_files[op->all_count++] = *file;
    return 0;
}

static int on_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct operation *op = user;
    struct listing *l = &op->listing;

    if (depth == 0 && type != SONDE_JSON_ARRAY_BEGIN && type != SONDE_JSON_ARRAY_END)
        return SONDE_E_BAD_ANSWER;
    switch (type) {
    case SONDE_JSON_OBJECT_BEGIN:
        l->file = (struct file){0};
        l->key[0] = '\0';
        break;
    case SONDE_JSON_KEY:
        l->key[0] = '\0';
        if (size < sizeof(l->key)) {
            memcpy(l->key, text, size);
            l->key[size] = '\0';
        }
        break;
    case SONDE_JSON_STRING:
    case SONDE_JSON_NUMBER:
        take_member(op, text, size);
        break;
    case SONDE_JSON_OBJECT_END:
        return take_file(op) < 0 ? SONDE_E_TOO_MUCH : 0;
    default:
        break;
    }
    return 0;
}

int32_t listing_begin(struct operation *op)
{
    op->all_count = 0;
    if (op->listing.json_ready)
        sonde_json_reset(&op->listing.json);
    else if (sonde_json_init(&op->listing.json, on_event, op, SONDE_JSON_LENIENT, 4, 65536) < 0)
        return fail_memory(op);
    op->listing.json_ready = true;
    return 0;
}

static int32_t bad_listing(struct operation *op)
{
    return otlpfile_host->fail(op->memory.ctx, SONDE_E_BAD_ANSWER, -1,
                               "the list of the folder's files is not what was expected: a JSON "
                               "array of objects with name, size and mtime_ns");
}

int32_t listing_feed(struct operation *op, const void *data, size_t size)
{
    int rc = sonde_json_feed(&op->listing.json, data, size);

    if (rc == SONDE_E_TOO_MUCH && op->memory.full)
        return sonde_failf(otlpfile_host, op->memory.ctx, SONDE_E_TOO_MUCH, -1,
                           "the folder holds more than %d files", MAX_FILES);
    return rc < 0 ? bad_listing(op) : 0;
}

/* '*' stands for any text. */
static bool glob(const char *pattern, size_t size, const char *name)
{
    while (size && *pattern != '*') {
        if (*pattern++ != *name++)
            return false;
        size--;
    }
    if (!size)
        return !*name;
    for (;; name++) {
        if (glob(pattern + 1, size - 1, name))
            return true;
        if (!*name)
            return false;
    }
}

static bool wanted(const char *patterns, const char *name)
{
    while (*patterns) {
        size_t size;

        patterns += strspn(patterns, ", ");
        size = strcspn(patterns, ", ");
        if (size && size < 100 && glob(patterns, size, name))
            return true;
        patterns += size;
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int32_t no_files(struct operation *op)
{
    struct sonde_text held;

    sonde_text_init(&held, otlpfile_host, op->memory.ctx, 400);
    for (size_t i = 0; i < op->all_count && i < 5; i++) {
        sonde_text_add(&held, i ? ", " : "it holds ");
        sonde_text_add(&held, op->all_files[i].name);
    }
    if (op->all_count > 5)
        sonde_text_add_format(&held, " and %zu more", op->all_count - 5);
    return sonde_failf(otlpfile_host, op->memory.ctx, SONDE_E_NOT_FOUND, -1,
                       "no file of the folder is named %s (%s): let the Collector's file exporter "
                       "write there, or set metrics.files",
                       op->instance->patterns,
                       op->all_count ? sonde_text_string(&held) : "it is empty");
}

int32_t listing_end(struct operation *op)
{
    if (sonde_json_end(&op->listing.json) < 0)
        return bad_listing(op);
    op->listed = true;
    op->files = memory_get(&op->memory, (op->all_count + 1) * sizeof(struct file));
    if (!op->files)
        return fail_memory(op);
    for (size_t i = 0; i < op->all_count; i++)
        if (wanted(op->instance->patterns, op->all_files[i].name))
            op->files[op->file_count++] = op->all_files[i];
    if (!op->file_count)
        return no_files(op);
    qsort(op->files, op->file_count, sizeof(struct file), by_name);
    return 0;
}

void listing_emit_backend(struct operation *op)
{
    static const char *const features[] = {"metrics", "exemplars"};
    struct sonde_backend row = {.struct_size = sizeof(row)};
    struct sonde_text status;
    int64_t newest = 0;
    int64_t size = 0;
    int64_t age;

    for (size_t i = 0; i < op->file_count; i++) {
        size += op->files[i].size;
        if (op->files[i].mtime_ns > newest)
            newest = op->files[i].mtime_ns;
    }
    age = (otlpfile_host->now_unix_ns(op->memory.ctx) - newest) / 1000000000;
    sonde_text_init(&status, otlpfile_host, op->memory.ctx, 200);
    sonde_text_add_format(&status, "%zu file%s of metrics, %.1f MB, written %lld s ago",
                          op->file_count, op->file_count == 1 ? "" : "s", (double)size / 1e6,
                          (long long)(age > 0 ? age : 0));
    row.product = "OTLP/JSON files";
    row.version = "";
    row.status = op->query->kind == SONDE_KIND_HEALTH ? sonde_text_string(&status) : NULL;
    row.features = features;
    row.feature_count = 2;
    op->sink->backend(op->memory.ctx, &row);
}
