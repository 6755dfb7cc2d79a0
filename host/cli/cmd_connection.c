/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>

#include "base/str.h"
#include "cli/run.h"

static void say(void *user, const struct service_stage *stage)
{
    (void)user;
    printf("%-7s %-20s %s\n",
           stage->ok > 0    ? "ok"
           : stage->ok == 0 ? "FAILED"
                            : "-",
           stage->name, stage->detail);
    if (!stage->ok && *stage->setting)
        printf("%-7s %-20s setting: %s\n", "", "", stage->setting);
    fflush(stdout);
}

struct test {
    struct service *service;
    const char *name;
    struct err err;
    int result;
};

static void run_test(struct call *call, void *argument)
{
    struct test *test = argument;
    test->result = service_connection_test(test->service, call, test->name, say, NULL, &test->err);
}

static int test_connection(const struct cli *cli, const char *name)
{
    struct test test = {.name = name};
    int status = cli_open(cli, &test.service);
    if (status)
        return status;
    status = cli_run(test.service, run_test, &test);
    if (!status && test.result)
        status = cli_fail(test.result == SONDE_E_UNREACHABLE ? EXIT_UNREACHABLE : EXIT_FAILED,
                          &test.err);
    service_destroy(test.service, 0);
    return status;
}

int cmd_connection(const struct cli *cli)
{
    const char *what = cli->word_count > 1 ? cli->words[1] : "list";
    if (str_eq(what, "list"))
        return cli_run_tool(cli, "list_connections", json_object_new_object());
    if (str_eq(what, "test") && cli->word_count == 3)
        return test_connection(cli, cli->words[2]);
    cli_help("connection");
    return EXIT_USAGE;
}
