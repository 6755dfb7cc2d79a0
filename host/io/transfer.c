/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/transfer.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/address.h"
#include "io/answer.h"
#include "io/describe.h"
#include "io/file_endpoint.h"
#include "io/loop.h"
#include "io/probe.h"
#include "io/provider.h"
#include "io/runtime.h"
#include "io/target.h"

#define CONNECT_MS 10000L
#define CURL_BUFFER (32L * 1024) /* taken and given back for each transfer */

/* ---- Letting go ---- */

/* Takes the handle out of curl; one that is in the middle of something loses its connection. */
static void detach(struct exchange *exchange)
{
    struct io *io = exchange->io;
    CURL *easy = exchange->easy;
    if (!easy)
        return;
    if (exchange->pool) {
        curl_multi_remove_handle(exchange->pool->multi, easy);
        exchange->pool->running--;
        exchange->pool = NULL;
    }
    if (!exchange->cancelled)
        probe_take(exchange);
    exchange->easy = NULL;
    /* curl keeps copies of headers and URL in a handle until it is reset. */
    curl_easy_reset(easy);
    if (io->idle_count < IDLE_HANDLES)
        io->idle[io->idle_count++] = easy;
    else
        curl_easy_cleanup(easy);
    curl_slist_free_all(exchange->resolve);
    curl_slist_free_all(exchange->connect_to);
    exchange->resolve = exchange->connect_to = NULL;
}

static void end(struct exchange *exchange)
{
    link_remove(&exchange->live);
    link_remove(&exchange->paused);
    link_remove(&exchange->filled);
    link_remove(&exchange->waiting);
    if (exchange->timer_made)
        event_del(&exchange->timer);
    detach(exchange);
    if (!exchange->cancelled) /* it met nothing, and another of the target's may have */
        probe_tell(exchange);
    resolution_unref(exchange->resolution);
    exchange->resolution = NULL;
    wire_wipe(&exchange->sent);
    exchange_finish(exchange);
}

void transfer_cancel(struct exchange *exchange)
{
    exchange_fail(exchange, SONDE_OUTCOME_LOST, "cancelled");
    exchange->cancelled = true;
    end(exchange);
}

void transfer_deadline(struct exchange *exchange)
{
    describe_deadline(exchange);
    end(exchange);
}

/* ---- Sending ---- */

/* The second look at the address, where nothing can come between it and the connect. */
static curl_socket_t on_open(void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *exchange = argument;
    (void)purpose;
    const char *why = address_refusal(&address->addr, exchange->target->operator_policy,
                                      exchange->io->loop_policy);
    if (why) {
        exchange->refused = why;
        address_text(&address->addr, false, exchange->refused_address);
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype, address->protocol);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        loop_opened_socket(exchange->io, fd);
    }
    return fd;
}

static int on_close(void *argument, curl_socket_t fd)
{
    loop_close_socket(argument, fd);
    return 0;
}

/* The TLS version is told nowhere else. */
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *argument)
{
    static const char words[] = "SSL connection using ";
    struct exchange *exchange = argument;
    (void)easy;
    if (type != CURLINFO_TEXT || size < sizeof words || memcmp(data, words, sizeof words - 1) != 0)
        return 0;
    size_t n = 0;
    for (size_t i = sizeof words - 1; i < size && data[i] > ' ' && n < 63; i++)
        exchange->tls_version[n++] = data[i];
    exchange->tls_version[n] = '\0';
    return 0;
}

static void set_method(struct exchange *exchange, CURL *easy)
{
    const char *method = exchange->method;
    if (str_eq(method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (exchange->body_size || str_eq(method, "POST")) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body_size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         exchange->body_size ? exchange->body : (const void *)"");
    }
    if (!str_eq(method, "GET") || exchange->body_size)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_tls(struct exchange *exchange, CURL *easy)
{
    const struct io_target *target = exchange->target;
    const struct connection_tls *tls = &target->connection->tls;
    /* The CA cache of a multi handle is skipped while a CA path is set, and builds come with one. */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (!target->tls && !target->proxy_url)
        return;
    if (tls->ca_pem) {
        struct curl_blob blob = {(void *)(uintptr_t)tls->ca_pem, strlen(tls->ca_pem),
                                 CURL_BLOB_COPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    } else if (target->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, target->ca_file);
    }
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (tls->cert)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert);
    if (tls->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key);
    if (tls->insecure_skip_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (target->tls && probe_wants_tls(exchange->target)) {
        exchange->look_at_tls = true;
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
        curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
        curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
        curl_easy_setopt(easy, CURLOPT_DEBUGDATA, exchange);
    }
}

/* Where to connect: the addresses that were checked, and no other way. */
static void set_route(struct exchange *exchange, CURL *easy)
{
    const struct io_target *target = exchange->target;
    curl_easy_setopt(easy, CURLOPT_PROXY, target->proxy_url ? target->proxy_url : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, exchange->io);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, exchange->resolve);
    if (exchange->connect_to)
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, exchange->connect_to);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    /* curl sends a request again by itself when a kept connection turns out dead; this must not
     * happen to one that creates something. */
    if (exchange->flags & SONDE_REQUEST_CREATES)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    long version = CURL_HTTP_VERSION_1_1;
    if (target->connection->http2)
        version = target->tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, target->connection->http2 ? 1L : 0L);
}

static void set_up(struct exchange *exchange, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->curl_error);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, CURL_BUFFER);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_URL, exchange->sent.url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->sent.lines);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, exchange->io->user_agent);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    set_method(exchange, easy);
    set_tls(exchange, easy);
    set_route(exchange, easy);
}

static int no_memory(struct exchange *exchange)
{
    exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory for a request");
    return ERR_MEMORY;
}

