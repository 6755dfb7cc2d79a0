/* SPDX-License-Identifier: Apache-2.0 */
#include "query/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define PAUSE_NS (30 * NS_PER_S)
#define CLOSE_PAUSE_NS (4 * NS_PER_S)
#define CONFIRM_NS NS_PER_S /* after a first failure */
#define QUICK_PAUSE_NS (5 * NS_PER_S)
#define MOST_PAUSE_NS (60 * NS_PER_S)
#define QUICK_CHECKS 12u /* a minute of them before the pauses grow */
#define CLOSE_NS (10 * NS_PER_MIN)
#define UNHEALTHY_AFTER 2u /* hard verdicts in a row */
#define SOFT_CHECKS 3u     /* checks that end soft in a row: it does not serve */
#define TRUSTED_AFTER 2u   /* good verdicts */
#define PARTIAL_AT 2       /* of the last eight answers */
#define PARTIAL_NS (5 * NS_PER_MIN)
#define SLOW_LEAST 5u              /* times before any is called slow */
#define SLOW_SHARE 4               /* a quarter of the timeout */
#define SLOW_OVER_SHARE 5          /* and below a fifth of it no longer */
#define SILENT_NS (150 * NS_PER_S) /* beyond it nothing is known: it does not count */
#define STORE_NS (5 * NS_PER_MIN)
#define MINUTE_MS 60000

void health_init(struct health *health, int64_t timeout_ns)
{
    *health = (struct health){.timeout_ns = timeout_ns > 0 && timeout_ns < BACKEND_CHECK_NS
                                                ? timeout_ns
                                                : BACKEND_CHECK_NS,
                              .stored_state = -1,
                              .minute = -1};
    health->shown.uptime_24h = -1;
    health->shown.p95_ms = -1;
}

/* ---- Uptime ---- */

static void begin_minute(struct health *health, int64_t minute)
{
    int64_t from = health->minute < 0 ? minute : health->minute + 1;
    if (minute - from >= HEALTH_MINUTES)
        from = minute - HEALTH_MINUTES + 1;
    for (int64_t m = from; m <= minute; m++) {
        size_t at = (size_t)(m % HEALTH_MINUTES);
        health->seen_sum -= health->seen_ms[at];
        health->down_sum -= health->down_ms[at];
        health->seen_ms[at] = health->down_ms[at] = 0;
    }
    health->minute = minute;
}

static void add_time(struct health *health, int64_t from_ms, int64_t to_ms)
{
    while (from_ms < to_ms) {
        int64_t minute = from_ms / MINUTE_MS;
        int64_t end = (minute + 1) * MINUTE_MS;
        uint16_t part = (uint16_t)((end < to_ms ? end : to_ms) - from_ms);
        size_t at = (size_t)(minute % HEALTH_MINUTES);
        if (minute > health->minute)
            begin_minute(health, minute);
        health->seen_ms[at] = (uint16_t)(health->seen_ms[at] + part);
        health->seen_sum += part;
        if (health->down) {
            health->down_ms[at] = (uint16_t)(health->down_ms[at] + part);
            health->down_sum += part;
        }
        from_ms += part;
    }
}

/* What passed since the last time counts as it was then, as far as anything was known. */
static void account(struct health *health, int64_t mono_ns)
{
    int64_t known = health->heard_mono + SILENT_NS;
    int64_t until = mono_ns < known ? mono_ns : known;
    if (health->heard && until > health->accounted)
        add_time(health, health->accounted / NS_PER_MS, until / NS_PER_MS);
    if (mono_ns > health->accounted)
        health->accounted = mono_ns;
    if (health->minute >= 0 && mono_ns / NS_PER_MIN > health->minute)
        begin_minute(health, mono_ns / NS_PER_MIN);
}

/* ---- Slow, partial, flapping, expiring ---- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* By nearest rank; -1: too few. */
static int64_t p95(const struct health *health)
{
    int64_t sorted[HEALTH_TIMES];
    unsigned n = health->took_count;
    if (!n)
        return -1;
    memcpy(sorted, health->took, n * sizeof sorted[0]);
    qsort(sorted, n, sizeof sorted[0], by_size);
    return sorted[(n * 95 + 99) / 100 - 1];
}

