/* SPDX-License-Identifier: Apache-2.0 */
#include "selfstats/limit_hits.h"

#include "selfstats/selfstats.h"

static struct stat_family hits = {
    .name = "sonde_limit_hits_total",
    .help =
        "Calls refused, exchanges left waiting until their deadline and answers cut off, by the key under limits: that caused it.",
    .type = STAT_COUNTER,
    .labels = {"limit"}};

static struct stat_child *child(enum limit limit)
{
    static const char *const names[LIMIT_COUNT] = {
        "calls", "calls_per_minute", "calls_per_user", "in_flight", "in_flight_per_user", "memory",
        "body"};
    return stat_child(&hits, &names[limit]);
}

void limit_hit(enum limit limit)
{
    stat_add(child(limit), 1);
}

void limits_show(void)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        child((enum limit)i);
}

int limit_memory(struct err *err, const struct budget *budget, const char *what)
{
    limit_hit(LIMIT_MEMORY);
    if (budget)
        err_set(
            err, ERR_BUSY,
            "no memory left for %s: the %zu MiB of limits.memory are in use; ask for less, or try "
            "again in 1 s",
            what, budget->max >> 20);
    else
        err_set(err, ERR_BUSY, "no memory left for %s; try again in 1 s", what);
    if (err)
        err->wait_ms = 1000;
    return ERR_BUSY;
}
