/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve.h"

#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "config/serve.h"

/* Keys that the listener was started with. An option outranks its key, which then changes nothing. */
static void note_later(const struct serve *serve, const struct config *config, char *text,
                       size_t size)
{
    const struct config_serve *now = &config->serve;
    const struct config_oauth *oauth = &config->oauth;
    bool same_hosts = serve->host_count == now->host_count;
    for (size_t i = 0; same_hosts && i < now->host_count; i++)
        same_hosts = str_eq(serve->hosts[i], now->hosts[i]);
    bool tokens_named = serve->cli->token_file || !now->tokens;
    const struct {
        const char *key;
        bool same;
    } keys[] = {{"listen", serve->cli->listen || str_eq(serve->listen, now->listen)},
                {"tls (to have it or not)", !serve->cert == !now->cert},
                {"hosts", same_hosts},
                {"tokens", tokens_named || str_eq(serve->token_path, now->tokens)},
                {"oauth", str_eq(serve->oauth.issuer, oauth->issuer) &&
                              str_eq(serve->oauth.audience, oauth->audience) &&
                              str_eq(serve->oauth.jwks, oauth->jwks)},
                {"metrics.open", serve->metrics_open == now->metrics_open}};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].same || used >= size)
            continue;
        int n = snprintf(text + used, size - used, "%s%s", used ? ", " : "", keys[i].key);
        used += n > 0 ? (size_t)n : 0;
    }
}

static void replace(char **text, const char *with)
{
    char *copy = with ? mem_strdup(with) : NULL;
    if (!copy)
        return; /* without memory the path in use stays */
    mem_free(*text);
    *text = copy;
}

static void tell_mistakes(const struct config_mistake *mistakes, size_t n, const struct err *err)
{
    if (!n)
        log_line(LOG_ERROR, "reload", "%s", err->text);
    for (size_t i = 0; i < n; i++)
        log_line(LOG_ERROR, "reload", "%s", mistakes[i].text);
    log_line(LOG_ERROR, "reload", "the configuration in use stays");
}

static void tell_changes(const struct service_changes *changes, const char *later)
{
    log_line(
        LOG_INFO, "reload",
        "configuration read again: connections: %zu added, %zu changed, %zu removed, %zu as before",
        changes->added, changes->changed, changes->removed, changes->kept);
    if (*later || *changes->later)
        log_line(LOG_WARN, "reload", "changed, but taken only at the next start: %s%s%s", later,
                 *later && *changes->later ? ", " : "", changes->later);
}

static int load(struct serve *serve, struct config_mistake *mistakes, size_t *ret_count,
                struct config **ret_config, struct err *err)
{
    struct config *config = NULL;
    int r = config_load(serve->cli->config_path, &config, mistakes, ret_count, err);
    if (!r)
        r = config_check_serve(config, mistakes, ret_count, err);
    if (r)
        config_free(config);
    else
        *ret_config = config;
    return r;
}

static void reload_config(struct serve *serve)
{
    struct config_mistake *mistakes = mem_alloc_array(CONFIG_MAX_MISTAKES, sizeof *mistakes);
    struct config *config = NULL;
    struct err err = {0};
    size_t n = 0;
    if (!mistakes) {
        log_line(LOG_ERROR, "reload", "no memory; the configuration in use stays");
        return;
    }
    if (load(serve, mistakes, &n, &config, &err)) {
        tell_mistakes(mistakes, n, &err);
        mem_free(mistakes);
        return;
    }
    /* The service takes the configuration over and may free it: what is of use here is taken out before. */
    char later[160];
    note_later(serve, config, later, sizeof later);
    CLEANUP(mem_freep) char *cert = config->serve.cert ? mem_strdup(config->serve.cert) : NULL;
    CLEANUP(mem_freep) char *key = config->serve.key ? mem_strdup(config->serve.key) : NULL;
    CLEANUP(mem_freep) char *level = mem_strdup(config->log_level);
    struct config log = {.log_level = level ? level : "info", .log_json = config->log_json};
    struct service_changes changes;
    if (service_reload(serve->service, config, &serve->options, &changes, mistakes, &n, &err)) {
        tell_mistakes(mistakes, n, &err);
    } else {
        cli_set_log(serve->cli, &log, NULL);
        if (serve->cert && cert && key) {
            replace(&serve->cert, cert);
            replace(&serve->key, key);
        }
        tell_changes(&changes, later);
    }
    mem_free(mistakes);
}

static void reload_tokens(struct serve *serve)
{
    struct err err = {0};
    if (tokens_reload(serve->tokens, &err)) {
        log_line(LOG_ERROR, "reload", "%s", err.text);
        log_line(LOG_ERROR, "reload", "the tokens in use stay");
        return;
    }
    if (accounts_refresh(serve->accounts, &err))
        log_line(LOG_WARN, "reload", "users of the tokens could not be looked up yet: %s",
                 err.text);
    size_t n = tokens_count(serve->tokens);
    bool nobody = !accounts_count(serve->accounts) && !serve->oauth.issuer;
    log_line(nobody ? LOG_WARN : LOG_INFO, "reload", "%s: %zu token%s", tokens_path(serve->tokens),
             n,
             nobody   ? "s: nobody may ask"
             : n == 1 ? ""
                      : "s");
}

static void reload_certificate(struct serve *serve)
{
    struct err err = {0};
    if (!serve->cert)
        return;
    if (http_server_reload_tls(serve->server, serve->cert, serve->key, &err)) {
        log_line(LOG_ERROR, "reload", "%s", err.text);
        log_line(LOG_ERROR, "reload", "the certificate in use stays");
    } else {
        log_line(LOG_INFO, "reload", "%s: certificate read again", serve->cert);
    }
}

void serve_reload(struct serve *serve)
{
    notify_reloading(&serve->notify);
    reload_config(serve);
    reload_tokens(serve);
    reload_certificate(serve);
    serve_tell_ready(serve);
}
