/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "service/database.h"

static const char *iso(int64_t ms, char text[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm time;
    if (!ms || !gmtime_r(&seconds, &time) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &time))
        return "-";
    return text;
}

static void print_status(const struct database *database)
{
    const struct store_facts *facts = &database->facts;
    char text[32];
    printf("database   %s\n", database->shown);
    if (database->there)
        printf("engine     %s\nsize       %.1f MiB\n", facts->engine,
               (double)facts->size / (1024.0 * 1024.0));
    else
        printf("           is not there yet; the first start makes it\n");
    printf("migrations %zu of %zu applied\n", database->migration_count - database->missing,
           database->migration_count);
    for (size_t i = 0; i < database->migration_count; i++) {
        const struct store_migration *migration = &database->migrations[i];
        printf("  %-32s %s\n", migration->name,
               migration->applied ? iso(migration->applied_ms, text) : "missing");
    }
    if (facts->table_count)
        printf("%-32s %10s   newest\n", "table", "rows");
    for (size_t i = 0; i < facts->table_count; i++)
        printf("  %-30s %10lld   %s\n", facts->tables[i].name, (long long)facts->tables[i].rows,
               iso(facts->tables[i].newest_ms, text));
}

static void put_time(struct buf *out, const char *key, int64_t ms)
{
    char text[32];
    buf_json_key(out, key);
    if (ms)
        buf_printf(out, "\"%s\"", iso(ms, text));
    else
        buf_add(out, "null");
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    buf_json_key(out, key);
    buf_json_string(out, text, strlen(text));
}

static void put_int(struct buf *out, const char *key, int64_t value)
{
    buf_json_key(out, key);
    buf_json_int(out, value);
}

static int print_json(const struct database *database, struct err *err)
{
    CLEANUP(buf_finish) struct buf out = BUF(1u << 20);
    const struct store_facts *facts = &database->facts;
    buf_add_char(&out, '{');
    put_text(&out, "database", database->shown);
    if (database->there) {
        put_text(&out, "engine", facts->engine);
        put_int(&out, "size_bytes", facts->size);
    }
    buf_json_key(&out, "migrations");
    buf_add_char(&out, '[');
    for (size_t i = 0; i < database->migration_count; i++) {
        buf_json_sep(&out);
        buf_add_char(&out, '{');
        put_text(&out, "name", database->migrations[i].name);
        put_time(&out, "applied_at", database->migrations[i].applied_ms);
        buf_add_char(&out, '}');
    }
    buf_add(&out, "]");
    buf_json_key(&out, "tables");
    buf_add_char(&out, '[');
    for (size_t i = 0; i < facts->table_count; i++) {
        buf_json_sep(&out);
        buf_add_char(&out, '{');
        put_text(&out, "name", facts->tables[i].name);
        put_int(&out, "rows", facts->tables[i].rows);
        put_time(&out, "newest_at", facts->tables[i].newest_ms);
        buf_add_char(&out, '}');
    }
    buf_add(&out, "]}\n");
    if (out.failed)
        return err_set(err, ERR_MEMORY, "out of memory");
    fputs(buf_text(&out), stdout);
    return 0;
}

/* What is missing is for the caller to mend, so a script can tell it by the status. */
static int show(const struct cli *cli, const struct config *config, struct err *err)
{
    CLEANUP(arena_finish) struct arena arena;
    struct database database;
    arena_init(&arena, 4u << 20, NULL);
    int r = database_look(config, &arena, &database, err);
    if (!r && cli->json)
        r = print_json(&database, err);
    else if (!r)
        print_status(&database);
    if (r)
        return cli_fail(EXIT_FAILED, err);
    return database.missing && database.there ? EXIT_FAILED : 0;
}

static int migrate(const struct cli *cli, const struct config *config, struct err *err)
{
    CLEANUP(arena_finish) struct arena arena;
    struct database database;
    size_t applied = 0;
    arena_init(&arena, 4u << 20, NULL);
    int r = database_look(config, &arena, &database, err);
    for (size_t i = 0; !r && i < database.migration_count; i++)
        if (!database.migrations[i].applied)
            printf("%s %s\n", cli->dry_run ? "would apply" : "applying",
                   database.migrations[i].name);
    if (!r && !cli->dry_run && database.missing)
        r = database_migrate(config, &applied, err);
    if (r)
        return cli_fail(EXIT_FAILED, err);
    if (!database.missing)
        printf("%s is up to date\n", database.shown);
    else if (!cli->dry_run)
        printf("%zu applied to %s\n", applied, database.shown);
    return 0;
}

int cmd_db(const struct cli *cli)
{
    const char *what = cli->word_count > 1 ? cli->words[1] : "status";
    bool status = str_eq(what, "status");
    struct err err = {0};
    if ((!status && !str_eq(what, "migrate")) || cli->word_count > 2) {
        cli_help("db");
        return EXIT_USAGE;
    }
    struct config_mistake *mistakes = mem_alloc_array(CONFIG_MAX_MISTAKES, sizeof *mistakes);
    CLEANUP(config_freep) struct config *config = NULL;
    size_t n = 0;
    if (!mistakes)
        return EXIT_FAILED;
    int r = config_load(cli->config_path, &config, mistakes, &n, &err);
    if (!r)
        r = cli_set_log(cli, config, &err);
    if (r)
        cli_print_mistakes(mistakes, n, &err);
    mem_free(mistakes);
    if (r)
        return EXIT_USAGE;
    return status ? show(cli, config, &err) : migrate(cli, config, &err);
}
