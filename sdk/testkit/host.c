/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <stdio.h>
#include <string.h>

#define POOL_MAX ((size_t)64 << 20)

static void on_host_log(struct sonde_ctx *ctx, uint32_t level, const char *text)
{
    if (level < SONDE_LOG_DEBUG || level > SONDE_LOG_ERROR)
        kit_problem(&ctx->run->record, "log has no level %u", level);
    if (!kit_is_utf8(text, strlen(text)))
        kit_problem(&ctx->run->record, "a log text is no valid UTF-8");
}

static void *on_host_alloc(struct sonde_ctx *ctx, size_t size)
{
    if (size > POOL_MAX - ctx->pool.used)
        return NULL;
    return kit_alloc(&ctx->pool, size);
}

static int64_t on_host_now_unix_ns(struct sonde_ctx *ctx)
{
    return ctx->run->fixture->now_ns + ctx->run->now_ms * 1000000;
}

static int64_t on_host_now_mono_ms(struct sonde_ctx *ctx)
{
    return 1000000 + ctx->run->now_ms;
}

static int32_t keep_failure(struct sonde_ctx *ctx, int32_t code, int64_t position, uint64_t wait_ms,
                            const char *text)
{
    struct kit_run *run = ctx->run;
    if (code >= 0 || code < SONDE_E_INTERNAL)
        kit_problem(&run->record, "fail has no error class %d", code);
    if (!*text || !kit_is_utf8(text, strlen(text)))
        kit_problem(&run->record, "fail needs a text, in UTF-8");
    run->failure.code = code;
    run->failure.position = position;
    run->failure.wait_ms = wait_ms;
    run->failure.text = kit_copy(&run->pool, text, strlen(text));
    return code;
}

static int32_t on_host_fail(struct sonde_ctx *ctx, int32_t code, int64_t position, const char *text)
{
    if (position < -1 || (position >= 0 && (size_t)position > ctx->run->fixture->query.native_size))
        kit_problem(&ctx->run->record, "position %lld lies outside the native text",
                    (long long)position);
    return keep_failure(ctx, code, position, 0, text);
}

static int32_t on_host_fail_after(struct sonde_ctx *ctx, int32_t code, uint64_t wait_ms,
                                  const char *text)
{
    if (code != SONDE_E_THROTTLED && code != SONDE_E_BUSY)
        kit_problem(&ctx->run->record, "fail_after is for THROTTLED and BUSY, not %d", code);
    return keep_failure(ctx, code, -1, wait_ms, text);
}

static int32_t on_host_endpoint(struct sonde_ctx *ctx, const struct sonde_endpoint *endpoint)
{
    struct kit_run *run = ctx->run;
    struct kit_text *list = &run->record.endpoints;
    if (!run->opening) {
        kit_problem(&run->record, "endpoint is for open alone");
        return SONDE_E_REFUSED;
    }
    if (endpoint->struct_size != sizeof(*endpoint))
        kit_problem(&run->record, "struct_size of an endpoint is %u instead of %zu",
                    endpoint->struct_size, sizeof(*endpoint));
    if (run->endpoint_count == KIT_ENDPOINTS_MAX || strcmp(endpoint->name, "main") == 0 ||
        (strncmp(endpoint->url, "https://", 8) != 0 && strncmp(endpoint->url, "http://", 7) != 0)) {
        kit_problem(&run->record, "endpoint \"%s\" (%s) is one too many, main or no http(s) URL",
                    endpoint->name, endpoint->url);
        return SONDE_E_REFUSED;
    }
    run->endpoints[run->endpoint_count++] =
        kit_copy(&run->pool, endpoint->name, strlen(endpoint->name));
    kit_add(list, list->size ? ", {\"name\": " : "{\"name\": ");
    kit_add_json(list, endpoint->name, strlen(endpoint->name));
    kit_add(list, ", \"url\": ");
    kit_add_json(list, endpoint->url, strlen(endpoint->url));
    if (endpoint->sigv4_service && endpoint->sigv4_region) {
        kit_add(list, ", \"sigv4\": ");
        const char *text =
            kit_format(&run->pool, "%s/%s", endpoint->sigv4_service, endpoint->sigv4_region);
        kit_add_json(list, text, strlen(text));
    }
    kit_add(list, "}");
    return 0;
}

static const void *on_host_get_interface(struct sonde_ctx *ctx, const char *name, uint32_t major)
{
    (void)ctx;
    (void)name;
    (void)major;
    return NULL;
}

