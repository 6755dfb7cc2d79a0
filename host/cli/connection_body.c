/* SPDX-License-Identifier: Apache-2.0 */
/* What `sonde connection add` and `edit` say, as the JSON body that REST takes too. */
#include "cli/connection_body.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/str.h"

#define CONFIG_JSON_MAX ((size_t)256 * 1024)
#define SECRET_LINE_MAX 8192

static int no_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY, "no memory for the connection");
}

/* Takes value over; NULL is no memory. */
static int put(struct json_object *object, const char *key, struct json_object *value,
               struct err *err)
{
    if (value && !json_object_object_add(object, key, value))
        return 0;
    json_object_put(value);
    return no_memory(err);
}

static int put_text(struct json_object *object, const char *key, const char *text, struct err *err)
{
    return text ? put(object, key, json_object_new_string(text), err) : 0;
}

/* "-" is standard input. */
static int read_config_json(const char *path, struct json_object **ret_config, struct err *err)
{
    bool input = str_eq(path, "-");
    FILE *file = input ? stdin : fopen(path, "re");
    if (!file)
        return err_set(err, ERR_INVALID, "--config-json %s: %s", path, strerror(errno));
    char *text = mem_alloc(CONFIG_JSON_MAX + 1);
    size_t size = text ? fread(text, 1, CONFIG_JSON_MAX + 1, file) : 0;
    bool failed = ferror(file);
    if (!input)
        fclose(file);
    int r = !text                    ? no_memory(err)
            : failed                 ? err_set(err, ERR_SYSTEM, "cannot be read")
            : size > CONFIG_JSON_MAX ? err_set(err, ERR_LIMIT, "larger than 256 KiB")
                                     : json_parse(text, size, 12, ret_config, err);
    if (!r && !json_object_is_type(*ret_config, json_type_object)) {
        json_object_put(*ret_config);
        r = err_set(err, ERR_INVALID, "expected an object such as {\"url\": ...}");
    }
    if (text)
        wipe(text, CONFIG_JSON_MAX + 1);
    mem_free(text);
    if (r)
        err_prefix(err, "--config-json %s: ", path);
    return r;
}

