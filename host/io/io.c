/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/io.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "io/file_endpoint.h"
#include "io/loop.h"
#include "io/provider.h"
#include "io/runtime.h"

#define SETTINGS_MEMORY (256 * 1024)
#define DEFAULT_MAX (UINT64_C(64) * 1024 * 1024)
#define DEFAULT_RATIO 200

static int copy_settings(struct io *io, const struct io_settings *settings, struct err *err)
{
    io->max_body = settings->max_body ? settings->max_body : DEFAULT_MAX;
    io->max_wire = settings->max_wire ? settings->max_wire : DEFAULT_MAX;
    io->max_ratio = settings->max_ratio ? settings->max_ratio : DEFAULT_RATIO;
    io->budget = settings->budget;
    if (settings->proxy && *settings->proxy)
        io->proxy = arena_strdup(&io->arena, settings->proxy);
    const char **no_proxy =
        arena_alloc_array(&io->arena, settings->no_proxy_count + 1, sizeof *no_proxy);
    for (size_t i = 0; no_proxy && i < settings->no_proxy_count; i++)
        no_proxy[i] = arena_strdup(&io->arena, settings->no_proxy[i]);
    io->no_proxy = no_proxy;
    io->no_proxy_count = settings->no_proxy_count;
    if (settings->files && *settings->files && file_root(io, settings->files, err) < 0)
        return ERR_INVALID;
    snprintf(io->user_agent, sizeof io->user_agent, "sonde/%s", PACKAGE_VERSION);
    return io->arena.failed ? err_set(err, ERR_MEMORY, "no memory for network settings") : 0;
}

int io_create(const struct io_settings *settings, struct io **ret_io, struct err *err)
{
    struct io *io = mem_alloc(sizeof *io);
    if (!io || pthread_mutex_init(&io->lock, NULL)) {
        mem_free(io);
        return err_set(err, ERR_MEMORY, "no memory for network settings");
    }
    atomic_init(&io->references, 1);
    arena_init(&io->arena, SETTINGS_MEMORY, NULL);
    io->inbox_end = &io->inbox;
    io->wake_in = io->wake_out = -1;
    link_init(&io->live, NULL);
    link_init(&io->paused, NULL);
    link_init(&io->filled, NULL);
    int r = copy_settings(io, settings, err);
    if (r < 0) {
        io_unref(io);
        return r;
    }
    *ret_io = io;
    return 0;
}

struct io *io_ref(struct io *io)
{
    atomic_fetch_add_explicit(&io->references, 1, memory_order_relaxed);
    return io;
}

void io_unref(struct io *io)
{
    if (atomic_fetch_sub_explicit(&io->references, 1, memory_order_acq_rel) != 1)
        return;
    file_worker_free(io->worker);
    fetchers_free(io->fetchers);
    loop_close(io);
    pthread_mutex_destroy(&io->lock);
    arena_finish(&io->arena);
    mem_free(io);
}

void io_destroy(struct io *io)
{
    if (!io)
        return;
    file_worker_stop(io);
    loop_stop(io);
    fetchers_stop(io);
    io_unref(io);
}

void io_stats(struct io *io, struct io_stats *ret_stats)
{
    *ret_stats = (struct io_stats){
        .exchanges = atomic_load_explicit(&io->exchanges, memory_order_relaxed),
        .failed = atomic_load_explicit(&io->failed, memory_order_relaxed),
        .bytes_wire = atomic_load_explicit(&io->bytes_wire, memory_order_relaxed),
        .bytes_decoded = atomic_load_explicit(&io->bytes_decoded, memory_order_relaxed),
        .in_flight = atomic_load_explicit(&io->in_flight, memory_order_relaxed),
    };
}

const char *io_environment_proxy(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return names[i];
    }
    return NULL;
}

static char versions[256];

static void find_versions(void)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    snprintf(versions, sizeof versions, "libcurl %s, %s, zlib %s, libevent %s", curl->version,
             curl->ssl_version ? curl->ssl_version : "no TLS",
             curl->libz_version ? curl->libz_version : "none", event_get_version());
}

const char *io_versions(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_versions);
    return versions;
}
