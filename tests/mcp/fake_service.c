/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_service.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "service/args.h"

static void give(struct answer *ret_answer, const char *json, const char *text, bool is_error)
{
    *ret_answer = (struct answer){.json = mem_strdup(json),
                                  .json_size = strlen(json),
                                  .text = mem_strdup(text),
                                  .text_size = strlen(text),
                                  .is_error = is_error};
}

static void give_error(struct answer *ret_answer, const char *text)
{
    struct buf json = BUF(65536);
    buf_add(&json, "{\"error\":");
    buf_json_string(&json, text, strlen(text));
    buf_add_char(&json, '}');
    give(ret_answer, buf_text(&json), text, true);
    buf_finish(&json);
}

static void give_big(struct answer *ret_answer)
{
    struct buf json = BUF(1 << 20);
    buf_add(&json, "{\"values\":[");
    for (int i = 0; i < 30000; i++) {
        buf_json_sep(&json);
        buf_json_int(&json, i);
    }
    buf_add(&json, "]}");
    struct buf text = BUF(1 << 20);
    for (int i = 0; i < 8000; i++)
        buf_printf(&text, "%d values\n", i);
    give(ret_answer, buf_text(&json), buf_text(&text), false);
    buf_finish(&json);
    buf_finish(&text);
}

static void give_echo(struct answer *ret_answer, const struct args *args)
{
    struct buf json = BUF(1 << 20);
    buf_add_char(&json, '{');
    if (args->query) {
        buf_json_key(&json, "query");
        buf_json_string(&json, args->query, strlen(args->query));
    }
    if (args->connection_id) {
        buf_json_key(&json, "connection_id");
        buf_json_string(&json, args->connection_id, strlen(args->connection_id));
    }
    buf_add_char(&json, '}');
    give(ret_answer, buf_text(&json), args->query ? args->query : "nothing", false);
    buf_finish(&json);
}

/* Progress that rises, repeats itself, falls and ends. */
static void give_steps(struct call *call)
{
    static const double steps[] = {0, 1, 1, 0.5, 2, 3};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        call_progress(call, steps[i], 3, "a step");
        fake_sleep(call, clock_mono_ns() + 20 * NS_PER_MS);
    }
}

int service_call(struct service *service, struct call *call, const char *tool,
                 struct json_object *arguments, struct answer *ret_answer, struct err *err)
{
    const struct tool_spec *spec = args_tool(tool);
    if (!spec)
        return args_unknown_tool(tool, err);
    struct args args = {0};
    struct err mistake = {0};
    if (args_parse(spec, arguments, &call->arena, &args, &mistake)) {
        give_error(ret_answer, mistake.text);
        return 0;
    }
    const char *query = args.query ? args.query : "";
    int64_t pause;
    if (str_eq(query, "sleep")) {
        fake_sleep(call, call->deadline_ns);
        give_error(ret_answer, atomic_load(&call->cancelled) ? "cancelled" : "past the deadline");
    } else if (str_starts(query, "sleep ") && !str_to_duration(query + 6, &pause)) {
        fake_sleep(call, clock_mono_ns() + pause);
        give_echo(ret_answer, &args);
    } else if (str_eq(query, "steps")) {
        give_steps(call);
        give_echo(ret_answer, &args);
    } else if (str_eq(query, "blocks")) {
        give_echo(ret_answer, &args);
        ret_answer->blocks = mem_strdup("{\"type\":\"text\",\"text\":\"one\"},"
                                        "{\"type\":\"text\",\"text\":\"two\"}");
        ret_answer->blocks_size = strlen(ret_answer->blocks);
    } else if (str_eq(query, "fail")) {
        give_error(ret_answer, "the backend refused: parse error at 3");
    } else if (str_eq(query, "memory")) {
        return err_set(err, ERR_MEMORY, "no memory for the call");
    } else if (str_eq(query, "print")) {
        puts("noise");
        fflush(stdout);
        give_echo(ret_answer, &args);
    } else if (str_eq(query, "big")) {
        give_big(ret_answer);
    } else if (str_eq(query, "newline")) {
        give(ret_answer, "{\n\"a\":\n1}", "a\nb", false);
    } else {
        give_echo(ret_answer, &args);
    }
    (void)service;
    return 0;
}
