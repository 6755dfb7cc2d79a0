/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones, read from TZif files (RFC 8536) without touching the process's own zone.
 *
 * Ownership: zone_unref. Threads: a zone is immutable and shared; loading is safe anywhere.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdint.h>
#include "base/cleanup.h"
#include "base/err.h"

struct zone;

/* Fields of a local time. */
struct civil {
    int64_t year;
    int month; /* 1 to 12 */
    int day;
    int hour;
    int minute;
    int second;
    int32_t nanosecond;
    int32_t offset_s; /* east of UTC */
};

/* "Europe/Berlin", "UTC", "Z", "+02:00", "-0530", "local" (TZ or /etc/localtime). 0 or ERR_INVALID with the nearest zone name. */
int zone_open(const char *name, struct zone **ret_zone, struct err *err);
struct zone *zone_utc(void); /* static, unref is harmless */
struct zone *zone_ref(struct zone *zone);
void zone_unref(struct zone *zone);
DEFINE_CLEANUP(struct zone *, zone_unref);
const char *zone_name(const struct zone *zone);
void zone_civil(const struct zone *zone, int64_t unix_ns, struct civil *ret_civil);

#define ZONE_EXACT 0
#define ZONE_GAP 1  /* the local time does not exist: read with the later offset */
#define ZONE_FOLD 2 /* it occurs twice: the later offset (second occurrence) is taken */
/* offset_s of civil is ignored. Returns ZONE_*. */
int zone_unix(const struct zone *zone, const struct civil *civil, int64_t *ret_unix_ns);

/* RFC 3339 with the zone's offset, at most digits (0, 3, 6 or 9) of a second, "Z" for UTC; out at least 40 bytes. */
size_t time_format(char *out, size_t size, int64_t unix_ns, const struct zone *zone, int digits);

#endif
