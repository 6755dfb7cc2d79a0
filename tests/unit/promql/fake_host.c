/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>

static void *fake_alloc(struct sonde_ctx *ctx, size_t size)
{
    void **blocks = realloc(ctx->blocks, (ctx->block_count + 1) * sizeof *blocks);
    if (blocks == NULL)
        return NULL;
    ctx->blocks = blocks;
    blocks[ctx->block_count] = calloc(1, size);
    return blocks[ctx->block_count++];
}

static int32_t fake_fail(struct sonde_ctx *ctx, int32_t code, int64_t position, const char *text)
{
    ctx->code = code;
    ctx->position = position;
    (void)snprintf(ctx->text, sizeof ctx->text, "%s", text);
    return code;
}

static int32_t fake_fail_after(struct sonde_ctx *ctx, int32_t code, uint64_t wait_ms,
                               const char *text)
{
    ctx->wait_ms = wait_ms;
    return fake_fail(ctx, code, -1, text);
}

const struct sonde_host fake_host = {
    .struct_size = sizeof fake_host,
    .abi_major = SONDE_ABI_MAJOR,
    .abi_minor = SONDE_ABI_MINOR,
    .product = "test",
    .alloc = fake_alloc,
    .fail = fake_fail,
    .fail_after = fake_fail_after,
};

void fake_free(struct sonde_ctx *ctx)
{
    for (size_t i = 0; i < ctx->block_count; i++)
        free(ctx->blocks[i]);
    free(ctx->blocks);
    *ctx = (struct sonde_ctx){0};
}
