/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "service/stats.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "selfstats/limit_hits.h"
#include "selfstats/selfstats.h"
#include "service/internal.h"

static struct stat_family calls = {
    .name = "sonde_calls_total",
    .help = "Tool calls by how they ended: ok or the class of the error.",
    .type = STAT_COUNTER,
    .labels = {"tool", "outcome"}};
static struct stat_family call_seconds = {.name = "sonde_call_seconds",
                                          .help =
                                              "How long tool calls took, refused ones left out.",
                                          .type = STAT_HISTOGRAM,
                                          .labels = {"tool"}};
static struct stat_family calls_in_flight = {
    .name = "sonde_calls_in_flight", .help = "Tool calls at work.", .type = STAT_GAUGE};
static struct stat_family threads = {
    .name = "sonde_call_threads", .help = "Threads that calls run on.", .type = STAT_GAUGE};
static struct stat_family threads_busy = {.name = "sonde_call_threads_busy",
                                          .help = "Call threads at work, for users or the keeper.",
                                          .type = STAT_GAUGE};
static struct stat_family users = {
    .name = "sonde_active_users",
    .help = "Users whose calls of the last minute count towards limits.calls_per_minute.",
    .type = STAT_GAUGE};
static struct stat_family exchanges_in_flight = {.name = "sonde_exchanges_in_flight",
                                                 .help = "Requests to backends under way.",
                                                 .type = STAT_GAUGE};
static struct stat_family budget_used = {
    .name = "sonde_memory_budget_used_bytes",
    .help = "What calls, answers and buffers hold of limits.memory.",
    .type = STAT_GAUGE};
static struct stat_family budget_max = {
    .name = "sonde_memory_budget_bytes", .help = "limits.memory.", .type = STAT_GAUGE};
static struct stat_family cache_bytes = {.name = "sonde_cache_bytes",
                                         .help = "What results kept in the cache take of memory.",
                                         .type = STAT_GAUGE};
static struct stat_family cache_max = {
    .name = "sonde_cache_max_bytes", .help = "cache.memory.", .type = STAT_GAUGE};
static struct stat_family cache_entries = {.name = "sonde_cache_entries",
                                           .help = "Results kept in the cache in memory.",
                                           .type = STAT_GAUGE};
static struct stat_family malloc_bytes = {.name = "sonde_malloc_in_use_bytes",
                                          .help = "Memory handed out by malloc and not freed.",
                                          .type = STAT_GAUGE};
static struct stat_family plugin_seconds = {.name = "sonde_plugin_seconds_total",
                                            .help = "Time spent inside an adapter's callbacks.",
                                            .type = STAT_COUNTER,
                                            .seconds = true,
                                            .labels = {"backend"}};
static struct stat_family plugin_slow = {.name = "sonde_plugin_slow_callbacks_total",
                                         .help =
                                             "Callbacks of an adapter that took more than 100 ms.",
                                         .type = STAT_COUNTER,
                                         .labels = {"backend"}};
static struct stat_family store_well = {
    .name = "sonde_store_up",
    .help = "1 while the last operation reached the database, 0 while it is gone.",
    .type = STAT_GAUGE};
static struct stat_family store_queued = {.name = "sonde_store_queued_rows",
                                          .help =
                                              "Rows of history and cache that wait to be written.",
                                          .type = STAT_GAUGE};
static struct stat_family store_queued_bytes = {
    .name = "sonde_store_queued_bytes", .help = "Their size.", .type = STAT_GAUGE};
static struct stat_family store_oldest = {
    .name = "sonde_store_oldest_queued_seconds",
    .help = "How long the oldest of them has waited; 0 when none waits.",
    .type = STAT_GAUGE,
    .seconds = true};
static struct stat_family store_written = {.name = "sonde_store_written_rows_total",
                                           .help = "Rows of history and cache written.",
                                           .type = STAT_COUNTER};
static struct stat_family store_lost = {
    .name = "sonde_store_lost_total",
    .help =
        "What was not written: rows of history, samples taken out of them, rows of the cache, for want of room in the queue; rows the database refused (bad).",
    .type = STAT_COUNTER,
    .labels = {"what"}};
static struct stat_family log_lines_lost = {
    .name = "sonde_log_lines_lost_total",
    .help = "Log lines that could not be written to standard error.",
    .type = STAT_COUNTER};
static struct stat_family build_info = {.name = "sonde_build_info",
                                        .help = "Always 1; the version is in the label.",
                                        .type = STAT_GAUGE,
                                        .labels = {"version"}};
/* What every process shows under these names, whatever it is written in, keeps them. */
static struct stat_family start_time = {.name = "process_start_time_seconds",
                                        .help = "When the process started, in seconds since 1970.",
                                        .type = STAT_GAUGE,
                                        .seconds = true};
