/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/fetch.h"

#include <string.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "model/principal.h"

#define TIMEOUT_NS (5 * NS_PER_S)
#define LOOK_NS (50 * NS_PER_MS)

struct got {
    uint32_t status;
    bool ended;
    uint32_t outcome;
    char text[256];
};

static void take(struct got *got, const struct message *message, struct buf *body)
{
    if (message->type == MESSAGE_HEAD) {
        got->status = message->head->status;
    } else if (message->type == MESSAGE_DATA) {
        buf_add_n(body, message->data, message->size);
    } else if (message->type == MESSAGE_END) {
        got->ended = true;
        got->outcome = message->outcome;
        utf8_clean(got->text, sizeof got->text, message->text, strlen(message->text));
    }
}

static int run(struct io *io, struct io_target *target, const char *path,
               const atomic_bool *stopping, struct buf *body, struct got *got, struct err *err)
{
    static const struct sonde_pair accept[] = {{"Accept", "application/json"}};
    struct sonde_request request = {.struct_size = sizeof request,
                                    .flags = SONDE_REQUEST_IDEMPOTENT,
                                    .method = "GET",
                                    .path = path,
                                    .headers = accept,
                                    .header_count = 1};
    struct exchange_request ask = {.request = &request,
                                   .target = target,
                                   .deadline_ns = clock_mono_ns() + TIMEOUT_NS,
                                   .max_body = body->max};
    struct mailbox *mailbox = NULL;
    struct exchange *exchange = NULL;
    if (mailbox_create(io, &mailbox))
        return err_set(err, ERR_MEMORY, "no memory for a request");
    int r = exchange_start(io, mailbox, &ask, &exchange, err);
    bool cancelled = false;
    while (!r && !got->ended) {
        struct message *message = mailbox_wait(mailbox, clock_mono_ns() + LOOK_NS);
        if (message) {
            take(got, message, body);
            mailbox_release(mailbox, message);
        }
        if (!got->ended && !cancelled && atomic_load(stopping)) {
            exchange_cancel(exchange);
            cancelled = true;
        }
    }
    mailbox_destroy(mailbox);
    return r;
}

int fetch_url(struct io *io, const char *url, const atomic_bool *stopping, struct buf *body,
              struct err *err)
{
    const char *host = strstr(url, "://");
    size_t origin = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
    if (!origin)
        return err_set(err, ERR_UNAVAILABLE, "\"%.200s\" is no address", url);
    if (atomic_load(stopping))
        return err_set(err, ERR_UNAVAILABLE, "the server is stopping");
    CLEANUP(connection_unrefp) struct connection *connection = connection_new();
    if (!connection)
        return err_set(err, ERR_MEMORY, "no memory for a request");
    connection->id = connection->name = connection->backend = "oauth";
    connection->owner = USER_OPERATOR_ID;
    connection->url = arena_strndup(&connection->arena, url, origin);
    connection->from_operator = true; /* the operator chose the address */
    struct io_target *target = NULL;
    struct got got = {0};
    int r = connection->url ? 0 : err_set(err, ERR_MEMORY, "no memory for a request");
    if (!r)
        r = io_target_create(io, connection, connection->url, NULL, NULL, 0, &target, err);
    if (!r)
        r = run(io, target, url[origin] == '/' ? url + origin : "/", stopping, body, &got, err);
    io_target_unref(target);
    if (r == ERR_MEMORY)
        return r;
    if (r) {
        err_prefix(err, "%.200s: ", url);
        return err->code = ERR_UNAVAILABLE;
    }
    if (got.outcome != SONDE_OUTCOME_OK)
        return err_set(err, ERR_UNAVAILABLE, "%.200s: %s", url, got.text);
    if (got.status != 200)
        return err_set(err, ERR_UNAVAILABLE, "%.200s: HTTP %u", url, (unsigned)got.status);
    if (body->failed)
        return err_set(err, ERR_UNAVAILABLE, "%.200s: more than %zu bytes", url, body->max);
    return 0;
}
