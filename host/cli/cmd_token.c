/* SPDX-License-Identifier: Apache-2.0 */
/* sonde token: what people and programs prove themselves with. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/str.h"
#include "cli/people.h"
#include "service/connection_read.h"

#define OUT_MAX ((size_t)256 << 20)
#define BOUND_BYTES ((size_t)64 << 10)
#define EXPIRES_MAX_NS (3660 * NS_PER_DAY)
#define PREFIX_MIN 3u /* characters of the eight that tell tokens apart */
#define PREFIX_START "sonde_"

/* ---- create ---- */

static int read_expires(const struct cli *cli, int64_t *ret_ms, struct err *err)
{
    int64_t ns;
    *ret_ms = 0;
    if (!cli->expires || str_eq(cli->expires, "never"))
        return 0;
    if (str_to_duration(cli->expires, &ns) || ns < NS_PER_S || ns > EXPIRES_MAX_NS)
        return err_set(
            err, ERR_INVALID,
            "--expires %s: expected a time from now such as 90d, 12h (at most 3660d), or "
            "never",
            cli->expires);
    *ret_ms = (clock_unix_ns() + ns) / NS_PER_MS;
    return 0;
}

/* The id of a connection the user sees: their own before one of the configuration. */
static int find_connection(struct people *people, const struct user_row *user, const char *name,
                           char out[ROW_ID], struct err *err)
{
    struct connection_row *rows = NULL;
    size_t n = 0;
    int r = store_connections(people->store, user->id, NULL, 0, &people->arena, &rows, &n, err);
    if (r)
        return r;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(rows[i].name, name))
            continue;
        memcpy(out, rows[i].id, ROW_ID);
        return 0;
    }
    const struct node *list = people->config->connections;
    for (size_t i = 0; list && i < list->child_count; i++) {
        const struct node *own = node_get(list->children[i], "name");
        if (!own || !str_eq(own->value, name))
            continue;
        connection_operator_id(name, out);
        return 0;
    }
    return err_set(err, ERR_NOT_FOUND,
                   "--connection %.80s: neither %s nor the configuration has a connection of that "
                   "name",
                   name, user->name);
}

/* A JSON list of ids, or NULL for a token that is bound to none. */
static int read_bound(const struct cli *cli, struct people *people, const struct user_row *user,
                      struct buf *out, const char **ret_json, struct err *err)
{
    *ret_json = NULL;
    if (!cli->connection_count)
        return 0;
    buf_add(out, "[");
    for (size_t i = 0; i < cli->connection_count; i++) {
        char id[ROW_ID];
        int r = find_connection(people, user, cli->connections[i], id, err);
        if (r)
            return r;
        buf_json_sep(out);
        buf_json_string(out, id, strlen(id));
    }
    buf_add(out, "]");
    if (out->failed)
        return err_set(err, ERR_MEMORY, "no memory for the list of connections");
    *ret_json = buf_text(out);
    return 0;
}

static void tell_token(const struct cli *cli, const char *token, const struct token_row *row)
{
    char time[32];
    if (!cli->json) {
        printf("%s\n", token);
        fprintf(stderr,
                "token of %s with rights %s, expires %s%s; it is not shown again: only its hash is "
                "kept\n",
                row->user_name, rights_text(row->rights),
                people_time(row->expires_ms, "never", time),
                row->connections ? ", for its connections alone" : "");
        return;
    }
    struct buf out = BUF(4096);
    buf_add(&out, "{\"token\":");
    buf_json_string(&out, token, strlen(token));
    buf_json_key(&out, "id");
    buf_json_string(&out, row->id, strlen(row->id));
    buf_json_key(&out, "user");
    buf_json_string(&out, row->user_name, strlen(row->user_name));
    buf_json_key(&out, "rights");
    buf_json_string(&out, rights_text(row->rights), strlen(rights_text(row->rights)));
    people_json_time(&out, "expires_at", row->expires_ms);
    buf_add(&out, "}\n");
    fputs(buf_text(&out), stdout);
    wipe(out.data, out.size);
    buf_finish(&out);
}

static int create(const struct cli *cli, struct people *people, const char *user_name,
                  struct err *err)
{
    struct user_row user;
    struct token_row row;
    struct buf bound = BUF(BOUND_BYTES);
    char token[API_TOKEN_MAX];
    const char *json = NULL;
    unsigned rights = RIGHT_READ;
    int64_t expires_ms = 0;
    int r = cli->rights ? rights_parse(cli->rights, &rights, err) : 0;
    if (r)
        err_prefix(err, "--rights: ");
    if (!r)
        r = read_expires(cli, &expires_ms, err);
    if (!r)
        r = people_find_user(people, user_name, &user, err);
    if (!r)
        r = read_bound(cli, people, &user, &bound, &json, err);
    if (!r)
        r = account_create_token(people->store, &user, cli->name ? cli->name : "", rights,
                                 expires_ms, json, token, &row, err);
    if (!r) {
        tell_token(cli, token, &row);
        if (user.disabled)
            fprintf(stderr, "%s is disabled: the token works after sonde user enable %s\n",
                    user.name, user.name);
        wipe(token, sizeof token);
    }
    buf_finish(&bound);
    return r;
}

/* ---- list ---- */

static const char *state_of(const struct token_row *row)
{
    if (row->revoked_ms)
        return "revoked";
    if (row->expires_ms && row->expires_ms <= clock_unix_ns() / NS_PER_MS)
        return "expired";
    return row->user_disabled ? "disabled" : "active";
}

