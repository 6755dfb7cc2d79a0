/* SPDX-License-Identifier: Apache-2.0 */
#include "selfstats/selfstats.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_COLLECTORS 64u
#define MAX_FAMILIES 512u
#define HIDDEN INT64_MIN
#define MAX_VALUE ((size_t)128) /* bytes of a label value */

/*
 * Concurrency: a child is complete before it is published at the head of its family's list, and never changes but for its numbers, so
 * that readers walk the list without a lock. `lock` serialises adding families and children. `collectors_lock` is held while
 * collectors run: whoever takes one away has to wait for it.
 */
struct stat_child {
    struct stat_child *next;
    struct stat_family *family;
    char *values[STAT_MAX_LABELS];
    atomic_int_fast64_t value; /* of a histogram: the sum in ns */
    atomic_uint_fast64_t buckets[STAT_BUCKETS];
};

struct collector {
    stats_collect_fn collect;
    void *user;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct stat_family *families;
static size_t family_count;
static pthread_mutex_t collectors_lock = PTHREAD_MUTEX_INITIALIZER;
static struct collector collectors[MAX_COLLECTORS];
static size_t collector_count;

/* Where counts go that there was no memory for. */
static struct stat_child nowhere;

static const int64_t bounds[STAT_BUCKETS - 1] = {
    1 * NS_PER_MS,    5 * NS_PER_MS / 2, 5 * NS_PER_MS,   10 * NS_PER_MS, 25 * NS_PER_MS,
    50 * NS_PER_MS,   100 * NS_PER_MS,   250 * NS_PER_MS, NS_PER_S / 2,   1 * NS_PER_S,
    5 * NS_PER_S / 2, 5 * NS_PER_S,      10 * NS_PER_S,   30 * NS_PER_S,  60 * NS_PER_S};

static size_t label_count(const struct stat_family *family)
{
    size_t n = 0;
    while (n < STAT_MAX_LABELS && family->labels[n])
        n++;
    return n;
}

static struct stat_child *find(struct stat_child *child, const char *const *values, size_t n)
{
    for (; child; child = child->next) {
        size_t same = 0;
        while (same < n && strcmp(child->values[same], values[same]) == 0)
            same++;
        if (same == n)
            return child;
    }
    return NULL;
}

static void child_free(struct stat_child *child)
{
    for (size_t i = 0; child && i < STAT_MAX_LABELS; i++)
        mem_free(child->values[i]);
    mem_free(child);
}

static struct stat_child *child_new(struct stat_family *family, const char *const *values, size_t n)
{
    struct stat_child *child = mem_alloc(sizeof *child);
    for (size_t i = 0; child && i < n; i++) {
        child->values[i] = mem_strdup(values[i]);
        if (!child->values[i]) {
            child_free(child);
            return NULL;
        }
    }
    if (child)
        child->family = family;
    return child;
}

/* Under the lock. */
static bool list_family(struct stat_family *family)
{
    if (!family->listed && family_count < MAX_FAMILIES) {
        family->listed = true;
        family->next = families;
        families = family;
        family_count++;
    }
    return family->listed;
}

/* Under the lock. */
static struct stat_child *add(struct stat_family *family, const char *const *given, size_t n)
{
    char clean[STAT_MAX_LABELS][MAX_VALUE];
    const char *values[STAT_MAX_LABELS] = {0};
    for (size_t i = 0; i < n; i++) {
        utf8_clean(clean[i], sizeof clean[i], given[i], strlen(given[i]));
        values[i] = clean[i];
    }
    struct stat_child *first = atomic_load(&family->children);
    struct stat_child *child = find(first, values, n);
    if (!child && n && family->child_count >= STAT_MAX_CHILDREN - 1) {
        for (size_t i = 0; i < n; i++)
            values[i] = "other";
        child = find(first, values, n);
    }
    if (child)
        return child;
    child = list_family(family) ? child_new(family, values, n) : NULL;
    if (!child)
        return &nowhere;
    child->next = first;
    family->child_count++;
    atomic_store_explicit(&family->children, child, memory_order_release);
    return child;
}

struct stat_child *stat_child(struct stat_family *family, const char *const *values)
{
    size_t n = label_count(family);
    struct stat_child *child =
        find(atomic_load_explicit(&family->children, memory_order_acquire), values, n);
    if (child)
        return child;
    pthread_mutex_lock(&lock);
    child = add(family, values, n);
    pthread_mutex_unlock(&lock);
    return child;
}

void stat_add(struct stat_child *child, uint64_t n)
{
    atomic_fetch_add_explicit(&child->value, (int_fast64_t)n, memory_order_relaxed);
}

void stat_set(struct stat_child *child, int64_t value)
{
    atomic_store_explicit(&child->value, value, memory_order_relaxed);
}

void stat_hide(struct stat_family *family)
{
    for (struct stat_child *child = atomic_load_explicit(&family->children, memory_order_acquire);
         child; child = child->next)
        stat_set(child, HIDDEN);
}

void stat_shift(struct stat_child *child, int64_t by)
{
    atomic_fetch_add_explicit(&child->value, by, memory_order_relaxed);
}

void stat_observe(struct stat_child *child, int64_t ns)
{
    size_t bucket = 0;
    while (bucket < STAT_BUCKETS - 1 && ns > bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&child->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&child->value, ns > 0 ? ns : 0, memory_order_relaxed);
}

int64_t stat_value(const struct stat_child *child)
{
    if (!child->family || child->family->type != STAT_HISTOGRAM)
        return atomic_load_explicit(&child->value, memory_order_relaxed);
    uint64_t count = 0;
    for (size_t i = 0; i < STAT_BUCKETS; i++)
        count += atomic_load_explicit(&child->buckets[i], memory_order_relaxed);
    return (int64_t)count;
}

int stats_collect(stats_collect_fn collect, void *user)
{
    pthread_mutex_lock(&collectors_lock);
    int r = collector_count < MAX_COLLECTORS ? 0 : ERR_LIMIT;
    if (!r)
        collectors[collector_count++] = (struct collector){collect, user};
    pthread_mutex_unlock(&collectors_lock);
    return r;
}

void stats_uncollect(stats_collect_fn collect, void *user)
{
    pthread_mutex_lock(&collectors_lock);
    for (size_t i = 0; i < collector_count; i++) {
        if (collectors[i].collect != collect || collectors[i].user != user)
            continue;
        collector_count--;
        memmove(&collectors[i], &collectors[i + 1], (collector_count - i) * sizeof collectors[0]);
        break;
    }
    pthread_mutex_unlock(&collectors_lock);
}

/* ---- The page ---- */

static void add_help(struct buf *buf, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            buf_add(buf, "\\\\");
        else if (*text == '\n')
            buf_add(buf, "\\n");
        else
            buf_add_char(buf, *text);
    }
}

