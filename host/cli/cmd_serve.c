/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/serve.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "config/serve.h"

#define ARENA_MAX ((size_t)1 << 20)
#define GRACE_NS (5 * NS_PER_S)
#define GRACE_MAX_NS (5 * NS_PER_MIN)
#define CANCELLED_MS \
    2000 /* for calls to end once they are cancelled, and again for the service to end */
#define LOOK_NS (20 * NS_PER_MS)

/* What ends with the configuration is copied. */
static int take_settings(struct serve *serve, const struct config *whole, struct err *err)
{
    const struct config_serve *config = &whole->serve;
    const struct cli *cli = serve->cli;
    struct arena *arena = &serve->arena;
    const char **hosts = arena_alloc_array(arena, config->host_count + 1, sizeof *hosts);
    for (size_t i = 0; hosts && i < config->host_count; i++)
        hosts[i] = arena_strdup(arena, config->hosts[i]);
    serve->hosts = hosts;
    serve->host_count = config->host_count;
    serve->listen = arena_strdup(arena, cli->listen ? cli->listen : config->listen);
    serve->metrics_open = config->metrics_open;
    serve->cert = config->cert ? mem_strdup(config->cert) : NULL;
    serve->key = config->key ? mem_strdup(config->key) : NULL;
    char path[PATH_MAX];
    const char *named = cli->token_file ? cli->token_file : config->tokens;
    int r = named ? 0 : tokens_default_path(path, sizeof path, err);
    if (r)
        return r;
    serve->token_path = arena_strdup(arena, named ? named : path);
    if (arena->failed || !serve->cert != !config->cert || !serve->key != !config->key)
        return err_set(err, ERR_MEMORY, "no memory for the settings");
    return serve_take_oauth(serve, &whole->oauth, err);
}

static int check_options(struct serve *serve, struct err *err)
{
    const struct cli *cli = serve->cli;
    const char *wrong = cli->listen ? config_listen_wrong(cli->listen) : NULL;
    serve->grace_ns = GRACE_NS;
    if (cli->word_count > 1)
        return err_set(err, ERR_INVALID, "serve takes no words: \"%s\"", cli->words[1]);
    if (wrong)
        return err_set(err, ERR_INVALID, "--listen %s: %s", cli->listen, wrong);
    if (cli->grace && (str_to_duration(cli->grace, &serve->grace_ns) || serve->grace_ns < 0 ||
                       serve->grace_ns > GRACE_MAX_NS))
        return err_set(err, ERR_INVALID, "--grace %s: expected a duration from 0 to 5m, such as 5s",
                       cli->grace);
    return 0;
}

/* Configuration and service; every mistake is printed. 0 or an exit code. */
static int open_service(struct serve *serve)
{
    struct config_mistake *mistakes = mem_alloc_array(CONFIG_MAX_MISTAKES, sizeof *mistakes);
    struct config *config = NULL;
    struct err err = {0};
    size_t n = 0;
    if (!mistakes)
        return EXIT_FAILED;
    int r = check_options(serve, &err);
    if (!r)
        r = config_load(serve->cli->config_path, &config, mistakes, &n, &err);
    if (!r)
        r = config_check_serve(config, mistakes, &n, &err);
    if (!r)
        r = cli_set_log(serve->cli, config, &err);
    if (!r && serve->cli->check)
        r = service_describe_store(config, serve->store, sizeof serve->store, &err);
    if (!r)
        r = take_settings(serve, config, &err);
    if (!r) {
        /* The zone of this machine is nobody's who asks from another one. */
        serve->options = cli_service_options(serve->cli, NULL);
        serve->options.keeping = serve->cli->check ? KEEP_NOTHING : KEEP_ALWAYS;
        r = service_create(STEAL(config), &serve->options, &serve->service, mistakes, &n, &err);
    }
    config_free(config);
    if (r)
        cli_print_mistakes(mistakes, n, &err);
    mem_free(mistakes);
    return r ? EXIT_USAGE : 0;
}

