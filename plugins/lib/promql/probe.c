/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include "name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

void promql_keep(char *to, size_t to_size, const char *value, size_t size)
{
    size = promql_cut(value, size, to_size - 1);
    memcpy(to, value, size);
    to[size] = '\0';
}

int promql_duration_ms(const char *value, size_t size, uint64_t *ret_ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    uint64_t total = 0;
    size_t i = 0;
    while (i < size) {
        uint64_t n = 0;
        size_t start = i;
        while (i < size && value[i] >= '0' && value[i] <= '9' && i - start < 12)
            n = n * 10 + (uint64_t)(value[i++] - '0');
        size_t unit = 0;
        while (unit < 5 && (size - i < strlen(units[unit].unit) ||
                            memcmp(value + i, units[unit].unit, strlen(units[unit].unit)) != 0))
            unit++;
        if (start == i || unit == 5)
            return -1;
        total += n * units[unit].ms;
        i += strlen(units[unit].unit);
    }
    if (size == 0)
        return -1;
    *ret_ms = total;
    return 0;
}

bool promql_body_has(const struct promql_step *step, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= step->body_size; i++)
        if (memcmp(step->body + i, words, n) == 0)
            return true;
    return false;
}

void promql_fact(struct promql_op *op, const char *key, const char *value)
{
    op->sink->fact(op->ctx, key, value, DAY_MS);
}

void promql_fact_number(struct promql_op *op, const char *key, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    promql_fact(op, key, text);
}
