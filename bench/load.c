/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load: asks one server as fast as it answers, with N requests in flight, and says how long each took. One thread, poll. It is told
 * what to do line by line on standard input and answers each with a line of JSON, so that a script can take turns between several servers
 * that all stay up.
 *
 *   load stdio COMMAND...   starts an MCP server and speaks JSON-RPC lines with it; prints its pid first
 *   load post URL           POSTs JSON-RPC to URL, a connection for each request in flight
 *   load get URL            GETs paths below URL: the backend without anything before it
 *   load start COMMAND...   milliseconds from starting the server to its answer to initialize
 *
 * Lines, fields parted by tabs; @N@ in a template becomes a number that never comes twice, @F@ one of a few that come again and again:
 *   header TEXT             a header line for every further request over HTTP
 *   note JSON               sends without waiting for an answer
 *   ask TEMPLATE            one request; prints the answer itself
 *   run N LENGTH TEMPLATE [BIG_N BIG_TEMPLATE]
 *                           N in flight for LENGTH milliseconds, or for LENGTH calls when it is written #LENGTH; beside them BIG_N of the
 *                           other template, counted apart
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void usage(void)
{
    fprintf(stderr, "usage: load stdio COMMAND... | post URL | get URL | start COMMAND...\n");
    exit(2);
}

static char *field(char **rest)
{
    return strsep(rest, "\t");
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, struct times *times)
{
    qsort(times->ms, times->count, sizeof *times->ms, compare);
    size_t n = times->count;
    printf("\"%s\":{\"count\":%zu,\"errors\":%zu,\"bytes\":%zu", name, n, times->errors,
           times->bytes);
    if (n)
        printf(",\"p50\":%.4f,\"p99\":%.4f,\"max\":%.4f", (double)times->ms[n / 2],
               (double)times->ms[n * 99 / 100], (double)times->ms[n - 1]);
    printf("}");
}

static void run(struct load *load, char *rest)
{
    const char *in_flight = field(&rest);
    const char *length = field(&rest);
    struct work work = {.template = {field(&rest)}};
    const char *big = field(&rest);
    work.template[1] = field(&rest);
    work.lanes[0] = in_flight ? (size_t)atol(in_flight) : 0;
    work.lanes[1] = big && work.template[1] ? (size_t)atol(big) : 0;
    if (!work.template[0] || !work.lanes[0] || work.lanes[0] + work.lanes[1] > LOAD_LANES)
        load_fail("run N LENGTH TEMPLATE [BIG_N BIG_TEMPLATE]");
    if (length[0] == '#')
        work.max_calls = (size_t)atol(length + 1);
    else
        work.seconds = atof(length) / 1000;
    double took = load_run(load, &work);
    printf("{\"seconds\":%.6f,", took);
    print_times("small", &work.times[0]);
    printf(",");
    print_times("big", &work.times[1]);
    printf("}\n");
    free(work.times[0].ms);
    free(work.times[1].ms);
}

static void ask(struct load *load, const char *template)
{
    struct work work = {.template = {template}, .lanes = {1}, .max_calls = 1, .keep = true};
    load_run(load, &work);
    fwrite(load->kept.data, 1, load->kept.size, stdout);
    printf("\n");
    load->kept.size = 0;
    free(work.times[0].ms);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        usage();
    struct load load = {0};
    if (strcmp(argv[1], "start") == 0) {
        printf("%.3f\n", load_start(argv + 2));
        return 0;
    }
    if (strcmp(argv[1], "stdio") == 0) {
        load.how = LOAD_STDIO;
        load_spawn(&load, argv + 2);
        printf("%ld\n", (long)load.child);
    } else if (strcmp(argv[1], "post") == 0 || strcmp(argv[1], "get") == 0) {
        load.how = argv[1][0] == 'p' ? LOAD_POST : LOAD_GET;
        load_url(&load, argv[2]);
        printf("0\n");
    } else {
        usage();
    }
    fflush(stdout);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    while ((n = getline(&line, &capacity, stdin)) > 0) {
        char *rest = line;
        rest[n - 1] = rest[n - 1] == '\n' ? '\0' : rest[n - 1];
        const char *command = field(&rest);
        if (!rest)
            load_fail("a command without its fields");
        if (strcmp(command, "run") == 0)
            run(&load, rest);
        else if (strcmp(command, "ask") == 0)
            ask(&load, rest);
        else if (strcmp(command, "note") == 0)
            load_note(&load, rest);
        else if (strcmp(command, "header") == 0)
            load_header(&load, rest);
        else
            load_fail("no such command");
        fflush(stdout);
    }
    free(line);
    load_end(&load);
    return 0;
}
