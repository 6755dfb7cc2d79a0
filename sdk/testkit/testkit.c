/* SPDX-License-Identifier: Apache-2.0 */
#include <sonde/testkit.h>

#include "run.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FEED_REQUESTS 16u
#define FEED_CANCEL 64u
#define FIXTURE_DEPTH 3

static const struct kit_manner MANNERS[] = {{.chunk = 0},   {.chunk = 1}, {.chunk = 2},
                                            {.chunk = 3},   {.chunk = 7}, {.chunk = 64},
                                            {.chunk = 4096}};

struct session {
    const struct sonde_plugin *table;
    int updates;
    unsigned passed;
    unsigned failed;
};

static const struct sonde_plugin *call_entry(sonde_entry_fn entry)
{
    char error[256] = "";
    const struct sonde_plugin *table = entry(&KIT_HOST, error, sizeof(error));
    if (!table)
        kit_die("the entry failed: %.*s", (int)sizeof(error) - 1, error);
    kit_check_table(table);
    return table;
}

static int exists(const char *folder, const char *name)
{
    struct kit_pool pool = {0};
    struct stat info;
    const int found = stat(kit_format(&pool, "%s/%s", folder, name), &info) == 0;
    kit_pool_free(&pool);
    return found;
}

static void show(const char *fixture, const char *manner, const char *text)
{
    fprintf(stderr, "FAIL: %s%s\n%s\n", fixture, manner, text);
}

static void write_want(const char *path, const struct kit_text *text)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        kit_die("%s: %s", path, strerror(errno));
    const size_t written = fwrite(text->data, 1, text->size, file);
    if (fclose(file) || written != text->size)
        kit_die("%s: could not be written", path);
    printf("wrote %s\n", path);
}

static int compare(const char *got_text, size_t got_size, const char *want_text, size_t want_size,
                   const char *path, struct kit_text *ret_difference)
{
    struct kit_pool pool = {0};
    const struct kit_node *got = kit_tree_parse(&pool, "the result", got_text, got_size);
    const struct kit_node *want = kit_tree_parse(&pool, path, want_text, want_size);
    const int same = kit_tree_equal(got, want, "", ret_difference);
    kit_pool_free(&pool);
    return same;
}

/* The first run against want.json. */
static int check_want(const struct session *session, const char *folder, const struct kit_text *got)
{
    struct kit_pool pool = {0};
    struct kit_text difference = {0};
    const char *path = kit_format(&pool, "%s/want.json", folder);
    int ok = 1;
    if (session->updates) {
        write_want(path, got);
    } else {
        size_t size;
        const char *want = kit_read_file(&pool, path, &size);
        ok = compare(got->data, got->size, want, size, path, &difference);
    }
    if (!ok)
        show(folder, "", difference.data);
    kit_text_free(&difference);
    kit_pool_free(&pool);
    return ok;
}

/* A further run must give what the first gave. */
static int check_again(const struct kit_run *run, const char *folder, const struct kit_text *first)
{
    struct kit_text again = {0};
    struct kit_text difference = {0};
    char manner[64];
    kit_run_write(run, &again);
    snprintf(manner, sizeof(manner), " in chunks of %zu bytes (against the answers whole)",
             run->manner.chunk);
    const int same =
        compare(again.data, again.size, first->data, first->size, "the first result", &difference);
    if (!same)
        show(folder, manner, difference.data);
    kit_text_free(&again);
    kit_text_free(&difference);
    return same;
}

static int is_clean(const struct kit_run *run, const char *folder)
{
    if (run->record.problems.size)
        show(folder, "", run->record.problems.data);
    return run->record.problems.size == 0;
}

/* The same rows, whatever order they come in, when answers in flight together come in turns. */
static int check_interleaved(const struct session *session, struct kit_fixture *fixture,
                             const struct kit_run *first)
{
    struct kit_run run;
    struct kit_text got = {0};
    struct kit_text want = {0};
    kit_run(&run, session->table, fixture, (struct kit_manner){.chunk = 7, .interleaved = 1});
    int ok = is_clean(&run, fixture->name);
    kit_record_sorted(&run.record, &got);
    kit_record_sorted(&first->record, &want);
    if (ok && (run.result != first->result || got.size != want.size ||
               (got.size && memcmp(got.data, want.data, got.size) != 0))) {
        show(fixture->name, " with its answers in turns", "gives other rows:");
        fprintf(stderr, "%s-- instead of\n%s\n", got.data ? got.data : "",
                want.data ? want.data : "");
        ok = 0;
    }
    kit_text_free(&got);
    kit_text_free(&want);
    kit_run_free(&run);
    return ok;
}

