/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demonstration incident: what happened, when, to whom. Metrics, logs, traces and the truth are
 * all written from one simulated list of requests, so that they agree with each other.
 *
 * Ownership: the story is one static object, filled by story_build. Threads: one.
 */
#ifndef DEMO_STORY_H
#define DEMO_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND INT64_C(1000000000)
#define MILLI INT64_C(1000000)

/* All times are offsets from T0, the moment of the deploy, in ns. */
#define STORY_BEGIN (-1800 * SECOND)
#define STORY_END (600 * SECOND)
#define STORY_STEP (15 * SECOND)
#define STORY_SAMPLES 161
#define STORY_OOM (295 * SECOND)
#define STORY_SPIKE (300 * SECOND)
#define STORY_KILLED (340 * SECOND)

#define CPU_BEFORE 0.20
#define CPU_AFTER 0.95
#define MEMORY_FLAT 220e6
#define MEMORY_LIMIT 512e6
#define VERSION_BEFORE "2.4.0"
#define VERSION_AFTER "2.5.0"

enum route { ROUTE_PRODUCTS, ROUTE_CART, ROUTE_CHECKOUT, ROUTE_EXPORT, ROUTE_STOCK, ROUTE_COUNT };

enum source {
    SOURCE_GATEWAY,
    SOURCE_WEB_OLD,
    SOURCE_WEB_NEW,
    SOURCE_PAYMENTS,
    SOURCE_INVENTORY,
    SOURCE_STAGING_GATEWAY,
    SOURCE_STAGING_WEB,
    SOURCE_PODS, /* those above are pods */
    SOURCE_NODE_A = SOURCE_PODS,
    SOURCE_NODE_B,
    SOURCE_CADVISOR,
    SOURCE_KUBE_STATE,
    SOURCE_DEPLOYER,
    SOURCE_COUNT
};

struct attribute {
    const char *key;
    const char *value;
};

#define MAX_ATTRIBUTES 10

/* What OTLP calls a resource. */
struct source_info {
    const char *scope; /* of the application's own instrumentation */
    struct attribute attributes[MAX_ATTRIBUTES];
};

struct request {
    int64_t start;
    int64_t duration; /* seen by the first service */
    int64_t web;      /* seen by web-app, or inventory */
    int64_t payment;  /* 0: payments was not asked */
    uint64_t id;      /* trace and span ids come from it */
    uint16_t status;
    uint8_t route;
    bool sampled;
    uint16_t databases; /* calls to the database */
    bool skewed;        /* the payments clock lags */
};

#define MAX_REQUESTS 40000

struct story {
    uint64_t seed;
    int64_t t0;
    size_t request_count;
    size_t anchor; /* the first request that ran out of memory */
    size_t huge;   /* the one of 300 spans */
    size_t skewed;
    struct request requests[MAX_REQUESTS]; /* by start */
};

struct rng {
    uint64_t state;
};

/* An independent stream of numbers for one purpose. */
struct rng rng_for(uint64_t seed, const char *purpose);
uint64_t rng_next(struct rng *rng);
double rng_unit(struct rng *rng); /* 0 <= x < 1 */
double rng_between(struct rng *rng, double low, double high);
double rng_normal(struct rng *rng);

void story_build(struct story *story, uint64_t seed, int64_t t0);
const struct source_info *source_info(enum source source);
const char *source_attribute(enum source source, const char *key); /* NULL: none */
const char *route_path(unsigned route);
const char *route_method(unsigned route);
/* Which web-app pod serves at this time. */
enum source web_source(int64_t at);
double story_memory(int64_t at);  /* bytes, web-app in production */
double story_web_p95(int64_t at); /* seconds */
bool inventory_cron(int64_t at);  /* the job that burns CPU */
bool request_failed(const struct request *request);
bool request_incident(const struct request *request); /* failed because of the incident */
void request_trace_id(const struct request *request, char ret_hex[33]);
void request_span_id(const struct request *request, unsigned index, char ret_hex[17]);
/* Spans in the order of writing: the index of request_span_id. */
#define SPAN_ENTRY 0u
#define SPAN_ENTRY_CLIENT 1u
#define SPAN_WEB 2u
#define SPAN_RENDER 3u
#define SPAN_PAYMENT_CLIENT 4u
#define SPAN_PAYMENT 5u
#define SPAN_DATABASE 6u /* and up */
unsigned request_span_count(const struct request *request);

#endif
