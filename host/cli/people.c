/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/people.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define ARENA_MAX ((size_t)256 << 20)
#define CLOSE_NS (2 * NS_PER_S)

static int open_store(struct people *people, struct err *err)
{
    const struct config_keep *keep = &people->config->keep;
    struct store_settings settings = {
        .location = keep->store, .history_ns = keep->history_ns, .migrate = true};
    char path[PATH_MAX];
    if (keep->store && !*keep->store)
        return err_set(err, ERR_INVALID,
                       "store: none: without a store there are no users and tokens of it; who may "
                       "ask stands in the token file");
    int r = keep->store ? 0 : store_default_path(path, sizeof path, err);
    if (r)
        return r;
    if (!keep->store)
        settings.location = path;
    return store_open(&settings, &people->store, err);
}

int people_open(const struct cli *cli, struct people *people)
{
    *people = (struct people){0};
    arena_init(&people->arena, ARENA_MAX, NULL);
    struct config_mistake *mistakes = mem_alloc_array(CONFIG_MAX_MISTAKES, sizeof *mistakes);
    struct err err = {0};
    size_t n = 0;
    if (!mistakes)
        return EXIT_FAILED;
    int r = config_load(cli->config_path, &people->config, mistakes, &n, &err);
    if (!r)
        r = cli_set_log(cli, people->config, &err);
    if (!r)
        r = open_store(people, &err);
    if (r)
        cli_print_mistakes(mistakes, n, &err);
    mem_free(mistakes);
    return !r ? 0 : r == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

void people_close(struct people *people)
{
    if (people->store)
        store_close(people->store, CLOSE_NS);
    config_free(people->config);
    arena_finish(&people->arena);
}

int people_find_user(struct people *people, const char *name, struct user_row *ret_user,
                     struct err *err)
{
    int r = store_user_find(people->store, NULL, name, NULL, &people->arena, ret_user, err);
    if (r == ERR_NOT_FOUND)
        return err_set(err, r,
                       "there is no user %.80s; sonde user list shows all, sonde user add "
                       "%.80s makes one",
                       name, name);
    if (!r && account_is_built_in(ret_user))
        return err_set(err, ERR_FORBIDDEN,
                       "%s is one of sonde's own users, which nobody signs in as", name);
    return r;
}

const char *people_time(int64_t ms, const char *none, char out[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!ms || !gmtime_r(&seconds, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return none;
    return out;
}

void people_json_time(struct buf *out, const char *key, int64_t ms)
{
    char text[32];
    const char *time = people_time(ms, NULL, text);
    buf_json_key(out, key);
    if (time)
        buf_json_string(out, time, strlen(time));
    else
        buf_add(out, "null");
}
