/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plugin/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

void ctx_init(struct sonde_ctx *ctx, const struct adapter *adapter, const char *connection,
              size_t max_bytes, struct budget *budget, void *owner)
{
    memset(ctx, 0, sizeof *ctx);
    arena_init(&ctx->arena, max_bytes, budget);
    ctx->adapter = adapter;
    ctx->connection = connection;
    ctx->owner = owner;
}

void ctx_finish(struct sonde_ctx *ctx)
{
    arena_finish(&ctx->arena);
}

static bool adapters_code(int32_t code)
{
    return code <= SONDE_E_BAD_QUERY && code >= SONDE_E_INTERNAL;
}

int ctx_failure(struct sonde_ctx *ctx, int32_t code, const char *callback, struct err *ret_err)
{
    const char *name = ctx->adapter->table.name;
    if (!adapters_code(code))
        return err_set(ret_err, SONDE_E_INTERNAL,
                       "plugin %s returned %d from %s, which is no result of it", name, code,
                       callback);
    if (ctx->failure.code && ctx->failure.text[0]) {
        *ret_err = ctx->failure;
        ret_err->code = code;
        return code;
    }
    if (ctx->arena.failed)
        return err_set(ret_err, code, "plugin %s needed more than the %zu MiB of memory it may use",
                       name, ctx->arena.max >> 20);
    return err_set(ret_err, code, "plugin %s failed in %s (%s) and gave no reason", name, callback,
                   err_class(code));
}

static void log_text(struct sonde_ctx *ctx, uint32_t level, const char *text)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    if (!ctx || !text)
        return;
    log_line(level < sizeof levels / sizeof levels[0] ? levels[level] : LOG_ERROR, "plugin",
             "%s: %s: %.1024s", ctx->adapter->table.name, ctx->connection, text);
}

static void *alloc(struct sonde_ctx *ctx, size_t size)
{
    return ctx ? arena_alloc(&ctx->arena, size) : NULL;
}

static int64_t now_unix_ns(struct sonde_ctx *ctx)
{
    (void)ctx;
    return clock_unix_ns();
}

static int64_t now_mono_ms(struct sonde_ctx *ctx)
{
    (void)ctx;
    return clock_mono_ns() / NS_PER_MS;
}

static int32_t note_failure(struct sonde_ctx *ctx, int32_t code, int64_t position, uint64_t wait_ms,
                            const char *text)
{
    if (!ctx)
        return code;
    struct err *failure = &ctx->failure;
    if (!text)
        text = "";
    utf8_clean(failure->text, sizeof failure->text, text, strnlen(text, 2 * sizeof failure->text));
    failure->code = code;
    failure->position = position >= 0 ? position : -1;
    failure->wait_ms = wait_ms > INT32_MAX ? INT32_MAX : (int64_t)wait_ms;
    return code;
}

static int32_t fail(struct sonde_ctx *ctx, int32_t code, int64_t position, const char *text)
{
    return note_failure(ctx, code, position, 0, text);
}

static int32_t fail_after(struct sonde_ctx *ctx, int32_t code, uint64_t wait_ms, const char *text)
{
    return note_failure(ctx, code, -1, wait_ms, text);
}

static int32_t endpoint(struct sonde_ctx *ctx, const struct sonde_endpoint *row)
{
    if (!ctx || !ctx->endpoint)
        return fail(ctx, SONDE_E_REFUSED, -1, "endpoints are declared in open only");
    return ctx->endpoint(ctx, row);
}

static const void *get_interface(struct sonde_ctx *ctx, const char *name, uint32_t major)
{
    (void)ctx;
    (void)name;
    (void)major;
    return NULL; /* no family beyond this table exists in ABI 1.0 */
}

const struct sonde_host *host_table(void)
{
    static const struct sonde_host table = {
        .struct_size = sizeof table,
        .abi_major = SONDE_ABI_MAJOR,
        .abi_minor = SONDE_ABI_MINOR,
        .product = "sonde/" PACKAGE_VERSION,
        .log = log_text,
        .alloc = alloc,
        .now_unix_ns = now_unix_ns,
        .now_mono_ms = now_mono_ms,
        .fail = fail,
        .fail_after = fail_after,
        .endpoint = endpoint,
        .get_interface = get_interface,
    };
    return &table;
}