static void write_json(struct buf *out, const struct token_row *row)
{
    const char *const texts[][2] = {{"id", row->id},
                                    {"user", row->user_name},
                                    {"name", row->name},
                                    {"prefix", row->prefix},
                                    {"rights", rights_text(row->rights)},
                                    {"state", state_of(row)}};
    buf_json_sep(out);
    buf_add(out, "{");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        buf_json_key(out, texts[i][0]);
        buf_json_string(out, texts[i][1], strlen(texts[i][1]));
    }
    buf_json_key(out, "connections");
    buf_add(out, row->connections ? row->connections : "null");
    people_json_time(out, "created_at", row->created_ms);
    people_json_time(out, "expires_at", row->expires_ms);
    people_json_time(out, "last_used_at", row->used_ms);
    people_json_time(out, "revoked_at", row->revoked_ms);
    buf_add(out, "}");
}

static void print_table(const struct token_row *rows, size_t n)
{
    printf("%-14s %-20s %-8s %-8s %-20s %-20s %s\n", "PREFIX", "USER", "RIGHTS", "STATE", "EXPIRES",
           "LAST USED", "NAME");
    for (size_t i = 0; i < n; i++) {
        char expires[32];
        char used[32];
        char name[128];
        utf8_clean(name, sizeof name, rows[i].name, strlen(rows[i].name));
        printf("%-14s %-20s %-8s %-8s %-20s %-20s %s%s\n", rows[i].prefix, rows[i].user_name,
               rights_text(rows[i].rights), state_of(&rows[i]),
               people_time(rows[i].expires_ms, "never", expires),
               people_time(rows[i].used_ms, "never", used), name,
               rows[i].connections ? " (bound)" : "");
    }
}

static int list(const struct cli *cli, struct people *people, const char *user_name,
                struct err *err)
{
    struct user_row user;
    struct token_row *rows = NULL;
    size_t n = 0;
    int r = user_name ? people_find_user(people, user_name, &user, err) : 0;
    if (!r)
        r = store_tokens(people->store, user_name ? user.id : NULL, &people->arena, &rows, &n, err);
    if (r)
        return r;
    if (!cli->json) {
        print_table(rows, n);
        return 0;
    }
    struct buf out = BUF(OUT_MAX);
    buf_add(&out, "{\"tokens\":[");
    for (size_t i = 0; i < n; i++)
        write_json(&out, &rows[i]);
    buf_add(&out, "]}\n");
    if (out.failed)
        r = err_set(err, ERR_MEMORY, "no memory for the list");
    else
        fputs(buf_text(&out), stdout);
    buf_finish(&out);
    return r;
}

/* ---- revoke ---- */

/* An id, or enough of the public characters, with or without "sonde_"; of a whole token the public ones are looked at. */
static bool is_meant(const struct token_row *row, const char *word)
{
    if (str_eq(row->id, word))
        return true;
    const char *own =
        row->prefix + (str_starts(row->prefix, PREFIX_START) ? strlen(PREFIX_START) : 0);
    if (str_starts(word, PREFIX_START))
        word += strlen(PREFIX_START);
    return strlen(word) >= PREFIX_MIN && (str_starts(own, word) || str_starts(word, own));
}

static int revoke(const struct cli *cli, struct people *people, const char *word, struct err *err)
{
    struct token_row *rows = NULL;
    const struct token_row *found = NULL;
    size_t n = 0;
    size_t matches = 0;
    int r = store_tokens(people->store, NULL, &people->arena, &rows, &n, err);
    for (size_t i = 0; !r && i < n; i++) {
        if (!is_meant(&rows[i], word))
            continue;
        matches++;
        found = &rows[i];
    }
    if (r)
        return r;
    if (matches != 1)
        return err_set(err, matches ? ERR_CONFLICT : ERR_NOT_FOUND,
                       matches ? "%.14s...: %zu tokens begin so; give more of it, or the id that "
                                 "sonde token list --json shows"
                               : "%.14s...: no token begins so; sonde token list shows all",
                       word, matches);
    r = store_token_revoke(people->store, found->id, clock_unix_ns() / NS_PER_MS, err);
    if (r)
        return r;
    if (cli->json)
        printf("{\"id\":\"%s\",\"state\":\"revoked\"}\n", found->id);
    else
        printf("%s of %s: %s\n", found->prefix, found->user_name,
               found->revoked_ms ? "was revoked already" : "revoked");
    return 0;
}

int cmd_token(const struct cli *cli)
{
    const char *what = cli->word_count > 1 ? cli->words[1] : "list";
    const char *word = cli->word_count == 3 ? cli->words[2] : NULL;
    bool lists = str_eq(what, "list") && cli->word_count <= 3;
    bool creates = str_eq(what, "create") && word;
    bool revokes = str_eq(what, "revoke") && word;
    if (!lists && !creates && !revokes) {
        cli_help("token");
        return EXIT_USAGE;
    }
    struct people people;
    struct err err = {0};
    int status = people_open(cli, &people);
    if (!status) {
        int r = lists     ? list(cli, &people, word, &err)
                : creates ? create(cli, &people, word, &err)
                          : revoke(cli, &people, word, &err);
        if (r)
            status = cli_fail(r == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED, &err);
    }
    people_close(&people);
    return status;
}