/* "host:port:address,address": what curl may know of the host. */
static int pin(struct exchange *exchange)
{
    const struct target_origin *hop = target_hop(exchange->target);
    const struct resolution *resolution = exchange->resolution;
    struct sockaddr_storage numeric;
    if (!address_parse(hop->host, &numeric)) {
        struct buf text = BUF(4096);
        buf_printf(&text, "%s:%u:", hop->host, (unsigned)hop->port);
        for (size_t i = 0; i < resolution->count; i++) {
            char address[ADDRESS_TEXT];
            address_text((const struct sockaddr *)&resolution->addresses[i], true, address);
            buf_printf(&text, "%s%s", i ? "," : "", address);
        }
        exchange->resolve = text.failed ? NULL : curl_slist_append(NULL, buf_text(&text));
        buf_finish(&text);
        if (!exchange->resolve)
            return no_memory(exchange);
    }
    if (exchange->target->connect_to) {
        exchange->connect_to = curl_slist_append(NULL, exchange->target->connect_to);
        if (!exchange->connect_to)
            return no_memory(exchange);
    }
    return 0;
}

static void send_now(struct exchange *exchange)
{
    struct io *io = exchange->io;
    struct pool *pool = loop_pool(io, exchange->target);
    CURL *easy = io->idle_count ? io->idle[--io->idle_count] : curl_easy_init();
    exchange->easy = easy;
    exchange->state = EXCHANGE_RUNNING;
    if (!pool || !easy || pin(exchange) < 0) {
        no_memory(exchange);
        end(exchange);
        return;
    }
    set_up(exchange, easy);
    if (curl_multi_add_handle(pool->multi, easy)) {
        no_memory(exchange);
        end(exchange);
        return;
    }
    exchange->pool = pool;
    pool->running++;
}

void transfer_begin(struct exchange *exchange)
{
    exchange->state = exchange->wants_login ? EXCHANGE_LOGIN : EXCHANGE_RESOLVING;
    loop_set_timer(exchange, exchange->deadline_ns);
    if (clock_mono_ns() >= exchange->deadline_ns) {
        transfer_deadline(exchange);
        return;
    }
    if (exchange->wants_login) {
        if (provider_fetch_for(exchange) == 0)
            return; /* transfer_login follows */
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory or thread to fetch the login");
        end(exchange);
        return;
    }
    exchange->stage = PROBE_NAME;
    int r = resolver_find(exchange->io->resolver, exchange, target_hop(exchange->target)->host);
    if (!r)
        return;
    exchange_fail(exchange, SONDE_OUTCOME_LOST,
                  r == ERR_LIMIT ? "too many host names are being looked up at once; try again"
                                 : "no memory or thread to look up a host name");
    end(exchange);
}

void transfer_resolved(struct exchange *exchange, struct resolution *resolution)
{
    const struct io_target *target = exchange->target;
    resolution_unref(exchange->resolution); /* of before a 401 */
    exchange->resolution = resolution;
    if (resolution->error || !resolution->count) {
        describe_resolve(exchange, resolution->error);
        end(exchange);
        return;
    }
    exchange->stage = PROBE_POLICY;
    for (size_t i = 0; i < resolution->count; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&resolution->addresses[i];
        const char *why =
            address_refusal(address, target->operator_policy, exchange->io->loop_policy);
        if (!why)
            continue;
        exchange->refused = why;
        address_text(address, false, exchange->refused_address);
        describe_refused(exchange);
        end(exchange);
        return;
    }
    send_now(exchange);
}

/* ---- Going on and ending ---- */

void transfer_resume(struct exchange *exchange)
{
    if (exchange->state != EXCHANGE_RUNNING || !exchange->easy || exchange->hold_head)
        return;
    exchange->window_paused = false;
    CURLcode code = curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
    if (code)
        transfer_done(exchange, code);
}

void transfer_done(struct exchange *exchange, CURLcode code)
{
    if (exchange->hold_head) {
        /* The whole answer is a head without a body, or the connection broke: decided once the login is known. */
        exchange->done_held = true;
        exchange->done_code = code;
        return;
    }
    if (code)
        describe_failure(exchange, code);
    else
        answer_check_whole(exchange);
    if (!exchange->failed)
        exchange->stage = PROBE_DONE;
    end(exchange);
}

/* The login that the first sending waited for is there, or will not come. */
static void login_came(struct exchange *exchange, bool there)
{
    exchange->wants_login = false;
    if (!there) {
        const char *error = exchange->login_error;
        exchange_fail(exchange, SONDE_OUTCOME_REFUSED, "not sent: %s", error);
        /* "auth.token: ...": the text begins with the setting. */
        exchange->stage = PROBE_UNBEGUN;
        probe_blame(exchange, error, strcspn(error, ": "));
        end(exchange);
        return;
    }
    exchange->sent = exchange->next_sent;
    exchange->next_sent = (struct wire){0};
    transfer_begin(exchange);
}

void transfer_login(struct exchange *exchange, bool changed)
{
    if (exchange->wants_login) {
        login_came(exchange, changed);
        return;
    }
    if (!exchange->hold_head)
        return;
    exchange->hold_head = false;
    if (changed) {
        detach(exchange);
        wire_wipe(&exchange->sent);
        exchange->sent = exchange->next_sent;
        exchange->next_sent = (struct wire){0};
        exchange->done_held = false;
        answer_start_over(exchange);
        transfer_begin(exchange);
        return;
    }
    if (exchange_put_head(exchange) < 0) {
        no_memory(exchange);
        end(exchange);
        return;
    }
    link_add(&exchange->io->filled, &exchange->filled);
    if (exchange->done_held) {
        transfer_done(exchange, exchange->done_code);
    } else {
        transfer_resume(exchange);
    }
}
