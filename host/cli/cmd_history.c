/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "render/render.h"
#include "service/manage.h"

#define OUT_MAX ((size_t)64 << 20)
#define COLUMNS 6
#define DEFAULT_LIMIT 20

static const char *text_of(struct json_object *row, const char *key)
{
    const char *text = json_string_of(row, key);
    return text ? text : "";
}

/* What a person reads of one row: when, where, how long, how much, what. Texts live in the arena. */
static void fill_cells(const char **cells, struct json_object *row, struct arena *arena)
{
    struct json_object *took = json_member(row, "execution_time_ms");
    struct json_object *count = json_member(row, "result_count");
    const char *error = text_of(row, "error_message");
    const char *cached = json_object_get_boolean(json_member(row, "was_cached")) ? "cached" : NULL;
    struct buf shown = BUF(4096);
    const char *what = *error ? error : text_of(row, "query_text");
    buf_add_shown(&shown, what, strlen(what), true);
    cells[0] = arena_strndup(arena, text_of(row, "queried_at"), 19);
    cells[1] = text_of(row, "tool");
    cells[2] = text_of(row, "connection_name");
    cells[3] = cached ? cached : arena_printf(arena, "%s ms", json_object_get_string(took));
    cells[4] = *error ? "error" : json_object_get_string(count);
    cells[5] = arena_strdup(arena, buf_text(&shown));
    buf_finish(&shown);
}

static int print_table(const char *json, size_t size, struct err *err)
{
    CLEANUP(json_putp) struct json_object *page = NULL;
    int r = json_parse(json, size, 64, &page, err);
    if (r)
        return r;
    struct json_object *rows = json_member(page, "queries");
    size_t n = json_object_array_length(rows);
    const char *next = json_string_of(page, "next_cursor");
    struct arena arena;
    arena_init(&arena, (size_t)16 << 20, NULL);
    const char **cells = arena_alloc_array(&arena, (n + 1) * COLUMNS, sizeof *cells);
    if (cells) {
        static const char *const head[COLUMNS] = {"time (UTC)", "tool", "connection",
                                                  "took",       "rows", "query or error"};
        memcpy(cells, head, sizeof head);
        for (size_t i = 0; i < n; i++)
            fill_cells(&cells[(i + 1) * COLUMNS], json_object_array_get_idx(rows, i), &arena);
    }
    if (!cells || arena.failed) {
        arena_finish(&arena);
        return err_set(err, ERR_MEMORY, "no memory for the table");
    }
    struct render_terminal terminal;
    struct buf text = BUF(OUT_MAX);
    render_terminal_detect(STDOUT_FILENO, &terminal);
    render_table(&text, &terminal, cells, n + 1, COLUMNS, 0x18);
    fputs(n ? buf_text(&text) : "nothing was asked that fits\n", stdout);
    if (next)
        printf("older ones: --cursor %s\n", next);
    buf_finish(&text);
    arena_finish(&arena);
    return 0;
}

static int read_limit(const struct cli *cli, size_t *ret_limit, struct err *err)
{
    int64_t limit = DEFAULT_LIMIT;
    if (cli->limit && str_to_int(cli->limit, 1, 200, &limit))
        return err_set(err, ERR_INVALID, "--limit %s: a whole number from 1 to 200", cli->limit);
    if (cli->word_count > 2)
        return err_set(err, ERR_INVALID, "history takes one word, the id of a query");
    *ret_limit = (size_t)limit;
    return 0;
}

static int show(const struct cli *cli, struct service *service, size_t limit, struct buf *out,
                struct err *err)
{
    struct principal principal = cli_principal();
    if (cli->word_count == 2)
        return manage_history_show(service, &principal, cli->words[1], out, err);
    struct manage_history_filter filter = {.session_id = cli->session,
                                           .tool = cli->tool,
                                           .status = cli->status,
                                           .from = cli->since ? cli->since : cli->start,
                                           .to = cli->end,
                                           .cursor = cli->cursor,
                                           .limit = limit};
    return manage_history(service, &principal, &filter, out, err);
}

int cmd_history(const struct cli *cli)
{
    struct service *service = NULL;
    struct err err = {0};
    size_t limit = DEFAULT_LIMIT;
    if (read_limit(cli, &limit, &err))
        return cli_fail(EXIT_USAGE, &err);
    int status = cli_open(cli, &service);
    if (status)
        return status;
    struct buf out = BUF(OUT_MAX);
    int r = show(cli, service, limit, &out, &err);
    if (!r && (cli->json || cli->word_count == 2))
        printf("%s\n", buf_text(&out));
    else if (!r)
        r = print_table(buf_text(&out), out.size, &err);
    if (r)
        status = cli_fail(r == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED, &err);
    buf_finish(&out);
    service_destroy(service, 0);
    return status;
}
