/* SPDX-License-Identifier: Apache-2.0 */
/* sonde-incident: writes the demonstration incident as files of telemetry. */
#include "out.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char usage[] =
    "Usage: sonde-incident --out DIR [--seed N] [--end TIME | --t0 TIME]\n"
    "                      [--format otlp|openmetrics|all]\n"
    "Writes 40 minutes of metrics, logs and traces in which web-app runs out of memory after a\n"
    "deploy at T0, and truth.json with what there is to find; times in it are offsets from T0.\n"
    "TIME is now, seconds since the epoch or RFC 3339; the data end at --end (default: now), ten\n"
    "minutes after T0. otlp (default): metrics.jsonl, logs.jsonl, traces.jsonl as the "
    "OpenTelemetry\n"
    "Collector's file exporter writes them; openmetrics: metrics.om for promtool.\n";

struct options {
    const char *out;
    uint64_t seed;
    int64_t t0;
    bool timed;
    bool otlp;
    bool openmetrics;
};

static int parse_digits(const char **text, unsigned max, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned n = 0;

    while (**text >= '0' && **text <= '9' && n < max) {
        value = value * 10 + (uint64_t)(**text - '0');
        (*text)++;
        n++;
    }
    if (!n)
        return -1;
    *ret_value = value;
    return 0;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar; years begin in March to end in February. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int parse_fraction(const char **text, int64_t *ret_ns)
{
    int64_t unit = SECOND;
    int64_t ns = 0;

    if (**text != '.')
        return 0;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
        unit /= 10;
        ns += unit * (**text - '0');
    }
    *ret_ns = ns;
    return 0;
}

static int parse_zone(const char *text, int64_t *ret_seconds)
{
    uint64_t hours;
    uint64_t minutes;
    int64_t sign = *text == '-' ? -1 : 1;

    if (*text == 'Z' && !text[1]) {
        *ret_seconds = 0;
        return 0;
    }
    if (*text != '+' && *text != '-')
        return -1;
    text++;
    if (parse_digits(&text, 2, &hours) < 0 || *text++ != ':' ||
        parse_digits(&text, 2, &minutes) < 0 || *text || hours > 23 || minutes > 59)
        return -1;
    *ret_seconds = sign * (int64_t)(hours * 3600 + minutes * 60);
    return 0;
}

static int parse_rfc3339(const char *text, int64_t *ret_ns)
{
    static const char separators[] = {'-', '-', 'T', ':', ':'};
    uint64_t parts[6];
    int64_t fraction = 0;
    int64_t zone;

    for (unsigned i = 0; i < 6; i++) {
        if (parse_digits(&text, i ? 2 : 4, &parts[i]) < 0)
            return -1;
        if (i < 5 && *text++ != separators[i])
            return -1;
    }
    if (parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 || parts[3] > 23 ||
        parts[4] > 59 || parts[5] > 60 || parse_fraction(&text, &fraction) < 0 ||
        parse_zone(text, &zone) < 0)
        return -1;
    *ret_ns = (days_of((int64_t)parts[0], (int64_t)parts[1], (int64_t)parts[2]) * 86400 +
               (int64_t)(parts[3] * 3600 + parts[4] * 60 + parts[5]) - zone) *
                  SECOND +
              fraction;
    return 0;
}

static int parse_time(const char *text, int64_t *ret_ns)
{
    const char *rest = text;
    int64_t fraction = 0;
    uint64_t seconds;
    struct timespec now;

    if (strcmp(text, "now") == 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        *ret_ns = (int64_t)now.tv_sec * SECOND + now.tv_nsec;
        return 0;
    }
    if (parse_digits(&rest, 10, &seconds) == 0 && parse_fraction(&rest, &fraction) == 0 && !*rest) {
        *ret_ns = (int64_t)seconds * SECOND + fraction;
        return *ret_ns < 4000 * SECOND ? -1 : 0;
    }
    return parse_rfc3339(text, ret_ns);
}

static int complain(const char *what, const char *value, const char *accepted)
{
    fprintf(stderr, "sonde-incident: %s '%s': %s\n", what, value, accepted);
    return -1;
}

static int set_option(struct options *o, const char *name, const char *value)
{
    const char *rest = value;

    if (strcmp(name, "--out") == 0) {
        o->out = value;
        return 0;
    }
    if (strcmp(name, "--seed") == 0)
        return parse_digits(&rest, 19, &o->seed) < 0 || *rest
                   ? complain("bad seed", value, "a whole number of at most 19 digits is wanted")
                   : 0;
    if (strcmp(name, "--end") == 0 || strcmp(name, "--t0") == 0) {
        if (parse_time(value, &o->t0) < 0)
            return complain("bad time", value,
                            "now, seconds since the epoch, or 2026-01-31T10:20:00Z is wanted");
        if (strcmp(name, "--end") == 0)
            o->t0 -= STORY_END;
        o->timed = true;
        return 0;
    }
    if (strcmp(name, "--format") == 0) {
        o->otlp = strcmp(value, "openmetrics") != 0;
        o->openmetrics = strcmp(value, "otlp") != 0;
        return strcmp(value, "all") != 0 && o->otlp && o->openmetrics
                   ? complain("bad format", value, "otlp, openmetrics or all is wanted")
                   : 0;
    }
    return complain("unknown option", name, "see --help");
}

static int parse_options(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            return complain("no value for", argv[i], "see --help");
        if (set_option(o, argv[i], argv[i + 1]) < 0)
            return -1;
    }
    if (!o->out)
        return complain("missing", "--out", "the folder to write to is wanted");
    if (!o->timed)
        return set_option(o, "--end", "now");
    return 0;
}

static struct story story;

static int write_all(const struct options *o)
{
    struct totals totals = {0};

    story_build(&story, o->seed, o->t0);
    if (o->openmetrics && metrics_write_openmetrics(&story, o->out) < 0)
        return -1;
    if (!o->otlp)
        return 0;
    if (metrics_write_otlp(&story, o->out, &totals) < 0 ||
        logs_write(&story, o->out, &totals) < 0 || traces_write(&story, o->out, &totals) < 0)
        return -1;
    return truth_write(&story, o->out, &totals);
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .otlp = true};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (parse_options(argc, argv, &o) < 0)
        return 2;
    if (mkdir(o.out, 0777) < 0 && errno != EEXIST) {
        fprintf(stderr, "sonde-incident: cannot make the folder %s: %s\n", o.out, strerror(errno));
        return 1;
    }
    return write_all(&o) < 0 ? 1 : 0;
}
