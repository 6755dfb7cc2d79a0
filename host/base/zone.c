/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/tzif.h"

#define NAME_MAX_SIZE 64
#define FILE_MAX (256u * 1024u)
#define CACHE_SIZE 16
#define LISTED_MAX 2048
#define LISTED_BYTES (512u * 1024u)
#define LISTED_DEPTH 3

struct zone {
    atomic_uint references;
    bool is_static;
    char name[NAME_MAX_SIZE];
    int32_t offset;    /* where tzif is NULL */
    struct tzif *tzif; /* NULL: fixed offset */
};

static struct zone utc = {.is_static = true, .name = "UTC"};

/* Zones opened by name stay here, each with a reference, so that a call costs no file. */
static struct {
    pthread_mutex_t lock;
    struct zone *zones[CACHE_SIZE];
    size_t next;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct zone *zone_utc(void)
{
    return &utc;
}

struct zone *zone_ref(struct zone *zone)
{
    if (!zone->is_static)
        atomic_fetch_add_explicit(&zone->references, 1, memory_order_relaxed);
    return zone;
}

void zone_unref(struct zone *zone)
{
    if (!zone || zone->is_static ||
        atomic_fetch_sub_explicit(&zone->references, 1, memory_order_acq_rel) != 1)
        return;
    tzif_free(zone->tzif);
    mem_free(zone);
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

static struct zone *zone_new(const char *name)
{
    struct zone *zone = mem_alloc(sizeof *zone);
    if (!zone)
        return NULL;
    atomic_init(&zone->references, 1);
    snprintf(zone->name, sizeof zone->name, "%s", name);
    return zone;
}

static const char *zoneinfo_folder(void)
{
    const char *folder = getenv("TZDIR");
    return folder && *folder ? folder : "/usr/share/zoneinfo";
}

/* "Area/Place": no way out of the folder, no hidden files. */
static bool name_is_safe(const char *name)
{
    size_t size = strlen(name);
    if (!size || size >= NAME_MAX_SIZE || name[size - 1] == '/')
        return false;
    bool begins = true;
    for (const char *p = name; *p; p++) {
        char c = *p;
        bool word =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (begins ? !word : !word && c != '/' && c != '-' && c != '+')
            return false;
        begins = c == '/';
    }
    return true;
}

static int read_zone_file(const char *path, const char *name, struct zone **ret_zone,
                          struct err *err)
{
    CLEANUP(mem_freep) char *data = NULL;
    size_t size = 0;
    int r = file_read(path, FILE_MAX, &data, &size, err);
    if (r)
        return r;
    struct tzif *tzif = NULL;
    r = tzif_parse(data, size, &tzif);
    if (r == ERR_MEMORY)
        return err_set(err, ERR_MEMORY, "out of memory while reading time zone \"%s\"", name);
    if (r)
        return err_set(err, ERR_INVALID, "%s is not a time zone file this program can read", path);
    struct zone *zone = zone_new(name);
    if (!zone) {
        tzif_free(tzif);
        return err_set(err, ERR_MEMORY, "out of memory while reading time zone \"%s\"", name);
    }
    zone->tzif = tzif;
    *ret_zone = zone;
    return 0;
}

struct listing {
    struct arena arena;
    const char *names[LISTED_MAX];
    size_t count;
};

/* Most file systems say it in the entry; asking for each of 600 files costs more than the search. */
static bool is_folder(const char *path, const struct dirent *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void list_zones(struct listing *listing, const char *folder, const char *prefix, int depth)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    struct dirent *entry;
    while (listing->count < LISTED_MAX && (entry = readdir(dir)) != NULL) {
        const char *file = entry->d_name;
        /* Zones begin with a capital; the other files are tables, "posix" and "right" repeat the zones. */
        if (file[0] < 'A' || file[0] > 'Z' || strchr(file, '.'))
            continue;
        char *name = arena_printf(&listing->arena, "%s%s", prefix, file);
        char *path = arena_printf(&listing->arena, "%s/%s", folder, file);
        char *inner = arena_printf(&listing->arena, "%s/", name ? name : "");
        if (!name || !path || !inner)
            break;
        if (is_folder(path, entry)) {
            if (depth > 1)
                list_zones(listing, path, inner, depth - 1);
        } else if (name_is_safe(name)) {
            listing->names[listing->count++] = name;
        }
    }
    closedir(dir);
}

static int unknown_zone(const char *name, struct err *err)
{
    char shown[NAME_MAX_SIZE];
    utf8_clean(shown, sizeof shown, name, strlen(name));
    for (char *p = shown; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    struct listing *listing = mem_alloc(sizeof *listing);
    if (!listing)
        return err_set(err, ERR_MEMORY, "out of memory while looking for time zone \"%s\"", shown);
    arena_init(&listing->arena, LISTED_BYTES, NULL);
    list_zones(listing, zoneinfo_folder(), "", LISTED_DEPTH);
    const char *nearest = str_nearest(shown, listing->names, listing->count);
    int r = err_set(
        err, ERR_INVALID,
        "unknown time zone \"%s\"%s%s%s. Accepted: an IANA name (Europe/Berlin), UTC, an "
        "offset (+02:00), local%s",
        shown, nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "",
        listing->count ? "." : "; no zone files are installed here (package tzdata).");
    arena_finish(&listing->arena);
    mem_free(listing);
    return r;
}

static struct zone *cache_find(const char *name)
{
    struct zone *found = NULL;
    pthread_mutex_lock(&cache.lock);
    for (size_t i = 0; i < CACHE_SIZE && !found; i++)
        if (cache.zones[i] && strcmp(cache.zones[i]->name, name) == 0)
            found = zone_ref(cache.zones[i]);
    pthread_mutex_unlock(&cache.lock);
    return found;
}

static void cache_add(struct zone *zone)
{
    pthread_mutex_lock(&cache.lock);
    struct zone *old = cache.zones[cache.next];
    cache.zones[cache.next] = zone_ref(zone);
    cache.next = (cache.next + 1) % CACHE_SIZE;
    pthread_mutex_unlock(&cache.lock);
    zone_unref(old);
}

static int open_named(const char *name, struct zone **ret_zone, struct err *err)
{
    if (!name_is_safe(name))
        return unknown_zone(name, err);
    struct zone *zone = cache_find(name);
    if (zone) {
        *ret_zone = zone;
        return 0;
    }
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", zoneinfo_folder(), name);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(err, ERR_INVALID, "the zone folder's path (TZDIR) is too long");
    int r = read_zone_file(path, name, &zone, err);
    if (r == ERR_MEMORY)
        return r;
    if (r)
        return unknown_zone(name, err);
    cache_add(zone);
    *ret_zone = zone;
    return 0;
}

static int two_digits(const char *p)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return -1;
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* "+2", "+02", "+0200", "+02:00" */
static int parse_offset(const char *text, int32_t *ret_offset)
{
    if (*text != '+' && *text != '-')
        return -1;
    const char *p = text + 1;
    size_t size = strlen(p);
    int hours;
    int minutes = 0;
    if (size == 1 && p[0] >= '0' && p[0] <= '9') {
        hours = p[0] - '0';
    } else if (size == 2) {
        hours = two_digits(p);
    } else if (size == 4 || (size == 5 && p[2] == ':')) {
        hours = two_digits(p);
        minutes = two_digits(p + size - 2);
    } else {
        return -1;
    }
    if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59)
        return -1;
    int32_t offset = hours * 3600 + minutes * 60;
    *ret_offset = *text == '-' ? -offset : offset;
    return 0;
}

static int open_fixed(int32_t offset, struct zone **ret_zone, struct err *err)
{
    if (!offset) {
        *ret_zone = &utc;
        return 0;
    }
    char name[NAME_MAX_SIZE];
    int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    snprintf(name, sizeof name, "%c%02d:%02d", offset < 0 ? '-' : '+', (int)(minutes / 60),
             (int)(minutes % 60));
    struct zone *zone = zone_new(name);
    if (!zone)
        return err_set(err, ERR_MEMORY, "out of memory");
    zone->offset = offset;
    *ret_zone = zone;
    return 0;
}

static int open_localtime_file(struct zone **ret_zone, struct err *err)
{
    static const char path[] = "/etc/localtime";
    char target[1024];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n > 0) {
        target[n] = '\0';
        const char *inside = strstr(target, "zoneinfo/");
        if (inside && zone_open(inside + strlen("zoneinfo/"), ret_zone, NULL) == 0)
            return 0;
    }
    if (access(path, F_OK) != 0) {
        *ret_zone = &utc; /* tzset(3): no file means UTC */
        return 0;
    }
    return read_zone_file(path, "local", ret_zone, err);
}

/* TZ as tzset(3) reads it. */
static int open_local(struct zone **ret_zone, struct err *err)
{
    const char *tz = getenv("TZ");
    if (!tz)
        return open_localtime_file(ret_zone, err);
    if (*tz == ':')
        tz++;
    if (!*tz) {
        *ret_zone = &utc;
        return 0;
    }
    if (*tz == '/')
        return read_zone_file(tz, "local", ret_zone, err);
    if (!str_eq_nocase(tz, "local") && zone_open(tz, ret_zone, NULL) == 0)
        return 0;
    struct tz_rule rule;
    if (tz_rule_parse(tz, &rule)) {
        int r = unknown_zone(tz, err);
        err_prefix(err, "environment variable TZ: ");
        return r;
    }
    struct tzif *tzif = mem_alloc(sizeof *tzif);
    struct zone *zone = tzif ? zone_new("local") : NULL;
    if (!zone) {
        mem_free(tzif);
        return err_set(err, ERR_MEMORY, "out of memory");
    }
    tzif->has_rule = 1;
    tzif->rule = rule;
    zone->tzif = tzif;
    *ret_zone = zone;
    return 0;
}

int zone_open(const char *name, struct zone **ret_zone, struct err *err)
{
    static const char *const utc_names[] = {"UTC",      "Z",       "Etc/UTC",      "Etc/UCT",
                                            "Etc/Zulu", "Zulu",    "UCT",          "Universal",
                                            "GMT",      "Etc/GMT", "Etc/Universal"};
    for (size_t i = 0; i < ARRAY_SIZE(utc_names); i++) {
        if (str_eq_nocase(name, utc_names[i])) {
            *ret_zone = &utc;
            return 0;
        }
    }
    if (str_eq_nocase(name, "local"))
        return open_local(ret_zone, err);
    int32_t offset;
    if (parse_offset(name, &offset) == 0 ||
        (str_starts(name, "UTC") && parse_offset(name + 3, &offset) == 0))
        return open_fixed(offset, ret_zone, err);
    return open_named(name, ret_zone, err);
}

static int32_t offset_at(const struct zone *zone, int64_t unix_s)
{
    return zone->tzif ? tzif_offset(zone->tzif, unix_s) : zone->offset;
}

static void civil_at(int64_t unix_ns, int32_t offset, struct civil *ret_civil)
{
    int64_t seconds = unix_ns / NS_PER_S;
    int64_t rest = unix_ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    int64_t local = seconds + offset;
    int64_t days = local / 86400 - (local % 86400 < 0);
    int64_t of_day = local - days * 86400;
    civil_of_days(days, &ret_civil->year, &ret_civil->month, &ret_civil->day);
    ret_civil->hour = (int)(of_day / 3600);
    ret_civil->minute = (int)(of_day / 60 % 60);
    ret_civil->second = (int)(of_day % 60);
    ret_civil->nanosecond = (int32_t)rest;
    ret_civil->offset_s = offset;
}

static int64_t floor_seconds(int64_t unix_ns)
{
    return unix_ns / NS_PER_S - (unix_ns % NS_PER_S < 0);
}

void zone_civil(const struct zone *zone, int64_t unix_ns, struct civil *ret_civil)
{
    civil_at(unix_ns, offset_at(zone, floor_seconds(unix_ns)), ret_civil);
}

static int64_t to_ns(int64_t seconds, int32_t nanosecond)
{
    int64_t ns;
    if (__builtin_mul_overflow(seconds, NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, nanosecond, &ns))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

int zone_unix(const struct zone *zone, const struct civil *civil, int64_t *ret_unix_ns)
{
    /* Beyond these years nanoseconds do not reach; the clamp keeps the sums below small. */
    int64_t year = civil->year < -9999 ? -9999 : civil->year > 9999 ? 9999 : civil->year;
    int64_t local = civil_days(year, civil->month, civil->day) * 86400 + civil->hour * 3600 +
                    civil->minute * 60 + civil->second;
    /* The offsets in force around that local time: a day covers every change of offset there was. */
    int32_t before = offset_at(zone, local - 86400);
    int32_t after = offset_at(zone, local + 86400);
    bool before_fits = offset_at(zone, local - before) == before;
    bool after_fits = offset_at(zone, local - after) == after;
    int kind = ZONE_EXACT;
    int32_t offset = after;
    if (before == after) {
        /* Two changes within two days: ask for the offset between them. */
        if (!after_fits)
            offset = offset_at(zone, local - after);
    } else if (before_fits && after_fits) {
        kind = ZONE_FOLD;
    } else if (before_fits) {
        offset = before;
    } else if (!after_fits) {
        kind = ZONE_GAP;
    }
    *ret_unix_ns = to_ns(local - offset, civil->nanosecond);
    return kind;
}

/* Decimal with leading zeros, as many digits as it takes. An answer says so many times that printf would show. */
static char *put_digits(char *to, int64_t number, int digits)
{
    char reversed[24];
    int n = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    for (; rest || n < digits - (number < 0); rest /= 10)
        reversed[n++] = (char)('0' + rest % 10);
    if (number < 0)
        *to++ = '-';
    while (n > 0)
        *to++ = reversed[--n];
    return to;
}

size_t time_format(char *out, size_t size, int64_t unix_ns, const struct zone *zone, int digits)
{
    /* RFC 3339 knows no seconds in an offset; local mean times of long ago have them. */
    int32_t offset = offset_at(zone, floor_seconds(unix_ns)) / 60 * 60;
    struct civil civil;
    civil_at(unix_ns, offset, &civil);
    char text[64];
    char *at = put_digits(text, civil.year, 4);
    *at++ = '-';
    at = put_digits(at, civil.month, 2);
    *at++ = '-';
    at = put_digits(at, civil.day, 2);
    *at++ = 'T';
    at = put_digits(at, civil.hour, 2);
    *at++ = ':';
    at = put_digits(at, civil.minute, 2);
    *at++ = ':';
    at = put_digits(at, civil.second, 2);
    int32_t part = civil.nanosecond;
    int scale = 9;
    while (scale > digits && scale > 0) {
        part /= 1000;
        scale -= 3;
    }
    while (scale > 0 && part % 1000 == 0) {
        part /= 1000;
        scale -= 3;
    }
    if (scale > 0) {
        *at++ = '.';
        at = put_digits(at, part, scale);
    }
    if (zone == &utc) {
        *at++ = 'Z';
    } else {
        int minutes = (offset < 0 ? -offset : offset) / 60;
        *at++ = offset < 0 ? '-' : '+';
        at = put_digits(at, minutes / 60, 2);
        *at++ = ':';
        at = put_digits(at, minutes % 60, 2);
    }
    *at = '\0';
    size_t n = (size_t)(at - text);
    if (n >= size) {
        if (size)
            out[0] = '\0';
        return 0;
    }
    memcpy(out, text, n + 1);
    return n;
}
