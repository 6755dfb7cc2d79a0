/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/target.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/address.h"
#include "io/file_endpoint.h"
#include "io/policy.h"
#include "io/request.h"
#include "io/resolve.h"
#include "io/runtime.h"

#define URL_MAX 2048
#define TARGET_MEMORY (64 * 1024)
#define PATH_PREFIX_MAX 1024
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

/* A part of a URL into the arena; NULL when it has none (or no memory, which failed tells). */
static const char *url_part(CURLU *url, CURLUPart part, unsigned flags, struct arena *arena)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags))
        return NULL;
    char *copy = arena_strdup(arena, text);
    curl_free(text);
    return copy;
}

/* A host that needs no look-up is judged now. What users read says nothing of what is where. */
static int refuse_host(const struct io_target *target, const char *key, const char *host,
                       struct err *err)
{
    struct sockaddr_storage address;
    bool from_operator = target->connection->from_operator;
    const char *why = NULL;
    if (address_parse(host, &address)) {
        struct address_policy *policy = io_policy(target->io);
        why = address_refusal((const struct sockaddr *)&address, from_operator, policy);
        policy_unref(policy);
    } else if (target->proxy.host && is_localhost(host) && !from_operator) {
        why = "a loopback address"; /* of the proxy's machine: nobody here will look it up */
    }
    if (!why)
        return 0;
    if (from_operator)
        return err_set(err, ERR_INVALID, "%s: %s is %s, which no connection may reach", key, host,
                       why);
    return err_set(err, ERR_INVALID, "%s: %s %s", key, host, ADDRESS_NOT_FOR_USERS);
}

/* Ports of services that would take an HTTP request for commands. */
static int refuse_port(const struct io_target *target, const char *key, uint16_t port,
                       struct err *err)
{
    static const uint16_t ports[] = {21, 22, 23, 25, 53, 110, 143, 465, 587, 993, 995};
    if (target->connection->from_operator)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
        if (ports[i] == port)
            return err_set(err, ERR_INVALID,
                           "%s: port %u is not one that a backend answers HTTP on", key,
                           (unsigned)port);
    return 0;
}

static int take_parts(struct io_target *target, CURLU *handle, const char *key, bool may_login,
                      struct target_origin *origin, struct err *err)
{
    struct arena *arena = &target->arena;
    origin->scheme = url_part(handle, CURLUPART_SCHEME, 0, arena);
    if (!origin->scheme || (!str_eq(origin->scheme, "http") && !str_eq(origin->scheme, "https")))
        return err_set(err, ERR_INVALID, "%s: only http:// and https:// are spoken, not %s://", key,
                       origin->scheme ? origin->scheme : "?");
    if (!may_login && (url_part(handle, CURLUPART_USER, 0, arena) ||
                       url_part(handle, CURLUPART_PASSWORD, 0, arena)))
        return err_set(err, ERR_INVALID,
                       "%s: a login does not belong in the URL; put it under auth (type basic, "
                       "user, password)",
                       key);
    if (url_part(handle, CURLUPART_QUERY, 0, arena) ||
        url_part(handle, CURLUPART_FRAGMENT, 0, arena))
        return err_set(err, ERR_INVALID, "%s: leave out what follows '?' or '#'", key);
    char *host = (char *)(uintptr_t)url_part(handle, CURLUPART_HOST, 0, arena);
    const char *port = url_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena);
    char *path = (char *)(uintptr_t)url_part(handle, CURLUPART_PATH, 0, arena);
    int64_t number;
    if (!host || !*host || !port || !path || str_to_int(port, 1, 65535, &number) < 0)
        return err_set(err, ERR_INVALID, "%s: no host and port (1 to 65535) can be read from it",
                       key);
    for (char *c = host; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    size_t size = strlen(path);
    while (size && path[size - 1] == '/')
        path[--size] = '\0';
    origin->port = (uint16_t)number;
    origin->path = path;
    origin->url_host = origin->host = host;
    size = strlen(host);
    if (host[0] == '[' && host[size - 1] == ']')
        origin->host = arena_strndup(arena, host + 1, size - 2);
    return 0;
}

/*
 * A name beyond ASCII in its ASCII form. By way of the whole URL: libcurl 7.88 loses memory when it is asked for such a host alone. What the
 * name turns into may be an address, which is why it is read again.
 */
static CURLUcode set_ascii(CURLU *handle)
{
    char *host = NULL;
    char *url = NULL;
    CURLUcode code = curl_url_get(handle, CURLUPART_HOST, &host, 0);
    bool ascii = true;
    for (const char *c = host; !code && *c; c++)
        ascii = ascii && (unsigned char)*c < 0x80;
    curl_free(host);
    if (code || ascii)
        return code;
    code = curl_url_get(handle, CURLUPART_URL, &url, CURLU_PUNYCODE);
    if (!code)
        code = curl_url_set(handle, CURLUPART_URL, url, 0);
    curl_free(url);
    return code;
}

