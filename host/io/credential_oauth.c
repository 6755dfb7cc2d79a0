/* SPDX-License-Identifier: Apache-2.0 */
/* Client credentials: RFC 6749 sections 2.3.1, 4.4, 5. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/credential.h"
#include "io/provider.h"

#define DEFAULT_LIFETIME_NS (5 * NS_PER_MIN) /* where the server does not say */
#define URL_MAX_BYTES 2048

struct asking {
    struct io *io;
    const struct connection *connection; /* whose login is wanted */
    const struct secret *secret;
    char origin[URL_MAX_BYTES + 1];
    const char *path;
};

struct reply {
    uint32_t status; /* 0: none came */
    struct buf body;
    char failure[512]; /* of the exchange */
};

/* application/x-www-form-urlencoded, which RFC 6749 appendix B wants for both parts of the login too. */
static void add_form(struct buf *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || strchr("-._*", *c);
        if (plain)
            buf_add_char(out, (char)*c);
        else if (*c == ' ')
            buf_add_char(out, '+');
        else
            buf_printf(out, "%%%c%c", digits[*c >> 4], digits[*c & 15]);
    }
}

static void add_pair(struct buf *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(out, "%s%s=", out->size ? "&" : "", name);
    add_form(out, value);
}

/* "https://host/path" in two. */
static int split(struct asking *asking, const char *url, struct err *err)
{
    const char *host = strstr(url, "://");
    size_t size = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?") : strlen(url);
    if (!host || size > URL_MAX_BYTES || url[size] == '?')
        return err_set(err, ERR_INVALID, "auth.token_url: not a URL such as https://host/token");
    snprintf(asking->origin, sizeof asking->origin, "%.*s", (int)size, url);
    asking->path = url[size] ? url + size : "/";
    return 0;
}

/* The token server as a connection: the way there is the connection's own, its address policy too; the login is the client's. */
static struct connection *server_of(const struct asking *asking, bool in_header)
{
    const struct connection *from = asking->connection;
    struct connection *to = connection_new();
    if (!to)
        return NULL;
    struct buf name = BUF(4 * SECRET_MAX);
    struct buf secret = BUF(4 * SECRET_MAX);
    to->id = arena_strdup(&to->arena, from->id);
    to->url = arena_strdup(&to->arena, asking->origin);
    to->from_operator = from->from_operator;
    const struct {
        const char *from;
        const char **to;
    } texts[] = {{from->proxy, &to->proxy},
                 {from->tls.ca_file, &to->tls.ca_file},
                 {from->tls.ca_pem, &to->tls.ca_pem},
                 {from->tls.cert, &to->tls.cert},
                 {from->tls.key, &to->tls.key}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        *texts[i].to = texts[i].from ? arena_strdup(&to->arena, texts[i].from) : NULL;
    to->tls.insecure_skip_verify = from->tls.insecure_skip_verify;
    if (in_header && buf_reserve(&secret, 3 * SECRET_MAX)) {
        add_form(&name, from->auth.client_id);
        add_form(&secret, secret_reveal(asking->secret));
        to->auth.type = AUTH_BASIC;
        to->auth.user = arena_strdup(&to->arena, buf_text(&name));
        to->auth.secret = (struct secret_ref){
            .kind = SECRET_LITERAL, .literal = secret_new(buf_text(&secret), secret.size)};
    }
    bool failed =
        to->arena.failed || name.failed || secret.failed || (in_header && !to->auth.secret.literal);
    if (secret.data)
        wipe(secret.data, secret.capacity);
    buf_finish(&secret);
    buf_finish(&name);
    if (failed) {
        connection_unref(to);
        return NULL;
    }
    return to;
}

/* Until the exchange has ended; the answer is small or refused. */
static void collect(struct mailbox *mailbox, struct reply *reply)
{
    for (bool ended = false; !ended;) {
        struct message *message = mailbox_wait(mailbox, INT64_MAX);
        if (!message)
            continue;
        if (message->type == MESSAGE_HEAD)
            reply->status = message->head->status;
        else if (message->type == MESSAGE_DATA)
            buf_add_n(&reply->body, message->data, message->size);
        ended = message->type == MESSAGE_END;
        if (ended && message->outcome != SONDE_OUTCOME_OK)
            snprintf(reply->failure, sizeof reply->failure, "%s",
                     message->text && *message->text ? message->text : "no answer");
        mailbox_release(mailbox, message);
    }
}

static int send_form(const struct asking *asking, struct connection *server, const struct buf *form,
                     struct reply *reply, struct err *err)
{
    static const struct sonde_pair headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    struct io_target *target = NULL;
    struct mailbox *mailbox = NULL;
    int r = io_target_create(asking->io, server, server->url, NULL, NULL, 0, &target, err);
    if (r < 0) {
        err_prefix(err, "auth.token_url: ");
        return r;
    }
    struct sonde_request request = {.struct_size = sizeof request,
                                    .method = "POST",
                                    .path = asking->path,
                                    .headers = headers,
                                    .header_count = ARRAY_SIZE(headers),
                                    .body = form->data,
                                    .body_size = form->size};
    struct exchange_request given = {.request = &request,
                                     .target = target,
                                     .deadline_ns = clock_mono_ns() + FETCH_NS,
                                     .max_body = FETCH_MAX};
    r = mailbox_create(asking->io, &mailbox);
    if (r < 0)
        err_set(err, r, "no memory to ask for a token");
    else
        r = exchange_start(asking->io, mailbox, &given, NULL, err);
    if (!r)
        collect(mailbox, reply);
    if (mailbox)
        mailbox_destroy(mailbox);
    io_target_unref(target);
    return r;
}

static int ask(const struct asking *asking, bool in_header, struct reply *reply, struct err *err)
{
    const struct connection_auth *auth = &asking->connection->auth;
    struct connection *server = server_of(asking, in_header);
    struct buf form = BUF(8 * SECRET_MAX);
    reply->status = 0;
    reply->failure[0] = '\0';
    buf_clear(&reply->body);
    int r = ERR_MEMORY;
    if (buf_reserve(&form, 4 * SECRET_MAX)) {
        add_pair(&form, "grant_type", "client_credentials");
        add_pair(&form, "scope", auth->oauth_scope);
        add_pair(&form, "audience", auth->oauth_audience);
        if (!in_header) {
            add_pair(&form, "client_id", auth->client_id);
            add_pair(&form, "client_secret", secret_reveal(asking->secret));
        }
    }
    if (!server || form.failed)
        err_set(err, ERR_MEMORY, "no memory to ask for a token");
    else
        r = send_form(asking, server, &form, reply, err);
    if (form.data)
        wipe(form.data, form.capacity);
    buf_finish(&form);
    connection_unref(server);
    return r;
}

static size_t advice_at(const char *text)
{
    const char *advice = strstr(text, "; check");
    return advice ? (size_t)(advice - text) : strlen(text);
}

/* What the server says is shown, but never a part of a document that may hold a token. */
static int refused(const struct asking *asking, const struct reply *reply, struct err *err)
{
    CLEANUP(json_putp) struct json_object *document = NULL;
    if (reply->failure[0])
        /* What follows "; check" is advice about a backend's own address. */
        return err_set(err, ERR_SYSTEM, "auth.token_url: no token was had: %.*s",
                       (int)advice_at(reply->failure), reply->failure);
    (void)json_parse(buf_text(&reply->body), reply->body.size, 16, &document, NULL);
    const char *code = json_string_of(document, "error");
    const char *words = json_string_of(document, "error_description");
    struct buf said = BUF(400);
    if (code) {
        buf_add(&said, ": ");
        buf_add_shown(&said, code, strnlen(code, 64), true);
    }
    if (words) {
        buf_add(&said, code ? " (" : ": ");
        buf_add_shown(&said, words, strnlen(words, 100), true);
        buf_add(&said, code ? ")" : "");
    }
    err_set(err, ERR_INVALID,
            "%s: the token server %s answered %u%s; check auth.token_url, auth.client_id, "
            "auth.client_secret%s",
            reply->status == 401 ? "auth.client_secret" : "auth", asking->origin,
            (unsigned)reply->status, said.failed ? "" : buf_text(&said),
            asking->connection->auth.oauth_scope ? " and auth.scope" : "");
    buf_finish(&said);
    return ERR_INVALID;
}

static int wrong_answer(const struct asking *asking, const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "auth.token_url: the answer of the token server %s cannot be used: %s",
                   asking->origin, what);
}

