/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/describe.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/address.h"
#include "io/probe.h"
#include "io/target.h"

/* "host:port", of the proxy when there is one. */
static void hop_text(const struct exchange *exchange, char out[512])
{
    const struct target_origin *hop = target_hop(exchange->target);
    snprintf(out, 512, "%s%s:%u", exchange->target->proxy.host ? "the proxy " : "", hop->url_host,
             (unsigned)hop->port);
}

/* Where the hop was configured. */
static const char *hop_key(const struct exchange *exchange)
{
    if (!exchange->target->proxy.host)
        return "url";
    return exchange->target->connection->proxy ? "proxy" : "network.proxy";
}

/* The setting that mends it, for who tests the connection. */
static void blame(struct exchange *exchange, const char *setting)
{
    probe_blame(exchange, setting, strlen(setting));
}

void describe_resolve(struct exchange *exchange, int error)
{
    const char *host = target_hop(exchange->target)->host;
    const char *key = hop_key(exchange);
    blame(exchange, key);
    if (error == EAI_AGAIN)
        exchange_fail(exchange, SONDE_OUTCOME_LOST,
                      "the name %s could not be looked up: no name server answered; check the DNS "
                      "of this machine, or %s",
                      host, key);
    else if (error == EAI_SYSTEM)
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "the name %s could not be looked up: %s", host,
                      strerror(errno));
    else
        exchange_fail(exchange, SONDE_OUTCOME_LOST,
                      "the name %s is not known (%s); check the host in %s", host,
                      error ? gai_strerror(error) : "no address", key);
}

void describe_refused(struct exchange *exchange)
{
    const char *host = target_hop(exchange->target)->host;
    const char *key = hop_key(exchange);
    blame(exchange, exchange->target->operator_policy ? key : "network.allow");
    if (!exchange->target->operator_policy)
        exchange_fail(exchange, SONDE_OUTCOME_REFUSED, "not sent: %s: %s %s", key, host,
                      ADDRESS_NOT_FOR_USERS);
    else
        exchange_fail(exchange, SONDE_OUTCOME_REFUSED,
                      "not sent: %s is %s (%s), which no connection may reach; check %s", host,
                      exchange->refused, exchange->refused_address, key);
}

/* How far a transfer came. */
enum phase { PHASE_CONNECT, PHASE_TLS, PHASE_ANSWER, PHASE_BODY };

static enum phase phase_of(const struct exchange *exchange)
{
    bool connected = false;
    curl_off_t ready = 0;
    if (exchange->got_bytes)
        return PHASE_BODY;
    if (exchange->easy) {
        connected = probe_connected(exchange->easy);
        curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
    }
    if (ready)
        return PHASE_ANSWER;
    return connected && exchange->target->tls ? PHASE_TLS : PHASE_CONNECT;
}

void describe_deadline(struct exchange *exchange)
{
    int64_t now = clock_mono_ns();
    double took = (double)(now - exchange->begun_ns) / (double)NS_PER_S;
    const char *shown = exchange->target->shown;
    char hop[512];
    char size[32];
    blame(exchange, "timeout_seconds");
    if (exchange->state == EXCHANGE_DELAYED || exchange->state == EXCHANGE_NEW) {
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "time was up before the request to %s was due; raise timeout_seconds", shown);
        return;
    }
    if (exchange->state == EXCHANGE_LOGIN) {
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "fetching the login for %s took longer than %.1f s; check the program or the "
                      "token server that auth names",
                      shown, took);
        return;
    }
    if (exchange->state == EXCHANGE_RESOLVING) {
        blame(exchange, hop_key(exchange));
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "looking up the name %s took longer than %.1f s; check the DNS of this "
                      "machine, or %s",
                      target_hop(exchange->target)->host, took, hop_key(exchange));
        return;
    }
    switch (phase_of(exchange)) {
    case PHASE_CONNECT:
        hop_text(exchange, hop);
        blame(exchange, hop_key(exchange));
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "%s did not accept a connection within %.1f s; check %s and firewalls", hop,
                      took, hop_key(exchange));
        return;
    case PHASE_TLS:
        blame(exchange, "url");
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "%s accepted the connection but did not finish the TLS handshake within %.1f "
                      "s; check url",
                      shown, took);
        return;
    case PHASE_ANSWER:
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "%s did not begin to answer within %.1f s; ask for less, or raise "
                      "timeout_seconds",
                      shown, took);
        return;
    case PHASE_BODY:
        size_text(size, exchange->wire);
        exchange_fail(exchange, SONDE_OUTCOME_TIMED_OUT,
                      "the answer of %s was not complete after %.1f s (%s had come); ask for less, "
                      "or raise timeout_seconds",
                      shown, took, size);
        return;
    }
}