static int take_url(struct io_target *target, const char *url, const char *key, bool may_login,
                    struct target_origin *origin, struct err *err)
{
    if (strlen(url) > URL_MAX)
        return err_set(err, ERR_INVALID, "%s: longer than %d bytes", key, URL_MAX);
    CURLU *handle = curl_url();
    if (!handle)
        return err_set(err, ERR_MEMORY, "no memory for a URL");
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, url, 0);
    if (!code)
        code = set_ascii(handle);
    int r;
    if (code)
        r = err_set(err, ERR_INVALID, "%s: not a URL such as https://host:9090 (%s)", key,
                    curl_url_strerror(code));
    else
        r = take_parts(target, handle, key, may_login, origin, err);
    curl_url_cleanup(handle);
    if (r)
        return r;
    if (target->arena.failed)
        return err_set(err, ERR_MEMORY, "no memory for a connection's target");
    return refuse_port(target, key, origin->port, err);
}

/* A no_proxy entry: "*", a host, or a domain with or without its leading dot, which covers what lies below. */
static bool no_proxy_matches(const char *entry, const char *host)
{
    if (str_eq(entry, "*"))
        return true;
    if (*entry == '.')
        entry++;
    size_t entry_size = strlen(entry);
    size_t host_size = strlen(host);
    if (!entry_size || entry_size > host_size)
        return false;
    if (!str_eq_nocase(host + host_size - entry_size, entry))
        return false;
    return entry_size == host_size || host[host_size - entry_size - 1] == '.';
}

/* Sets the proxy, if one is meant for this host. Its address is what gets checked then. */
static int take_proxy(struct io_target *target, struct err *err)
{
    const struct io *io = target->io;
    const char *proxy = target->connection->proxy;
    const char *key = "proxy";
    if (!proxy || !*proxy) {
        proxy = io->proxy;
        key = "network.proxy";
        for (size_t i = 0; proxy && i < io->no_proxy_count; i++)
            if (no_proxy_matches(io->no_proxy[i], target->origin.host))
                proxy = NULL;
        if (proxy)
            target->operator_policy = true;
    }
    if (!proxy || !*proxy)
        return 0;
    int r = take_url(target, proxy, key, true, &target->proxy, err);
    if (r < 0)
        return r;
    target->proxy_url = arena_strdup(&target->arena, proxy);
    return target->operator_policy ? 0 : refuse_host(target, key, target->proxy.host, err);
}

static int take_tls(struct io_target *target, struct err *err)
{
    const struct connection_tls *tls = &target->connection->tls;
    target->tls = str_eq(target->origin.scheme, "https");
    if (!target->tls)
        return 0;
    if (tls->ca_file && tls->ca_pem)
        return err_set(err, ERR_INVALID, "tls: give ca_file or ca_pem, not both");
    if (tls->key && !tls->cert)
        return err_set(err, ERR_INVALID, "tls.key: a key without tls.cert");
    bool files = tls->ca_file || tls->cert || tls->key;
    if (files && !target->connection->from_operator)
        return err_set(err, ERR_INVALID,
                       "tls: only the operator's connections may name files; give tls.ca_pem");
    target->ca_file = tls->ca_file;
    if (!target->ca_file && !tls->ca_pem) {
        const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
        target->ca_file = version->cainfo ? version->cainfo : SYSTEM_CA_FILE;
    }
    return 0;
}

/* base, shown, and the detour for a certificate that names another host. */
static void compose(struct io_target *target, const char *path_prefix)
{
    struct arena *arena = &target->arena;
    const struct target_origin *origin = &target->origin;
    const char *name = target->connection->tls.server_name;
    const char *url_host = origin->url_host;
    if (target->tls && name && *name && !str_eq_nocase(name, origin->host)) {
        url_host = name;
        target->connect_to = arena_printf(arena, "%s:%u:%s:%u", name, (unsigned)origin->port,
                                          origin->url_host, (unsigned)origin->port);
        target->host_header =
            arena_printf(arena, "Host: %s:%u", origin->url_host, (unsigned)origin->port);
    }
    size_t size = path_prefix ? strlen(path_prefix) : 0;
    while (size && path_prefix[size - 1] == '/')
        size--;
    target->base =
        arena_printf(arena, "%s://%s:%u%s%.*s", origin->scheme, url_host, (unsigned)origin->port,
                     origin->path, (int)size, size ? path_prefix : "");
    target->shown = arena_printf(arena, "%s:%u", origin->url_host, (unsigned)origin->port);
}

/* What a test tells of the way whatever an exchange met. */
static void note_way(struct io_target *target)
{
    const struct connection_tls *tls = &target->connection->tls;
    struct io_probe *probe = &target->probe;
    if (target->proxy.host)
        snprintf(probe->proxy, sizeof probe->proxy, "%s:%u", target->proxy.url_host,
                 (unsigned)target->proxy.port);
    if (target->tls)
        snprintf(probe->ca, sizeof probe->ca, "%s%s",
                 tls->insecure_skip_verify ? "nothing: tls.insecure_skip_verify is set"
                 : tls->ca_pem             ? "tls.ca_pem"
                 : tls->ca_file            ? "tls.ca_file "
                                           : "the system's authorities, ",
                 tls->insecure_skip_verify || tls->ca_pem ? "" : target->ca_file);
}

