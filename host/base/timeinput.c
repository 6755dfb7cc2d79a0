/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timeinput.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/tzif.h"

#define INPUT_MAX 64
/* int64 nanoseconds end in April 2262. */
#define YEAR_MIN 1970
#define YEAR_MAX 2261

enum form { FORM_INSTANT, FORM_DAY, FORM_CLOCK };

/* One end of a window as written. */
struct point {
    enum form form;
    int64_t ns;              /* FORM_INSTANT, FORM_DAY: its start */
    struct civil date;       /* FORM_DAY */
    struct civil clock;      /* FORM_CLOCK: hour to nanosecond */
    const struct zone *zone; /* of the clock or date: the window's or the one written behind it */
    struct zone *owned;
};

struct context {
    const char *which; /* "start" or "end" */
    const char *text;  /* as written, for messages */
    const struct zone *zone;
    int64_t now_ns;
    struct time_window *window;
    struct err *err;
};

static void add_note(struct time_window *window, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_note(struct time_window *window, const char *format, ...)
{
    size_t used = strlen(window->note);
    if (used && used + 3 < sizeof window->note) {
        memcpy(window->note + used, "; ", 3);
        used += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(window->note + used, sizeof window->note - used, format, arguments);
    va_end(arguments);
}

/* Quoted in messages: control characters gone, one line, short. */
static void shown_text(char out[INPUT_MAX], const char *text)
{
    utf8_clean(out, INPUT_MAX, text, strlen(text));
    for (char *p = out; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
}

static int refuse(const struct context *context, const char *reason)
{
    char shown[INPUT_MAX];
    shown_text(shown, context->text);
    return err_set(context->err, ERR_INVALID,
                   "%s \"%s\": %s. Accepted: 2026-03-01T10:00:00Z or with +02:00, 2026-03-01 10:00 "
                   "and 2026-03-01 (in %s), an epoch (10 digits s, 13 ms, 16 us, 19 ns), now, "
                   "now-1h30m, 1h (that long ago), today, yesterday 10:00, 10:20.",
                   context->which, shown, reason, zone_name(context->zone));
}

static bool digits(const char **text, size_t n, int *ret_value)
{
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += n;
    *ret_value = value;
    return true;
}

/* Digits behind a point, 1 to 9 of them, as nanoseconds. */
static bool fraction(const char **text, int32_t *ret_ns)
{
    int32_t ns = 0;
    size_t n = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++, n++) {
        if (n == 9)
            return false;
        ns = ns * 10 + (**text - '0');
    }
    for (size_t i = n; i < 9; i++)
        ns *= 10;
    *ret_ns = ns;
    return n > 0;
}

/* "10:20", "10:20:30", "10:20:30.250" */
static bool clock_time(const char **text, struct civil *civil)
{
    const char *p = *text;
    if (!digits(&p, p[0] && p[1] == ':' ? 1 : 2, &civil->hour) || *p++ != ':' ||
        !digits(&p, 2, &civil->minute))
        return false;
    if (*p == ':') {
        p++;
        if (!digits(&p, 2, &civil->second))
            return false;
        if (*p == '.') {
            p++;
            if (!fraction(&p, &civil->nanosecond))
                return false;
        }
    }
    /* ISO 8601 writes the end of a day 24:00 and a leap second :60; both are the instant after. */
    bool end_of_day = civil->hour == 24 && !civil->minute && !civil->second && !civil->nanosecond;
    if ((civil->hour > 23 && !end_of_day) || civil->minute > 59 || civil->second > 60)
        return false;
    *text = p;
    return true;
}

static bool date_text(const char **text, struct civil *civil)
{
    const char *p = *text;
    int year;
    if (!digits(&p, 4, &year) || *p++ != '-' || !digits(&p, 2, &civil->month) || *p++ != '-' ||
        !digits(&p, 2, &civil->day))
        return false;
    civil->year = year;
    *text = p;
    return true;
}

/* Local to UTC; a time that does not exist or occurs twice is noted. */
static int64_t resolve(const struct context *context, const struct zone *zone,
                       const struct civil *civil)
{
    int64_t ns;
    int kind = zone_unix(zone, civil, &ns);
    if (kind != ZONE_EXACT) {
        char read_as[48];
        time_format(read_as, sizeof read_as, ns, zone, 0);
        add_note(context->window, "%s %02d:%02d %s in %s on %04d-%02d-%02d: read as %s",
                 context->which, civil->hour, civil->minute,
                 kind == ZONE_GAP ? "does not exist" : "occurs twice", zone_name(zone),
                 (int)civil->year, civil->month, civil->day, read_as);
    }
    return ns;
}

static void add_days(struct civil *civil, int days)
{
    int64_t day = civil_days(civil->year, civil->month, civil->day) + days;
    civil_of_days(day, &civil->year, &civil->month, &civil->day);
}

/* The zone written behind a time, or the window's. */
static int take_zone(const struct context *context, const char *text, struct point *point)
{
    while (*text == ' ')
        text++;
    if (!*text) {
        point->zone = context->zone;
        return 0;
    }
    struct err err = {0};
    if (zone_open(text, &point->owned, &err)) {
        char reason[256];
        snprintf(reason, sizeof reason, "%.200s", err.text);
        return refuse(context, reason);
    }
    point->zone = point->owned;
    return 0;
}

/* Text beginning with a day: 2026-03-01, today, yesterday; day is its date, rest what follows. */
static int day_and_time(const struct context *context, const struct civil *day, const char *rest,
                        struct point *point)
{
    struct civil civil = {.year = day->year, .month = day->month, .day = day->day};
    bool has_time = false;
    if ((*rest == 'T' || *rest == 't' || *rest == ' ') && rest[1] >= '0' && rest[1] <= '9') {
        rest++;
        if (!clock_time(&rest, &civil))
            return refuse(context, "the time of day is not HH:MM, HH:MM:SS or HH:MM:SS.fraction");
        has_time = true;
    }
    int r = take_zone(context, rest, point);
    if (r)
        return r;
    point->form = has_time ? FORM_INSTANT : FORM_DAY;
    point->date = civil;
    point->ns = resolve(context, point->zone, &civil);
    return 0;
}

static int parse_date(const struct context *context, const char *text, struct point *point)
{
    struct civil day = {0};
    if (!date_text(&text, &day))
        return refuse(context, "not a time");
    if (day.month < 1 || day.month > 12 || day.day < 1 ||
        day.day > days_in_month(day.year, day.month))
        return refuse(context, "there is no such date");
    if (day.year < YEAR_MIN || day.year > YEAR_MAX)
        return refuse(context, "the year lies outside 1970 to 2261");
    return day_and_time(context, &day, text, point);
}

/* Epochs: the number of digits says the unit. */
static int parse_epoch(const struct context *context, const char *text, struct point *point)
{
    size_t n = strspn(text, "0123456789");
    int64_t value = 0;
    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text[i] - '0', &value))
            return refuse(context, "too large for an epoch");
    int64_t scale = n == 10 ? NS_PER_S : n == 13 ? NS_PER_MS : n == 16 ? NS_PER_US : n == 19;
    if (!scale)
        return refuse(context, "an epoch has 10, 13, 16 or 19 digits");
    int32_t part = 0;
    const char *rest = text + n;
    if (*rest == '.') {
        rest++;
        if (n != 10 || !fraction(&rest, &part) || *rest)
            return refuse(context, "only an epoch in seconds has a fraction, of at most 9 digits");
    }
    if (__builtin_mul_overflow(value, scale, &value) || __builtin_add_overflow(value, part, &value))
        return refuse(context, "lies after the year 2261");
    point->form = FORM_INSTANT;
    point->ns = value;
    return 0;
}

