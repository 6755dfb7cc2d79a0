/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#define FIRST_PAUSE_NS (100 * NS_PER_MS)
#define LONGEST_PAUSE_NS (5 * NS_PER_S)
#define BAD_LOG_NS NS_PER_MIN

struct writer {
    struct store *store;
    int64_t pause_ns;  /* 0 while all goes well */
    int64_t logged_ns; /* when a bad row was logged last */
};

static void wait_and_retry(struct writer *writer, struct queued *const *rows, size_t n,
                           const struct err *err)
{
    if (!writer->pause_ns)
        log_line(LOG_WARN, "store", "history waits, it cannot be written: %s", err->text);
    writer->pause_ns = writer->pause_ns ? 2 * writer->pause_ns : FIRST_PAUSE_NS;
    if (writer->pause_ns > LONGEST_PAUSE_NS)
        writer->pause_ns = LONGEST_PAUSE_NS;
    queue_put_back(&writer->store->queue, rows, n, writer->pause_ns);
}

static void drop(struct writer *writer, struct queued *const *row, const struct err *err)
{
    int64_t now = clock_mono_ns();
    if (!writer->logged_ns || now - writer->logged_ns > BAD_LOG_NS) {
        writer->logged_ns = now;
        log_line(LOG_WARN, "store", "a row was refused and dropped (the count is in /metrics): %s",
                 err->text);
    }
    queue_settle(&writer->store->queue, row, 1, true);
}

static int write_rows(struct store *store, struct queued *const *rows, size_t n, struct err *err)
{
    int r = store->table->write_batch(store->driver, rows, n, err);
    return store_noted(store, r, err);
}

static void write_all(struct writer *writer, struct queued *const *rows, size_t n)
{
    struct store *store = writer->store;
    struct err err = {0};
    int r = write_rows(store, rows, n, &err);
    size_t done = 0;
    if (!r) {
        queue_settle(&store->queue, rows, n, false);
        done = n;
    }
    /* One of them is bad: each for itself tells which. */
    while (done < n && (r == 0 || r == ERR_INVALID)) {
        if (n > 1)
            r = write_rows(store, rows + done, 1, &err);
        if (r == ERR_INVALID)
            drop(writer, rows + done, &err);
        else if (!r)
            queue_settle(&store->queue, rows + done, 1, false);
        else
            break;
        done++;
    }
    if (done < n) {
        wait_and_retry(writer, rows + done, n - done, &err);
        return;
    }
    if (writer->pause_ns)
        log_line(LOG_INFO, "store", "history is written again");
    writer->pause_ns = 0;
}

static void *run(void *argument)
{
    struct writer writer = {.store = argument};
    struct queued *rows[QUEUE_BATCH];
    size_t n;
    while ((n = queue_take(&writer.store->queue, rows)) > 0)
        write_all(&writer, rows, n);
    return NULL;
}

int store_start_writer(struct store *store, struct err *err)
{
    if (thread_start(&store->writer, "store", 512u << 10, run, store))
        return err_set(err, ERR_SYSTEM, "cannot start the thread that writes history");
    store->writes = true;
    return 0;
}
