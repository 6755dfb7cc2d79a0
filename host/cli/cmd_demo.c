/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/child.h"
#include "render/render.h"

#define MAX_TRUTH (4u * 1024 * 1024)

/* What an engineer asks of this story, in the order an agent would. */
static const struct {
    const char *question;
    const char *tool;
    const char *arguments;
    bool plot;
} questions[] = {
    {"What is connected, and is it well?", "list_connections", "{}", false},
    {"Which metrics speak of CPU?", "list_metrics", "{\"match\":\"cpu\"}", false},
    {"How much CPU did the web-app pods in production use?", "query_metrics",
     "{\"query\":\"max by (k8s_namespace_name) (k8s.pod.cpu.usage)\","
     "\"filters\":{\"namespace\":\"production\",\"pod\":\"web-app-*\"},\"step\":\"15s\","
     "\"time_range\":{\"start\":\"40m\"}}",
     true},
    {"Was there a deploy?", "query_metrics",
     "{\"query\":\"count by (service_version) "
     "(build_info)\",\"filters\":{\"service\":\"web-app\",\"namespace\":\"production\"},"
     "\"step\":\"15s\",\"time_range\":{\"start\":\"40m\"}}",
     false},
};

struct demo {
    char dir[64];
    struct json_object *truth;
    int64_t deploy_ns;
    struct child child;
    struct render_terminal terminal;
    struct zone *zone;
};

static const char *generator(void)
{
    const char *own = getenv("SONDE_INCIDENT"); /* a build that is not installed */
    return own && *own ? own : SONDE_LIBEXEC_DIR "/sonde-incident";
}

static int make_incident(struct demo *demo, const char *seed, struct err *err)
{
    const char *base = getenv("TMPDIR");
    int n = snprintf(demo->dir, sizeof demo->dir, "%s/sonde-demo-XXXXXX",
                     base && *base ? base : "/tmp");
    if (n < 0 || (size_t)n >= sizeof demo->dir || !mkdtemp(demo->dir)) {
        demo->dir[0] = '\0';
        return err_set(err, ERR_SYSTEM, "cannot make a temporary folder: %s", strerror(errno));
    }
    const char *argv[] = {generator(), "--seed", seed ? seed : "1", "--end",
                          "now",       "--out",  demo->dir,         NULL};
    int r = child_run(argv, err);
    if (r)
        return r;
    char path[128];
    snprintf(path, sizeof path, "%s/truth.json", demo->dir);
    CLEANUP(mem_freep) char *text = NULL;
    size_t size;
    r = file_read(path, MAX_TRUTH, &text, &size, err);
    if (!r)
        r = json_parse(text, size, 32, &demo->truth, err);
    if (r)
        return r;
    const char *t0 = json_string_of(demo->truth, "t0_ns");
    if (!t0 || str_to_int(t0, 0, INT64_MAX, &demo->deploy_ns))
        return err_set(err, ERR_INVALID, "%s does not say when the deploy was", path);
    return 0;
}

/* The demo keeps nothing: the user's own store stays as it is. */
static int write_config(const char *path, struct err *err)
{
    FILE *file = fopen(path, "w");
    bool written = file && fputs("store: none\n", file) >= 0;
    if (file && fclose(file))
        written = false;
    return written ? 0 : err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

static int start_server(struct demo *demo, const struct cli *cli, const char *program,
                        struct err *err)
{
    char connection[128];
    char config[128];
    snprintf(config, sizeof config, "%s/sonde.yaml", demo->dir);
    if (write_config(config, err))
        return err->code;
    snprintf(connection, sizeof connection, "demo:otlpfile=%s", demo->dir);
    const char *argv[16 + 2 * CLI_MAX_REPEATS] = {
        program, "mcp", "--config", config, "--connection", connection, "--files", demo->dir};
    size_t n = 8;
    for (size_t i = 0; i < cli->plugin_path_count; i++) {
        argv[n++] = "--plugins";
        argv[n++] = cli->plugin_paths[i];
    }
    int r = child_start(argv, &demo->child, err);
    CLEANUP(json_putp) struct json_object *result = NULL;
    if (!r)
        r = child_request(&demo->child, "initialize",
                          "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{"
                          "\"name\":\"sonde-demo\",\"version\":\"1\"}}",
                          &result, err);
    if (r)
        return r;
    return child_notify(&demo->child, "notifications/initialized")
               ? err_set(err, ERR_SYSTEM, "the server went away")
               : 0;
}

/* A shown series back as numbers: what is plotted is what the agent was given, nothing else. */
static bool read_series(struct json_object *row, struct series *ret_series, struct arena *arena)
{
    struct json_object *values = json_member(row, "values");
    size_t n = json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;
    int64_t *times = arena_alloc_array(arena, n, sizeof *times);
    double *numbers = arena_alloc_array(arena, n, sizeof *numbers);
    if (!n || !times || !numbers)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct json_object *point = json_object_array_get_idx(values, i);
        times[i] =
            (int64_t)llround(json_object_get_double(json_object_array_get_idx(point, 0)) * 1e9);
        const char *text = json_object_get_string(json_object_array_get_idx(point, 1));
        if (!text || str_to_double(text, &numbers[i]))
            numbers[i] = NAN;
    }
    const char *unit = json_string_of(row, "unit");
    *ret_series = (struct series){
        .unit = unit ? unit : "", .times = times, .values = numbers, .sample_count = n};
    return true;
}

