/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/cli.h"

#include <stdio.h>

#include "base/str.h"

static int version(void)
{
    printf("sonde %s, plugin ABI %s\n%s\n", PACKAGE_VERSION, SONDE_ABI_STATUS, service_versions());
    return 0;
}

int cli_main(int argc, char **argv)
{
    static const char *const commands[] = {"serve",  "mcp",        "query",   "metrics",
                                           "plugin", "connection", "history", "db",
                                           "demo",   "help",       "version"};
    struct cli cli;
    struct err err = {0};
    if (cli_parse(argc, argv, &cli, &err))
        return cli_fail(EXIT_USAGE, &err);
    if (cli.version)
        return version();
    const char *command = cli.word_count ? cli.words[0] : NULL;
    if (!command || cli.help) {
        cli_help(command);
        return command || cli.help ? 0 : EXIT_USAGE;
    }
    if (str_eq(command, "serve"))
        return cmd_serve(&cli);
    if (str_eq(command, "mcp"))
        return cmd_mcp(&cli);
    if (str_eq(command, "query"))
        return cmd_query(&cli);
    if (str_eq(command, "metrics"))
        return cmd_metrics(&cli);
    if (str_eq(command, "plugin"))
        return cmd_plugin(&cli);
    if (str_eq(command, "connection"))
        return cmd_connection(&cli);
    if (str_eq(command, "history"))
        return cmd_history(&cli);
    if (str_eq(command, "db"))
        return cmd_db(&cli);
    if (str_eq(command, "demo"))
        return cmd_demo(&cli, argv[0]);
    if (str_eq(command, "version"))
        return version();
    if (str_eq(command, "help")) {
        cli_help(cli.word_count > 1 ? cli.words[1] : NULL);
        return 0;
    }
    const char *near = str_nearest(command, commands, ARRAY_SIZE(commands));
    err_set(&err, ERR_INVALID, "no command \"%s\"%s%s%s; `sonde help` lists them", command,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return cli_fail(EXIT_USAGE, &err);
}
