/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one file a command, one parser of options.
 *
 * Ownership: argv's strings outlive everything. Threads: main thread only.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "service/service.h"

/* Exit codes, as sonde(1) lists them. */
#define EXIT_FAILED 1      /* the question was understood, the answer is an error */
#define EXIT_USAGE 2       /* the command line or the configuration is wrong */
#define EXIT_UNREACHABLE 4 /* no backend could be asked */

#define CLI_MAX_REPEATS 64

/* What any command may be given. */
struct cli {
    const char *config_path;
    const char *connections[CLI_MAX_REPEATS];
    size_t connection_count;
    const char *plugin_paths[CLI_MAX_REPEATS];
    size_t plugin_path_count;
    const char *files;
    const char *log_level;
    const char *select; /* -c */
    const char *since;
    const char *start;
    const char *end;
    const char *timezone;
    const char *step;
    const char *filters[CLI_MAX_REPEATS];
    size_t filter_count;
    const char *max_series;
    const char *session;
    const char *tool;
    const char *status;
    const char *limit;
    const char *cursor;
    const char *seed;
    const char *listen;
    const char *token_file;
    const char *grace;
    bool check;
    bool dry_run;
    bool json;
    bool csv;
    bool table;
    bool help;
    bool version;
    const char *words[CLI_MAX_REPEATS]; /* what is no option */
    size_t word_count;
};

/* 0, or ERR_INVALID with the nearest option named. */
int cli_parse(int argc, char **argv, struct cli *ret_cli, struct err *err);
/* Prints "sonde: ..." with what to do next, to standard error; returns exit_code. */
int cli_fail(int exit_code, const struct err *err);
void cli_help(const char *command);
/* Configuration and service as the options say; prints every mistake. 0 or an exit code. */
int cli_open(const struct cli *cli, struct service **ret_service);

/* The parts of it. timezone: where --timezone is left out. */
int cli_set_log(const struct cli *cli, const struct config *config, struct err *err);
struct service_options cli_service_options(const struct cli *cli, const char *zone);
/* All mistakes, or err where there are none. */
void cli_print_mistakes(const struct config_mistake *mistakes, size_t n, const struct err *err);

int cli_main(int argc, char **argv);
int cmd_serve(const struct cli *cli);
int cmd_mcp(const struct cli *cli);
int cmd_query(const struct cli *cli);
int cmd_metrics(const struct cli *cli);
int cmd_plugin(const struct cli *cli);
int cmd_connection(const struct cli *cli);
int cmd_history(const struct cli *cli);
int cmd_db(const struct cli *cli);
int cmd_demo(const struct cli *cli, const char *program);

#endif