static struct stat_family cpu_seconds = {.name = "process_cpu_seconds_total",
                                         .help = "Processor time, user and system.",
                                         .type = STAT_COUNTER,
                                         .seconds = true};
static struct stat_family resident = {
    .name = "process_resident_memory_bytes", .help = "Resident memory.", .type = STAT_GAUGE};
static struct stat_family open_fds = {
    .name = "process_open_fds", .help = "Open descriptors.", .type = STAT_GAUGE};
static struct stat_family max_fds = {
    .name = "process_max_fds", .help = "Descriptors that may be open.", .type = STAT_GAUGE};

static void set(struct stat_family *family, int64_t value)
{
    stat_set(stat_child(family, NULL), value);
}

/* What the system does not say is left out. */
static void set_known(struct stat_family *family, int64_t value)
{
    if (value >= 0)
        set(family, value);
}

static void collect_process(void)
{
    struct process_usage usage;
    process_usage(&usage);
    set_known(&cpu_seconds, usage.cpu_ns);
    set_known(&resident, usage.resident_bytes);
    set_known(&malloc_bytes, usage.malloc_bytes);
    set_known(&open_fds, usage.open_descriptors);
    set_known(&max_fds, usage.max_descriptors);
    set(&log_lines_lost, (int64_t)log_lines_not_written());
}

static void collect_adapters(const struct registry *registry)
{
    size_t n;
    const struct adapter *const *adapters = registry_adapters(registry, &n);
    for (size_t i = 0; i < n; i++) {
        const char *name = adapters[i]->table.name;
        stat_set(stat_child(&plugin_seconds, &name),
                 (int64_t)atomic_load_explicit(&adapters[i]->callback_ns, memory_order_relaxed));
        stat_set(stat_child(&plugin_slow, &name),
                 (int64_t)atomic_load_explicit(&adapters[i]->slow_callbacks, memory_order_relaxed));
    }
}

static void collect_store(struct store *store)
{
    struct store_state state;
    if (!store)
        return;
    store_state(store, &state);
    set(&store_well, state.well);
    set(&store_queued, (int64_t)state.queued_rows);
    set(&store_queued_bytes, (int64_t)state.queued_bytes);
    set(&store_oldest,
        state.oldest_queued_ms ? clock_unix_ns() - state.oldest_queued_ms * NS_PER_MS : 0);
    set(&store_written, (int64_t)state.written_rows);
    const struct {
        const char *what;
        uint64_t n;
    } lost[] = {{"history", state.lost_rows},
                {"sample", state.lost_samples},
                {"cache", state.lost_cache_rows},
                {"bad", state.bad_rows}};
    for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
        stat_set(stat_child(&store_lost, &lost[i].what), (int64_t)lost[i].n);
}

static void collect(void *user)
{
    struct service *service = user;
    unsigned all;
    unsigned busy;
    call_pool_threads(service->calls, &all, &busy);
    set(&threads, all);
    set(&threads_busy, busy);
    set(&users, admission_users(service->admission));
    struct io_stats io;
    io_stats(service->io, &io);
    set(&exchanges_in_flight, io.in_flight);
    set(&budget_used, (int64_t)atomic_load_explicit(&service->budget.used, memory_order_relaxed));
    set(&budget_max, (int64_t)service->budget.max);
    struct cache_state cache;
    cache_state(service->cache, &cache);
    set(&cache_bytes, (int64_t)cache.bytes);
    set(&cache_max, (int64_t)cache.max_bytes);
    set(&cache_entries, (int64_t)cache.entries);
    collect_adapters(service->registry);
    collect_store(service->kept.store);
    stats_collect_health(service);
    collect_process();
}

int stats_begin(struct service *service, struct err *err)
{
    static const char *const version[] = {PACKAGE_VERSION};
    stat_set(stat_child(&build_info, version), 1);
    struct stat_child *started = stat_child(&start_time, NULL);
    if (!stat_value(started))
        stat_set(started, clock_unix_ns());
    stat_child(&calls_in_flight, NULL);
    limits_show();
    if (stats_collect(collect, service))
        return err_set(err, ERR_LIMIT, "too many services in one process for its statistics");
    return 0;
}

void stats_end(struct service *service)
{
    stats_uncollect(collect, service);
}

void stats_call_begins(void)
{
    stat_shift(stat_child(&calls_in_flight, NULL), 1);
}

void stats_call_ends(void)
{
    stat_shift(stat_child(&calls_in_flight, NULL), -1);
}

void stats_call(const char *tool, int code, int64_t took_ns)
{
    const char *values[] = {tool, code ? err_class(code) : "ok"};
    stat_add(stat_child(&calls, values), 1);
    if (took_ns >= 0)
        stat_observe(stat_child(&call_seconds, &tool), took_ns);
}

void service_write_stats(struct service *service, struct buf *buf)
{
    (void)service; /* its gauges are known since stats_begin */
    stats_write(buf);
}