/* 1 for what may be well the next time, 2 for what somebody has to mend. */
static int exit_code(int r)
{
    return r == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

static void tell_first_token(const struct serve *serve)
{
    const char *scheme = serve->cert ? "https" : "http";
    const char *path = tokens_path(serve->tokens);
    const char *address = http_server_address(serve->server);
    log_line(LOG_WARN, "serve", "%s was made with one random token, readable by its owner alone",
             path);
    log_line(LOG_WARN, "serve",
             "try it:  curl -H \"Authorization: Bearer $(head -1 %s)\" %s://%s/metrics", path,
             scheme, address);
    log_line(LOG_WARN, "serve",
             "Claude Code:  claude mcp add --transport http sonde %s://%s/mcp --header "
             "\"Authorization: Bearer $(head -1 %s)\"",
             scheme, address, path);
}

static int start_server(struct serve *serve, const char *listen, struct err *err)
{
    struct http_settings settings = {.listen = listen,
                                     .cert = serve->cert,
                                     .key = serve->key,
                                     .hosts = serve->hosts,
                                     .host_count = serve->host_count,
                                     .routes = serve->routes,
                                     .route_count = serve->route_count,
                                     .authenticate = serve_authenticate,
                                     .authenticate_later = serve_authenticate_later,
                                     .resource_metadata = serve->metadata_url,
                                     .user = serve};
    return http_server_start(&settings, &serve->server, err);
}

static void tell_start(const struct serve *serve)
{
    struct service_state state;
    service_state(serve->service, &state);
    log_line(LOG_INFO, "serve",
             "sonde %s serves MCP on %s://%s/mcp: plugins %zu, connections %zu, tokens %zu; %s",
             PACKAGE_VERSION, serve->cert ? "https" : "http", http_server_address(serve->server),
             state.plugins, state.connections, accounts_count(serve->accounts), service_versions());
    if (!accounts_count(serve->accounts) && !serve->oauth.issuer)
        log_line(LOG_WARN, "serve",
                 "there is no token yet, so nobody may ask: sonde token create, or a line in %s",
                 serve->token_path);
    if (!state.plugins)
        log_line(LOG_WARN, "serve",
                 "no plugin is loaded, so nothing can be asked: sonde plugin list");
    if (!serve->cert && !config_listen_is_local(serve->listen))
        log_line(
            LOG_WARN, "serve",
            "other machines reach %s without TLS: tokens and answers travel in the clear, unless a "
            "proxy in front does TLS; tls: {cert, key} turns it on here",
            serve->listen);
}

void serve_tell_ready(struct serve *serve)
{
    struct service_state state;
    char text[160];
    service_state(serve->service, &state);
    const char *why = serve_unready(serve, text, sizeof text);
    notify_send(&serve->notify, "READY=1\nSTATUS=MCP on %s://%s/mcp, connections: %zu%s%s",
                serve->cert ? "https" : "http", http_server_address(serve->server),
                state.connections, why ? "; not ready: " : "", why ? why : "");
}

/* All but the service. 0 or an exit code, its reason printed. */
static int start(struct serve *serve)
{
    struct err err = {0};
    bool made = false;
    int r = tokens_open(serve->token_path, &serve->tokens, &made, &err);
    if (!r)
        r = serve_open_accounts(serve, &err);
    if (!r)
        r = mcp_http_create(serve->service, &(struct mcp_http_settings){0}, &serve->mcp, &err);
    if (!r)
        r = serve_fill_routes(serve, &err);
    if (!r)
        r = start_server(serve, serve->listen, &err);
    if (!r)
        r = serve_stats_begin(serve, &err);
    if (r)
        return cli_fail(exit_code(r), &err);
    if (service_start_keeper(serve->service, &err))
        log_line(LOG_WARN, "keeper", "runs without background refresh: %s", err.text);
    tell_start(serve);
    if (made)
        tell_first_token(serve);
    serve_tell_ready(serve);
    return 0;
}

static void signals_of(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

/* The signal that came, or 0 at the latest after wait_ns (less than 0: never). */
static int wait_signal(int64_t wait_ns)
{
    sigset_t set;
    signals_of(&set);
    struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    int number = wait_ns < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &wait);
    return number > 0 ? number : 0;
}

static void run(struct serve *serve)
{
    int64_t pulse = serve->notify.watchdog_ns ? serve->notify.watchdog_ns : -1;
    for (;;) {
        int number = wait_signal(pulse);
        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP)
            serve_reload(serve);
        serve_pulse(serve);
    }
}

