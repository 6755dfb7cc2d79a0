/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask `sonde serve`: accounts in front of the listener. */
#include "cli/serve.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define CHECKS_MAX 64u /* at once, on threads that calls need as well */
#define CHECK_NS (60 * NS_PER_S)
#define METADATA_PATH "/.well-known/oauth-protected-resource"
#define METADATA_MAX ((size_t)8192)

/* ---- What is configured ---- */

/*
 * RFC 9728: https://host/mcp has its metadata at https://host/.well-known/oauth-protected-resource/mcp. What a proxy puts before /mcp stays in
 * front, where the proxy can take it off.
 */
static int describe(struct serve *serve)
{
    const char *audience = serve->oauth.audience;
    size_t size = strlen(audience);
    while (size && audience[size - 1] == '/')
        size--;
    bool endpoint = size > 4 && memcmp(audience + size - 4, "/mcp", 4) == 0;
    serve->metadata_url =
        arena_printf(&serve->arena, "%.*s" METADATA_PATH "%s", (int)(endpoint ? size - 4 : size),
                     audience, endpoint ? "/mcp" : "");
    struct buf body = BUF(METADATA_MAX);
    buf_add(&body, "{\"resource\":");
    buf_json_string(&body, audience, strlen(audience));
    buf_add(&body, ",\"authorization_servers\":[");
    buf_json_string(&body, serve->oauth.issuer, strlen(serve->oauth.issuer));
    buf_add(&body, "],\"scopes_supported\":[\"" SCOPE_READ "\",\"" SCOPE_MANAGE "\",\"" SCOPE_ADMIN
                   "\"],\"bearer_methods_supported\":[\"header\"],"
                   "\"resource_name\":\"sonde\"}\n");
    serve->metadata = body.failed ? NULL : arena_strdup(&serve->arena, buf_text(&body));
    buf_finish(&body);
    return serve->metadata ? 0 : ERR_MEMORY;
}

int serve_take_oauth(struct serve *serve, const struct config_oauth *oauth, struct err *err)
{
    struct arena *arena = &serve->arena;
    if (!oauth->issuer)
        return 0;
    serve->oauth.issuer = arena_strdup(arena, oauth->issuer);
    serve->oauth.audience = arena_strdup(arena, oauth->audience);
    serve->oauth.jwks = oauth->jwks ? arena_strdup(arena, oauth->jwks) : NULL;
    if (arena->failed || describe(serve) || arena->failed)
        return err_set(err, ERR_MEMORY, "no memory for the settings");
    return 0;
}

/* What a token that is bound to connections sees. */
static bool lets_see(void *user, const struct principal *principal, const char *connection_id)
{
    return accounts_lets_see(user, principal, connection_id);
}

int serve_open_accounts(struct serve *serve, struct err *err)
{
    struct accounts_settings settings = {.store = service_store(serve->service),
                                         .tokens = serve->tokens,
                                         .issuer = serve->oauth.issuer,
                                         .audience = serve->oauth.audience,
                                         .jwks = serve->oauth.jwks,
                                         .io = service_io(serve->service)};
    struct err why = {0};
    int r = accounts_create(&settings, &serve->accounts, err);
    if (r)
        return r;
    service_set_sight(serve->service, lets_see, serve->accounts);
    /* A store that is gone for a moment is no reason not to serve: whoever asks is told to come back. */
    if (accounts_refresh(serve->accounts, &why))
        log_line(LOG_WARN, "serve", "users and tokens could not be read yet: %s", why.text);
    accounts_follow(serve->accounts);
    return 0;
}

void serve_handle_metadata(void *user, struct http_request *request)
{
    struct serve *serve = user;
    /* Pages of other origins read it when a client runs in a browser. */
    http_set_header(request, "Access-Control-Allow-Origin", "*");
    http_set_header(request, "Cache-Control", "max-age=300");
    http_reply(request, 200, "application/json", serve->metadata, strlen(serve->metadata));
}

/* ---- Requests ---- */

_Static_assert(ACCOUNTS_LATER == HTTP_LATER, "the listener understands what accounts say");

int serve_authenticate(void *user, const char *token, struct principal *ret_principal,
                       struct err *err)
{
    struct serve *serve = user;
    if (!serve->accounts) { /* --check listens for a moment, for nobody */
        err_set(err, ERR_UNAVAILABLE, "nobody is served here");
        return 503;
    }
    int r = accounts_check(serve->accounts, token, ret_principal, err);
    if (!r)
        memcpy(ret_principal->front, "http", sizeof "http");
    return r;
}

struct check {
    struct serve *serve;
    struct http_request *request;
    const char *token;
};

static void run_check(struct call *call, void *argument)
{
    struct check *check = argument;
    struct principal principal;
    struct err err = {0};
    (void)call;
    int status = accounts_check_waiting(check->serve->accounts, check->token, &principal, &err);
    if (!status) {
        memcpy(principal.front, "http", sizeof "http");
        http_let_in(check->request, &principal);
    } else {
        http_turn_away(check->request, status, err.text);
    }
    atomic_fetch_sub(&check->serve->checking, 1);
    mem_free(check);
}

void serve_authenticate_later(void *user, const char *token, struct http_request *request)
{
    struct serve *serve = user;
    struct call *call = NULL;
    struct check *check = NULL;
    bool room = atomic_fetch_add(&serve->checking, 1) < CHECKS_MAX;
    if (room)
        check = mem_alloc(sizeof *check);
    if (check) {
        *check = (struct check){serve, request, token};
        if (!call_submit(service_calls(serve->service), &PRINCIPAL_KEEPER,
                         clock_mono_ns() + CHECK_NS, run_check, check, &call, NULL))
            return;
    }
    mem_free(check);
    atomic_fetch_sub(&serve->checking, 1);
    http_turn_away(request, 503,
                   "The server checks as many tokens as it can at once; try again in a few "
                   "seconds.");
}
