/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses: 'T' a zone file, 'R' a POSIX rule, 'Z' a zone name, else "start" newline "end". */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timeinput.h"
#include "base/tzif.h"
#include "fuzz.h"

#define NOW (INT64_C(1773144000) * NS_PER_S)
#define OFFSET_MOST (26 * 3600)

static void check(int holds)
{
    if (!holds)
        abort();
}

static void try_file(const uint8_t *data, size_t size)
{
    static const int64_t times[] = {INT64_MIN / NS_PER_S, -1,         0,
                                    1773144000,           4102444800, INT64_MAX / NS_PER_S};
    struct tzif *tzif = NULL;
    if (tzif_parse(data, size, &tzif))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        int32_t offset = tzif_offset(tzif, times[i]);
        check(offset >= -OFFSET_MOST && offset <= OFFSET_MOST);
    }
    tzif_free(tzif);
}

static void try_rule(const char *text)
{
    struct tz_rule rule;
    if (tz_rule_parse(text, &rule))
        return;
    for (int64_t s = -3000000000; s < 9000000000; s += 123456789) {
        int32_t offset = tz_rule_offset(&rule, s);
        check(offset == rule.std_offset || offset == rule.dst_offset);
    }
}

static void try_name(const char *text)
{
    struct zone *zone = NULL;
    struct err err = {0};
    if (zone_open(text, &zone, &err)) {
        check(err.text[0] != '\0' && !strchr(err.text, '\n'));
        return;
    }
    char out[48];
    check(time_format(out, sizeof out, NOW, zone, 9) > 0);
    zone_unref(zone);
}

static void try_window(char *text)
{
    char *end = strchr(text, '\n');
    if (end)
        *end++ = '\0';
    struct time_window window;
    struct err err = {0};
    if (time_window_parse(text, end, zone_utc(), NOW, NS_PER_HOUR, &window, &err)) {
        check(err.text[0] != '\0' && !strchr(err.text, '\n'));
        return;
    }
    check(window.start_ns < window.end_ns && window.end_ns <= NOW && window.now_ns == NOW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t *copy = malloc(size);
    if (!copy)
        abort();
    memcpy(copy, data + 1, size - 1);
    if (data[0] == 'T') {
        try_file(copy, size - 1);
    } else {
        copy[size - 1] = '\0';
        if (data[0] == 'R')
            try_rule((char *)copy);
        else if (data[0] == 'Z')
            try_name((char *)copy);
        else
            try_window((char *)copy);
    }
    free(copy);
    return 0;
}
