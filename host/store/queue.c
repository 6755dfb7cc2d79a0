/* SPDX-License-Identifier: Apache-2.0 */
#include "store/queue.h"

#include "base/clock.h"
#include "base/thread.h"

static bool gives_way(const struct queued *row)
{
    return row->type == QUEUED_CACHE || row->type == QUEUED_HIT;
}

static struct queued_list *list_of(struct queue *queue, const struct queued *row)
{
    return gives_way(row) ? &queue->cache : &queue->rows;
}

static void append(struct queued_list *list, struct queued *row)
{
    row->next = NULL;
    if (list->last)
        list->last->next = row;
    else
        list->first = row;
    list->last = row;
}

static void prepend(struct queued_list *list, struct queued *row)
{
    row->next = list->first;
    list->first = row;
    if (!list->last)
        list->last = row;
}

static struct queued *remove_first(struct queued_list *list)
{
    struct queued *row = list->first;
    if (row) {
        list->first = row->next;
        if (!list->first)
            list->last = NULL;
        row->next = NULL;
    }
    return row;
}

int queue_init(struct queue *queue, size_t max)
{
    *queue = (struct queue){.max = max ? max : QUEUE_DEFAULT_BYTES};
    if (pthread_mutex_init(&queue->lock, NULL))
        return ERR_SYSTEM;
    return cond_init(&queue->more) || cond_init(&queue->settled) ? ERR_SYSTEM : 0;
}

/* The lock is held, or nobody else is left. */
static void discharge(struct queue *queue, struct queued *row)
{
    queue->bytes -= row->size;
    queue->count--;
    mem_free(row);
}

size_t queue_finish(struct queue *queue)
{
    size_t left = 0;
    struct queued *row;
    while ((row = remove_first(&queue->rows)) || (row = remove_first(&queue->cache))) {
        left += !gives_way(row);
        discharge(queue, row);
    }
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->more);
    pthread_cond_destroy(&queue->settled);
    return left;
}

bool queue_put(struct queue *queue, struct queued *row)
{
    row->queued_ms = clock_unix_ns() / NS_PER_MS;
    pthread_mutex_lock(&queue->lock);
    while (!gives_way(row) && queue->bytes + row->size > queue->max && queue->cache.first) {
        queue->lost_cache += queue->cache.first->type == QUEUED_CACHE;
        discharge(queue, remove_first(&queue->cache));
    }
    bool room = queue->bytes + row->size <= queue->max;
    if (room) {
        if (!queue->rows.first && !queue->cache.first) {
            queue->since_ns = clock_mono_ns();
            pthread_cond_signal(&queue->more);
        }
        append(list_of(queue, row), row);
        queue->bytes += row->size;
        queue->count++;
        queue->put_rows += !gives_way(row);
        if (queue->count - queue->taken == QUEUE_BATCH)
            pthread_cond_signal(&queue->more);
    }
    pthread_mutex_unlock(&queue->lock);
    return room;
}

void queue_count(struct queue *queue, enum queue_loss loss)
{
    pthread_mutex_lock(&queue->lock);
    queue->lost_rows += loss == LOST_ROW;
    queue->lost_samples += loss == LOST_SAMPLE;
    queue->lost_cache += loss == LOST_CACHE;
    queue->bad += loss == LOST_BAD;
    pthread_mutex_unlock(&queue->lock);
}

/* When the rows that wait are due; INT64_MAX where none waits. */
static int64_t due(const struct queue *queue)
{
    if (!queue->rows.first && !queue->cache.first)
        return INT64_MAX;
    if (queue->hurry)
        return 0;
    int64_t time = queue->since_ns + QUEUE_WAIT_NS;
    if (queue->stop || queue->count - queue->taken >= QUEUE_BATCH)
        time = 0;
    return time > queue->not_before ? time : queue->not_before;
}