static void take_time(struct health *health, int64_t took_ns)
{
    health->took[health->took_at] = took_ns;
    health->took_at = (health->took_at + 1) % HEALTH_TIMES;
    if (health->took_count < HEALTH_TIMES)
        health->took_count++;
    int64_t rank = p95(health);
    health->shown.p95_ms = (rank + NS_PER_MS / 2) / NS_PER_MS;
    health->slow = health->took_count >= SLOW_LEAST &&
                   rank > health->timeout_ns / (health->slow ? SLOW_OVER_SHARE : SLOW_SHARE);
}

static bool is_partial(const struct health *health, int64_t mono_ns)
{
    int n = 0;
    for (uint8_t bits = health->partial; bits; bits &= (uint8_t)(bits - 1))
        n++;
    return n >= PARTIAL_AT && mono_ns - health->partial_mono < PARTIAL_NS;
}

static void go_down(struct health *health, int64_t mono_ns)
{
    memmove(health->downs + 1, health->downs, sizeof health->downs - sizeof health->downs[0]);
    health->downs[0] = mono_ns;
    if (health->down_count < HEALTH_DOWNS)
        health->down_count++;
}

static bool is_flapping(const struct health *health, int64_t mono_ns)
{
    return health->down_count == HEALTH_DOWNS &&
           health->downs[0] - health->downs[HEALTH_DOWNS - 1] < HEALTH_FLAP_NS &&
           mono_ns - health->failed_mono < HEALTH_CALM_NS;
}

static bool is_expiring(const struct health *health, int64_t unix_ns)
{
    return health->expires_ns && health->expires_ns - unix_ns < HEALTH_EXPIRY_NS;
}

static void say_expiry(const struct health *health, int64_t unix_ns, char *out, size_t size)
{
    int64_t left = health->expires_ns - unix_ns;
    if (left <= 0)
        snprintf(out, size, "%s has expired; renew it", health->expires_what);
    else if (left < 2 * NS_PER_DAY)
        snprintf(out, size, "%s expires in %lld hours; renew it", health->expires_what,
                 (long long)(left / NS_PER_HOUR));
    else
        snprintf(out, size, "%s expires in %lld days; renew it", health->expires_what,
                 (long long)(left / NS_PER_DAY));
}

/* ---- The state ---- */

/* What all that is known amounts to; the reason goes to out. */
static int judge(const struct health *health, int64_t mono_ns, int64_t unix_ns, char *out,
                 size_t size)
{
    out[0] = '\0';
    if (!health->heard)
        return STATE_UNKNOWN;
    if (health->latched || health->failing) {
        snprintf(out, size, "%s", health->failure);
        return health->latched ? STATE_UNHEALTHY : STATE_DEGRADED;
    }
    if (health->missing)
        snprintf(out, size,
                 "it answers again, and counts as healthy once it goes on so; before: %.400s",
                 health->failure);
    else if (is_flapping(health, mono_ns))
        snprintf(
            out, size,
            "it comes and goes: without an answer %d times within 5 minutes, last with: %.400s",
            HEALTH_DOWNS, health->failure);
    else if (is_partial(health, mono_ns))
        snprintf(out, size, "its answers lack parts: %s", health->partial_text);
    else if (health->slow)
        snprintf(
            out, size,
            "it is slow: of its last health checks 95 %% took up to %.1f s, and no answer within "
            "%.0f s counts as none",
            (double)health->shown.p95_ms / 1e3, (double)health->timeout_ns / 1e9);
    else if (is_expiring(health, unix_ns))
        say_expiry(health, unix_ns, out, size);
    else
        return STATE_HEALTHY;
    return STATE_DEGRADED;
}

/* Returns whether the state is another now. */
static bool update(struct health *health, int64_t mono_ns, int64_t unix_ns)
{
    int before = health->shown.state;
    health->shown.state =
        judge(health, mono_ns, unix_ns, health->shown.reason, sizeof health->shown.reason);
    if (health->shown.state == before)
        return false;
    health->shown.changed_ns = unix_ns;
    health->changed_mono = mono_ns;
    return true;
}