static int read_token(const struct asking *asking, const struct reply *reply, struct fetched *ret,
                      struct err *err)
{
    CLEANUP(json_putp) struct json_object *document = NULL;
    struct err why = {0};
    if (json_parse(buf_text(&reply->body), reply->body.size, 16, &document, NULL) < 0)
        return wrong_answer(asking, "it is no JSON", err);
    const char *token = json_string_of(document, "access_token");
    const char *type = json_string_of(document, "token_type");
    if (!token || !*token)
        return wrong_answer(asking, "it holds no access_token", err);
    if (type && !str_eq_nocase(type, "bearer"))
        return wrong_answer(asking, "its token_type is not Bearer", err);
    int r = fetched_lifetime(document, &ret->lifetime_ns, &why);
    if (r < 0)
        return wrong_answer(asking, why.text, err);
    if (ret->lifetime_ns == INT64_MAX)
        ret->lifetime_ns = DEFAULT_LIFETIME_NS;
    ret->value = secret_new(token, strlen(token));
    wipe((char *)(uintptr_t)token, strlen(token));
    return ret->value ? 0 : err_set(err, ERR_MEMORY, "no memory for a token");
}

int oauth2_fetch(struct io *io, const struct connection *connection, const atomic_bool *stop,
                 struct fetched *ret_fetched, struct err *err)
{
    struct asking asking = {.io = io, .connection = connection};
    struct secret *secret CLEANUP(secret_freep) = NULL;
    struct reply reply = {.body = BUF(FETCH_MAX)};
    int r = split(&asking, connection->auth.token_url, err);
    if (!r)
        r = secret_fetch(&connection->auth.secret, "auth.client_secret", stop, &secret, err);
    asking.secret = secret;
    if (!r && buf_reserve(&reply.body, FETCH_MAX)) {
        r = ask(&asking, true, &reply, err);
        /* Servers must take the login in the header, but there are some that only look into the form. */
        if (!r && (reply.status == 400 || reply.status == 401) && !reply.failure[0])
            r = ask(&asking, false, &reply, err);
        if (!r)
            r = reply.status == 200 && !reply.failure[0]
                    ? read_token(&asking, &reply, ret_fetched, err)
                    : refused(&asking, &reply, err);
    } else if (!r) {
        r = err_set(err, ERR_MEMORY, "no memory to ask for a token");
    }
    if (reply.body.data)
        wipe(reply.body.data, reply.body.capacity);
    buf_finish(&reply.body);
    return r;
}