const struct sonde_host KIT_HOST = {
    .struct_size = sizeof(KIT_HOST),
    .abi_major = SONDE_ABI_MAJOR,
    .abi_minor = SONDE_ABI_MINOR,
    .product = "sonde-testkit",
    .log = on_host_log,
    .alloc = on_host_alloc,
    .now_unix_ns = on_host_now_unix_ns,
    .now_mono_ms = on_host_now_mono_ms,
    .fail = on_host_fail,
    .fail_after = on_host_fail_after,
    .endpoint = on_host_endpoint,
    .get_interface = on_host_get_interface,
};

struct kit_record *kit_record_of(struct sonde_ctx *ctx)
{
    return &ctx->run->record;
}

void kit_keep_fact(struct sonde_ctx *ctx, const char *key, const char *value)
{
    struct kit_run *run = ctx->run;
    uint32_t i = 0;
    while (i < run->fact_count && strcmp(run->facts[i].key, key) != 0)
        i++;
    if (i == KIT_FACTS_MAX)
        return;
    if (i == run->fact_count)
        run->facts[run->fact_count++].key = kit_copy(&run->pool, key, strlen(key));
    run->facts[i].value = kit_copy(&run->pool, value, strlen(value));
}

static int same_ignoring_case(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char c = a[i] >= 'A' && a[i] <= 'Z' ? (char)(a[i] + ('a' - 'A')) : a[i];
        if (c != b[i])
            return 0;
    }
    return 1;
}

static int is_token(const char *name)
{
    static const char odd[] = "!#$%&'*+-.^_`|~";
    size_t i = 0;
    for (; name[i]; i++) {
        const char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(odd, c)))
            return 0;
    }
    return i > 0;
}

static void check_header(struct kit_record *record, const struct sonde_pair *header)
{
    static const char *const owned[] = {"host",           "authorization",     "cookie",
                                        "content-length", "transfer-encoding", "connection"};
    if (!is_token(header->key))
        kit_problem(record, "\"%s\" is no name of a header", header->key);
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
        if (strlen(header->key) == strlen(owned[i]) &&
            same_ignoring_case(header->key, owned[i], strlen(owned[i])))
            kit_problem(record, "header %s belongs to the host", header->key);
    }
    if (strlen(header->key) >= 6 && same_ignoring_case(header->key, "proxy-", 6))
        kit_problem(record, "header %s belongs to the host", header->key);
    for (const char *c = header->value; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            kit_problem(record, "header %s holds a control character", header->key);
            return;
        }
    }
}

static void check_path(struct kit_record *record, const char *path)
{
    if (path[0] != '/' || path[1] == '/')
        kit_problem(record, "path \"%s\" does not begin with one '/'", path);
    for (const char *c = path; *c; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || *c == '#' || *c == '\\') {
            kit_problem(record, "path \"%s\" is not percent-encoded", path);
            break;
        }
    }
    const size_t size = strcspn(path, "?");
    for (size_t i = 0; i + 1 < size; i++) {
        if (path[i] == '/' && path[i + 1] == '.' &&
            (i + 2 == size || path[i + 2] == '/' ||
             (path[i + 2] == '.' && (i + 3 == size || path[i + 3] == '/'))))
            kit_problem(record, "path \"%s\" holds a dot segment", path);
    }
}

static int is_declared(const struct sonde_plugin *table, const struct sonde_request *request)
{
    for (size_t i = 0; i < table->allowed_count; i++) {
        const struct sonde_allowed *allowed = table->allowed[i];
        if (strcmp(allowed->method, request->method) == 0 &&
            strncmp(allowed->path_prefix, request->path, strlen(allowed->path_prefix)) == 0)
            return 1;
    }
    return 0;
}

void kit_check_request(struct sonde_ctx *ctx, const struct sonde_request *request)
{
    struct kit_run *run = ctx->run;
    struct kit_record *record = &run->record;
    if (!request->method || !request->path) {
        kit_die("%s: a request has no method or no path", run->fixture->name);
    }
    check_path(record, request->path);
    if (!is_declared(run->table, request))
        kit_problem(record, "%s %s is not among the allowed requests", request->method,
                    request->path);
    for (size_t i = 0; i < request->header_count; i++)
        check_header(record, &request->headers[i]);
    if (request->flags & ~(SONDE_REQUEST_IDEMPOTENT | SONDE_REQUEST_MORE | SONDE_REQUEST_CREATES))
        kit_problem(record, "a request has unknown flags %x", request->flags);
    const char *endpoint = request->endpoint ? request->endpoint : "main";
    if (strcmp(endpoint, "main") == 0) {
        if (!*run->fixture->url)
            kit_problem(record, "the connection has no url, so there is no endpoint main");
        return;
    }
    uint32_t i = 0;
    while (i < run->endpoint_count && strcmp(run->endpoints[i], endpoint) != 0)
        i++;
    if (i == run->endpoint_count)
        kit_problem(record, "endpoint \"%s\" was not declared in open", endpoint);
}
