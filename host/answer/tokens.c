/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/answer.h"
#include "answer/write.h"

static size_t cost(const char *text, size_t size, size_t ascii)
{
    size_t other = 0;
    for (size_t i = 0; i < size; i++)
        other += (unsigned char)text[i] >= 0x80;
    return (size - other) * ascii + other * (COST_TOKEN * 2 / 3);
}

size_t cost_json(const char *text, size_t size)
{
    return cost(text, size, COST_TOKEN / 3);
}

size_t cost_text(const char *text, size_t size)
{
    return cost(text, size, COST_TOKEN / 4);
}

size_t tokens_json(const char *text, size_t size)
{
    return (cost_json(text, size) + COST_TOKEN - 1) / COST_TOKEN;
}

size_t tokens_text(const char *text, size_t size)
{
    return (cost_text(text, size) + COST_TOKEN - 1) / COST_TOKEN;
}
