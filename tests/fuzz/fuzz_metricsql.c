/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walkers of PromQL and MetricsQL on arbitrary texts: slots lie in the text, in its order, and a text with the matcher in all
 * of them has as many slots in the same places.
 */
#include "promql/metricsql.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MATCHER "zz=\"q\""

struct seen {
    const char *text;
    size_t size;
    size_t copied;
    size_t count;
    char *out; /* NULL: only counts */
    size_t out_size;
};

static void add(struct seen *seen, const char *data, size_t size)
{
    if (seen->out != NULL)
        memcpy(seen->out + seen->out_size, data, size);
    seen->out_size += size;
}

static void on_selector(void *user, const struct promql_slot *slot)
{
    struct seen *seen = user;
    if (slot->at < seen->copied || slot->at > seen->size)
        abort();
    add(seen, seen->text + seen->copied, slot->at - seen->copied);
    seen->copied = slot->at;
    if (!slot->braces)
        add(seen, "{", 1);
    if (slot->comma)
        add(seen, ",", 1);
    add(seen, MATCHER, sizeof MATCHER - 1);
    if (!slot->braces)
        add(seen, "}", 1);
    seen->count++;
}

static void on_label(void *user, const char *name, size_t size)
{
    const struct seen *seen = user;
    if (name < seen->text || name + size > seen->text + seen->size)
        abort();
}

static void check(promql_walk_fn walk, const char *text, size_t size)
{
    struct seen seen = {.text = text, .size = size};
    struct promql_visitor visitor = {.user = &seen, .selector = on_selector, .label = on_label};
    struct promql_fault fault = {0};
    if (walk(text, size, &visitor, &fault) != 0) {
        if (fault.text == NULL || fault.position > size)
            abort();
        return;
    }
    size_t count = seen.count;
    char *out = malloc(seen.out_size + size + 1);
    if (out == NULL)
        return;
    seen = (struct seen){.text = text, .size = size, .out = out};
    if (walk(text, size, &visitor, &fault) != 0)
        abort();
    add(&seen, text + seen.copied, size - seen.copied);
    struct seen again = {.text = out, .size = seen.out_size};
    visitor.user = &again;
    if (walk(out, seen.out_size, &visitor, &fault) != 0 || again.count != count)
        abort();
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    /* No NUL behind it: the walkers are not to need one. */
    char *text = malloc(size > 0 ? size : 1);
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    check(metricsql_walk, text, size);
    check(promql_walk, text, size);
    free(text);
    return 0;
}
