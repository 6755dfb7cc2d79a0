/* SPDX-License-Identifier: Apache-2.0 */
#include "query/backend.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugin/guard.h"
#include "plugin/params.h"
#include "query/cache.h"
#include "query/query_key.h"

#define OPEN_MAX_BYTES (1024u * 1024u)
/* A backend whose PROBE fails for reasons of its own is asked again after this long. */
#define PROBE_AGAIN_NS (60 * NS_PER_S)
#define LINK_MAX 4096u

static const struct endpoint *find_endpoint(const struct backend *backend, const char *name)
{
    for (size_t i = 0; i < backend->endpoint_count; i++)
        if (str_eq(backend->endpoints[i].name, name ? name : "main"))
            return &backend->endpoints[i];
    return NULL;
}

struct io_target *backend_target(const struct backend *backend, const char *name, struct err *err)
{
    const struct endpoint *endpoint = find_endpoint(backend, name);
    if (endpoint && !endpoint->unsigned_aws)
        return endpoint->target;
    if (endpoint)
        err_set(err, SONDE_E_REFUSED,
                "not sent: endpoint %.64s wants AWS signatures, which this host does not make",
                name);
    else if (!name || str_eq(name, "main"))
        err_set(err, SONDE_E_REFUSED, "not sent: the connection has no url");
    else
        err_set(err, SONDE_E_REFUSED, "not sent: the endpoint \"%.64s\" was not declared", name);
    return NULL;
}

static int use_scheme(const struct backend *backend, struct io_target *target, struct err *err)
{
    const struct connection *connection = backend->connection;
    const struct sonde_plugin *table = &backend->adapter->table;
    if (connection->auth.type != AUTH_SCHEME)
        return 0;
    for (size_t i = 0; i < table->auth_scheme_count; i++)
        if (str_eq(table->auth_schemes[i]->name, connection->auth.scheme))
            return io_target_use_scheme(target, table->auth_schemes[i], err);
    return 0; /* params_check says that there is none such */
}

static int add_endpoint(struct backend *backend, const char *name, const char *url, struct err *err)
{
    if (backend->endpoint_count == ENDPOINTS_MAX)
        return err_set(err, SONDE_E_REFUSED, "more than %u endpoints", ENDPOINTS_MAX);
    if (find_endpoint(backend, name))
        return err_set(err, SONDE_E_REFUSED, "endpoint %.64s is declared twice", name);
    const struct scope_row *scope = backend->scope;
    struct endpoint *endpoint = &backend->endpoints[backend->endpoint_count];
    endpoint->name = mem_strdup(name);
    if (!endpoint->name)
        return err_set(err, ERR_MEMORY, "no memory for an endpoint");
    int r = io_target_create(backend->engine->settings.io, backend->connection, url,
                             scope ? scope->path_prefix : NULL, scope ? scope->headers : NULL,
                             scope ? scope->header_count : 0, &endpoint->target, err);
    if (r) {
        mem_free(endpoint->name);
        return r;
    }
    backend->endpoint_count++;
    return use_scheme(backend, endpoint->target, err);
}

static int32_t declare_endpoint(struct sonde_ctx *ctx, const struct sonde_endpoint *row)
{
    struct backend *backend = ctx->owner;
    struct err err = {0};
    if (!row || row->struct_size < offsetof(struct sonde_endpoint, sigv4_service) || !row->name ||
        !row->name[0] || !row->url) {
        err_set(&err, SONDE_E_REFUSED, "an endpoint needs a name and a url");
    } else if (str_eq(row->name, "main") && find_endpoint(backend, "main")) {
        /* It need not be declared; saying the same again is no fault. */
        if (str_eq(row->url, backend->connection->url))
            return 0;
        err_set(&err, SONDE_E_REFUSED,
                "endpoint main is the connection's url and cannot be another");
    } else if (!add_endpoint(backend, row->name, row->url, &err)) {
        bool signs =
            SONDE_HAS_MEMBER(row, struct sonde_endpoint, sigv4_service) && row->sigv4_service;
        backend->endpoints[backend->endpoint_count - 1].unsigned_aws = signs;
        return 0;
    }
    ctx->failure = err;
    return SONDE_E_REFUSED;
}

