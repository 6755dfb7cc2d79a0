/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/process.h"
#include "base/str.h"
#include "service/keep.h"
#include "service/keys.h"

#define STATUS_MEMORY ((size_t)4 << 20)

/* Store and ring as the configuration says; prints what is wrong. 0 or an exit code. */
static int open_kept(const struct cli *cli, struct kept *ret_kept)
{
    struct config_mistake *mistakes = mem_alloc_array(CONFIG_MAX_MISTAKES, sizeof *mistakes);
    struct config *config = NULL;
    struct err err = {0};
    size_t n = 0;
    if (!mistakes)
        return EXIT_FAILED;
    process_forbid_dumps();
    int r = config_load(cli->config_path, &config, mistakes, &n, &err);
    if (!r)
        r = cli_set_log(cli, config, &err);
    if (!r)
        r = kept_open(config, KEEP_ALWAYS, ret_kept, &err);
    if (!r && !ret_kept->store)
        r = err_set(&err, ERR_INVALID,
                    "nothing is stored (store: none), so there are no keys to look after");
    if (r)
        cli_print_mistakes(mistakes, n, &err);
    config_free(config);
    mem_free(mistakes);
    return r ? EXIT_USAGE : 0;
}

static const char *state_of(const struct keys_key *key)
{
    if (key->active)
        return "active";
    if (!key->in_ring)
        return "missing";
    return key->may_go ? "unused" : "opens";
}

static void print_status(const struct kept *kept, const struct keys_status *status)
{
    printf("store  %s\nring   %s\n\n", store_shown(kept->store), keyring_shown(kept->keyring));
    printf("%-32s %-8s %11s %9s\n", "key", "state", "connections", "processes");
    for (size_t i = 0; i < status->key_count; i++) {
        const struct keys_key *key = &status->keys[i];
        printf("%-32s %-8s %11zu %6zu/%zu%s\n", key->id, state_of(key), key->connections,
               key->holders, status->replica_count, key->canary ? "  (and the check)" : "");
    }
    for (size_t i = 0; i < status->replica_count; i++) {
        const struct keys_replica *replica = &status->replicas[i];
        printf("%sprocess %s on %s, heard of %lld s ago, holds %s\n", i ? "" : "\n", replica->id,
               *replica->host ? replica->host : "?", (long long)(replica->seen_ms_ago / 1000),
               replica->keys);
    }
}

/* One sentence a thing to do. */
static void print_advice(const struct keys_status *status)
{
    const char *active = status->keys[0].id;
    bool to_move = false;
    printf("\n");
    for (size_t i = 0; i < status->replica_count; i++) {
        const struct keys_replica *replica = &status->replicas[i];
        if (!replica->has_active)
            printf("%s on %s does not hold %s: give it the line and reload it.\n", replica->id,
                   replica->host, active);
        else if (!replica->same_active)
            printf(
                "%s on %s still seals with another key: put %s first in its ring and reload it.\n",
                replica->id, replica->host, active);
    }
    for (size_t i = 1; i < status->key_count; i++) {
        const struct keys_key *key = &status->keys[i];
        if (key->may_go)
            printf(
                "Nothing is under %s: its line may be taken out of every ring; or, to seal with it "
                "from now on, be put first in every one.\n",
                key->id);
        if (!key->in_ring && (key->connections || key->canary))
            printf("%s is missing in the ring: what is under it cannot be read until its line is "
                   "back.\n",
                   key->id);
        to_move |= key->in_ring && (key->connections || key->canary);
    }
    if (status->unreadable)
        printf("%zu connections hold damaged secrets: give them new ones.\n", status->unreadable);
    if (to_move)
        printf("To put everything under %s: sonde key rotate\n", active);
    else if (status->key_count == 1)
        printf("Everything is under %s.\n", active);
}

static void write_json(struct buf *out, const struct keys_status *status)
{
    buf_add(out, "{\"keys\":[");
    for (size_t i = 0; i < status->key_count; i++) {
        const struct keys_key *key = &status->keys[i];
        buf_json_sep(out);
        buf_printf(out,
                   "{\"id\":\"%s\",\"active\":%s,\"in_ring\":%s,\"connections\":%zu,\"check\":%s,"
                   "\"processes\":%zu,\"may_go\":%s}",
                   key->id, key->active ? "true" : "false", key->in_ring ? "true" : "false",
                   key->connections, key->canary ? "true" : "false", key->holders,
                   key->may_go ? "true" : "false");
    }
    buf_add(out, "],\"processes\":[");
    for (size_t i = 0; i < status->replica_count; i++) {
        const struct keys_replica *replica = &status->replicas[i];
        buf_json_sep(out);
        buf_add(out, "{");
        buf_json_key(out, "id");
        buf_json_string(out, replica->id, strlen(replica->id));
        buf_json_key(out, "host");
        buf_json_string(out, replica->host, strlen(replica->host));
        buf_json_key(out, "keys");
        buf_json_string(out, replica->keys, strlen(replica->keys));
        buf_printf(out, ",\"seen_ms_ago\":%lld,\"has_active\":%s,\"same_active\":%s}",
                   (long long)replica->seen_ms_ago, replica->has_active ? "true" : "false",
                   replica->same_active ? "true" : "false");
    }
    buf_printf(out, "],\"connections\":%zu,\"unreadable\":%zu}\n", status->connections,
               status->unreadable);
}

static int show_status(const struct cli *cli, const struct kept *kept)
{
    struct keys_status status;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, STATUS_MEMORY, NULL);
    int r = keys_status(kept->store, kept->keyring, &arena, &status, &err);
    if (!r && cli->json) {
        struct buf text = BUF(STATUS_MEMORY);
        write_json(&text, &status);
        fputs(buf_text(&text), stdout);
        buf_finish(&text);
    } else if (!r) {
        print_status(kept, &status);
        print_advice(&status);
    }
    arena_finish(&arena);
    return r ? cli_fail(EXIT_FAILED, &err) : 0;
}

static void say(void *user, const struct keys_rotation *so_far)
{
    (void)user;
    printf("%zu connections looked at, %zu put under the new key\n", so_far->seen, so_far->moved);
    fflush(stdout);
}

static int rotate(const struct kept *kept)
{
    struct keys_rotation rotation;
    struct err err = {0};
    if (keys_rotate(kept->store, kept->keyring, say, NULL, &rotation, &err))
        return cli_fail(EXIT_FAILED, &err);
    printf("done%s; `sonde key status` says which line may go\n",
           rotation.moved || rotation.canary ? "" : ": there was nothing to do");
    return 0;
}

int cmd_key(const struct cli *cli)
{
    const char *what = cli->word_count > 1 ? cli->words[1] : "status";
    bool status = str_eq(what, "status");
    if (cli->word_count > 2 || (!status && !str_eq(what, "rotate"))) {
        cli_help("key");
        return EXIT_USAGE;
    }
    struct kept kept = {0};
    int r = open_kept(cli, &kept);
    if (!r)
        r = status ? show_status(cli, &kept) : rotate(&kept);
    kept_finish(&kept, 0);
    return r;
}
