/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/run.h"
#include "render/render.h"

#define DEFAULT_SHOWN 20
#define PLOTTED 8 /* more lines than that can't be told apart */

struct query_run {
    const struct cli *cli;
    struct service *service;
    struct json_object *arguments;
    int64_t shown;
    struct err err;
    int result;
    bool failed;
    bool unreachable; /* and that is all that was wrong */
};

struct ranked {
    const struct answer_series *row;
    struct series_summary summary;
};

static int by_interest(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->summary.interest;
    double y = ((const struct ranked *)b)->summary.interest;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Labels of one series that are not the same in all. */
static char *name_of(const struct service_rows *rows, const struct answer_series *row)
{
    struct sonde_label varying[64];
    size_t n = 0;
    for (size_t i = 0; i < row->series->label_count && n < ARRAY_SIZE(varying); i++) {
        const struct sonde_label *label = &row->series->labels[i];
        bool same = rows->series_count > 1;
        for (size_t k = 0; same && k < rows->series_count; k++) {
            const struct series *other = rows->series[k].series;
            bool found = false;
            for (size_t j = 0; j < other->label_count && !found; j++)
                found = other->labels[j].name_size == label->name_size &&
                        other->labels[j].value_size == label->value_size &&
                        memcmp(other->labels[j].name, label->name, label->name_size) == 0 &&
                        memcmp(other->labels[j].value, label->value, label->value_size) == 0;
            same = found;
        }
        if (!same)
            varying[n++] = *label;
    }
    struct buf text = BUF(64 * 1024);
    if (row->connection)
        buf_printf(&text, "%s ", row->connection);
    render_labels(&text, n ? varying : row->series->labels, n ? n : row->series->label_count);
    return buf_steal(&text);
}

static void add_value(struct buf *text, double value, const char *unit)
{
    render_value(text, value, unit);
    buf_add_char(text, '\0');
}

/* One row a series: labels, min, avg, max, last, trend. */
static void print_table(const struct service_rows *rows, const struct ranked *ranked, char **names,
                        size_t n, const struct render_terminal *terminal)
{
    static const char *const head[] = {"SERIES", "MIN", "AVG", "MAX", "LAST", "TREND"};
    const char **cells = mem_alloc_array((n + 1) * 6, sizeof *cells);
    struct buf values = BUF(16 * 1024 * 1024);
    size_t(*at)[4] = mem_alloc_array(n, sizeof *at);
    if (!cells || !at)
        return;
    memcpy(cells, head, sizeof head);
    for (size_t i = 0; i < n; i++) {
        const struct series_summary *summary = &ranked[i].summary;
        const double numbers[4] = {summary->min, summary->avg, summary->max, summary->last};
        for (size_t k = 0; k < 4; k++) {
            at[i][k] = values.size;
            if (summary->count)
                add_value(&values, numbers[k], ranked[i].row->series->unit);
            else
                buf_add_n(&values, "-", 2);
        }
    }
    for (size_t i = 0; i < n && !values.failed; i++) {
        cells[(i + 1) * 6] = names[i];
        for (size_t k = 0; k < 4; k++)
            cells[(i + 1) * 6 + 1 + k] = values.data + at[i][k];
        cells[(i + 1) * 6 + 5] = ranked[i].summary.trend;
    }
    struct buf text = BUF(16 * 1024 * 1024);
    render_table(&text, terminal, cells, n + 1, 6, 0x1e);
    fputs(buf_text(&text), stdout);
    if (rows->series_count > n)
        printf("and %zu more series; --max-series shows more, sum by (...) makes fewer\n",
               rows->series_count - n);
    buf_finish(&text);
    buf_finish(&values);
    mem_free(at);
    mem_free(cells);
}

static void print_plot(const struct service_rows *rows, const struct ranked *ranked, char **names,
                       size_t n, const struct render_terminal *terminal)
{
    const struct series *series[PLOTTED];
    const char *labels[PLOTTED];
    for (size_t i = 0; i < n; i++) {
        series[i] = ranked[i].row->series;
        labels[i] = names[i];
    }
    struct buf text = BUF(4 * 1024 * 1024);
    render_plot(&text, terminal, series, labels, n, rows->window, rows->zone, NULL, 0);
    fputs(buf_text(&text), stdout);
    buf_finish(&text);
}

static void print_csv(const struct service_rows *rows)
{
    const struct series **series = mem_alloc_array(rows->series_count, sizeof *series);
    if (!series)
        return;
    for (size_t i = 0; i < rows->series_count; i++)
        series[i] = rows->series[i].series;
    struct buf text = BUF(256u * 1024 * 1024);
    render_csv(&text, series, rows->series_count, rows->zone);
    fputs(buf_text(&text), stdout);
    buf_finish(&text);
    mem_free(series);
}

static void print_rest(const struct service_rows *rows)
{
    const struct envelope *envelope = &rows->envelope;
    for (size_t i = 0; i < envelope->connection_count; i++)
        if (envelope->connections[i].error)
            fprintf(stderr, "sonde: %s: %s\n", envelope->connections[i].name,
                    envelope->connections[i].error);
    for (size_t i = 0; i < envelope->note_count; i++)
        fprintf(stderr, "note: %s\n", envelope->notes[i]);
    for (size_t i = 0; i < envelope->not_asked_count; i++)
        fprintf(stderr, "%s%s%s", i ? ", " : "not asked: ", envelope->not_asked[i],
                i + 1 == envelope->not_asked_count ? " (-c all asks every connection)\n" : "");
}

static void print_series(const struct query_run *run, const struct service_rows *rows)
{
    struct ranked *ranked = mem_alloc_array(rows->series_count, sizeof *ranked);
    struct render_terminal terminal;
    render_terminal_detect(STDOUT_FILENO, &terminal);
    size_t most = 0;
    if (!ranked)
        return;
    for (size_t i = 0; i < rows->series_count; i++) {
        ranked[i].row = &rows->series[i];
        series_summarise(rows->series[i].series, &ranked[i].summary);
        if (rows->series[i].series->sample_count > most)
            most = rows->series[i].series->sample_count;
    }
    qsort(ranked, rows->series_count, sizeof *ranked, by_interest);
    size_t n = rows->series_count < (size_t)run->shown ? rows->series_count : (size_t)run->shown;
    char **names = mem_alloc_array(n, sizeof *names);
    bool whole = names != NULL;
    for (size_t i = 0; whole && i < n; i++) {
        names[i] = name_of(rows, ranked[i].row);
        whole = names[i] != NULL;
    }
    if (whole && most > 1 && !run->cli->table)
        print_plot(rows, ranked, names, n < PLOTTED ? n : PLOTTED, &terminal);
    if (whole)
        print_table(rows, ranked, names, n, &terminal);
    for (size_t i = 0; names && i < n; i++)
        mem_free(names[i]);
    mem_free(names);
    mem_free(ranked);
}

static void use_rows(void *user, const struct service_rows *rows)
{
    struct query_run *run = user;
    run->failed = run->unreachable = rows->failed;
    for (size_t i = 0; i < rows->envelope.connection_count; i++)
        if (!str_eq(rows->envelope.connections[i].error_class, "unreachable"))
            run->unreachable = false;
    if (run->cli->csv)
        print_csv(rows);
    else if (rows->series_count)
        print_series(run, rows);
    else if (!rows->failed)
        fputs("no series matched\n", stdout);
    fflush(stdout);
    print_rest(rows);
}

static void run_query(struct call *call, void *argument)
{
    struct query_run *run = argument;
    run->result = service_query(run->service, call, run->arguments, use_rows, run, &run->err);
}

static struct json_object *query_arguments(const struct cli *cli, struct err *err)
{
    struct json_object *arguments = cli_arguments(cli, err);
    if (!arguments)
        return NULL;
    json_object_object_add(arguments, "query", json_object_new_string(cli->words[1]));
    if (cli->step)
        json_object_object_add(arguments, "step", json_object_new_string(cli->step));
    if (cli->max_series && cli->json)
        json_object_object_add(arguments, "max_series", json_object_new_string(cli->max_series));
    return arguments;
}

int cmd_query(const struct cli *cli)
{
    struct query_run run = {.cli = cli, .shown = DEFAULT_SHOWN};
    if (cli->word_count != 2) {
        err_set(&run.err, ERR_INVALID,
                cli->word_count < 2 ? "query wants a query: sonde query 'up'"
                                    : "query wants one word: quote it, sonde query 'a + b'");
        return cli_fail(EXIT_USAGE, &run.err);
    }
    if (cli->max_series && str_to_int(cli->max_series, 1, 100000, &run.shown)) {
        err_set(&run.err, ERR_INVALID, "--max-series %s: a whole number from 1 to 100000",
                cli->max_series);
        return cli_fail(EXIT_USAGE, &run.err);
    }
    run.arguments = query_arguments(cli, &run.err);
    if (!run.arguments)
        return cli_fail(EXIT_USAGE, &run.err);
    if (cli->json)
        return cli_run_tool(cli, "query_metrics", run.arguments);
    int status = cli_open(cli, &run.service);
    if (!status) {
        status = cli_run(run.service, run_query, &run);
        if (!status && run.result)
            status = cli_fail(EXIT_FAILED, &run.err);
        else if (!status && run.failed)
            status = run.unreachable ? EXIT_UNREACHABLE : EXIT_FAILED;
        service_destroy(run.service, 0);
    }
    json_object_put(run.arguments);
    return status;
}

int cmd_metrics(const struct cli *cli)
{
    struct err err = {0};
    struct json_object *arguments = cli_arguments(cli, &err);
    if (!arguments)
        return cli_fail(EXIT_USAGE, &err);
    if (cli->word_count > 1)
        json_object_object_add(arguments, "match", json_object_new_string(cli->words[1]));
    json_object_object_add(arguments, "max_tokens", json_object_new_int(25000));
    return cli_run_tool(cli, "list_metrics", arguments);
}
