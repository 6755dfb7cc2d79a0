/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_REPEATED };

struct option_spec {
    const char *name;
    char letter;
    enum option_kind kind;
    size_t offset; /* of the bool, the text or the array */
    size_t count_offset;
};

#define TEXT(option, short_name, member)                                 \
    {                                                                    \
        option, short_name, OPTION_TEXT, offsetof(struct cli, member), 0 \
    }
#define FLAG(option, short_name, member)                                 \
    {                                                                    \
        option, short_name, OPTION_FLAG, offsetof(struct cli, member), 0 \
    }
#define REPEATED(option, short_name, member, count)                        \
    {                                                                      \
        option, short_name, OPTION_REPEATED, offsetof(struct cli, member), \
            offsetof(struct cli, count)                                    \
    }

static const struct option_spec specs[] = {
    TEXT("config", 0, config_path),
    REPEATED("connection", 0, connections, connection_count),
    REPEATED("plugins", 0, plugin_paths, plugin_path_count),
    TEXT("files", 0, files),
    TEXT("log-level", 0, log_level),
    TEXT("select", 'c', select),
    TEXT("since", 0, since),
    TEXT("start", 0, start),
    TEXT("end", 0, end),
    TEXT("timezone", 0, timezone),
    TEXT("step", 0, step),
    REPEATED("filter", 'f', filters, filter_count),
    TEXT("max-series", 0, max_series),
    TEXT("session", 0, session),
    TEXT("tool", 0, tool),
    TEXT("status", 0, status),
    TEXT("limit", 0, limit),
    TEXT("cursor", 0, cursor),
    TEXT("seed", 0, seed),
    TEXT("listen", 0, listen),
    TEXT("token-file", 0, token_file),
    TEXT("grace", 0, grace),
    FLAG("check", 0, check),
    FLAG("dry-run", 0, dry_run),
    FLAG("json", 0, json),
    FLAG("csv", 0, csv),
    FLAG("table", 0, table),
    FLAG("help", 'h', help),
    FLAG("version", 'V', version),
};

static const struct option_spec *find_option(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
        if (strlen(specs[i].name) == size && memcmp(specs[i].name, name, size) == 0)
            return &specs[i];
    return NULL;
}

static int unknown_option(const char *word, struct err *err)
{
    const char *names[ARRAY_SIZE(specs)];
    for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
        names[i] = specs[i].name;
    const char *near = word[1] == '-' ? str_nearest(word + 2, names, ARRAY_SIZE(specs)) : NULL;
    return err_set(err, ERR_INVALID, "unknown option %s%s%s%s; `sonde help` lists them", word,
                   near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
}

static int store(struct cli *cli, const struct option_spec *spec, const char *value,
                 struct err *err)
{
    char *base = (char *)cli;
    if (spec->kind == OPTION_FLAG) {
        *(bool *)(void *)(base + spec->offset) = true;
        return 0;
    }
    if (spec->kind == OPTION_TEXT) {
        *(const char **)(void *)(base + spec->offset) = value;
        return 0;
    }
    size_t *count = (size_t *)(void *)(base + spec->count_offset);
    if (*count == CLI_MAX_REPEATS)
        return err_set(err, ERR_INVALID,
                       "--%s more than %d times; put them into a file for --config", spec->name,
                       CLI_MAX_REPEATS);
    ((const char **)(void *)(base + spec->offset))[(*count)++] = value;
    return 0;
}

int cli_parse(int argc, char **argv, struct cli *ret_cli, struct err *err)
{
    struct cli cli = {0};
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_words || word[0] != '-' || !word[1]) {
            if (cli.word_count == CLI_MAX_REPEATS)
                return err_set(err, ERR_INVALID, "too many words; quote a query that holds spaces");
            cli.words[cli.word_count++] = word;
            continue;
        }
        if (str_eq(word, "--")) {
            only_words = true;
            continue;
        }
        const struct option_spec *spec = NULL;
        const char *value = NULL;
        if (word[1] == '-') {
            const char *equals = strchr(word, '=');
            spec = find_option(word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
            value = equals ? equals + 1 : NULL;
        } else {
            for (size_t k = 0; k < ARRAY_SIZE(specs); k++)
                if (specs[k].letter && specs[k].letter == word[1])
                    spec = &specs[k];
            value = word[2] ? word + 2 : NULL;
        }
        if (!spec)
            return unknown_option(word, err);
        if (spec->kind == OPTION_FLAG && value)
            return err_set(err, ERR_INVALID, "--%s takes no value", spec->name);
        if (spec->kind != OPTION_FLAG && !value) {
            if (i + 1 == argc)
                return err_set(err, ERR_INVALID, "--%s wants a value", spec->name);
            value = argv[++i];
        }
        int r = store(&cli, spec, value, err);
        if (r)
            return r;
    }
    *ret_cli = cli;
    return 0;
}

int cli_fail(int exit_code, const struct err *err)
{
    fprintf(stderr, "sonde: %s\n", err->text);
    return exit_code;
}