/* The step in the middle of the plotted series, in words, from the answer's own numbers. */
static void tell_change(const struct demo *demo, const struct series *series)
{
    size_t at = 0;
    double largest = 0;
    for (size_t i = 1; i < series->sample_count; i++) {
        double step = series->values[i] - series->values[i - 1];
        if (step > largest) {
            largest = step;
            at = i;
        }
    }
    if (!at)
        return;
    char when[48];
    char deploy[48];
    time_format(when, sizeof when, series->times[at], demo->zone, 0);
    time_format(deploy, sizeof deploy, demo->deploy_ns, demo->zone, 0);
    printf("\n  The deploy was at %s. At %s it jumps from %.2f to %.2f cores, %lld s later.\n",
           deploy, when, series->values[at - 1], series->values[at],
           (long long)((series->times[at] - demo->deploy_ns) / NS_PER_S));
}

static void plot(const struct demo *demo, struct json_object *answer)
{
    struct json_object *rows = json_member(answer, "results");
    struct arena arena;
    arena_init(&arena, 8u * 1024 * 1024, NULL);
    struct series series;
    if (json_object_is_type(rows, json_type_array) && json_object_array_length(rows) &&
        read_series(json_object_array_get_idx(rows, 0), &series, &arena)) {
        const struct series *one = &series;
        const char *name = "cores used by web-app in production";
        struct time_window window = {.start_ns = series.times[0],
                                     .end_ns = series.times[series.sample_count - 1]};
        struct render_mark mark = {.time_ns = demo->deploy_ns, .text = "deploy"};
        struct buf text = BUF(1024 * 1024);
        render_plot(&text, &demo->terminal, &one, &name, 1, &window, demo->zone, &mark, 1);
        printf("\n%s", buf_text(&text));
        buf_finish(&text);
        tell_change(demo, &series);
    }
    arena_finish(&arena);
}

/* Answers are shown as the agent gets them, but a terminal wants them shorter. */
static void print_cut(const char *text)
{
    int lines = 0;
    while (*text && lines < 14) {
        size_t size = strcspn(text, "\n");
        size_t shown = size < 400 ? size : 400;
        printf("  | %.*s%s\n", (int)shown, text, shown < size ? " ..." : "");
        text += size + (text[size] == '\n');
        lines++;
    }
    if (*text)
        printf("  | ... (%zu bytes more)\n", strlen(text));
}

static int ask(struct demo *demo, size_t i, struct err *err)
{
    printf("\n%s\n", questions[i].question);
    printf("  > %s %s\n", questions[i].tool, questions[i].arguments);
    struct buf params = BUF(16 * 1024);
    buf_printf(&params, "{\"name\":\"%s\",\"arguments\":%s}", questions[i].tool,
               questions[i].arguments);
    CLEANUP(json_putp) struct json_object *result = NULL;
    int r = child_request(&demo->child, "tools/call", buf_text(&params), &result, err);
    buf_finish(&params);
    if (r)
        return r;
    struct json_object *content = json_member(result, "content");
    const char *text = json_string_of(json_object_array_get_idx(content, 0), "text");
    print_cut(text ? text : "");
    if (json_object_get_boolean(json_member(result, "isError")))
        return err_set(err, ERR_INVALID, "%s answered with an error", questions[i].tool);
    if (questions[i].plot)
        plot(demo, json_member(result, "structuredContent"));
    return 0;
}

static void say_how_to_go_on(const char *program)
{
    /* An agent starts it from another folder. */
    CLEANUP(mem_freep) char *whole = strchr(program, '/') ? realpath(program, NULL) : NULL;
    if (whole)
        program = whole;
    printf("\nGive it to your agent, with a Prometheus of yours:\n"
           "  claude mcp add sonde -- %s mcp --connection prometheus=http://localhost:9090\n"
           "or look yourself:\n"
           "  %s query 'up' --connection prometheus=http://localhost:9090\n",
           program, program);
}

static void remove_files(const char *dir)
{
    DIR *open = opendir(dir);
    if (!open)
        return;
    struct dirent *entry;
    while ((entry = readdir(open)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(open), entry->d_name, 0);
    closedir(open);
    rmdir(dir);
}

int cmd_demo(const struct cli *cli)
{
    const char *program = cli->program;
    struct demo demo = {0};
    struct err err = {0};
    render_terminal_detect(STDOUT_FILENO, &demo.terminal);
    int r = zone_open(cli->timezone ? cli->timezone : "local", &demo.zone, &err);
    if (!r)
        r = make_incident(&demo, cli->seed, &err);
    if (!r)
        r = start_server(&demo, cli, program, &err);
    if (!r) {
        char deploy[48];
        time_format(deploy, sizeof deploy, demo.deploy_ns, demo.zone, 0);
        struct json_object *change = json_member(demo.truth, "deploy");
        const char *version = json_string_of(change, "to");
        const char *service = json_string_of(change, "service");
        printf(
            "An incident, made for you: 40 minutes of a small shop that end now. Version %s of %s went out at\n"
            "%s; five minutes later checkout hurts. sonde serves its telemetry from files; below is what an\n"
            "agent asks over MCP, and exactly what it gets.\n",
            version ? version : "(unknown)", service ? service : "(unknown)", deploy);
    }
    for (size_t i = 0; !r && i < ARRAY_SIZE(questions); i++)
        r = ask(&demo, i, &err);
    child_finish(&demo.child);
    if (!r)
        say_how_to_go_on(program);
    if (demo.truth)
        json_object_put(demo.truth);
    if (demo.dir[0])
        remove_files(demo.dir);
    zone_unref(demo.zone);
    return r ? cli_fail(EXIT_FAILED, &err) : 0;
}
