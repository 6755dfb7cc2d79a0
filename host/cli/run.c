/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "service/sessions.h"

struct principal cli_principal(void)
{
    struct principal principal = PRINCIPAL_LOCAL;
    const char *named = getenv("SONDE_SESSION");
    session_begin(&principal, "cli");
    session_set_client(&principal, "sonde", PACKAGE_VERSION);
    if (named && *named)
        session_named(&principal, named);
    return principal;
}

int cli_run(struct service *service, call_fn function, void *argument)
{
    struct err err = {0};
    int64_t deadline = clock_mono_ns() + service_timeout_ns(service);
    struct principal principal = cli_principal();
    if (call_run(service_io(service), service_budget(service), &principal, deadline, function,
                 argument, &err))
        return cli_fail(EXIT_FAILED, &err);
    return 0;
}

struct tool_run {
    struct service *service;
    const char *tool;
    struct json_object *arguments;
    struct answer answer;
    struct err err;
    int result;
};

static void run_tool(struct call *call, void *argument)
{
    struct tool_run *run = argument;
    run->result =
        service_call(run->service, call, run->tool, run->arguments, &run->answer, &run->err);
}

int cli_run_tool(const struct cli *cli, const char *tool, struct json_object *arguments)
{
    CLEANUP(json_putp) struct json_object *owned = arguments;
    struct tool_run run = {.tool = tool, .arguments = owned};
    int status = cli_open(cli, &run.service);
    if (status)
        return status;
    status = cli_run(run.service, run_tool, &run);
    if (!status && run.result) {
        status = cli_fail(EXIT_FAILED, &run.err);
    } else if (!status) {
        FILE *to = run.answer.is_error && !cli->json ? stderr : stdout;
        fprintf(to, "%s%s", run.answer.is_error && !cli->json ? "sonde: " : "",
                cli->json ? run.answer.json : run.answer.text);
        const char *text = cli->json ? run.answer.json : run.answer.text;
        if (!str_ends(text, "\n"))
            fputc('\n', to);
        status = run.answer.is_error ? EXIT_FAILED : 0;
    }
    answer_finish(&run.answer);
    service_destroy(run.service, 0);
    return status;
}

static void set_text(struct json_object *object, const char *key, const char *value)
{
    if (value)
        json_object_object_add(object, key, json_object_new_string(value));
}

struct json_object *cli_arguments(const struct cli *cli, struct err *err)
{
    struct json_object *arguments = json_object_new_object();
    set_text(arguments, "connection_id", cli->select);
    const char *start = cli->since ? cli->since : cli->start;
    if (start || cli->end || cli->timezone) {
        struct json_object *range = json_object_new_object();
        set_text(range, "start", start);
        set_text(range, "end", cli->end);
        set_text(range, "timezone", cli->timezone);
        json_object_object_add(arguments, "time_range", range);
    }
    if (!cli->filter_count)
        return arguments;
    struct json_object *filters = json_object_new_object();
    json_object_object_add(arguments, "filters", filters);
    for (size_t i = 0; i < cli->filter_count; i++) {
        const char *equals = strchr(cli->filters[i], '=');
        char key[128];
        if (!equals || equals == cli->filters[i] ||
            (size_t)(equals - cli->filters[i]) >= sizeof key) {
            err_set(err, ERR_INVALID,
                    "--filter %s: write KEY=VALUE, such as service=checkout or pod=web-*",
                    cli->filters[i]);
            json_object_put(arguments);
            return NULL;
        }
        memcpy(key, cli->filters[i], (size_t)(equals - cli->filters[i]));
        key[equals - cli->filters[i]] = '\0';
        set_text(filters, key, equals + 1);
    }
    return arguments;
}