static int no_adapter(const struct registry *registry, const char *name, struct err *err)
{
    size_t refusal_count;
    const struct plugin_refusal *refusals = registry_refusals(registry, &refusal_count);
    for (size_t i = 0; i < refusal_count; i++)
        if (str_eq(refusals[i].name, name))
            return err_set(err, ERR_NOT_FOUND, "backend %s: its plugin %s was refused: %s", name,
                           refusals[i].path, refusals[i].reason);
    size_t n;
    const struct adapter *const *adapters = registry_adapters(registry, &n);
    const char *names[64] = {0};
    char list[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && i < 64; i++) {
        names[i] = adapters[i]->table.name;
        size_t size = strlen(names[i]);
        if (used + size + 3 > sizeof list)
            continue;
        if (used) {
            memcpy(list + used, ", ", 2);
            used += 2;
        }
        memcpy(list + used, names[i], size + 1);
        used += size;
    }
    const char *near = str_nearest(name, names, n < 64 ? n : 64);
    return err_set(err, ERR_NOT_FOUND, "no plugin for backend \"%.64s\"%s%s%s: there %s %s", name,
                   near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "",
                   n == 1 ? "is" : "are", n ? list : "none loaded");
}

static int open_instance(struct backend *backend, struct err *err)
{
    struct arena arena;
    arena_init(&arena, OPEN_MAX_BYTES, NULL);
    const struct sonde_pair *pairs = NULL;
    size_t count = 0;
    int r = params_fill(backend->adapter, backend->connection, &arena, &pairs, &count, err);
    if (!r) {
        const char *ui_kind = backend->connection->ui_kind;
        const char *tenant = backend->connection->tenant;
        struct sonde_open open = {.struct_size = sizeof open,
                                  .param_count32 = (uint32_t)count,
                                  .ctx = &backend->ctx,
                                  .url = backend->connection->url ? backend->connection->url : "",
                                  .ui_kind = ui_kind ? ui_kind : "",
                                  .params = pairs,
                                  .tenant = tenant ? tenant : ""};
        backend->ctx.endpoint = declare_endpoint;
        int32_t code = guard_open(backend->adapter, &open, &backend->instance);
        backend->ctx.endpoint = NULL;
        if (code == SONDE_OK)
            backend->opened = true;
        else if (code == SONDE_E_REFUSED && backend->ctx.failure.code)
            r = err_set(err, ERR_INVALID, "%s", backend->ctx.failure.text);
        else
            r = ctx_failure(&backend->ctx, code, "open", err);
    }
    arena_finish(&arena);
    return r;
}

static int make(struct engine *engine, struct connection *connection, const char *name,
                struct backend *parent, const struct scope_row *scope, struct backend **ret_backend,
                struct err *err)
{
    const struct adapter *adapter = registry_find(engine->settings.registry, name);
    if (!adapter)
        return no_adapter(engine->settings.registry, name, err);
    CLEANUP(backend_unrefp) struct backend *backend = mem_alloc(sizeof *backend);
    if (!backend)
        return err_set(err, ERR_MEMORY, "no memory to open a connection");
    atomic_init(&backend->references, 1);
    backend->serial = atomic_fetch_add(&engine->next_serial, 1);
    backend->engine = engine;
    backend->connection = connection_ref(connection);
    backend->adapter = adapter;
    backend->parent = backend_ref(parent);
    backend->scope = scope;
    ctx_init(&backend->ctx, adapter, backend->connection->name, OPEN_MAX_BYTES,
             engine->settings.budget, backend);
    facts_init(&backend->facts);
    health_init(&backend->health, connection->timeout_ns);
    struct gate_stats stats = exchange_stats_gate();
    gate_init(&backend->own_gate, atomic_load(&engine->per_connection),
              atomic_load(&engine->per_user), &stats);
    exchange_stats_init(&backend->stats, adapter->table.name);
    backend->gate = parent ? parent->gate : &backend->own_gate;
    pthread_mutex_init(&backend->lock, NULL);
    int r = scope ? query_scope_digest(scope, backend->scope_digest) : 0;
    if (r)
        err_set(err, r, "no memory to open a scope");
    if (!r && connection->url && connection->url[0])
        r = add_endpoint(backend, "main", connection->url, err);
    if (!r)
        r = open_instance(backend, err);
    backend->scope = NULL;
    if (r)
        return r;
    *ret_backend = STEAL(backend);
    return 0;
}

int backend_open(struct engine *engine, struct connection *connection, struct backend **ret_backend,
                 struct err *err)
{
    return make(engine, connection, connection->backend, NULL, NULL, ret_backend, err);
}

int backend_open_scope(struct backend *parent, const struct scope_row *scope,
                       struct backend **ret_backend, struct err *err)
{
    const char *name =
        scope->backend && scope->backend[0] ? scope->backend : parent->adapter->table.name;
    return make(parent->engine, parent->connection, name, parent, scope, ret_backend, err);
}

struct backend *backend_ref(struct backend *backend)
{
    if (backend)
        atomic_fetch_add_explicit(&backend->references, 1, memory_order_relaxed);
    return backend;
}

