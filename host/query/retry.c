/* SPDX-License-Identifier: Apache-2.0 */
#include "query/retry.h"

#include "base/clock.h"
#include "base/rand.h"

bool retry_class(int32_t code, uint32_t flags, unsigned attempt, uint64_t rows)
{
    /* Rows once emitted would come twice. */
    if (rows || attempt >= RETRY_TRIES)
        return false;
    return code == SONDE_E_THROTTLED ||
           (code == SONDE_E_BUSY && (flags & SONDE_REQUEST_IDEMPOTENT));
}

int64_t retry_wait_ns(unsigned attempt, int64_t wait_ms)
{
    if (wait_ms > 0)
        return wait_ms < INT64_MAX / NS_PER_MS ? wait_ms * NS_PER_MS : INT64_MAX;
    int64_t base = attempt <= 1 ? 200 * NS_PER_MS : 800 * NS_PER_MS;
    return base - base / 4 + (int64_t)(rand_u64() % (uint64_t)(base / 2));
}
