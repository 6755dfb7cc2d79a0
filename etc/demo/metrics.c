/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <math.h>
#include <string.h>

#define BEFORE_ALL (STORY_BEGIN - 3600 * SECOND)
#define KUBELET "kubeletstatsreceiver"
#define GAP_FIRST 60 /* samples of the gauge that went silent */
#define GAP_LAST 64

const double metric_bounds[BOUND_COUNT] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                           0.3,  0.5,   1.0,  2.5,   5.0, 7.5,  10.0};

static struct series all[MAX_SERIES];
static size_t count;
static struct cell cells[MAX_HISTOGRAMS][STORY_SAMPLES];
static size_t histogram_count;
static uint64_t exponential[STORY_SAMPLES][EXPONENT_COUNT];
static double exponential_sum[STORY_SAMPLES];

int64_t sample_time(int sample)
{
    return STORY_BEGIN + sample * STORY_STEP;
}

static int sample_at_or_after(int64_t at)
{
    return (int)((at - STORY_BEGIN + STORY_STEP - 1) / STORY_STEP);
}

size_t metrics_count(void)
{
    return count;
}

const struct series *metrics_series(size_t index)
{
    return &all[index];
}

const struct cell *metrics_cell(const struct series *series, int sample)
{
    return &cells[series->histogram][sample];
}

const uint64_t *metrics_exponential(int sample, double *ret_sum)
{
    *ret_sum = exponential_sum[sample];
    return exponential[sample];
}

/* The series of a pod's container start over when it is killed; cAdvisor's carry the pod as label. */
static bool restarts_with_container(const struct series *s)
{
    if (s->source == SOURCE_WEB_NEW)
        return true;
    return s->source == SOURCE_CADVISOR && strcmp(s->attributes[0].value, "production") == 0 &&
           strcmp(s->attributes[1].value, "web-app-xyz") == 0;
}

int64_t metrics_start(const struct series *series, int sample)
{
    if (!restarts_with_container(series))
        return BEFORE_ALL;
    return sample_time(sample) >= STORY_KILLED ? STORY_KILLED : 0;
}

static void lifetime(struct series *s, enum source pod)
{
    s->first = pod == SOURCE_WEB_NEW ? sample_at_or_after(0) : 0;
    s->last = pod == SOURCE_WEB_OLD ? sample_at_or_after(0) - 1 : STORY_SAMPLES - 1;
}

static struct series *add(const char *name, const char *unit, enum series_kind kind,
                          enum source source, const char *help)
{
    struct series *s = &all[count++];

    memset(s, 0, sizeof(*s));
    s->name = name;
    s->unit = unit;
    s->kind = kind;
    s->source = source;
    s->help = help;
    lifetime(s, source);
    return s;
}

static void label(struct series *s, const char *key, const char *value)
{
    size_t i = 0;

    while (s->attributes[i].key)
        i++;
    s->attributes[i] = (struct attribute){key, value};
}

/* A series about a pod as an exporter tells it: the pod is in labels, the source is the exporter. */
static struct series *add_classic(const char *name, const char *unit, enum series_kind kind,
                                  enum source exporter, enum source pod, const char *help)
{
    struct series *s = add(name, unit, kind, exporter, help);

    label(s, "namespace", source_attribute(pod, "k8s.namespace.name"));
    label(s, "pod", source_attribute(pod, "k8s.pod.name"));
    label(s, "container", source_attribute(pod, "service.name"));
    lifetime(s, pod);
    return s;
}

static double cpu_of(enum source pod, int64_t at, struct rng *rng)
{
    switch (pod) {
    case SOURCE_GATEWAY:
        return 0.12 * rng_between(rng, 0.95, 1.05);
    case SOURCE_WEB_OLD:
    case SOURCE_WEB_NEW:
        if (at >= STORY_SPIKE)
            return CPU_AFTER * rng_between(rng, 0.98, 1.02);
        return CPU_BEFORE * rng_between(rng, 0.95, 1.05);
    case SOURCE_PAYMENTS:
        return 0.09 * rng_between(rng, 0.95, 1.05);
    case SOURCE_INVENTORY:
        return (inventory_cron(at) ? 0.80 : 0.10) * rng_between(rng, 0.95, 1.05);
    default:
        return 0.05 * rng_between(rng, 0.9, 1.1);
    }
}

static double memory_of(enum source pod, int64_t at, struct rng *rng)
{
    double noise = rng_between(rng, 0.995, 1.005);

    switch (pod) {
    case SOURCE_WEB_OLD:
    case SOURCE_WEB_NEW:
        return fmin(story_memory(at) * noise, MEMORY_LIMIT);
    case SOURCE_PAYMENTS:
        return 140e6 * noise;
    case SOURCE_INVENTORY:
        return 180e6 * noise;
    default:
        return 90e6 * noise;
    }
}