void backend_unref(struct backend *backend)
{
    if (!backend || atomic_fetch_sub_explicit(&backend->references, 1, memory_order_acq_rel) != 1)
        return;
    if (backend->opened)
        guard_close(backend->adapter, backend->instance);
    for (size_t i = 0; i < backend->endpoint_count; i++) {
        mem_free(backend->endpoints[i].name);
        io_target_unref(backend->endpoints[i].target);
    }
    ctx_finish(&backend->ctx);
    facts_finish(&backend->facts);
    gate_finish(&backend->own_gate);
    pthread_mutex_destroy(&backend->lock);
    connection_unref(backend->connection);
    backend_unref(backend->parent);
    mem_free(backend);
}

struct connection *backend_connection(const struct backend *backend)
{
    return backend->connection;
}

bool backend_has_endpoint(const struct backend *backend)
{
    return backend->endpoint_count > 0;
}

const struct adapter *backend_adapter(const struct backend *backend)
{
    return backend->adapter;
}

static void copy_text(char *out, size_t size, const char *text)
{
    utf8_clean(out, size, text, strlen(text));
}

void backend_product(struct backend *backend, char *product, size_t product_size, char *version,
                     size_t version_size)
{
    pthread_mutex_lock(&backend->lock);
    copy_text(product, product_size, backend->product);
    copy_text(version, version_size, backend->version);
    pthread_mutex_unlock(&backend->lock);
}

void backend_health(struct backend *backend, struct backend_health *ret_health)
{
    pthread_mutex_lock(&backend->lock);
    health_show(&backend->health, clock_mono_ns(), clock_unix_ns(), ret_health);
    pthread_mutex_unlock(&backend->lock);
}

void backend_interest(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    health_interest(&backend->health, clock_mono_ns());
    pthread_mutex_unlock(&backend->lock);
}

int64_t backend_check_pause(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    int64_t pause = health_pause(&backend->health, clock_mono_ns());
    pthread_mutex_unlock(&backend->lock);
    return pause;
}

bool backend_health_to_store(struct backend *backend, struct backend_health *ret_health)
{
    int64_t now = clock_mono_ns();
    pthread_mutex_lock(&backend->lock);
    health_show(&backend->health, now, clock_unix_ns(), ret_health);
    bool due = health_to_store(&backend->health, now);
    pthread_mutex_unlock(&backend->lock);
    return due;
}

void backend_health_not_stored(struct backend *backend)
{
    pthread_mutex_lock(&backend->lock);
    backend->health.stored_state = -1;
    pthread_mutex_unlock(&backend->lock);
}

void backend_count(struct backend *backend, uint64_t requests, uint64_t failures)
{
    pthread_mutex_lock(&backend->lock);
    backend->health.shown.requests += requests;
    backend->health.shown.failures += failures;
    pthread_mutex_unlock(&backend->lock);
}

/* What an operation's end says about the backend itself. A check has nothing in it that only some backends could answer in time. */
static enum health_verdict verdict_of(int code, bool check)
{
    switch (code) {
    case 0:
    case SONDE_E_BAD_QUERY:
    case SONDE_E_NOT_FOUND:
    case SONDE_E_UNSUPPORTED:
    case SONDE_E_TOO_MUCH:
        return VERDICT_GOOD;
    case SONDE_E_FORBIDDEN:
    case SONDE_E_THROTTLED:
    case SONDE_E_BUSY:
        return VERDICT_SOFT;
    case SONDE_E_TIMEOUT:
    case SONDE_E_BAD_ANSWER:
    case SONDE_E_DEADLINE:
        return check ? VERDICT_HARD : VERDICT_SOFT;
    case SONDE_E_UNREACHABLE:
        return VERDICT_HARD;
    case SONDE_E_AUTH:
        return VERDICT_FINAL;
    case SONDE_E_REFUSED: /* not even sent: of a query it may be the query's fault */
        return check ? VERDICT_FINAL : VERDICT_NONE;
    default:
        return VERDICT_NONE;
    }
}

/* Under the lock. */
static void take_product(struct backend *backend, const struct result *result)
{
    if (!result || !result->product[0])
        return;
    /* A health check may not know the version that PROBE found. */
    if (result->version[0] || strcmp(backend->product, result->product) != 0)
        copy_text(backend->version, sizeof backend->version, result->version);
    copy_text(backend->product, sizeof backend->product, result->product);
}

void backend_note(struct backend *backend, uint32_t kind, uint64_t requests, int64_t took_ns,
                  const struct result *result, const struct err *err)
{
    bool check = kind == SONDE_KIND_HEALTH || kind == SONDE_KIND_PROBE;
    struct health_note note = {.verdict = verdict_of(err->code, check),
                               .check = check,
                               .took_ns = took_ns,
                               .reason = err->text};
    if (note.verdict == VERDICT_GOOD && !requests)
        note.verdict = VERDICT_NONE; /* nobody was asked */
    if (result) {
        note.newest_sample_ns = result->newest_sample_ns;
        /* What a limit of ours kept from the answer is not the backend's fault. */
        note.partial =
            !err->code && result->partial_reason && result->partial_reason != SONDE_PARTIAL_LIMIT;
        if (note.partial)
            note.reason = result->partial_text;
    }
    pthread_mutex_lock(&backend->lock);
    bool changed = health_hear(&backend->health, &note, clock_mono_ns(), clock_unix_ns());
    take_product(backend, result);
    pthread_mutex_unlock(&backend->lock);
    struct engine *engine = backend->engine;
    if (changed && engine->on_health)
        engine->on_health(engine->on_health_user, backend);
}

