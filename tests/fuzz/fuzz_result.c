/* SPDX-License-Identifier: Apache-2.0 */
/* Stored results: as packed bytes and as the text around them. What is read packs again to what reads the same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/result_codec.h"

#define MAX ((size_t)4 << 20)

static void again(const struct result *result)
{
    struct buf one = BUF(RESULT_PACKED_MAX * 2);
    struct buf two = BUF(RESULT_PACKED_MAX * 2);
    struct result *back = NULL;
    if (result_pack(result, &one))
        abort();
    int r = result_unpack(one.data, one.size, MAX * 2, NULL, &back);
    if (r || result_pack(back, &two) || one.size != two.size ||
        memcmp(one.data, two.data, one.size) != 0)
        abort();
    result_unref(back);
    buf_finish(&one);
    buf_finish(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct budget budget;
    budget_init(&budget, MAX);
    struct result *result = NULL;
    if (!result_unpack(data, size, MAX, &budget, &result)) {
        again(result);
        result_unref(result);
    }
    if (!result_decode((const char *)data, size, MAX, &budget, &result)) {
        again(result);
        result_unref(result);
    }
    if (atomic_load(&budget.used))
        abort();
    return 0;
}
