/* SPDX-License-Identifier: Apache-2.0 */
/* sonde user: who there is. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/people.h"

#define OUT_MAX ((size_t)256 << 20)

static void write_json(struct buf *out, const struct user_row *user)
{
    buf_json_sep(out);
    buf_add(out, "{\"id\":");
    buf_json_string(out, user->id, strlen(user->id));
    buf_json_key(out, "name");
    buf_json_string(out, user->name, strlen(user->name));
    buf_json_key(out, "external");
    if (user->external)
        buf_json_string(out, user->external, strlen(user->external));
    else
        buf_add(out, "null");
    buf_json_key(out, "is_disabled");
    buf_add(out, user->disabled ? "true" : "false");
    people_json_time(out, "created_at", user->created_ms);
    buf_add(out, "}");
}

static void print_table(const struct user_row *users, size_t n)
{
    printf("%-24s %-9s %-21s %s\n", "NAME", "STATE", "CREATED", "FROM");
    for (size_t i = 0; i < n; i++) {
        char time[32];
        printf("%-24s %-9s %-21s %s\n", users[i].name, users[i].disabled ? "disabled" : "active",
               people_time(users[i].created_ms, "-", time),
               users[i].external ? users[i].external : "-");
    }
}

static int list(const struct cli *cli, struct people *people, struct err *err)
{
    struct user_row *users = NULL;
    size_t n = 0;
    int r = store_users(people->store, &people->arena, &users, &n, err);
    if (r)
        return r;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!account_is_built_in(&users[i]))
            users[kept++] = users[i];
    n = kept;
    if (!cli->json) {
        print_table(users, n);
        return 0;
    }
    struct buf out = BUF(OUT_MAX);
    buf_add(&out, "{\"users\":[");
    for (size_t i = 0; i < n; i++)
        write_json(&out, &users[i]);
    buf_add(&out, "]}\n");
    if (out.failed)
        r = err_set(err, ERR_MEMORY, "no memory for the list");
    else
        fputs(buf_text(&out), stdout);
    buf_finish(&out);
    return r;
}

static void tell(const struct cli *cli, const struct user_row *user, const char *what)
{
    struct buf out = BUF(4096);
    if (cli->json) {
        write_json(&out, user);
        printf("%s\n", buf_text(&out));
    } else {
        printf("%s: %s\n", user->name, what);
    }
    buf_finish(&out);
}

static int add(const struct cli *cli, struct people *people, const char *name, struct err *err)
{
    struct user_row user;
    int r = account_add_user(people->store, name, &user, err);
    if (r)
        return r;
    tell(cli, &user, "added");
    fprintf(stderr, "a token is made by: sonde token create %s\n", name);
    return 0;
}

static int disable(const struct cli *cli, struct people *people, const char *name, bool disabled,
                   struct err *err)
{
    struct user_row user;
    int r = people_find_user(people, name, &user, err);
    if (!r)
        r = store_user_disable(people->store, user.id, disabled, err);
    if (r)
        return r;
    user.disabled = disabled;
    tell(cli, &user, disabled ? "disabled; tokens of this user are refused" : "enabled");
    return 0;
}

int cmd_user(const struct cli *cli)
{
    const char *what = cli->word_count > 1 ? cli->words[1] : "list";
    const char *name = cli->word_count == 3 ? cli->words[2] : NULL;
    bool lists = str_eq(what, "list") && cli->word_count < 3;
    bool adds = str_eq(what, "add") && name;
    bool disables = str_eq(what, "disable") && name;
    bool enables = str_eq(what, "enable") && name;
    if (!lists && !adds && !disables && !enables) {
        cli_help("user");
        return EXIT_USAGE;
    }
    struct people people;
    struct err err = {0};
    int status = people_open(cli, &people);
    if (!status) {
        int r = lists  ? list(cli, &people, &err)
                : adds ? add(cli, &people, name, &err)
                       : disable(cli, &people, name, disables, &err);
        if (r)
            status = cli_fail(r == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED, &err);
    }
    people_close(&people);
    return status;
}