/* True once no request is pending; false when the time is up or somebody is in a hurry. */
static bool wait_idle(struct serve *serve, int64_t wait_ns, const char *too_late)
{
    int64_t until = clock_mono_ns() + wait_ns;
    while (!http_server_idle(serve->server)) {
        if (clock_mono_ns() >= until) {
            log_line(LOG_WARN, "serve", "%s", too_late);
            return false;
        }
        int number = wait_signal(LOOK_NS);
        if (number == SIGTERM || number == SIGINT) {
            log_line(LOG_WARN, "serve", "a second signal: what still runs is cancelled");
            return false;
        }
    }
    return true;
}

static void drain(struct serve *serve)
{
    struct http_counts counts;
    atomic_store(&serve->draining, true);
    notify_send(&serve->notify, "STOPPING=1\nSTATUS=running calls may end");
    mcp_http_drain(serve->mcp);
    http_server_drain(serve->server);
    http_server_counts(serve->server, &counts);
    log_line(LOG_INFO, "serve", "stopping; %u requests at work get %.3g s to end", counts.pending,
             (double)serve->grace_ns / (double)NS_PER_S);
    if (wait_idle(serve, serve->grace_ns, "the grace is over: what still runs is cancelled"))
        return;
    /* Those who wait are told so while there is still somebody to tell them. */
    service_cancel_calls(serve->service);
    wait_idle(serve, CANCELLED_MS * NS_PER_MS,
              "what was cancelled has not ended; it is left behind");
}

static void release(struct serve *serve)
{
    serve_stats_end(serve);
    if (serve->server)
        http_server_stop(serve->server);
    accounts_stop(serve->accounts);
    if (serve->mcp)
        mcp_http_destroy(serve->mcp, CANCELLED_MS);
    rest_destroy(serve->rest);
    service_destroy(serve->service, CANCELLED_MS);
    accounts_free(serve->accounts);
    tokens_free(serve->tokens);
    notify_close(&serve->notify);
    mem_free(serve->cert);
    mem_free(serve->key);
    arena_finish(&serve->arena);
}

/* Everything that start would meet, but on a free port of this machine alone, and without making a token file. */
static int check(struct serve *serve)
{
    struct service_state state;
    struct err err = {0};
    service_state(serve->service, &state);
    int r = serve_fill_routes(serve, &err);
    if (!r)
        r = start_server(serve, "127.0.0.1:0", &err);
    if (!r) {
        r = tokens_read(serve->token_path, &serve->tokens, &err);
        r = r == ERR_NOT_FOUND ? 0 : r;
    }
    if (r)
        return cli_fail(exit_code(r), &err);
    char text[160];
    const char *why = serve_unready(serve, text, sizeof text);
    printf("listen       %s, %s\n", serve->listen, serve->cert ? "TLS" : "no TLS");
    printf("tokens       %s%s\n", serve->token_path, serve->tokens ? "" : " (will be made)");
    printf("store        %s\n", serve->store);
    printf("plugins      %zu, refused %zu\n", state.plugins, state.plugins_refused);
    printf("connections  %zu, of which %zu cannot be used\n", state.connections, state.unusable);
    if (why)
        fprintf(stderr, "sonde: not ready: %s\n", why);
    return why ? EXIT_FAILED : 0;
}

int cmd_serve(const struct cli *cli)
{
    struct serve serve = {.cli = cli};
    sigset_t set;
    signals_of(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* taken by wait_signal alone; threads inherit it */
    signal(SIGPIPE, SIG_IGN);
    process_forbid_dumps();
    arena_init(&serve.arena, ARENA_MAX, NULL);
    notify_open(&serve.notify);
    int status = open_service(&serve);
    if (!status)
        status = cli->check ? check(&serve) : start(&serve);
    if (!status && !cli->check) {
        run(&serve);
        drain(&serve);
    }
    bool served = serve.server && !cli->check;
    release(&serve);
    if (served)
        log_line(LOG_INFO, "serve", "stopped");
    return status;
}
