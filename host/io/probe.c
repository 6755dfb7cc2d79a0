/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/target.h"

void probe_stage(struct io_target *target, int stage)
{
    pthread_mutex_lock(&target->probe_lock);
    target->probe.stage = stage;
    pthread_mutex_unlock(&target->probe_lock);
}

bool probe_wants_tls(struct io_target *target)
{
    pthread_mutex_lock(&target->probe_lock);
    bool wants = !*target->probe.tls;
    pthread_mutex_unlock(&target->probe_lock);
    return wants;
}

/* "TLSv1.3, issuer CN = Example CA, expires Jan  2 00:00:00 2027 GMT" of the server's own certificate. */
static void take_certificate(const struct exchange *exchange, char *out, size_t size)
{
    struct curl_certinfo *info = NULL;
    const char *issuer = "";
    const char *expires = "";
    curl_easy_getinfo(exchange->easy, CURLINFO_CERTINFO, &info);
    if (!info || info->num_of_certs < 1)
        return;
    for (struct curl_slist *line = info->certinfo[0]; line; line = line->next) {
        if (str_starts(line->data, "Issuer:"))
            issuer = line->data + strlen("Issuer:");
        else if (str_starts(line->data, "Expire date:"))
            expires = line->data + strlen("Expire date:");
    }
    char text[512];
    snprintf(text, sizeof text, "%s, issuer %.150s, expires %.60s",
             *exchange->tls_version ? exchange->tls_version : "TLS", issuer, expires);
    utf8_clean(out, size, text, strlen(text));
}

static int64_t time_of(CURL *easy, CURLINFO info)
{
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, info, &microseconds);
    return microseconds * NS_PER_US;
}

static int stage_of(const struct exchange *exchange, int64_t connected, int64_t ready)
{
    if (exchange->tls_failed)
        return PROBE_TLS; /* the times say nothing of it: on loopback a connect takes none */
    if (exchange->got_bytes || ready)
        return PROBE_HTTP;
    if (connected)
        return exchange->target->tls ? PROBE_TLS : PROBE_HTTP;
    return exchange->target->proxy.host ? PROBE_PROXY : PROBE_TCP;
}

void probe_take(struct exchange *exchange)
{
    struct io_target *target = exchange->target;
    CURL *easy = exchange->easy;
    const char *address = NULL;
    long port = 0;
    int64_t connected = time_of(easy, CURLINFO_CONNECT_TIME_T);
    int64_t secured = time_of(easy, CURLINFO_APPCONNECT_TIME_T);
    int64_t ready = time_of(easy, CURLINFO_PRETRANSFER_TIME_T);
    int64_t first = time_of(easy, CURLINFO_STARTTRANSFER_TIME_T);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    pthread_mutex_lock(&target->probe_lock);
    struct io_probe *probe = &target->probe;
    probe->address[0] = '\0';
    if (address && *address)
        snprintf(probe->address, sizeof probe->address,
                 strchr(address, ':') ? "[%s]:%ld" : "%s:%ld", address, port);
    if (!*probe->tls)
        take_certificate(exchange, probe->tls, sizeof probe->tls);
    probe->connect_ns = connected;
    probe->tls_ns = secured > connected ? secured - connected : 0;
    probe->first_byte_ns = first;
    probe->total_ns = clock_mono_ns() - exchange->begun_ns;
    if (probe->stage != PROBE_DONE)
        probe->stage = stage_of(exchange, connected, ready);
    pthread_mutex_unlock(&target->probe_lock);
}
