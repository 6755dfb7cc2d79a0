/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>

#include "base/str.h"
#include "cli/connection_body.h"
#include "cli/run.h"
#include "service/manage.h"

#define DOCUMENT_MAX ((size_t)1 << 20)

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

static int print_document(const struct buf *document)
{
    struct json_object *object CLEANUP(json_putp) = NULL;
    if (json_parse(buf_text(document), document->size, 64, &object, NULL))
        return EXIT_FAILED;
    puts(json_object_to_json_string_ext(object,
                                        JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
    return 0;
}

/* Every mistake on its own line, as with the configuration file. */
static int fail(int code, const struct manage_mistakes *mistakes, const struct err *err)
{
    cli_print_mistakes(mistakes->list, mistakes->count, err);
    return code == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

/* id NULL: a new one. Takes body over. */
static int write_body(const struct cli *cli, const char *id, struct json_object *body)
{
    struct json_object *owned CLEANUP(json_putp) = body;
    CLEANUP(buf_finish) struct buf text = BUF(DOCUMENT_MAX);
    CLEANUP(buf_finish) struct buf document = BUF(DOCUMENT_MAX);
    struct manage_mistakes *mistakes = mem_alloc(sizeof *mistakes);
    struct service *service = NULL;
    struct err err = {0};
    if (!mistakes)
        return EXIT_FAILED;
    int status = cli_open(cli, &service);
    if (!status) {
        buf_json_object(&text, owned);
        int r = id ? manage_edit(service, &PRINCIPAL_LOCAL, id, buf_text(&text), text.size, 0,
                                 &document, NULL, mistakes, &err)
                   : manage_add(service, &PRINCIPAL_LOCAL, buf_text(&text), text.size, "cli",
                                &document, NULL, mistakes, &err);
        status = r ? fail(r, mistakes, &err) : cli->json ? print_document(&document) : 0;
        service_destroy(service, 0);
    }
    mem_free(mistakes);
    return status;
}

static int add(const struct cli *cli)
{
    struct json_object *body = NULL;
    struct err err = {0};
    const char *url = cli->word_count > 4 ? cli->words[4] : NULL;
    if (connection_body(cli, cli->words[2], cli->words[3], url, &body, &err))
        return cli_fail(EXIT_USAGE, &err);
    int status = write_body(cli, NULL, body);
    if (!status && !cli->json)
        printf("added %s; `sonde connection test %s` tells whether it answers\n", cli->words[2],
               cli->words[2]);
    return status;
}

static int edit(const struct cli *cli)
{
    struct json_object *body = NULL;
    struct err err = {0};
    const char *url = cli->word_count > 3 ? cli->words[3] : NULL;
    if (connection_body(cli, cli->name, NULL, url, &body, &err))
        return cli_fail(EXIT_USAGE, &err);
    if (!json_object_object_length(body)) {
        json_object_put(body);
        err_set(&err, ERR_INVALID, "nothing to change; `sonde help connection` lists the options");
        return cli_fail(EXIT_USAGE, &err);
    }
    return write_body(cli, cli->words[2], body);
}

static int set_enabled(const struct cli *cli, bool enabled)
{
    struct json_object *body = json_object_new_object();
    if (!body || json_object_object_add(body, "is_enabled", json_object_new_boolean(enabled))) {
        json_object_put(body);
        return EXIT_FAILED;
    }
    return write_body(cli, cli->words[2], body);
}

static int show(const struct cli *cli)
{
    CLEANUP(buf_finish) struct buf document = BUF(DOCUMENT_MAX);
    struct service *service = NULL;
    struct err err = {0};
    int status = cli_open(cli, &service);
    if (status)
        return status;
    int r = manage_show(service, &PRINCIPAL_LOCAL, cli->words[2], &document, NULL, &err);
    status = r ? cli_fail(EXIT_FAILED, &err) : print_document(&document);
    service_destroy(service, 0);
    return status;
}

static int remove_one(const struct cli *cli)
{
    struct service *service = NULL;
    struct err err = {0};
    int status = cli_open(cli, &service);
    if (status)
        return status;
    int r = manage_remove(service, &PRINCIPAL_LOCAL, cli->words[2], 0, &err);
    status = r ? cli_fail(EXIT_FAILED, &err) : 0;
    service_destroy(service, 0);
    return status;
}

int cmd_connection(const struct cli *cli)
{
    const char *what = cli->word_count > 1 ? cli->words[1] : "list";
    bool one = cli->word_count == 3;
    if (str_eq(what, "list") && cli->word_count <= 2)
        return cli_run_tool(cli, "list_connections", json_object_new_object());
    if (str_eq(what, "test") && one)
        return test_connection(cli, cli->words[2]);
    if (str_eq(what, "show") && one)
        return show(cli);
    if (str_eq(what, "add") && (cli->word_count == 4 || cli->word_count == 5))
        return add(cli);
    if (str_eq(what, "edit") && (one || cli->word_count == 4))
        return edit(cli);
    if (str_eq(what, "enable") && one)
        return set_enabled(cli, true);
    if (str_eq(what, "disable") && one)
        return set_enabled(cli, false);
    if (str_eq(what, "remove") && one)
        return remove_one(cli);
    cli_help("connection");
    return EXIT_USAGE;
}
