/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/guard.h"

#include "base/clock.h"
#include "base/log.h"

#define SLOW_NS (100 * NS_PER_MS)
#define WARN_EVERY_NS \
    NS_PER_MIN /* on a busy machine every callback may be slow: one line a minute tells as much as a thousand */

static void account(const struct adapter *adapter, const char *callback, int64_t started_ns)
{
    /* Adapters are handed out const; their counters are the one part that changes. */
    struct adapter *counters = (struct adapter *)(uintptr_t)adapter;
    int64_t took = clock_mono_ns() - started_ns;
    atomic_fetch_add_explicit(&counters->callbacks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->callback_ns, (uint_fast64_t)took, memory_order_relaxed);
    if (took <= SLOW_NS)
        return;
    uint_fast64_t slow =
        atomic_fetch_add_explicit(&counters->slow_callbacks, 1, memory_order_relaxed) + 1;
    int_fast64_t quiet_until =
        atomic_load_explicit(&counters->quiet_until_ns, memory_order_relaxed);
    if (started_ns < quiet_until ||
        !atomic_compare_exchange_strong_explicit(&counters->quiet_until_ns, &quiet_until,
                                                 started_ns + WARN_EVERY_NS, memory_order_relaxed,
                                                 memory_order_relaxed))
        return;
    log_line(LOG_WARN, "plugin", "%s: %s took %lld ms (%llu slow callbacks so far)",
             adapter->table.name, callback, (long long)(took / NS_PER_MS),
             (unsigned long long)slow);
}

int32_t guard_open(const struct adapter *adapter, const struct sonde_open *open,
                   void **ret_instance)
{
    int64_t started = clock_mono_ns();
    int32_t r = adapter->table.open(open, ret_instance);
    account(adapter, "open", started);
    return r;
}

void guard_close(const struct adapter *adapter, void *instance)
{
    int64_t started = clock_mono_ns();
    adapter->table.close(instance);
    account(adapter, "close", started);
}

int32_t guard_begin(const struct adapter *adapter, void *instance, const struct sonde_begin *begin,
                    void **ret_op)
{
    int64_t started = clock_mono_ns();
    int32_t r = adapter->table.op_begin(instance, begin, ret_op);
    account(adapter, "op_begin", started);
    return r;
}

int32_t guard_next(const struct adapter *adapter, void *op, struct sonde_request *request)
{
    int64_t started = clock_mono_ns();
    int32_t r = adapter->table.op_next(op, request);
    account(adapter, "op_next", started);
    return r;
}

int32_t guard_head(const struct adapter *adapter, void *op, uint32_t tag,
                   const struct sonde_response_head *head)
{
    int64_t started = clock_mono_ns();
    int32_t r = adapter->table.op_response_head(op, tag, head);
    account(adapter, "op_response_head", started);
    return r;
}

int32_t guard_data(const struct adapter *adapter, void *op, uint32_t tag, const void *data,
                   size_t size)
{
    int64_t started = clock_mono_ns();
    int32_t r = adapter->table.op_response_data(op, tag, data, size);
    account(adapter, "op_response_data", started);
    return r;
}

int32_t guard_end(const struct adapter *adapter, void *op, uint32_t tag,
                  const struct sonde_outcome *outcome)
{
    int64_t started = clock_mono_ns();
    int32_t r = adapter->table.op_response_end(op, tag, outcome);
    account(adapter, "op_response_end", started);
    return r;
}

void guard_op_end(const struct adapter *adapter, void *op, int32_t reason)
{
    int64_t started = clock_mono_ns();
    adapter->table.op_end(op, reason);
    account(adapter, "op_end", started);
}

int32_t guard_link(const struct adapter *adapter, void *instance, const struct sonde_link *link,
                   char *buf, size_t size)
{
    if (!adapter->table.link)
        return SONDE_E_UNSUPPORTED;
    int64_t started = clock_mono_ns();
    int32_t r = adapter->table.link(instance, link, buf, size);
    account(adapter, "link", started);
    return r;
}