static size_t take(struct queue *queue, struct queued **rows)
{
    size_t n = 0;
    while (n < QUEUE_BATCH && queue->rows.first)
        rows[n++] = remove_first(&queue->rows);
    if (!queue->rows.first)
        queue->hurry = false;
    while (n < QUEUE_BATCH && queue->cache.first)
        rows[n++] = remove_first(&queue->cache);
    queue->taken = n;
    queue->oldest_taken_ms = rows[0]->queued_ms;
    /* What is left has waited already; it is taken next, and at once where it fills a batch. */
    queue->since_ns = clock_mono_ns();
    return n;
}

size_t queue_take(struct queue *queue, struct queued **rows)
{
    size_t n = 0;
    pthread_mutex_lock(&queue->lock);
    for (;;) {
        int64_t now = clock_mono_ns();
        int64_t at = due(queue);
        if (queue->stop && (at == INT64_MAX || now >= queue->stop_ns))
            break;
        if (at <= now) {
            n = take(queue, rows);
            break;
        }
        if (queue->stop && queue->stop_ns < at)
            at = queue->stop_ns;
        cond_wait_until(&queue->more, &queue->lock, at);
    }
    pthread_mutex_unlock(&queue->lock);
    return n;
}

void queue_settle(struct queue *queue, struct queued *const *rows, size_t n, bool bad)
{
    pthread_mutex_lock(&queue->lock);
    for (size_t i = 0; i < n; i++) {
        queue->gone_rows += !gives_way(rows[i]);
        discharge(queue, rows[i]);
    }
    queue->taken -= n;
    if (bad)
        queue->bad += n;
    else
        queue->written += n;
    queue->not_before = 0;
    pthread_cond_broadcast(&queue->settled);
    pthread_mutex_unlock(&queue->lock);
}

void queue_put_back(struct queue *queue, struct queued *const *rows, size_t n, int64_t pause_ns)
{
    pthread_mutex_lock(&queue->lock);
    for (size_t i = n; i > 0; i--)
        prepend(list_of(queue, rows[i - 1]), rows[i - 1]);
    queue->taken -= n;
    queue->attempts++;
    queue->hurry = false;
    queue->not_before = clock_mono_ns() + pause_ns;
    pthread_cond_broadcast(&queue->settled);
    pthread_mutex_unlock(&queue->lock);
}

void queue_flush(struct queue *queue, int64_t deadline_ns)
{
    pthread_mutex_lock(&queue->lock);
    uint64_t all = queue->put_rows;
    uint64_t attempts = queue->attempts;
    bool late = false;
    while (queue->gone_rows < all && queue->attempts == attempts && !late) {
        queue->hurry = true;
        pthread_cond_signal(&queue->more);
        late = cond_wait_until(&queue->settled, &queue->lock, deadline_ns);
    }
    pthread_mutex_unlock(&queue->lock);
}

void queue_stop(struct queue *queue, int64_t stop_ns)
{
    pthread_mutex_lock(&queue->lock);
    queue->stop = true;
    queue->stop_ns = stop_ns;
    queue->not_before = 0;
    pthread_cond_signal(&queue->more);
    pthread_mutex_unlock(&queue->lock);
}

void queue_state(struct queue *queue, struct store_state *state)
{
    pthread_mutex_lock(&queue->lock);
    state->queued_rows = queue->count;
    state->queued_bytes = queue->bytes;
    state->written_rows = queue->written;
    state->lost_rows = queue->lost_rows;
    state->lost_samples = queue->lost_samples;
    state->lost_cache_rows = queue->lost_cache;
    state->bad_rows = queue->bad;
    int64_t oldest = queue->taken ? queue->oldest_taken_ms : 0;
    const struct queued *const waiting[] = {queue->rows.first, queue->cache.first};
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
        if (waiting[i] && (!oldest || waiting[i]->queued_ms < oldest))
            oldest = waiting[i]->queued_ms;
    state->oldest_queued_ms = oldest;
    pthread_mutex_unlock(&queue->lock);
}