static void build_pod(enum source pod, struct rng *rng)
{
    struct series *cpu = add("k8s.pod.cpu.usage", "{cpu}", KIND_GAUGE, pod, "CPU cores in use");
    struct series *memory =
        add("k8s.pod.memory.working_set", "By", KIND_GAUGE, pod, "Memory that cannot be reclaimed");
    struct series *time =
        add_classic("container_cpu_usage_seconds_total", "s", KIND_COUNTER, SOURCE_CADVISOR, pod,
                    "Cumulative cpu time consumed in seconds.");
    struct series *working = add_classic("container_memory_working_set_bytes", "By", KIND_GAUGE,
                                         SOURCE_CADVISOR, pod, "Current working set in bytes.");
    struct series *restarts = add("k8s.container.restarts", "{restart}", KIND_GAUGE, pod,
                                  "How many times the container has restarted");
    struct series *limit =
        add("k8s.container.memory_limit", "By", KIND_GAUGE, pod, "Maximum memory of the container");
    double used = pod == SOURCE_WEB_NEW ? 0 : 700;

    cpu->scope = memory->scope = restarts->scope = limit->scope = KUBELET;
    memory->integer = working->integer = restarts->integer = limit->integer = true;
    for (int k = cpu->first; k <= cpu->last; k++) {
        int64_t at = sample_time(k);

        cpu->values[k] = cpu_of(pod, at, rng);
        if (pod == SOURCE_WEB_NEW && k == sample_at_or_after(STORY_KILLED))
            used = 0;
        else if (k > cpu->first)
            used += cpu->values[k] * 15;
        time->values[k] = used;
        memory->values[k] = working->values[k] = round(memory_of(pod, at, rng));
        restarts->values[k] = pod == SOURCE_WEB_NEW && at >= STORY_KILLED;
        limit->values[k] = MEMORY_LIMIT;
    }
}

static void build_info(enum source pod)
{
    struct series *s = add("build_info", "1", KIND_GAUGE, pod, "The version that runs, as a label");

    label(s, "version", source_attribute(pod, "service.version"));
    s->integer = true;
    for (int k = s->first; k <= s->last; k++)
        s->values[k] = 1;
}

static void build_cluster(struct rng *rng)
{
    static const enum source pods[] = {SOURCE_GATEWAY, SOURCE_WEB_NEW, SOURCE_PAYMENTS,
                                       SOURCE_INVENTORY};

    for (size_t i = 0; i < 4; i++) {
        struct series *s = add("kube_deployment_status_observed_generation", "", KIND_GAUGE,
                               SOURCE_KUBE_STATE, "The generation observed by the controller.");

        label(s, "namespace", "production");
        label(s, "deployment", source_attribute(pods[i], "k8s.deployment.name"));
        s->integer = true;
        for (int k = 0; k < STORY_SAMPLES; k++)
            s->values[k] = pods[i] == SOURCE_WEB_NEW ? (sample_time(k) < 0 ? 41 : 42) : 7;
    }
    for (unsigned node = SOURCE_NODE_A; node <= SOURCE_NODE_B; node++) {
        struct series *cpu = add("system.cpu.utilization", "1", KIND_GAUGE, (enum source)node,
                                 "Share of the node's 4 cores in use");

        for (int k = 0; k < STORY_SAMPLES; k++) {
            int64_t at = sample_time(k);
            double extra = node == SOURCE_NODE_B && at >= STORY_SPIKE ? CPU_AFTER - CPU_BEFORE : 0;

            if (node == SOURCE_NODE_A && inventory_cron(at))
                extra = 0.7;
            cpu->values[k] = 0.31 * rng_between(rng, 0.95, 1.05) + extra / 4;
        }
    }
}

static void build_application_gauges(struct rng *rng)
{
    struct series *queue = add("payments.queue.depth", "{message}", KIND_UPDOWN, SOURCE_PAYMENTS,
                               "Messages that wait for settlement");
    struct series *stock = add("inventory.items", "{item}", KIND_GAUGE, SOURCE_INVENTORY,
                               "Items in stock; the feed was silent for a minute");

    queue->integer = true;
    for (int k = 0; k < STORY_SAMPLES; k++) {
        queue->values[k] = floor(rng_between(rng, 2, 9));
        stock->values[k] = 4000 + floor(rng_between(rng, -20, 20));
        if (k >= GAP_FIRST && k <= GAP_LAST)
            stock->values[k] = (double)NAN;
    }
}

static struct series *add_histogram(const char *name, enum source source, const char *help)
{
    struct series *s = add(name, "s", KIND_HISTOGRAM, source, help);

    s->histogram = histogram_count++;
    return s;
}

static void observe(struct series *s, int k, double value)
{
    struct cell *cell = &cells[s->histogram][k];
    size_t b = 0;

    while (b < BOUND_COUNT && value > metric_bounds[b])
        b++;
    cell->count++;
    cell->sum += value;
    cell->buckets[b]++;
}

