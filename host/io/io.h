/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread that touches backend sockets: libevent loop, one curl multi handle, one connection pool.
 * Others hand it exchanges and read what comes back from their mailbox.
 *
 * Ownership: targets are reference-counted; an exchange belongs to the mailbox that started it until its END
 * message is taken (mailbox_release frees a message). Threads: every function here is safe from any thread
 * but the loop itself.
 */
#ifndef IO_IO_H
#define IO_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sonde/plugin.h>
#include "base/err.h"
#include "base/mem.h"
#include "model/connection.h"

struct io;
struct io_target;
struct exchange;
struct mailbox;

struct io_settings {
    const char *
        files; /* the folder file: endpoints may read; NULL none. An endpoint's own path must lie under it */
    const char *proxy; /* global, or NULL */
    const char *const *no_proxy;
    size_t no_proxy_count;
    const char *const *allow; /* ranges that connections of users may reach: "10.0.0.0/8" */
    size_t allow_count;
    uint64_t max_body;     /* decoded bytes of one answer; default 64 MiB */
    uint64_t max_wire;     /* bytes on the wire; default 64 MiB */
    uint32_t max_ratio;    /* decoded : wire above 1 MiB decoded; default 200 */
    struct budget *budget; /* mailboxes draw from it */
};

/* The loop's thread and curl start with the first exchange, not here. 0 or ERR_*. */
int io_create(const struct io_settings *settings, struct io **ret_io, struct err *err);
/* Cancels what is left and joins the loop. */
void io_destroy(struct io *io);

/*
 * Other ranges from now on: what was allowed and is no longer is refused to exchanges that begin, and connections kept open to such places
 * are closed. What is under way ends as it began. 0, ERR_INVALID, ERR_MEMORY.
 */
int io_set_allow(struct io *io, const char *const *allow, size_t count, struct err *err);

struct io_stats {
    uint64_t exchanges, failed, bytes_wire, bytes_decoded;
    uint32_t in_flight;
};
void io_stats(struct io *io, struct io_stats *ret_stats);

/*
 * Where one endpoint of a connection sends: origin and path prefix out of url, with the connection's login, TLS,
 * proxy, headers, tenant. Checks scheme, host, user-info (refused), port, and that a file: path lies under
 * settings.files. extra headers and prefix are a scope's. 0 or ERR_INVALID naming the key that mends it.
 */
int io_target_create(struct io *io, struct connection *connection, const char *url,
                     const char *path_prefix, const struct sonde_pair *headers, size_t header_count,
                     struct io_target **ret_target, struct err *err);
/*
 * Adds an adapter's own way to log in (auth.type names it); its holes are the connection's parameters. Before the
 * first exchange. 0, or ERR_INVALID (SigV4 is not done here) or ERR_LIMIT.
 */
int io_target_use_scheme(struct io_target *target, const struct sonde_auth_scheme *scheme,
                         struct err *err);
struct io_target *io_target_ref(struct io_target *target);
void io_target_unref(struct io_target *target);

/* A mailbox is the place where one thread waits for its exchanges, flights and the call's cancel. */
int mailbox_create(struct io *io, struct mailbox **ret_mailbox);
void mailbox_destroy(struct mailbox *mailbox); /* all its exchanges must have ended */

#define MESSAGE_HEAD 1
#define MESSAGE_DATA 2
#define MESSAGE_END 3
#define MESSAGE_POST 4 /* from mailbox_post: a flight is done, a call was cancelled */

struct message {
    int type;
    uint32_t tag;                           /* the exchange's or the post's */
    void *owner;                            /* as given to exchange_start or mailbox_post */
    const struct sonde_response_head *head; /* HEAD */
    const void *data;                       /* DATA: up to 128 KiB */
    size_t size;
    uint32_t outcome;    /* END: SONDE_OUTCOME_* */
    uint32_t got_bytes;  /* END: 1 when any byte of an answer arrived */
    uint64_t body_bytes; /* END: decoded */
    uint64_t wire_bytes;
    int64_t elapsed_ns;
    const char *text;      /* END: what went wrong, with what mends it; "" when ok */
    struct message *next_; /* io's own */
    void *internal_;
};

/* Next message, or NULL when deadline (clock_mono_ns) passed. The caller releases it. */
struct message *mailbox_wait(struct mailbox *mailbox, int64_t deadline_ns);
/* Frees; for DATA gives its bytes back to the exchange's window, which may resume a paused transfer. */
void mailbox_release(struct mailbox *mailbox, struct message *message);
/* Puts a POST message; never blocks. Safe while the mailbox lives. 0 or ERR_MEMORY. */
int mailbox_post(struct mailbox *mailbox, void *owner, uint32_t tag);

struct exchange_request {
    const struct sonde_request *request; /* copied */
    struct io_target *target;
    void *owner;
    int64_t deadline_ns; /* clock_mono_ns: connect, send and read all within */
    uint64_t max_body;   /* 0: settings.max_body */
    bool detached;       /* no messages at all: at_end requests; answer discarded, 2 s */
};

/*
 * Sends after request->delay_ms. A request that must not be sent (malformed, a header of the host's, a secret
 * that cannot be read, an address refused) ends REFUSED. Messages: HEAD (once a final status line and headers are in), DATA..., END exactly
 * once; END only when nothing came. A window of 256 KiB per exchange: unreleased DATA pauses the transfer; at most 128 KiB per
 * transfer and loop turn. 0, ERR_BUSY (budget, stopping), ERR_SYSTEM, ERR_MEMORY: no messages then.
 * A detached one has no mailbox (NULL) and gives no exchange.
 */
int exchange_start(struct io *io, struct mailbox *mailbox, const struct exchange_request *request,
                   struct exchange **ret_exchange, struct err *err);
/* Removes the transfer at once; END (outcome LOST, text "cancelled") still comes, quickly. Idempotent until END was released. */
void exchange_cancel(struct exchange *exchange);

/* Stages for `connection test`: what the last exchange of a target met. */
struct io_probe {
    char address[64]; /* ip:port connected to; "" none */
    char proxy[300];  /* host:port of the proxy on the way; "" none */
    char tls[256];    /* version, issuer, expiry; "" no TLS */
    char ca[300];     /* what the certificate is checked against; "" no TLS */
    char setting
        [64]; /* of a failure: the connection's or the configuration's key that mends it; "" none, or it went well */
    int64_t expires_ns; /* of the certificate, wall clock; 0 unknown */
    int64_t connect_ns, tls_ns, first_byte_ns, total_ns;
    uint32_t status; /* of the answer; 0 none */
    int stage; /* 0 name 1 policy 2 proxy 3 tcp 4 tls 5 http 6 done: the last one reached; -1: it was not even begun */
};
void io_target_probe(struct io_target *target, struct io_probe *ret_probe);
/* Environment proxies are not used; the name of one that is set, or NULL. */
const char *io_environment_proxy(void);
/* Versions of curl, TLS, loop, for `sonde --version` and the log. */
const char *io_versions(void);

#endif