/* One line from the terminal, not shown, or from standard input. */
static int read_secret_line(const char *what, char line[SECRET_LINE_MAX], struct err *err)
{
    struct termios before;
    bool terminal = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before);
    if (terminal) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        fprintf(stderr, "%s: ", what);
        fflush(stderr);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    char *got = fgets(line, SECRET_LINE_MAX, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    size_t size = got ? strlen(line) : 0;
    if (size == SECRET_LINE_MAX - 1)
        return err_set(err, ERR_LIMIT, "the %s is longer than %d bytes", what, SECRET_LINE_MAX - 2);
    while (size && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        line[--size] = '\0';
    if (size)
        return 0;
    return err_set(err, ERR_INVALID,
                   "no %s came: write it to standard input, or give --token-env NAME or "
                   "--token-file PATH",
                   what);
}

/* {"env": NAME}, {"file": PATH}, or the text itself. */
static int make_secret(const struct cli *cli, const char *what, struct json_object **ret_value,
                       struct err *err)
{
    if (cli->token_env && cli->token_file)
        return err_set(err, ERR_INVALID, "give --token-env or --token-file, not both");
    const char *name = cli->token_env ? cli->token_env : cli->token_file;
    if (name) {
        struct json_object *value = json_object_new_object();
        if (!value)
            return no_memory(err);
        char real[PATH_MAX];
        const char *path = cli->token_file ? realpath(cli->token_file, real) : NULL;
        int r = put_text(value, cli->token_env ? "env" : "file", path ? path : name, err);
        if (r)
            json_object_put(value);
        else
            *ret_value = value;
        return r;
    }
    char line[SECRET_LINE_MAX];
    int r = read_secret_line(what, line, err);
    if (!r)
        *ret_value = json_object_new_string(line);
    wipe(line, sizeof line);
    return r ? r : *ret_value ? 0 : no_memory(err);
}

static int put_auth(const struct cli *cli, struct json_object *config, struct err *err)
{
    static const struct {
        const char *type, *secret, *needs;
    } types[] = {{"none", NULL, NULL},
                 {"bearer", "token", NULL},
                 {"basic", "password", "--username"},
                 {"header", "value", "--auth-header"}};
    const char *type = cli->auth                           ? cli->auth
                       : cli->username                     ? "basic"
                       : cli->auth_header                  ? "header"
                       : cli->token_env || cli->token_file ? "bearer"
                                                           : NULL;
    if (!type)
        return 0;
    size_t i = 0;
    while (i < ARRAY_SIZE(types) && !str_eq(types[i].type, type))
        i++;
    if (i == ARRAY_SIZE(types))
        return err_set(err, ERR_INVALID,
                       "--auth %s: accepted are none, bearer, basic and header; others go into "
                       "--config-json",
                       type);
    if ((i == 2 && !cli->username) || (i == 3 && !cli->auth_header))
        return err_set(err, ERR_INVALID, "--auth %s needs %s", type, types[i].needs);
    struct json_object *auth = json_object_new_object();
    if (!auth)
        return no_memory(err);
    int r = put_text(auth, "type", type, err);
    if (!r && i == 2)
        r = put_text(auth, "username", cli->username, err);
    if (!r && i == 3)
        r = put_text(auth, "header", cli->auth_header, err);
    struct json_object *secret = NULL;
    if (!r && types[i].secret)
        r = make_secret(cli, types[i].secret, &secret, err);
    if (!r && types[i].secret)
        r = put(auth, types[i].secret, secret, err);
    if (r) {
        json_object_put(auth);
        return r;
    }
    return put(config, "auth", auth, err);
}

static int put_tags(const struct cli *cli, struct json_object *body, struct err *err)
{
    if (!cli->tag_count)
        return 0;
    struct json_object *tags = json_object_new_object();
    int r = put(body, "tags", tags, err);
    for (size_t i = 0; !r && i < cli->tag_count; i++) {
        const char *equals = strchr(cli->tags[i], '=');
        char key[128];
        size_t size = equals ? (size_t)(equals - cli->tags[i]) : 0;
        if (!size || size >= sizeof key)
            return err_set(err, ERR_INVALID, "--tag %s: write KEY=VALUE, such as env=prod",
                           cli->tags[i]);
        memcpy(key, cli->tags[i], size);
        key[size] = '\0';
        r = put_text(tags, key, equals + 1, err);
    }
    return r;
}

static int put_config(const struct cli *cli, const char *url, struct json_object *body,
                      struct err *err)
{
    struct json_object *config = NULL;
    int r = 0;
    if (cli->config_json)
        r = read_config_json(cli->config_json, &config, err);
    else
        config = json_object_new_object();
    if (!r)
        r = put(body, "connection_config", config, err);
    if (!r)
        r = put_text(config, "url", url, err);
    if (!r)
        r = put_auth(cli, config, err);
    /* An edit that says nothing of it leaves it as it is. */
    if (!r && !json_object_object_length(config))
        json_object_object_del(body, "connection_config");
    return r;
}

int connection_body(const struct cli *cli, const char *name, const char *backend, const char *url,
                    struct json_object **ret_body, struct err *err)
{
    struct json_object *body CLEANUP(json_putp) = json_object_new_object();
    if (!body)
        return no_memory(err);
    int r = put_text(body, "name", name, err);
    if (!r)
        r = put_text(body, "backend_type", backend, err);
    if (!r)
        r = put_text(body, "description", cli->description, err);
    if (!r && cli->is_default)
        r = put(body, "is_default", json_object_new_boolean(1), err);
    if (!r)
        r = put_tags(cli, body, err);
    if (!r)
        r = put_config(cli, url, body, err);
    if (!r)
        *ret_body = STEAL(body);
    return r;
}
