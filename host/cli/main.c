/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/cli.h"

#include <stdio.h>

#include "base/str.h"

static int version(const struct cli *cli)
{
    (void)cli;
    printf("sonde %s, plugin ABI %s\n%s\n", PACKAGE_VERSION, SONDE_ABI_STATUS, service_versions());
    return 0;
}

static int help(const struct cli *cli)
{
    cli_help(cli->word_count > 1 ? cli->words[1] : NULL);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const struct cli *cli);
} commands[] = {
    {"serve", cmd_serve},
    {"mcp", cmd_mcp},
    {"query", cmd_query},
    {"metrics", cmd_metrics},
    {"connection", cmd_connection},
    {"history", cmd_history},
    {"user", cmd_user},
    {"token", cmd_token},
    {"key", cmd_key},
    {"db", cmd_db},
    {"plugin", cmd_plugin},
    {"demo", cmd_demo},
    {"version", version},
    {"help", help},
};

static int unknown(const char *command)
{
    const char *names[ARRAY_SIZE(commands)];
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        names[i] = commands[i].name;
    const char *near = str_nearest(command, names, ARRAY_SIZE(commands));
    err_set(&err, ERR_INVALID, "no command \"%s\"%s%s%s; `sonde help` lists them", command,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return cli_fail(EXIT_USAGE, &err);
}

int cli_main(int argc, char **argv)
{
    struct cli cli;
    struct err err = {0};
    if (cli_parse(argc, argv, &cli, &err))
        return cli_fail(EXIT_USAGE, &err);
    cli.program = argv[0];
    if (cli.version)
        return version(&cli);
    const char *command = cli.word_count ? cli.words[0] : NULL;
    if (!command || cli.help) {
        cli_help(command);
        return command || cli.help ? 0 : EXIT_USAGE;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (str_eq(command, commands[i].name))
            return commands[i].run(&cli);
    return unknown(command);
}