static int ago(const struct context *context, const char *duration, bool ahead, struct point *point)
{
    char text[INPUT_MAX];
    size_t size = 0;
    for (; *duration && size < sizeof text - 1; duration++)
        if (*duration != ' ')
            text[size++] = *duration;
    text[size] = '\0';
    int64_t ns;
    /* Plain digits would mean seconds, which nobody means here. */
    if (!text[strspn(text, "0123456789.")] || str_to_duration(text, &ns))
        return refuse(context, "not a time");
    if (!ahead)
        ns = -ns;
    if (__builtin_add_overflow(context->now_ns, ns, &point->ns) || point->ns < 0)
        return refuse(context, "lies before 1970 or after 2261");
    point->form = FORM_INSTANT;
    return 0;
}

static int parse_word(const struct context *context, const char *text, struct point *point)
{
    static const struct {
        const char *word;
        int days;
    } words[] = {{"today", 0}, {"yesterday", -1}};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!str_starts(text, words[i].word))
            continue;
        struct civil today;
        zone_civil(context->zone, context->now_ns, &today);
        add_days(&today, words[i].days);
        const char *rest = text + strlen(words[i].word);
        if (str_starts(rest, " at "))
            rest += 3;
        return day_and_time(context, &today, rest, point);
    }
    if (!str_starts(text, "now"))
        return refuse(context, "not a time");
    const char *rest = text + 3 + strspn(text + 3, " ");
    if (!*rest) {
        point->form = FORM_INSTANT;
        point->ns = context->now_ns;
        return 0;
    }
    if (*rest != '-' && *rest != '+')
        return refuse(context, "after \"now\" goes -DURATION");
    return ago(context, rest + 1, *rest == '+', point);
}

