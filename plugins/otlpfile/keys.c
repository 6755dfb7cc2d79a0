/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <string.h>

static const struct {
    const char *text;
    enum key key;
} keys[] = {
    {"resourceMetrics", KEY_RESOURCE_METRICS},
    {"resourceLogs", KEY_RESOURCE_LOGS},
    {"resourceSpans", KEY_RESOURCE_SPANS},
    {"resource", KEY_RESOURCE},
    {"attributes", KEY_ATTRIBUTES},
    {"scopeMetrics", KEY_SCOPE_METRICS},
    {"instrumentationLibraryMetrics", KEY_SCOPE_METRICS},
    {"metrics", KEY_METRICS},
    {"name", KEY_NAME},
    {"unit", KEY_UNIT},
    {"description", KEY_DESCRIPTION},
    {"gauge", KEY_GAUGE},
    {"sum", KEY_SUM},
    {"histogram", KEY_HISTOGRAM},
    {"exponentialHistogram", KEY_EXPONENTIAL},
    {"summary", KEY_SUMMARY},
    {"dataPoints", KEY_POINTS},
    {"aggregationTemporality", KEY_TEMPORALITY},
    {"isMonotonic", KEY_MONOTONIC},
    {"timeUnixNano", KEY_TIME},
    {"asDouble", KEY_DOUBLE},
    {"asInt", KEY_INT},
    {"flags", KEY_FLAGS},
    {"count", KEY_COUNT},
    {"bucketCounts", KEY_BUCKETS},
    {"explicitBounds", KEY_BOUNDS},
    {"exemplars", KEY_EXEMPLARS},
    {"spanId", KEY_SPAN},
    {"traceId", KEY_TRACE},
    {"scale", KEY_SCALE},
    {"zeroCount", KEY_ZERO},
    {"zeroThreshold", KEY_ZERO_THRESHOLD},
    {"positive", KEY_POSITIVE},
    {"negative", KEY_NEGATIVE},
    {"offset", KEY_OFFSET},
    {"quantileValues", KEY_QUANTILES},
    {"quantile", KEY_QUANTILE},
    {"value", KEY_VALUE},
    {"key", KEY_KEY},
    {"stringValue", KEY_STRING},
    {"intValue", KEY_INT_VALUE},
    {"doubleValue", KEY_DOUBLE_VALUE},
    {"boolValue", KEY_BOOL},
    {"bytesValue", KEY_BYTES},
    {"arrayValue", KEY_ARRAY},
    {"kvlistValue", KEY_LIST},
};

enum key key_of(const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (size && keys[i].text[0] == text[0] && strlen(keys[i].text) == size &&
            memcmp(keys[i].text, text, size) == 0)
            return keys[i].key;
    return KEY_OTHER;
}