/* What was observed between two samples becomes a running total. */
static void accumulate(struct series *s)
{
    struct cell *row = cells[s->histogram];

    for (int k = s->first + 1; k <= s->last; k++) {
        if (metrics_start(s, k) != metrics_start(s, k - 1))
            continue;
        row[k].count += row[k - 1].count;
        row[k].sum += row[k - 1].sum;
        for (size_t b = 0; b <= BOUND_COUNT; b++)
            row[k].buckets[b] += row[k - 1].buckets[b];
    }
}

static struct series *http_series(enum source source, unsigned route, unsigned status)
{
    const char *code = status == 200 ? "200" : status == 500 ? "500" : "503";
    struct series *s;

    for (size_t i = 0; i < count; i++)
        if (all[i].kind == KIND_HISTOGRAM && all[i].source == source && all[i].attributes[1].key &&
            strcmp(all[i].attributes[1].value, route_path(route)) == 0 &&
            strcmp(all[i].attributes[2].value, code) == 0)
            return &all[i];
    s = add_histogram("http.server.request.duration", source, "Duration of HTTP server requests");
    label(s, "http.request.method", route_method(route));
    label(s, "http.route", route_path(route));
    label(s, "http.response.status_code", code);
    return s;
}

static void observe_request(const struct story *story, size_t index, enum source source,
                            int64_t duration)
{
    const struct request *r = &story->requests[index];
    struct series *s = http_series(source, r->route, r->status);
    int k = sample_at_or_after(r->start + duration);

    if (k < s->first || k > s->last)
        return;
    observe(s, k, (double)duration / 1e9);
    if (r->sampled && !r->skewed)
        cells[s->histogram][k].exemplar = index + 1;
}

static void build_http(const struct story *story, struct rng *rng)
{
    for (size_t i = 0; i < story->request_count; i++) {
        const struct request *r = &story->requests[i];

        if (r->route == ROUTE_STOCK) {
            observe_request(story, i, SOURCE_INVENTORY, r->web);
            continue;
        }
        observe_request(story, i, SOURCE_GATEWAY, r->duration);
        observe_request(story, i, web_source(r->start), r->web);
        if (r->payment && r->status == 200)
            observe_request(story, i, SOURCE_PAYMENTS, r->payment);
    }
    for (int k = 1; k < STORY_SAMPLES; k++) {
        observe(http_series(SOURCE_STAGING_WEB, ROUTE_CART, 200), k, rng_between(rng, 0.02, 0.2));
        observe(http_series(SOURCE_STAGING_GATEWAY, ROUTE_CART, 200), k,
                rng_between(rng, 0.02, 0.2));
    }
}

static void build_jvm(enum source pod, struct rng *rng)
{
    struct series *heap = add("jvm.memory.used", "By", KIND_UPDOWN, pod, "Measure of memory used");
    struct series *gc =
        add_histogram("jvm.gc.duration", pod, "Duration of JVM garbage collection actions");
    bool production = pod != SOURCE_STAGING_WEB;

    heap->integer = true;
    label(heap, "jvm.memory.type", "heap");
    label(gc, "jvm.gc.name", "G1 Old Generation");
    for (int k = heap->first; k <= heap->last; k++) {
        double memory = production ? story_memory(sample_time(k)) : MEMORY_FLAT;
        double full = (memory - MEMORY_FLAT) / (MEMORY_LIMIT - MEMORY_FLAT);

        heap->values[k] = round(memory * 0.8 * rng_between(rng, 0.98, 1.0));
        for (int n = 0; n < 1 + (int)(full * 8); n++)
            observe(gc, k, 0.02 + 1.2 * full * full * rng_between(rng, 0.8, 1.2));
    }
}

static void build_exponential(struct rng *rng)
{
    add("payments.settlement.duration", "s", KIND_EXPONENTIAL, SOURCE_PAYMENTS,
        "Time until a payment is settled");
    for (int k = 1; k < STORY_SAMPLES; k++) {
        memcpy(exponential[k], exponential[k - 1], sizeof(exponential[k]));
        exponential_sum[k] = exponential_sum[k - 1];
        for (int n = 0; n < 20; n++) {
            double v = fmin(fmax(0.3 * exp(0.5 * rng_normal(rng)), 0.01), 50.0);
            int index = (int)ceil(log2(v) * (1 << EXPONENT_SCALE)) - 1 - EXPONENT_LOW;

            exponential[k][index]++;
            exponential_sum[k] += v;
        }
    }
}

void metrics_build(const struct story *story)
{
    struct rng rng = rng_for(story->seed, "metrics");

    if (count)
        return;
    for (unsigned pod = 0; pod < SOURCE_PODS; pod++) {
        build_pod((enum source)pod, &rng);
        build_info((enum source)pod);
    }
    build_cluster(&rng);
    build_application_gauges(&rng);
    build_jvm(SOURCE_WEB_OLD, &rng);
    build_jvm(SOURCE_WEB_NEW, &rng);
    build_jvm(SOURCE_STAGING_WEB, &rng);
    build_exponential(&rng);
    build_http(story, &rng);
    for (size_t i = 0; i < count; i++)
        if (all[i].kind == KIND_HISTOGRAM)
            accumulate(&all[i]);
}
