/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server under test of the MCP conformance suite: the host's HTTP and MCP with the tools the suite asks for, which
 * are no adapter's. It lets everybody in; it is never installed.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http_program.h"
#include "service/args.h"

/* One red pixel; a tenth of a millisecond of silence. */
#define PNG                                                                                        \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJg" \
    "gg=="
#define WAV "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=="

#define IMAGE "{\"type\":\"image\",\"data\":\"" PNG "\",\"mimeType\":\"image/png\"}"
#define AUDIO "{\"type\":\"audio\",\"data\":\"" WAV "\",\"mimeType\":\"audio/wav\"}"
#define RESOURCE(uri, type, text)                                                   \
    "{\"type\":\"resource\",\"resource\":{\"uri\":\"" uri "\",\"mimeType\":\"" type \
    "\",\"text\":\"" text "\"}}"

#define NO_ARGUMENTS "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"
#define SCHEMA_2020_12                                                                            \
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","          \
    "\"$defs\":{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{"     \
    "\"street\":{\"type\":\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{"         \
    "\"name\":{\"type\":\"string\"},\"address\":{\"$ref\":\"#/$defs/address\"},"                  \
    "\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},\"phone\":{"          \
    "\"type\":\"string\"},\"email\":{\"type\":\"string\"}},\"allOf\":[{\"anyOf\":[{\"required\":" \
    "[\"phone\"]},{\"required\":[\"email\"]}]}],\"if\":{\"properties\":{\"contactMethod\":{"      \
    "\"const\":\"phone\"}},\"required\":[\"contactMethod\"]},\"then\":{\"required\":["            \
    "\"phone\"]},\"else\":{\"required\":[\"email\"]},\"additionalProperties\":false}"

struct fixture {
    struct tool_spec spec;
    const char *schema;
    const char *text;   /* NULL: none */
    const char *blocks; /* NULL: none */
    bool is_error;
    bool reports; /* progress */
};

#define TOOL(called, about) .spec = {.name = called, .title = called, .description = about}

static const struct arg_spec header_args[] = {{.name = "region", .header = "Region"}};

static const struct fixture fixtures[] = {
    {TOOL("test_simple_text", "Answers with a text."), .schema = NO_ARGUMENTS,
     .text = "This is a simple text response for testing."},
    {TOOL("test_image_content", "Answers with an image."), .schema = NO_ARGUMENTS, .blocks = IMAGE},
    {TOOL("test_audio_content", "Answers with a sound."), .schema = NO_ARGUMENTS, .blocks = AUDIO},
    {TOOL("test_embedded_resource", "Answers with a resource."), .schema = NO_ARGUMENTS,
     .blocks = RESOURCE("test://embedded-resource", "text/plain",
                        "This is an embedded resource content.")},
    {TOOL("test_multiple_content_types", "Answers with a text, an image and a resource."),
     .schema = NO_ARGUMENTS, .text = "Multiple content types test:",
     .blocks = IMAGE "," RESOURCE("test://mixed-content-resource", "application/json",
                                  "{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}")},
    {TOOL("test_error_handling", "Fails."), .schema = NO_ARGUMENTS,
     .text = "This tool intentionally returns an error for testing", .is_error = true},
    {TOOL("test_tool_with_progress", "Reports progress 0, 50 and 100 of 100."),
     .schema = NO_ARGUMENTS, .text = "Progress is complete.", .reports = true},
    {TOOL("json_schema_2020_12_tool", "Has a schema with keywords of JSON Schema 2020-12."),
     .schema = SCHEMA_2020_12, .text = "Any arguments are fine."},
    {.spec = {.name = "test_x_mcp_header",
              .title = "test_x_mcp_header",
              .description = "Has an argument that is repeated in a header.",
              .args = header_args,
              .arg_count = 1},
     .schema =
         "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":\"string\",\"x-mcp-header\":"
         "\"Region\"}},\"additionalProperties\":false}",
     .text = "The header and the argument agree."},
};
#define FIXTURES (sizeof fixtures / sizeof fixtures[0])

static struct tool_spec specs[FIXTURES];

const struct tool_spec *args_tools(size_t *ret_count)
{
    *ret_count = FIXTURES;
    return specs;
}

const struct tool_spec *args_tool(const char *name)
{
    for (size_t i = 0; i < FIXTURES; i++)
        if (str_eq(specs[i].name, name))
            return &specs[i];
    return NULL;
}

static const struct fixture *fixture_of(const struct tool_spec *tool)
{
    return &fixtures[tool - specs];
}

int args_unknown_tool(const char *name, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no tool \"%.64s\"", name);
}

void args_schema(const struct tool_spec *tool, struct buf *buf)
{
    buf_add(buf, fixture_of(tool)->schema);
}

static void report(struct call *call)
{
    for (int i = 0; i <= 100; i += 50) {
        call_progress(call, i, 100, "working");
        fake_sleep(call, clock_mono_ns() + 50 * NS_PER_MS);
    }
}

int service_call(struct service *service, struct call *call, const char *tool,
                 struct json_object *arguments, struct answer *ret_answer, struct err *err)
{
    (void)service;
    (void)arguments;
    const struct tool_spec *spec = args_tool(tool);
    if (!spec)
        return args_unknown_tool(tool, err);
    const struct fixture *fixture = fixture_of(spec);
    if (fixture->reports)
        report(call);
    *ret_answer = (struct answer){.is_error = fixture->is_error};
    if (fixture->text) {
        ret_answer->text = mem_strdup(fixture->text);
        ret_answer->text_size = strlen(fixture->text);
    }
    if (fixture->blocks) {
        ret_answer->blocks = mem_strdup(fixture->blocks);
        ret_answer->blocks_size = strlen(fixture->blocks);
    }
    return 0;
}

static int authenticate(void *user, const char *token, struct principal *ret_principal,
                        struct err *err)
{
    (void)user;
    (void)token;
    (void)err;
    *ret_principal = (struct principal){.id = "anybody", .name = "anybody"};
    return 0;
}

int main(void)
{
    mem_setup();
    log_setup(LOG_WARN, 0);
    for (size_t i = 0; i < FIXTURES; i++)
        specs[i] = fixtures[i].spec;
    struct service *service = fake_service_create(30000);
    int status = http_program_run(service, &(struct mcp_http_settings){0}, authenticate);
    fake_service_destroy(service);
    return status;
}