static void fail(struct health *health, const struct health_note *note, int64_t mono_ns)
{
    bool hard = note->verdict >= VERDICT_HARD;
    bool first = !health->heard;
    const char *reason = note->reason ? note->reason : "";
    utf8_clean(health->failure, sizeof health->failure, reason, strlen(reason));
    health->failed_mono = mono_ns;
    health->failing = true;
    if (hard && !health->down)
        go_down(health, mono_ns);
    health->down = hard || (health->down && health->latched);
    health->hard_row = hard ? health->hard_row + 1 : 0;
    if (!note->check && !hard)
        return;
    health->soft_checks = hard ? health->soft_checks : health->soft_checks + 1;
    if (note->verdict == VERDICT_FINAL || health->hard_row >= UNHEALTHY_AFTER ||
        health->soft_checks >= SOFT_CHECKS || (hard && first)) {
        if (!health->latched)
            health->latched_mono = mono_ns;
        health->latched = true;
        health->down = true;
        health->missing = TRUSTED_AFTER;
    }
}

static void succeed(struct health *health, const struct health_note *note, int64_t mono_ns)
{
    health->failing = health->latched = health->down = false;
    health->hard_row = health->soft_checks = 0;
    if (health->missing)
        health->missing--;
    if (note->check && note->took_ns > 0)
        take_time(health, note->took_ns);
    if (note->check)
        return;
    health->partial = (uint8_t)(health->partial << 1 | (note->partial ? 1 : 0));
    if (!note->partial)
        return;
    const char *reason = note->reason ? note->reason : "";
    utf8_clean(health->partial_text, sizeof health->partial_text, reason, strlen(reason));
    health->partial_mono = mono_ns;
}

bool health_hear(struct health *health, const struct health_note *note, int64_t mono_ns,
                 int64_t unix_ns)
{
    if (note->newest_sample_ns > health->shown.newest_sample_ns)
        health->shown.newest_sample_ns = note->newest_sample_ns;
    if (!note->check)
        health->interest_mono = mono_ns;
    if (note->verdict == VERDICT_NONE)
        return false;
    account(health, mono_ns);
    bool good = note->verdict == VERDICT_GOOD;
    bool trouble = !good && !health->failing;
    if (good)
        succeed(health, note, mono_ns);
    else
        fail(health, note, mono_ns);
    health->heard = true;
    health->heard_mono = mono_ns;
    health->shown.checked_ns = unix_ns;
    *(good ? &health->shown.last_success_ns : &health->shown.last_failure_ns) = unix_ns;
    health->shown.checks += note->check;
    health->shown.checks_failed += note->check && !good;
    bool changed = update(health, mono_ns, unix_ns);
    if (changed)
        health->quick = 0;
    return changed || trouble;
}

void health_expires(struct health *health, int64_t expires_ns, const char *what, int64_t mono_ns,
                    int64_t unix_ns)
{
    health->expires_ns = expires_ns;
    snprintf(health->expires_what, sizeof health->expires_what, "%s", what);
    update(health, mono_ns, unix_ns);
}

void health_interest(struct health *health, int64_t mono_ns)
{
    health->interest_mono = mono_ns;
}

void health_show(struct health *health, int64_t mono_ns, int64_t unix_ns,
                 struct backend_health *ret)
{
    account(health, mono_ns);
    update(health, mono_ns, unix_ns);
    health->shown.uptime_24h =
        health->seen_sum ? 1.0 - (double)health->down_sum / (double)health->seen_sum : -1;
    *ret = health->shown;
}

int64_t health_pause(struct health *health, int64_t mono_ns)
{
    if (health->failing || health->latched || health->missing || is_flapping(health, mono_ns)) {
        if (health->failing && !health->latched && !health->quick++)
            return CONFIRM_NS;
        unsigned grown = health->quick >= QUICK_CHECKS ? health->quick - QUICK_CHECKS + 1 : 0;
        health->quick++;
        int64_t pause = QUICK_PAUSE_NS << (grown < 4 ? grown : 4);
        return pause < MOST_PAUSE_NS ? pause : MOST_PAUSE_NS;
    }
    health->quick = 0;
    bool close = (health->interest_mono && mono_ns - health->interest_mono < CLOSE_NS) ||
                 (health->down_count && mono_ns - health->failed_mono < CLOSE_NS);
    return close ? CLOSE_PAUSE_NS : PAUSE_NS;
}

bool health_to_store(struct health *health, int64_t mono_ns)
{
    if (!health->heard ||
        (health->stored_state == health->shown.state && mono_ns - health->stored_mono < STORE_NS))
        return false;
    health->stored_state = health->shown.state;
    health->stored_mono = mono_ns;
    return true;
}
