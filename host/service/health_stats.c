/* SPDX-License-Identifier: Apache-2.0 */
/* What /metrics says of connections: how many are in which state, and of the operator's ones how fresh their data is. Users' are only counted. */
#include "service/stats.h"

#include "base/clock.h"
#include "base/mem.h"
#include "selfstats/selfstats.h"
#include "service/internal.h"

#define STATES 5u
#define ADAPTERS_MAX 64u

static struct stat_family connections = {
    .name = "sonde_connections",
    .help =
        "Opened connections by adapter and how they fare; unusable: the operator's that could not be opened.",
    .type = STAT_GAUGE,
    .labels = {"backend", "state"}};
static struct stat_family sample_age = {
    .name = "sonde_connection_newest_sample_age_seconds",
    .help =
        "Age of the newest sample seen of each connection of the operator's; those never asked for any are left out.",
    .type = STAT_GAUGE,
    .seconds = true,
    .labels = {"connection"}};
static struct stat_family state_of = {
    .name = "sonde_connection_state",
    .help = "Of each connection of the operator's: 0 unknown, 1 healthy, 2 degraded, 3 unhealthy.",
    .type = STAT_GAUGE,
    .labels = {"connection"}};

/* Checks that ended well and badly are counted where they are made: sonde_keeper_jobs_total. */

static const char *const states[STATES] = {"unknown", "healthy", "degraded", "unhealthy",
                                           "unusable"};

struct counting {
    const struct adapter *const *adapters;
    size_t adapter_count;
    int64_t counts[ADAPTERS_MAX][STATES];
};

static void count(struct counting *counting, const struct adapter *adapter, unsigned state)
{
    for (size_t i = 0; i < counting->adapter_count && i < ADAPTERS_MAX; i++)
        if (counting->adapters[i] == adapter)
            counting->counts[i][state]++;
}

static void count_backend(void *user, struct backend *backend)
{
    struct backend_health health;
    backend_health(backend, &health);
    count(user, backend_adapter(backend), (unsigned)health.state);
}

static void show_shared(const struct slot *slot, int64_t now_ns)
{
    struct backend_health health;
    const char *name = slot->connection->name;
    backend_health(slot->backend, &health);
    stat_set(stat_child(&state_of, &name), health.state);
    if (health.newest_sample_ns)
        stat_set(stat_child(&sample_age, &name), now_ns - health.newest_sample_ns);
}

void stats_collect_health(struct service *service)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set(service);
    struct counting *counting = mem_alloc(sizeof *counting);
    if (!counting)
        return; /* the page shows what it showed before */
    counting->adapters = registry_adapters(service->registry, &counting->adapter_count);
    catalogue_each(service->catalogue, count_backend, counting);
    stat_hide(&sample_age);
    stat_hide(&state_of);
    for (size_t i = 0; i < set->slot_count; i++) {
        const struct slot *slot = &set->slots[i];
        if (slot->backend)
            show_shared(slot, clock_unix_ns());
        else
            count(counting, registry_find(service->registry, slot->connection->backend),
                  STATES - 1);
    }
    for (size_t i = 0; i < counting->adapter_count && i < ADAPTERS_MAX; i++)
        for (unsigned state = 0; state < STATES; state++) {
            const char *values[] = {counting->adapters[i]->table.name, states[state]};
            stat_set(stat_child(&connections, values), counting->counts[i][state]);
        }
    mem_free(counting);
}