static int parse_point(const struct context *context, struct point *point)
{
    char text[INPUT_MAX];
    const char *from = context->text + strspn(context->text, " \t\r\n");
    size_t size = strlen(from);
    while (size && strchr(" \t\r\n", from[size - 1]))
        size--;
    if (size >= sizeof text)
        return refuse(context, "too long");
    memcpy(text, from, size);
    text[size] = '\0';
    if ((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z') {
        for (char *p = text; *p && *p != ' '; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p | 0x20);
        return parse_word(context, text, point);
    }
    if (size > 4 && strcmp(text + size - 4, " ago") == 0) {
        text[size - 4] = '\0';
        return ago(context, text, false, point);
    }
    if (text[0] == '-')
        return ago(context, text + 1, false, point);
    size_t leading = strspn(text, "0123456789");
    if (leading == 4 && text[4] == '-')
        return parse_date(context, text, point);
    if ((leading == 1 || leading == 2) && text[leading] == ':') {
        const char *rest = text;
        if (!clock_time(&rest, &point->clock))
            return refuse(context, "the time of day is not HH:MM, HH:MM:SS or HH:MM:SS.fraction");
        point->form = FORM_CLOCK;
        return take_zone(context, rest, point);
    }
    if (leading && (!text[leading] || (text[leading] == '.' && leading >= 9)))
        return parse_epoch(context, text, point);
    return ago(context, text, false, point);
}

/* The clock time on the day of from_ns moved by days. */
static int64_t clock_on(const struct context *context, const struct point *point, int64_t from_ns,
                        int days)
{
    struct civil civil;
    zone_civil(point->zone, from_ns, &civil);
    civil.hour = point->clock.hour;
    civil.minute = point->clock.minute;
    civil.second = point->clock.second;
    civil.nanosecond = point->clock.nanosecond;
    add_days(&civil, days);
    return resolve(context, point->zone, &civil);
}

static int64_t clock_at(const struct context *context, const struct point *point, int64_t from_ns,
                        bool after)
{
    char note[sizeof context->window->note];
    memcpy(note, context->window->note, sizeof note);
    int64_t ns = 0;
    for (int i = -1; i <= 2; i++) {
        /* Only the day that is taken may leave its note. */
        memcpy(context->window->note, note, sizeof note);
        ns = clock_on(context, point, from_ns, after ? i : -i);
        if (after ? ns > from_ns : ns <= from_ns)
            break;
    }
    return ns;
}

static int order_error(const struct context *start, const struct context *end, int64_t start_ns,
                       int64_t end_ns)
{
    char from[48];
    char to[48];
    char now[48];
    time_format(from, sizeof from, start_ns, start->zone, 3);
    time_format(to, sizeof to, end_ns, start->zone, 3);
    time_format(now, sizeof now, start->now_ns, start->zone, 0);
    char start_text[INPUT_MAX];
    char end_text[INPUT_MAX];
    shown_text(start_text, start->text && *start->text ? start->text : "not given");
    shown_text(end_text, end->text && *end->text ? end->text : "not given: now");
    return err_set(start->err, ERR_INVALID,
                   "start %s (%s) is not before end %s (%s); now is %s. Swap them, or give an "
                   "earlier start, such as start \"now-1h\".",
                   from, start_text, to, end_text, now);
}

static bool given(const char *text)
{
    return text && text[strspn(text, " \t\r\n")];
}

static int resolve_window(struct context *start, struct context *end, struct point *start_point,
                          struct point *end_point, int64_t default_ns)
{
    int64_t now = start->now_ns;
    struct time_window *window = start->window;
    int r = 0;
    if (given(start->text)) {
        r = parse_point(start, start_point);
        if (r)
            return r;
        if (start_point->form == FORM_CLOCK)
            start_point->ns = clock_at(start, start_point, now, false);
        window->start_ns = start_point->ns;
    }
    window->end_ns = now;
    if (given(end->text)) {
        r = parse_point(end, end_point);
        if (r)
            return r;
        if (end_point->form == FORM_CLOCK)
            end_point->ns = given(start->text) ? clock_at(end, end_point, window->start_ns, true)
                                               : clock_at(end, end_point, now, false);
        window->end_ns = end_point->ns;
    }
    if (given(start->text) && end_point->form == FORM_DAY && window->end_ns == window->start_ns) {
        struct civil next = end_point->date;
        add_days(&next, 1);
        window->end_ns = resolve(end, end_point->zone, &next);
        add_note(window, "end read as the end of that day");
    }
    if (window->end_ns > now && (!given(start->text) || window->start_ns < now)) {
        char written[48];
        time_format(written, sizeof written, window->end_ns, start->zone, 0);
        add_note(window, "end %s lies in the future: cut to now", written);
        window->end_ns = now;
    }
    if (!given(start->text) &&
        __builtin_sub_overflow(window->end_ns, default_ns, &window->start_ns))
        window->start_ns = 0;
    if (window->start_ns >= window->end_ns)
        return order_error(start, end, window->start_ns, window->end_ns);
    if (window->start_ns >= now)
        return refuse(start, "lies in the future");
    return 0;
}

int time_window_parse(const char *start, const char *end, const struct zone *zone, int64_t now_ns,
                      int64_t default_ns, struct time_window *ret_window, struct err *err)
{
    struct time_window window = {.now_ns = now_ns};
    struct point start_point = {0};
    struct point end_point = {0};
    struct context start_context = {"start", start, zone, now_ns, &window, err};
    struct context end_context = {"end", end, zone, now_ns, &window, err};
    int r = resolve_window(&start_context, &end_context, &start_point, &end_point, default_ns);
    zone_unref(start_point.owned);
    zone_unref(end_point.owned);
    if (r)
        return r;
    *ret_window = window;
    return 0;
}
