/* SPDX-License-Identifier: Apache-2.0 */
/* What the listener and the tokens show on /metrics; the counting is theirs. */
#include "cli/serve.h"

#include "selfstats/selfstats.h"

#define FAMILY(variable, metric, kind, words) \
    static struct stat_family variable = {.name = metric, .help = words, .type = kind}

FAMILY(accepted, "sonde_http_connections_total", STAT_COUNTER, "Connections accepted.");
FAMILY(connections, "sonde_http_connections", STAT_GAUGE, "Connections open.");
FAMILY(requests, "sonde_http_requests_total", STAT_COUNTER,
       "Requests read, refused ones included.");
FAMILY(refused, "sonde_http_refused_total", STAT_COUNTER,
       "Requests refused for their head: malformed, no token, a wrong host, too large.");
FAMILY(pending, "sonde_http_requests_pending", STAT_GAUGE, "Requests without a whole answer yet.");
FAMILY(streams, "sonde_http_streams", STAT_GAUGE, "Streams of events open.");
FAMILY(slow, "sonde_http_slow_closed_total", STAT_COUNTER,
       "Connections closed because the client sent or read too slowly.");
FAMILY(left, "sonde_http_clients_left_total", STAT_COUNTER,
       "Clients that left before their answer was complete.");
FAMILY(
    paused, "sonde_http_accept_paused", STAT_GAUGE,
    "1 while no more connections are taken for want of descriptors or at the most there may be.");
FAMILY(tokens, "sonde_tokens", STAT_GAUGE, "Tokens that are let in: of the file and of the store.");

static void set(struct stat_family *family, uint64_t value)
{
    stat_set(stat_child(family, NULL), (int64_t)value);
}

static void collect(void *user)
{
    struct serve *serve = user;
    struct http_counts counts;
    http_server_counts(serve->server, &counts);
    set(&accepted, counts.accepted);
    set(&connections, counts.connections);
    set(&requests, counts.requests);
    set(&refused, counts.refused_heads);
    set(&pending, counts.pending);
    set(&streams, counts.streams);
    set(&slow, counts.slow_closed);
    set(&left, counts.gone_while_pending);
    set(&paused, counts.accept_paused);
    set(&tokens, accounts_count(serve->accounts));
}

int serve_stats_begin(struct serve *serve, struct err *err)
{
    if (stats_collect(collect, serve))
        return err_set(err, ERR_LIMIT, "too many servers in one process for its statistics");
    return 0;
}

void serve_stats_end(struct serve *serve)
{
    stats_uncollect(collect, serve);
}
