/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PI 3.14159265358979323846
#define LATENCY_SIGMA 0.6 /* of the logarithm; p95 is 1.645 sigma above the median */
#define P95_FLAT 0.18
#define P95_FULL 4.0
#define REQUESTS_PER_SECOND 12.0
#define SAMPLE_ONE_IN 48

static const struct source_info sources[SOURCE_COUNT] = {
    [SOURCE_GATEWAY] = {"io.opentelemetry.http",
                        {{"service.name", "api-gateway"},
                         {"service.version", "1.9.3"},
                         {"service.instance.id", "api-gateway-5f7c9-k2m4q"},
                         {"deployment.environment.name", "production"},
                         {"k8s.namespace.name", "production"},
                         {"k8s.deployment.name", "api-gateway"},
                         {"k8s.pod.name", "api-gateway-5f7c9-k2m4q"},
                         {"k8s.node.name", "node-a"}}},
    [SOURCE_WEB_OLD] = {"io.opentelemetry.tomcat",
                        {{"service.name", "web-app"},
                         {"service.version", VERSION_BEFORE},
                         {"service.instance.id", "web-app-uvw"},
                         {"deployment.environment.name", "production"},
                         {"k8s.namespace.name", "production"},
                         {"k8s.deployment.name", "web-app"},
                         {"k8s.pod.name", "web-app-uvw"},
                         {"k8s.node.name", "node-a"}}},
    [SOURCE_WEB_NEW] = {"io.opentelemetry.tomcat",
                        {{"service.name", "web-app"},
                         {"service.version", VERSION_AFTER},
                         {"service.instance.id", "web-app-xyz"},
                         {"deployment.environment.name", "production"},
                         {"k8s.namespace.name", "production"},
                         {"k8s.deployment.name", "web-app"},
                         {"k8s.pod.name", "web-app-xyz"},
                         {"k8s.node.name", "node-b"}}},
    [SOURCE_PAYMENTS] = {"payments/http",
                         {{"service.name", "payments"},
                          {"service.version", "3.2.1"},
                          {"service.instance.id", "payments-6b4d8-t7x2p"},
                          {"deployment.environment.name", "production"},
                          {"k8s.namespace.name", "production"},
                          {"k8s.deployment.name", "payments"},
                          {"k8s.pod.name", "payments-6b4d8-t7x2p"},
                          {"k8s.node.name", "node-b"}}},
    [SOURCE_INVENTORY] = {"inventory/http",
                          {{"service.name", "inventory"},
                           {"service.version", "0.14.2"},
                           {"service.instance.id", "inventory-84c6f-n9r5w"},
                           {"deployment.environment.name", "production"},
                           {"k8s.namespace.name", "production"},
                           {"k8s.deployment.name", "inventory"},
                           {"k8s.pod.name", "inventory-84c6f-n9r5w"},
                           {"k8s.node.name", "node-a"}}},
    [SOURCE_STAGING_GATEWAY] = {"io.opentelemetry.http",
                                {{"service.name", "api-gateway"},
                                 {"service.version", "1.9.3"},
                                 {"service.instance.id", "api-gateway-5f7c9-k2m4q.staging"},
                                 {"deployment.environment.name", "staging"},
                                 {"k8s.namespace.name", "staging"},
                                 {"k8s.deployment.name", "api-gateway"},
                                 {"k8s.pod.name", "api-gateway-5f7c9-k2m4q"},
                                 {"k8s.node.name", "node-b"}}},
    [SOURCE_STAGING_WEB] = {"io.opentelemetry.tomcat",
                            {{"service.name", "web-app"},
                             {"service.version", VERSION_AFTER},
                             {"service.instance.id", "web-app-xyz.staging"},
                             {"deployment.environment.name", "staging"},
                             {"k8s.namespace.name", "staging"},
                             {"k8s.deployment.name", "web-app"},
                             {"k8s.pod.name", "web-app-xyz"},
                             {"k8s.node.name", "node-b"}}},
    [SOURCE_NODE_A] = {"hostmetricsreceiver",
                       {{"host.name", "node-a"}, {"k8s.node.name", "node-a"}}},
    [SOURCE_NODE_B] = {"hostmetricsreceiver",
                       {{"host.name", "node-b"}, {"k8s.node.name", "node-b"}}},
    [SOURCE_CADVISOR] = {"prometheusreceiver",
                         {{"service.name", "cadvisor"}, {"service.instance.id", "node-b:10250"}}},
    [SOURCE_KUBE_STATE] = {"prometheusreceiver",
                           {{"service.name", "kube-state-metrics"},
                            {"service.instance.id", "kube-state-metrics:8080"}}},
    [SOURCE_DEPLOYER] = {"deployer",
                         {{"service.name", "deployer"}, {"k8s.namespace.name", "production"}}},
};