void backend_note_expiry(struct backend *backend)
{
    int64_t soonest = 0;
    for (size_t i = 0; i < backend->endpoint_count; i++) {
        struct io_probe probe = {0};
        io_target_probe(backend->endpoints[i].target, &probe);
        if (probe.expires_ns && (!soonest || probe.expires_ns < soonest))
            soonest = probe.expires_ns;
    }
    pthread_mutex_lock(&backend->lock);
    health_expires(&backend->health, soonest, "the backend's certificate", clock_mono_ns(),
                   clock_unix_ns());
    pthread_mutex_unlock(&backend->lock);
}

void backend_set_in_flight(struct backend *backend, uint32_t per_connection, uint32_t per_user)
{
    gate_set_max(&backend->own_gate, per_connection ? per_connection : 16, per_user ? per_user : 8);
}

void backend_retire(struct backend *backend)
{
    atomic_store(&backend->retired, true);
    cache_forget(backend->engine->settings.cache, backend->serial);
}

bool backend_retired(const struct backend *backend)
{
    return atomic_load(&backend->retired);
}

void backend_advise(struct backend *backend, const char *advice)
{
    pthread_mutex_lock(&backend->lock);
    copy_text(backend->advice, sizeof backend->advice, advice ? advice : "");
    pthread_mutex_unlock(&backend->lock);
}

void backend_advice(struct backend *backend, char *advice, size_t size)
{
    pthread_mutex_lock(&backend->lock);
    copy_text(advice, size, backend->advice);
    pthread_mutex_unlock(&backend->lock);
}

bool backend_needs_probe(struct backend *backend)
{
    if (!(backend->adapter->table.caps & SONDE_CAP(SONDE_KIND_PROBE)))
        return false;
    pthread_mutex_lock(&backend->lock);
    bool needs = backend->probed_until_ns <= clock_mono_ns();
    pthread_mutex_unlock(&backend->lock);
    return needs;
}

/* A connection whose PROBE failed this way would fail the query the same way. */
bool backend_hopeless(int code)
{
    switch (code) {
    case SONDE_E_UNREACHABLE:
    case SONDE_E_DEADLINE:
    case SONDE_E_TIMEOUT:
    case SONDE_E_AUTH:
    case SONDE_E_REFUSED:
    case SONDE_E_CANCELLED:
    case SONDE_E_THROTTLED:
    case ERR_BUSY:
    case ERR_MEMORY:
        return true;
    default:
        return false;
    }
}

void backend_probed(struct backend *backend, int code)
{
    if (backend_hopeless(code))
        return;
    int64_t until = code ? clock_mono_ns() + PROBE_AGAIN_NS : facts_until(&backend->facts);
    pthread_mutex_lock(&backend->lock);
    backend->probed_until_ns = until;
    pthread_mutex_unlock(&backend->lock);
}

const char *backend_link(struct backend *backend, const struct sonde_query *query,
                         const char *executed, struct arena *arena)
{
    const struct connection *connection = backend->connection;
    if (!connection->ui_url || !connection->ui_url[0])
        return NULL;
    char path[LINK_MAX] = "";
    struct sonde_link link = {.struct_size = sizeof link,
                              .query = query,
                              .executed = executed ? executed : "",
                              .ui_kind = connection->ui_kind ? connection->ui_kind : "",
                              .ui_param = connection->ui_param ? connection->ui_param : ""};
    if (guard_link(backend->adapter, backend->instance, &link, path, sizeof path))
        return NULL;
    path[sizeof path - 1] = '\0';
    size_t n = strlen(connection->ui_url);
    while (n && connection->ui_url[n - 1] == '/')
        n--;
    return arena_printf(arena, "%.*s%s%s", (int)n, connection->ui_url, path[0] == '/' ? "" : "/",
                        path);
}

void backend_probe_stages(struct backend *backend, struct io_probe *ret_probe)
{
    *ret_probe = (struct io_probe){0};
    const struct endpoint *endpoint = find_endpoint(backend, NULL);
    if (!endpoint && backend->endpoint_count)
        endpoint = &backend->endpoints[0];
    if (endpoint)
        io_target_probe(endpoint->target, ret_probe);
}
