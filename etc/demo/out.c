/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

FILE *out_open(const char *dir, const char *name)
{
    char path[4096];
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
        fprintf(stderr, "sonde-incident: the folder's name is too long: %s\n", dir);
        return NULL;
    }
    file = fopen(path, "w");
    if (!file)
        fprintf(stderr, "sonde-incident: cannot write %s: %s\n", path, strerror(errno));
    return file;
}

int out_close(FILE *file, const char *dir, const char *name)
{
    int failed = ferror(file);

    if (fclose(file) != 0)
        failed = 1;
    if (failed)
        fprintf(stderr, "sonde-incident: cannot write all of %s/%s: %s\n", dir, name,
                strerror(errno));
    return failed ? -1 : 0;
}

void out_json_string(FILE *file, const char *text)
{
    putc('"', file);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", file);
        else if (c == '\t')
            fputs("\\t", file);
        else if (c < 0x20)
            fprintf(file, "\\u%04x", c);
        else
            putc(c, file);
    }
    putc('"', file);
}

static void attribute_begin(FILE *file, bool *first, const char *key)
{
    fputs(*first ? "{\"key\":" : ",{\"key\":", file);
    *first = false;
    out_json_string(file, key);
}

void out_attribute(FILE *file, bool *first, const char *key, const char *value)
{
    attribute_begin(file, first, key);
    fputs(",\"value\":{\"stringValue\":", file);
    out_json_string(file, value);
    fputs("}}", file);
}

void out_attribute_int(FILE *file, bool *first, const char *key, long long value)
{
    attribute_begin(file, first, key);
    fprintf(file, ",\"value\":{\"intValue\":\"%lld\"}}", value);
}

void out_resource(FILE *file, enum source source)
{
    const struct attribute *a = source_info(source)->attributes;
    bool first = true;

    fputs("\"resource\":{\"attributes\":[", file);
    for (size_t i = 0; i < MAX_ATTRIBUTES && a[i].key; i++)
        out_attribute(file, &first, a[i].key, a[i].value);
    fputs("]}", file);
}

void out_time(FILE *file, const char *name, int64_t at)
{
    fprintf(file, "\"%s\":\"%" PRId64 "\"", name, at);
}