static void run_fixture(struct session *session, const char *folder)
{
    struct kit_fixture fixture;
    struct kit_run first;
    struct kit_text text = {0};
    kit_fixture_read(&fixture, folder);
    kit_run(&first, session->table, &fixture, MANNERS[0]);
    kit_run_write(&first, &text);
    int ok = is_clean(&first, folder) && check_want(session, folder, &text);
    for (size_t i = 1; ok && i < sizeof(MANNERS) / sizeof(MANNERS[0]); i++) {
        struct kit_run run;
        kit_run(&run, session->table, &fixture, MANNERS[i]);
        ok = is_clean(&run, folder) && check_again(&run, folder, &text);
        kit_run_free(&run);
    }
    const int is_steady = !fixture.stop_after && !fixture.cancel.after_requests &&
                          !fixture.cancel.in_answer && first.result == SONDE_DONE;
    if (ok && is_steady && first.most_in_flight > 1)
        ok = check_interleaved(session, &fixture, &first);
    session->passed += ok ? 1u : 0u;
    session->failed += ok ? 0u : 1u;
    printf("%s: %s\n", ok ? "ok" : "FAILED", folder);
    kit_text_free(&text);
    kit_run_free(&first);
    kit_fixture_free(&fixture);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_folder(struct session *session, const char *folder, int depth)
{
    if (exists(folder, "query.json")) {
        run_fixture(session, folder);
        return;
    }
    struct dirent **entries;
    const int n = scandir(folder, &entries, is_visible, alphasort);
    if (n < 0)
        kit_die("%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        struct kit_pool pool = {0};
        struct stat info;
        const char *path = kit_format(&pool, "%s/%s", folder, entries[i]->d_name);
        if (depth > 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
            run_folder(session, path, depth - 1);
        kit_pool_free(&pool);
        free(entries[i]);
    }
    free(entries);
}

int sonde_testkit_main(int argc, char **argv, sonde_entry_fn entry)
{
    struct session session = {.table = call_entry(entry)};
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--update") == 0)
            session.updates = 1;
        else
            run_folder(&session, argv[i], FIXTURE_DEPTH);
    }
    if (session.passed + session.failed == 0) {
        fprintf(stderr, "usage: %s [--update] FOLDER...\nA fixture is a folder with query.json.\n",
                argc > 0 ? argv[0] : "runner");
        return 1;
    }
    return session.failed ? 1 : 0;
}

/* A query of the kind with something in every member that a kind may look at. */
static void fill_query(struct sonde_query *query, uint32_t kind, const char *native)
{
    static const char *const ids[] = {"0af7651916cd43dd8448eb211c80319c"};
    static const char *const by[] = {"service"};
    static const char *const values[] = {"checkout"};
    static const struct sonde_label labels[] = {{"service", 7, "checkout", 8}};
    static const struct sonde_filter filter = {.struct_size = sizeof(filter),
                                               .op = SONDE_OP_EQ,
                                               .logical = "service",
                                               .native = "service",
                                               .values = values,
                                               .value_count = 1};
    static const struct sonde_filter *const filters[] = {&filter};
    static const struct sonde_operand operand = {.struct_size = sizeof(operand), .metric = "up"};
    static const struct sonde_operand *const operands[] = {&operand};
    static const struct sonde_anchor anchor = {.struct_size = sizeof(anchor),
                                               .time_ns = INT64_C(1767222000000000000),
                                               .ref = "1",
                                               .ref_size = 1,
                                               .labels = labels,
                                               .label_count = 1};
    static const struct sonde_anchor *const anchors[] = {&anchor};
    *query = (struct sonde_query){.struct_size = sizeof(*query),
                                  .kind = kind,
                                  .start_ns = INT64_C(1767222000000000000),
                                  .end_ns = INT64_C(1767225600000000000),
                                  .step_ns = INT64_C(15000000000),
                                  .deadline_ms = 30000,
                                  .before = 5,
                                  .after = 5,
                                  .scope = "",
                                  .name = "",
                                  .native = native ? native : "",
                                  .filters = filters,
                                  .filter_count = 1,
                                  .ids = ids,
                                  .id_count = 1,
                                  .by = by,
                                  .by_count = 1,
                                  .anchors = anchors,
                                  .anchor_count = 1,
                                  .resume = ""};
    query->native_size = strlen(query->native);
    query->operands = query->native_size ? NULL : operands;
    query->operand_count = query->native_size ? 0 : 1;
}

static void fill_params(struct kit_fixture *fixture, const struct sonde_plugin *table)
{
    fixture->params = kit_alloc(&fixture->pool, table->param_count * sizeof(*fixture->params));
    for (size_t i = 0; i < table->param_count; i++) {
        const struct sonde_param *param = table->params[i];
        if (!(param->flags & SONDE_PARAM_REQUIRED))
            continue;
        fixture->params[fixture->param_count].key = param->key;
        fixture->params[fixture->param_count++].value = param->def ? param->def
                                                        : param->type == SONDE_PARAM_BOOLEAN
                                                            ? "true"
                                                        : param->type == SONDE_PARAM_INTEGER  ? "1"
                                                        : param->type == SONDE_PARAM_DURATION ? "1s"
                                                                                              : "x";
    }
}

int32_t sonde_testkit_feed(sonde_entry_fn entry, uint32_t kind, const char *native, uint32_t status,
                           const void *body, size_t size, size_t chunk)
{
    const struct sonde_plugin *table = call_entry(entry);
    struct kit_answer answers[] = {
        {.status = status, .has_head = 1, .times = FEED_REQUESTS, .body = body, .body_size = size},
        {.outcome = SONDE_OUTCOME_LOST}};
    struct kit_fixture fixture = {.name = "feed",
                                  .url = "http://backend.test",
                                  .ui_kind = "",
                                  .ui_param = "",
                                  .now_ns = INT64_C(1767225600000000000),
                                  .cancel = {.after_requests = FEED_CANCEL},
                                  .answers = answers,
                                  .answer_count = 2};
    struct kit_run run;
    fill_query(&fixture.query, kind, native);
    fill_params(&fixture, table);
    kit_run(&run, table, &fixture, (struct kit_manner){.chunk = chunk, .counts_only = 1});
    const int32_t result = run.result;
    if (run.record.problems.size) {
        fputs(run.record.problems.data, stderr);
        abort();
    }
    kit_run_free(&run);
    kit_fixture_free(&fixture);
    return result;
}
