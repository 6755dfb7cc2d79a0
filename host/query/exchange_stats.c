/* SPDX-License-Identifier: Apache-2.0 */
#include "query/exchange_stats.h"

static struct stat_family outcomes = {
    .name = "sonde_exchanges_total",
    .help =
        "Requests to backends, by adapter and how they ended: the class of the status of a whole answer, or why there was none.",
    .type = STAT_COUNTER,
    .labels = {"backend", "outcome"}};
static struct stat_family seconds = {
    .name = "sonde_exchange_seconds",
    .help = "From the start of a request to the end of its answer, the backend's whole part.",
    .type = STAT_HISTOGRAM,
    .labels = {"backend"}};
static struct stat_family bytes = {.name = "sonde_exchange_received_bytes_total",
                                   .help = "Bytes received from backends, as they came.",
                                   .type = STAT_COUNTER,
                                   .labels = {"backend"}};
static struct stat_family retries = {.name = "sonde_retries_total",
                                     .help = "Requests sent again.",
                                     .type = STAT_COUNTER,
                                     .labels = {"backend"}};
static struct stat_family waiting = {
    .name = "sonde_exchanges_waiting",
    .help = "Requests that wait for their turn at limits.in_flight or limits.in_flight_per_user.",
    .type = STAT_GAUGE};
static struct stat_family waited = {
    .name = "sonde_exchange_wait_seconds",
    .help = "How long requests waited for their turn, where they had to.",
    .type = STAT_HISTOGRAM};
static struct stat_family flights = {
    .name = "sonde_flights_total",
    .help =
        "Queries that went out: led asked the backend, joined took the answer of the same one under way.",
    .type = STAT_COUNTER,
    .labels = {"role"}};

enum {
    STATUS_1XX,
    STATUS_2XX,
    STATUS_3XX,
    STATUS_4XX,
    STATUS_5XX,
    NO_STATUS,
    TIMEOUT,
    TOO_LARGE,
    REFUSED,
    CANCELLED
};

static const char *const words[EXCHANGE_OUTCOMES] = {
    "1xx", "2xx", "3xx", "4xx", "5xx", "lost", "timeout", "too_large", "refused", "cancelled"};

void exchange_stats_init(struct exchange_stats *stats, const char *adapter)
{
    *stats = (struct exchange_stats){.adapter = adapter,
                                     .seconds = stat_child(&seconds, &adapter),
                                     .bytes = stat_child(&bytes, &adapter),
                                     .retries = stat_child(&retries, &adapter)};
}

static unsigned word_of(uint32_t outcome, uint32_t status, bool cancelled)
{
    if (cancelled)
        return CANCELLED;
    switch (outcome) {
    case SONDE_OUTCOME_OK:
        return status >= 100 && status < 600 ? status / 100 - 1 : NO_STATUS;
    case SONDE_OUTCOME_TIMED_OUT:
        return TIMEOUT;
    case SONDE_OUTCOME_TOO_LARGE:
        return TOO_LARGE;
    case SONDE_OUTCOME_REFUSED:
        return REFUSED;
    default:
        return NO_STATUS;
    }
}

void exchange_stats_end(struct exchange_stats *stats, const struct message *end, uint32_t outcome,
                        uint32_t status, bool cancelled)
{
    unsigned word = word_of(outcome, status, cancelled);
    struct stat_child *child = atomic_load_explicit(&stats->outcomes[word], memory_order_acquire);
    if (!child) {
        const char *values[] = {stats->adapter, words[word]};
        child = stat_child(&outcomes, values);
        atomic_store_explicit(&stats->outcomes[word], child, memory_order_release);
    }
    stat_add(child, 1);
    stat_add(stats->bytes, end->wire_bytes);
    stat_observe(stats->seconds, end->elapsed_ns);
}

struct gate_stats exchange_stats_gate(void)
{
    return (struct gate_stats){.waiting = stat_child(&waiting, NULL),
                               .waited = stat_child(&waited, NULL)};
}

void flight_stats(bool led)
{
    static const char *const roles[] = {"joined", "led"};
    stat_add(stat_child(&flights, &roles[led]), 1);
}
