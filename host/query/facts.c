/* SPDX-License-Identifier: Apache-2.0 */
#include "query/facts.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

void facts_init(struct facts *facts)
{
    memset(facts, 0, sizeof *facts);
    pthread_mutex_init(&facts->lock, NULL);
}

static void drop(struct facts *facts, size_t i)
{
    mem_free(facts->facts[i].key);
    mem_free(facts->facts[i].value);
    facts->facts[i] = facts->facts[--facts->count];
}

void facts_finish(struct facts *facts)
{
    while (facts->count)
        drop(facts, facts->count - 1);
    pthread_mutex_destroy(&facts->lock);
}

static void drop_expired(struct facts *facts)
{
    int64_t now = clock_mono_ns();
    for (size_t i = facts->count; i-- > 0;)
        if (facts->facts[i].until_ns <= now)
            drop(facts, i);
}

static int64_t after_ms(uint64_t ms)
{
    uint64_t most = (uint64_t)(INT64_MAX / 4 / NS_PER_MS);
    return clock_mono_ns() + (int64_t)(ms < most ? ms : most) * NS_PER_MS;
}

static int set_locked(struct facts *facts, struct fact *fact)
{
    drop_expired(facts);
    for (size_t i = 0; i < facts->count; i++) {
        if (!str_eq(facts->facts[i].key, fact->key))
            continue;
        struct fact old = facts->facts[i];
        facts->facts[i] = *fact;
        *fact = old; /* the caller frees it */
        return 0;
    }
    if (facts->count == FACTS_MAX)
        return ERR_LIMIT;
    facts->facts[facts->count++] = *fact;
    *fact = (struct fact){0};
    return 0;
}

int facts_set(struct facts *facts, const char *key, const char *value, uint64_t ttl_ms)
{
    size_t size = strnlen(key, FACT_MAX_SIZE) + strnlen(value, FACT_MAX_SIZE);
    if (!key[0] || size > FACT_MAX_SIZE)
        return ERR_LIMIT;
    struct fact fact = {.key = mem_strdup(key), .value = mem_strdup(value)};
    fact.until_ns = ttl_ms ? after_ms(ttl_ms) : INT64_MAX;
    int r = ERR_LIMIT;
    if (fact.key && fact.value) {
        pthread_mutex_lock(&facts->lock);
        r = set_locked(facts, &fact);
        pthread_mutex_unlock(&facts->lock);
    }
    mem_free(fact.key);
    mem_free(fact.value);
    return r;
}

const struct sonde_pair *facts_snapshot(struct facts *facts, struct arena *arena,
                                        uint32_t *ret_count)
{
    pthread_mutex_lock(&facts->lock);
    drop_expired(facts);
    struct sonde_pair *pairs = arena_alloc_array(arena, facts->count + 1, sizeof *pairs);
    size_t n = 0;
    for (; pairs && n < facts->count; n++) {
        pairs[n].key = arena_strdup(arena, facts->facts[n].key);
        pairs[n].value = arena_strdup(arena, facts->facts[n].value);
        if (!pairs[n].key || !pairs[n].value)
            pairs = NULL;
    }
    pthread_mutex_unlock(&facts->lock);
    if (pairs)
        *ret_count = (uint32_t)n;
    return pairs;
}

int64_t facts_until(struct facts *facts)
{
    pthread_mutex_lock(&facts->lock);
    int64_t until = INT64_MAX;
    for (size_t i = 0; i < facts->count; i++)
        if (facts->facts[i].until_ns < until)
            until = facts->facts[i].until_ns;
    pthread_mutex_unlock(&facts->lock);
    return until;
}

static struct rate *find_rate(struct facts *facts, const char *key)
{
    for (size_t i = 0; i < facts->rate_count; i++)
        if (strncmp(facts->rates[i].key, key, sizeof facts->rates[i].key - 1) == 0)
            return &facts->rates[i];
    return NULL;
}

void rate_set(struct facts *facts, const char *key, uint64_t remaining, uint64_t reset_ms)
{
    pthread_mutex_lock(&facts->lock);
    struct rate *rate = find_rate(facts, key);
    if (!rate && facts->rate_count < RATES_MAX) {
        rate = &facts->rates[facts->rate_count++];
        utf8_clean(rate->key, sizeof rate->key, key, strnlen(key, sizeof rate->key - 1));
    }
    if (rate) {
        rate->remaining = remaining;
        rate->reset_ns = after_ms(reset_ms);
    }
    pthread_mutex_unlock(&facts->lock);
}

int64_t rate_take(struct facts *facts, const char *key)
{
    int64_t wait = 0;
    pthread_mutex_lock(&facts->lock);
    struct rate *rate = find_rate(facts, key);
    if (rate && rate->reset_ns > clock_mono_ns()) {
        if (rate->remaining)
            rate->remaining--;
        else
            wait = rate->reset_ns;
    }
    pthread_mutex_unlock(&facts->lock);
    return wait;
}
