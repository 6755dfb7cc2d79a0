/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/probe.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/target.h"

#define LOOK_AGAIN_NS NS_PER_DAY
#define LOOK_SOON_NS NS_PER_HOUR /* where it is about to expire: it may have been renewed */
#define SOON_NS (8 * NS_PER_DAY)

void probe_blame(struct exchange *exchange, const char *setting, size_t size)
{
    utf8_clean(exchange->blame, sizeof exchange->blame, setting, size);
}

void probe_tell(struct exchange *exchange)
{
    struct io_target *target = exchange->target;
    pthread_mutex_lock(&target->probe_lock);
    target->probe.stage = exchange->stage;
    target->probe.status = exchange->status;
    memcpy(target->probe.setting, exchange->blame, sizeof exchange->blame);
    pthread_mutex_unlock(&target->probe_lock);
}

bool probe_wants_tls(struct io_target *target)
{
    pthread_mutex_lock(&target->probe_lock);
    int64_t age = clock_mono_ns() - target->tls_seen_ns;
    int64_t left = target->probe.expires_ns - clock_unix_ns();
    bool wants = !target->tls_seen_ns || age > LOOK_AGAIN_NS ||
                 (target->probe.expires_ns && left < SOON_NS && age > LOOK_SOON_NS);
    pthread_mutex_unlock(&target->probe_lock);
    return wants;
}

/* The number at text's begin, after blanks; what follows it must be `end`. -1: there is none. */
static int take_number(const char **text, char end)
{
    int number = 0;
    while (**text == ' ')
        ++*text;
    if (**text < '0' || **text > '9')
        return -1;
    for (int digits = 0; **text >= '0' && **text <= '9'; ++*text)
        if (++digits > 4)
            return -1;
        else
            number = number * 10 + (**text - '0');
    if (**text != end)
        return -1;
    ++*text;
    return number;
}

/* "Jan  2 00:00:00 2027 GMT" as OpenSSL writes it; 0 when it is something else. */
static int64_t time_of_certificate(const char *text)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm = {.tm_mon = -1};
    for (int i = 0; i < 12; i++)
        if (str_starts(text, months[i]))
            tm.tm_mon = i;
    if (tm.tm_mon < 0)
        return 0;
    text += 3;
    tm.tm_mday = take_number(&text, ' ');
    tm.tm_hour = take_number(&text, ':');
    tm.tm_min = take_number(&text, ':');
    tm.tm_sec = take_number(&text, ' ');
    int year = take_number(&text, ' ');
    if (tm.tm_mday < 1 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0 || year < 1970)
        return 0;
    tm.tm_year = year - 1900;
    return (int64_t)timegm(&tm) * NS_PER_S;
}

/* "TLSv1.3, issuer CN = Example CA, expires Jan  2 00:00:00 2027 GMT" of the server's own certificate. */
static void take_certificate(const struct exchange *exchange, struct io_probe *probe)
{
    char *out = probe->tls;
    size_t size = sizeof probe->tls;
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
    probe->expires_ns = time_of_certificate(expires);
}

static int64_t time_of(CURL *easy, CURLINFO info)
{
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, info, &microseconds);
    return microseconds * NS_PER_US;
}

bool probe_connected(CURL *easy)
{
    /* The time of a connect is told only once a handshake is over, too. */
    long local_port = 0;
    curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &local_port);
    return local_port > 0 || time_of(easy, CURLINFO_CONNECT_TIME_T) > 0;
}

static int stage_of(const struct exchange *exchange, bool connected, int64_t ready)
{
    if (exchange->proxy_failed)
        return PROBE_PROXY;
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
    if (exchange->look_at_tls && secured > 0) {
        take_certificate(exchange, probe);
        target->tls_seen_ns =
            clock_mono_ns(); /* where nothing was told, asking again would not help */
    }
    probe->connect_ns = connected;
    probe->tls_ns = secured > connected ? secured - connected : 0;
    probe->first_byte_ns = first;
    probe->total_ns = clock_mono_ns() - exchange->begun_ns;
    pthread_mutex_unlock(&target->probe_lock);
    if (exchange->stage != PROBE_DONE)
        exchange->stage = stage_of(exchange, probe_connected(easy), ready);
}
