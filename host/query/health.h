/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one backend fares, worked out from what is heard of it: a state machine without clock, locks or network.
 *
 * unknown until anything was heard. unhealthy: two times in a row no answer (once is enough where it never answered, or where the login was
 * refused). A first failure makes it degraded; so do two answers missing before a backend that was unhealthy counts as healthy again, going
 * down three times within five minutes, answers that lack parts, slow checks, a certificate or token near its end.
 *
 * Ownership: a plain value; texts are copied. Threads: none of its own, callers lock.
 */
#ifndef QUERY_HEALTH_H
#define QUERY_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include "query/engine.h"

#define HEALTH_TIMES 20     /* checks whose times are kept */
#define HEALTH_MINUTES 1440 /* 24 h */
#define HEALTH_DOWNS 3      /* within HEALTH_FLAP_NS: it comes and goes */
#define HEALTH_FLAP_NS (5 * NS_PER_MIN)
#define HEALTH_CALM_NS (2 * NS_PER_MIN) /* after the last of them without trouble */
#define HEALTH_EXPIRY_NS (7 * NS_PER_DAY)

enum health_state { STATE_UNKNOWN, STATE_HEALTHY, STATE_DEGRADED, STATE_UNHEALTHY };

enum health_verdict {
    VERDICT_NONE,  /* says nothing of the backend */
    VERDICT_GOOD,  /* it answers */
    VERDICT_SOFT,  /* it answers, but not as it should */
    VERDICT_HARD,  /* no answer */
    VERDICT_FINAL, /* trying again does not help: the login was refused */
};

struct health {
    int64_t timeout_ns; /* of a check: what is slow goes by it */
    struct backend_health shown;
    bool heard;            /* anything but VERDICT_NONE */
    bool failing;          /* the last verdict was not good */
    bool latched;          /* unhealthy until it answers */
    bool down;             /* for the uptime: no answer since the last one there was */
    bool slow;             /* p95 went over the bound and not yet well below it */
    unsigned missing;      /* good verdicts until it is trusted again */
    unsigned hard_row;     /* in a row */
    unsigned soft_checks;  /* checks in a row that ended soft */
    unsigned quick;        /* checks done fast since it is not well */
    char failure[512];     /* the last one's text */
    int64_t failed_mono;   /* when */
    int64_t latched_mono;  /* when it became unhealthy */
    int64_t changed_mono;  /* when shown.state became another */
    int64_t interest_mono; /* when somebody last asked it or about it */
    int64_t downs[HEALTH_DOWNS];
    unsigned down_count;
    uint8_t partial; /* a bit for each of the last answers: it lacked parts */
    char partial_text[256];
    int64_t partial_mono;
    int64_t took[HEALTH_TIMES];
    unsigned took_count, took_at;
    int64_t expires_ns; /* wall clock; 0 unknown */
    char expires_what[64];
    /* Uptime: milliseconds heard of and of them down, one pair a minute. */
    uint16_t seen_ms[HEALTH_MINUTES], down_ms[HEALTH_MINUTES];
    uint32_t seen_sum, down_sum;
    int64_t minute;      /* of the newest pair */
    int64_t accounted;   /* up to when */
    int64_t heard_mono;  /* last verdict */
    int stored_state;    /* what health_to_store gave last; -1 nothing */
    int64_t stored_mono; /* when */
};

/* One thing heard of it. */
struct health_note {
    enum health_verdict verdict;
    bool check;         /* a background check, a test, a probe: its time counts */
    bool partial;       /* the answer lacked parts for reasons of the backend's */
    int64_t took_ns;    /* 0 unknown */
    const char *reason; /* of a failure or of the missing parts */
    int64_t newest_sample_ns;
};

/* timeout_ns: the connection's; 0 none of its own. */
void health_init(struct health *health, int64_t timeout_ns);
/* Returns whether the state shown became another, or trouble began: then the next check is due earlier than it was. */
bool health_hear(struct health *health, const struct health_note *note, int64_t mono_ns,
                 int64_t unix_ns);
/* A certificate or token ends then (wall clock); what: "the certificate". 0: unknown. */
void health_expires(struct health *health, int64_t expires_ns, const char *what, int64_t mono_ns,
                    int64_t unix_ns);
/* Somebody asks it, or about it: for ten minutes it is looked after closely. */
void health_interest(struct health *health, int64_t mono_ns);
/* What to show now: time alone may end a trouble, and goes into the uptime. */
void health_show(struct health *health, int64_t mono_ns, int64_t unix_ns,
                 struct backend_health *ret);
/* How long after the last check the next one is due, before jitter. Counts the quick ones: once a check. */
int64_t health_pause(struct health *health, int64_t mono_ns);
/* Whether its row in the store should be written: the state is another than was stored, or that is 5 minutes ago. Counts as stored then. */
bool health_to_store(struct health *health, int64_t mono_ns);

#endif
