/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sync.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "service/internal.h"
#include "service/shown.h"

#define TEXTS_MAX ((size_t)8 << 20)
#define CONFIG_MAX ((size_t)256 * 1024)

/* What a buffer holds, as a text of the arena's. */
static const char *keep(struct arena *arena, struct buf *text)
{
    const char *kept = text->failed ? NULL : arena_strdup(arena, buf_text(text));
    buf_finish(text);
    if (!kept)
        arena->failed = 1;
    return kept;
}

static void fill_row(struct connection_row *row, const struct connection *connection,
                     struct arena *arena)
{
    struct buf config = BUF(CONFIG_MAX);
    struct buf tags = BUF(CONFIG_MAX);
    shown_config(connection, &config);
    shown_tags(connection, &tags);
    *row = (struct connection_row){.name = connection->name,
                                   .description =
                                       connection->description ? connection->description : "",
                                   .backend_type = connection->backend,
                                   .config = keep(arena, &config),
                                   .tags = keep(arena, &tags),
                                   .source = "yaml",
                                   .enabled = true,
                                   .is_default = connection->is_default,
                                   .revision = 1,
                                   .health_error = ""};
    snprintf(row->id, sizeof row->id, "%s", connection->id);
    snprintf(row->user_id, sizeof row->user_id, "%s", USER_OPERATOR_ID);
}

void sync_operator(struct service *service)
{
    if (!service->kept.store)
        return;
    CLEANUP(set_unrefp) struct connection_set *set = service_set(service);
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, TEXTS_MAX, NULL);
    struct connection_row *rows = arena_alloc_array(&arena, set->slot_count + 1, sizeof *rows);
    for (size_t i = 0; rows && i < set->slot_count; i++)
        fill_row(&rows[i], set->slots[i].connection, &arena);
    int r = arena.failed
                ? err_set(&err, ERR_MEMORY, "no memory for their rows")
                : store_connections_sync(service->kept.store, rows, set->slot_count,
                                         service->kept.whole, clock_unix_ns() / NS_PER_MS, &err);
    if (r)
        log_line(LOG_WARN, "store", "the configured connections are not in the store: %s",
                 err.text);
    arena_finish(&arena);
}