static const struct {
    const char *path;
    const char *method;
    double share; /* of web-app's requests */
    uint16_t databases;
} routes[ROUTE_COUNT] = {
    [ROUTE_PRODUCTS] = {"/products", "GET", 0.40, 1},  [ROUTE_CART] = {"/cart", "GET", 0.30, 2},
    [ROUTE_CHECKOUT] = {"/checkout", "POST", 0.22, 1}, [ROUTE_EXPORT] = {"/export", "GET", 0.08, 3},
    [ROUTE_STOCK] = {"/stock", "GET", 0.0, 1},
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct rng rng_for(uint64_t seed, const char *purpose)
{
    uint64_t state = mix(seed + UINT64_C(0x9e3779b97f4a7c15));

    for (; *purpose; purpose++)
        state = mix(state ^ (uint64_t)(unsigned char)*purpose);
    return (struct rng){state};
}

/* splitmix64 */
uint64_t rng_next(struct rng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(rng->state);
}

double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

double rng_between(struct rng *rng, double low, double high)
{
    return low + (high - low) * rng_unit(rng);
}

double rng_normal(struct rng *rng)
{
    double u = 1.0 - rng_unit(rng);
    double v = rng_unit(rng);

    return sqrt(-2.0 * log(u)) * cos(2.0 * PI * v);
}

const struct source_info *source_info(enum source source)
{
    return &sources[source];
}

const char *source_attribute(enum source source, const char *key)
{
    const struct attribute *a = sources[source].attributes;

    for (size_t i = 0; i < MAX_ATTRIBUTES && a[i].key; i++)
        if (strcmp(a[i].key, key) == 0)
            return a[i].value;
    return NULL;
}

const char *route_path(unsigned route)
{
    return routes[route].path;
}

const char *route_method(unsigned route)
{
    return routes[route].method;
}

enum source web_source(int64_t at)
{
    return at < 0 ? SOURCE_WEB_OLD : SOURCE_WEB_NEW;
}

/* How full the heap is: 0 flat, 1 at the limit. */
static double leak(int64_t at)
{
    if (at < 0)
        return 0;
    if (at < STORY_OOM)
        return (double)at / (double)STORY_OOM;
    if (at < STORY_KILLED)
        return 1;
    return (double)(at - STORY_KILLED) / (double)STORY_OOM;
}

double story_memory(int64_t at)
{
    return MEMORY_FLAT + (MEMORY_LIMIT - MEMORY_FLAT) * leak(at);
}

double story_web_p95(int64_t at)
{
    return P95_FLAT * pow(P95_FULL / P95_FLAT, leak(at));
}

bool inventory_cron(int64_t at)
{
    static const int64_t starts[] = {-27 * 60 * SECOND, -12 * 60 * SECOND, 3 * 60 * SECOND};

    for (size_t i = 0; i < 3; i++)
        if (at >= starts[i] && at < starts[i] + 60 * SECOND)
            return true;
    return false;
}

bool request_failed(const struct request *request)
{
    return request->status >= 500;
}

bool request_incident(const struct request *request)
{
    return request->status == 503;
}

void request_trace_id(const struct request *request, char ret_hex[33])
{
    snprintf(ret_hex, 33, "%016llx%016llx", (unsigned long long)mix(request->id ^ 1),
             (unsigned long long)mix(request->id ^ 2));
}

void request_span_id(const struct request *request, unsigned index, char ret_hex[17])
{
    snprintf(ret_hex, 17, "%016llx", (unsigned long long)mix(request->id + 16 + index));
}

unsigned request_span_count(const struct request *request)
{
    if (request->route == ROUTE_STOCK)
        return 2;
    return 4u + (request->payment ? 2u : 0u) + request->databases;
}

static int64_t lognormal(struct rng *rng, double p95)
{
    double median = p95 / exp(1.645 * LATENCY_SIGMA);

    return (int64_t)(median * exp(LATENCY_SIGMA * rng_normal(rng)) * 1e9);
}

static unsigned draw_route(struct rng *rng)
{
    double x = rng_unit(rng);

    for (unsigned i = 0; i < ROUTE_EXPORT; i++) {
        if (x < routes[i].share)
            return i;
        x -= routes[i].share;
    }
    return ROUTE_EXPORT;
}

static void draw_web_request(struct rng *rng, struct request *r)
{
    double chance = rng_unit(rng);

    r->route = (uint8_t)draw_route(rng);
    r->databases = routes[r->route].databases;
    r->web = lognormal(rng, story_web_p95(r->start)) + 5 * MILLI;
    r->status = chance < 0.002 ? 500 : 200;
    if (r->route == ROUTE_EXPORT && r->start >= STORY_SPIKE && chance < 0.6) {
        r->status = 503;
        r->web = (int64_t)(rng_between(rng, 5.0, 9.0) * 1e9);
    }
    if (r->route == ROUTE_CHECKOUT)
        r->payment = (int64_t)((double)r->web * 0.4);
    r->duration = r->web + 4 * MILLI;
    /* Every failure of the incident is kept, as tail sampling would; of the rest a share. */
    r->sampled = rng_next(rng) % SAMPLE_ONE_IN == 0 && r->status == 200;
    r->sampled |= r->status == 503;
}

static void add_request(struct story *story, struct rng *rng, const struct request *r)
{
    struct request *slot;

    if (story->request_count == MAX_REQUESTS || r->start + r->duration > STORY_END)
        return;
    slot = &story->requests[story->request_count++];
    *slot = *r;
    slot->id = rng_next(rng);
}

/* The requests that the story names one by one. */
static void mark_special(struct story *story)
{
    unsigned background = 0;

    for (size_t i = 0; i < story->request_count; i++) {
        struct request *r = &story->requests[i];

        if (r->status == 500 && r->start < 0 && background < 2) {
            r->sampled = true;
            background++;
        }
        if (!story->huge && r->sampled && r->route == ROUTE_EXPORT && r->start > -900 * SECOND) {
            story->huge = i;
            r->databases = 300 - 4;
        }
        if (!story->skewed && r->payment && r->sampled && r->start > -600 * SECOND) {
            story->skewed = i;
            r->skewed = true;
        }
    }
}

void story_build(struct story *story, uint64_t seed, int64_t t0)
{
    struct rng rng = rng_for(seed, "requests");
    struct rng stock = rng_for(seed, "stock");
    int64_t next_stock = STORY_BEGIN;
    int64_t at = STORY_BEGIN;

    story->seed = seed;
    story->t0 = t0;
    story->request_count = story->huge = story->skewed = story->anchor = 0;
    while (at < STORY_END) {
        struct request r = {.start = at};

        if (!story->anchor && at >= STORY_OOM - 6 * SECOND) {
            r = (struct request){
                .start = at, .route = ROUTE_EXPORT, .status = 503, .sampled = true};
            r.databases = routes[ROUTE_EXPORT].databases;
            r.web = STORY_OOM + 400 * MILLI - at;
            r.duration = r.web + 4 * MILLI;
            story->anchor = story->request_count;
        } else {
            draw_web_request(&rng, &r);
        }
        add_request(story, &rng, &r);
        if (at >= next_stock) {
            r = (struct request){.start = at, .route = ROUTE_STOCK, .status = 200, .databases = 1};
            r.web = r.duration = lognormal(&stock, 0.04) + MILLI;
            r.sampled = rng_next(&stock) % 100 == 0;
            add_request(story, &stock, &r);
            next_stock += SECOND / 2;
        }
        at += (int64_t)(rng_between(&rng, 0.5, 1.5) * 1e9 / REQUESTS_PER_SECOND);
    }
    mark_special(story);
}