static void tls_failure(struct exchange *exchange, CURLcode code)
{
    const struct io_target *target = exchange->target;
    const char *detail = *exchange->curl_error ? exchange->curl_error : curl_easy_strerror(code);
    bool own_files = target->connection->from_operator;
    const char *setting = "url";
    const char *advice = "check that url's port speaks TLS";
    if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(detail, "subject name")) {
        setting = "tls.server_name";
        advice = "set tls.server_name to the name in the certificate";
    } else if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(detail, "expired")) {
        setting = "";
        advice = "renew the certificate";
    } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
        setting = own_files ? "tls.ca_file" : "tls.ca_pem";
        advice = own_files ? "set tls.ca_file to the certificate of the authority that signed it"
                           : "set tls.ca_pem to the certificate of the authority that signed it";
    } else if (code == CURLE_SSL_CACERT_BADFILE) {
        setting = target->connection->tls.ca_pem ? "tls.ca_pem" : "tls.ca_file";
        advice = target->connection->tls.ca_pem
                     ? "check that tls.ca_pem holds PEM certificates"
                     : "check that tls.ca_file exists and holds PEM certificates";
    } else if (code == CURLE_SSL_CERTPROBLEM) {
        setting = "tls.cert";
        advice = "check tls.cert and tls.key";
    } else if (strstr(detail, "certificate required") || strstr(detail, "bad certificate")) {
        setting = "tls.cert";
        advice = "it wants a client certificate: set tls.cert and tls.key";
    }
    blame(exchange, setting);
    exchange_fail(exchange, SONDE_OUTCOME_LOST, "TLS with %s failed: %s; %s", target->shown, detail,
                  advice);
}

static void connect_failure(struct exchange *exchange)
{
    long number = 0;
    char hop[512];
    hop_text(exchange, hop);
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
    if (exchange->refused) {
        describe_refused(exchange);
        return;
    }
    blame(exchange, hop_key(exchange));
    const char *why = number ? strerror((int)number) : exchange->curl_error;
    exchange_fail(exchange, SONDE_OUTCOME_LOST,
                  "cannot connect to %s: %s; check that the backend runs and %s", hop, why,
                  hop_key(exchange));
}

static void cut(struct exchange *exchange, CURLcode code)
{
    const char *shown = exchange->target->shown;
    blame(exchange, exchange->got_bytes ? "timeout_seconds" : "url");
    char had[32];
    char wanted[32];
    size_text(had, exchange->wire);
    const char *detail = *exchange->curl_error ? exchange->curl_error : curl_easy_strerror(code);
    if (!exchange->got_bytes) {
        exchange_fail(
            exchange, SONDE_OUTCOME_LOST,
            "%s closed the connection without an answer (%s); check that url's scheme and "
            "port are the backend's",
            shown, detail);
    } else if (exchange->declared >= 0) {
        size_text(wanted, (uint64_t)exchange->declared);
        exchange_fail(
            exchange, SONDE_OUTCOME_LOST,
            "%s closed the connection in the middle of its answer: %s of the announced %s "
            "came; a proxy's or the backend's own timeout or limit may have struck",
            shown, had, wanted);
    } else {
        exchange_fail(exchange, SONDE_OUTCOME_LOST,
                      "%s closed the connection in the middle of its answer, after %s (%s); a "
                      "proxy's or the backend's own timeout or limit may have struck",
                      shown, had, detail);
    }
}

static void not_http(struct exchange *exchange, CURLcode code)
{
    blame(exchange, "url");
    const char *detail = *exchange->curl_error ? exchange->curl_error : curl_easy_strerror(code);
    exchange_fail(exchange, SONDE_OUTCOME_LOST,
                  "what listens at %s does not answer in HTTP (%s); check the scheme and port in "
                  "url",
                  exchange->target->shown, detail);
}

void describe_failure(struct exchange *exchange, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        describe_resolve(exchange, 0);
        return;
    case CURLE_COULDNT_CONNECT:
        connect_failure(exchange);
        return;
    case CURLE_OPERATION_TIMEDOUT: /* of connecting: all else is the deadline's */
        describe_deadline(exchange);
        return;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
        exchange->tls_failed = true;
        tls_failure(exchange, code);
        return;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        if (exchange->target->proxy.host && !exchange->got_bytes &&
            strstr(exchange->curl_error, "CONNECT")) {
            exchange->proxy_failed = true;
            blame(exchange, hop_key(exchange));
            exchange_fail(exchange, SONDE_OUTCOME_LOST,
                          "the proxy did not open a way to %s (%s); check %s",
                          exchange->target->shown, exchange->curl_error, hop_key(exchange));
        } else {
            cut(exchange, code);
        }
        return;
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: no status line */
    case CURLE_WEIRD_SERVER_REPLY:
        not_http(exchange, code);
        return;
    default:
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "the request to %s failed: %s",
                      exchange->target->shown,
                      *exchange->curl_error ? exchange->curl_error : curl_easy_strerror(code));
    }
}