static int take_http(struct io_target *target, const char *url, const char *path_prefix,
                     struct err *err)
{
    target->operator_policy = target->connection->from_operator;
    int r = take_url(target, url, "url", false, &target->origin, err);
    if (!r)
        r = take_proxy(target, err);
    if (!r)
        r = refuse_host(target, "url", target->origin.host, err);
    if (!r)
        r = take_tls(target, err);
    if (!r && path_prefix && *path_prefix)
        r = strlen(path_prefix) > PATH_PREFIX_MAX
                ? err_set(err, ERR_INVALID, "path prefix longer than %d bytes", PATH_PREFIX_MAX)
                : request_check_path(path_prefix, err);
    if (!r && *target->origin.path)
        r = request_check_path(target->origin.path, err);
    if (r < 0)
        return r;
    compose(target, path_prefix);
    note_way(target);
    return 0;
}

static int take_headers(struct io_target *target, const struct sonde_pair *headers, size_t count,
                        struct err *err)
{
    const struct connection *connection = target->connection;
    for (size_t i = 0; i < connection->header_count; i++) {
        int r = request_check_own_header(connection->headers[i].name, err);
        if (r < 0)
            return r;
    }
    bool tenant = connection->tenant && *connection->tenant;
    target->headers = arena_alloc_array(&target->arena, count + 1, sizeof *target->headers);
    for (size_t i = 0; target->headers && i < count + tenant; i++) {
        struct sonde_pair pair =
            i < count ? headers[i] : (struct sonde_pair){"X-Scope-OrgID", connection->tenant};
        int r = request_check_header(pair.key, pair.value, err);
        if (r < 0)
            return r;
        target->headers[i] = (struct sonde_pair){arena_strdup(&target->arena, pair.key),
                                                 arena_strdup(&target->arena, pair.value)};
        target->header_count = i + 1;
    }
    return 0;
}

static void target_free(struct io_target *target)
{
    login_finish(&target->login);
    pthread_mutex_destroy(&target->probe_lock);
    arena_finish(&target->arena);
    connection_unref(target->connection);
    io_unref(target->io);
    mem_free(target);
}

static struct io_target *target_new(struct io *io, struct connection *connection, struct err *err)
{
    struct io_target *target = mem_alloc(sizeof *target);
    if (!target || pthread_mutex_init(&target->probe_lock, NULL)) {
        mem_free(target);
        err_set(err, ERR_MEMORY, "no memory for a connection's target");
        return NULL;
    }
    if (login_init(&target->login, connection, err) < 0) {
        pthread_mutex_destroy(&target->probe_lock);
        mem_free(target);
        return NULL;
    }
    atomic_init(&target->references, 1);
    target->io = io_ref(io);
    target->connection = connection_ref(connection);
    arena_init(&target->arena, TARGET_MEMORY, NULL);
    if (login_use_providers(&target->login, io, connection, err) < 0) {
        target_free(target);
        return NULL;
    }
    return target;
}

int io_target_create(struct io *io, struct connection *connection, const char *url,
                     const char *path_prefix, const struct sonde_pair *headers, size_t header_count,
                     struct io_target **ret_target, struct err *err)
{
    struct err own = {0};
    if (!err)
        err = &own;
    err->code = 0;
    if (!url || !*url)
        return err_set(err, ERR_INVALID, "url: missing; give one such as http://localhost:9090");
    struct io_target *target = target_new(io, connection, err);
    if (!target)
        return err->code;
    target->is_file = strlen(url) >= 5 && !memcmp(url, "file:", 5);
    int r = target->is_file ? file_target_init(target, url, err)
                            : take_http(target, url, path_prefix, err);
    if (!r)
        r = take_headers(target, headers, header_count, err);
    if (!r && target->arena.failed)
        r = err_set(err, ERR_LIMIT, "the URL and headers need more than %d bytes", TARGET_MEMORY);
    if (r < 0) {
        target_free(target);
        return r;
    }
    *ret_target = target;
    return 0;
}

int io_target_use_scheme(struct io_target *target, const struct sonde_auth_scheme *scheme,
                         struct err *err)
{
    for (size_t i = 0; i < scheme->placement_count; i++) {
        const struct sonde_placement *placement = scheme->placements[i];
        int r = placement->place == SONDE_PLACE_HEADER
                    ? request_check_own_header(placement->name, err)
                    : 0;
        if (r < 0)
            return r;
    }
    return login_add_scheme(&target->login, scheme, err);
}

struct io_target *io_target_ref(struct io_target *target)
{
    atomic_fetch_add_explicit(&target->references, 1, memory_order_relaxed);
    return target;
}

void io_target_unref(struct io_target *target)
{
    if (target && atomic_fetch_sub_explicit(&target->references, 1, memory_order_acq_rel) == 1)
        target_free(target);
}

void io_target_probe(struct io_target *target, struct io_probe *ret_probe)
{
    pthread_mutex_lock(&target->probe_lock);
    *ret_probe = target->probe;
    pthread_mutex_unlock(&target->probe_lock);
}