static void add_value_text(struct buf *buf, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buf_add_char(buf, '\\');
        if (*text == '\n')
            buf_add(buf, "\\n");
        else
            buf_add_char(buf, *text);
    }
}

static void add_seconds(struct buf *buf, int64_t ns)
{
    char text[32];
    size_t size = format_double(text, (double)ns / (double)NS_PER_S, 0);
    buf_add_n(buf, text, size);
}

/* name_suffix{labels,le="..."} and the blank after it. */
static void add_series(struct buf *buf, const struct stat_child *child, const char *suffix,
                       const char *le)
{
    const struct stat_family *family = child->family;
    size_t n = label_count(family);
    buf_add(buf, family->name);
    buf_add(buf, suffix);
    for (size_t i = 0; i < n; i++) {
        buf_printf(buf, "%c%s=\"", i ? ',' : '{', family->labels[i]);
        add_value_text(buf, child->values[i]);
        buf_add_char(buf, '"');
    }
    if (le)
        buf_printf(buf, "%cle=\"%s\"", n ? ',' : '{', le);
    buf_add(buf, n || le ? "} " : " ");
}

static void write_histogram(struct buf *buf, const struct stat_child *child)
{
    uint64_t count = 0;
    for (size_t i = 0; i < STAT_BUCKETS; i++) {
        char le[32] = "+Inf";
        if (i < STAT_BUCKETS - 1)
            le[format_double(le, (double)bounds[i] / (double)NS_PER_S, 0)] = '\0';
        count += atomic_load_explicit(&child->buckets[i], memory_order_relaxed);
        add_series(buf, child, "_bucket", le);
        buf_printf(buf, "%" PRIu64 "\n", count);
    }
    add_series(buf, child, "_sum", NULL);
    add_seconds(buf, atomic_load_explicit(&child->value, memory_order_relaxed));
    buf_add_char(buf, '\n');
    add_series(buf, child, "_count", NULL);
    buf_printf(buf, "%" PRIu64 "\n", count);
}

static void write_child(struct buf *buf, const struct stat_child *child)
{
    if (child->family->type == STAT_HISTOGRAM) {
        write_histogram(buf, child);
        return;
    }
    int64_t value = atomic_load_explicit(&child->value, memory_order_relaxed);
    if (value == HIDDEN)
        return;
    add_series(buf, child, "", NULL);
    if (child->family->seconds)
        add_seconds(buf, value);
    else
        buf_printf(buf, "%" PRId64, value);
    buf_add_char(buf, '\n');
}

static int by_values(const void *a, const void *b)
{
    const struct stat_child *x = *(struct stat_child *const *)a;
    const struct stat_child *y = *(struct stat_child *const *)b;
    int order = 0;
    for (size_t i = 0; !order && i < label_count(x->family); i++)
        order = strcmp(x->values[i], y->values[i]);
    return order;
}

static void write_family(struct buf *buf, const struct stat_family *family)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    /* On the heap: the page is also made on threads with small stacks. */
    const struct stat_child **sorted = mem_alloc_array(STAT_MAX_CHILDREN, sizeof *sorted);
    if (!sorted) {
        buf->failed = 1;
        return;
    }
    size_t n = 0;
    for (const struct stat_child *child = atomic_load(&family->children);
         child && n < STAT_MAX_CHILDREN; child = child->next)
        sorted[n++] = child;
    qsort(sorted, n, sizeof *sorted, by_values);
    buf_printf(buf, "# HELP %s ", family->name);
    add_help(buf, family->help);
    buf_printf(buf, "\n# TYPE %s %s\n", family->name, types[family->type]);
    for (size_t i = 0; i < n; i++)
        write_child(buf, sorted[i]);
    mem_free(sorted);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct stat_family *const *)a)->name, (*(struct stat_family *const *)b)->name);
}

void stats_write(struct buf *buf)
{
    const struct stat_family **sorted = mem_alloc_array(MAX_FAMILIES, sizeof *sorted);
    if (!sorted) {
        buf->failed = 1;
        return;
    }
    pthread_mutex_lock(&collectors_lock);
    for (size_t i = 0; i < collector_count; i++)
        collectors[i].collect(collectors[i].user);
    pthread_mutex_unlock(&collectors_lock);
    pthread_mutex_lock(&lock);
    size_t n = 0;
    for (const struct stat_family *family = families; family; family = family->next)
        sorted[n++] = family;
    pthread_mutex_unlock(&lock);
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; i < n; i++)
        write_family(buf, sorted[i]);
    mem_free(sorted);
}
