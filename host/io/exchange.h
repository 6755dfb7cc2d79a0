/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request with its answer on the way into a mailbox: what curl and the file worker share.
 *
 * Ownership: one reference for the producer (loop or worker) until END is in the mailbox, one for each
 * DATA and END message. Threads: the producer's alone, but for what the mailbox's lock and the inbox's
 * lock guard.
 */
#ifndef IO_EXCHANGE_H
#define IO_EXCHANGE_H

#include <stdatomic.h>
#include <event2/event_struct.h>
#include <curl/curl.h>
#include "base/arena.h"
#include "base/buf.h"
#include "io/decode.h"
#include "io/io.h"

#define EXCHANGE_WINDOW ((size_t)256 * 1024)
#define EXCHANGE_TURN ((size_t)128 * 1024)
#define EXCHANGE_HEADERS_MAX ((size_t)256 * 1024)

#define COMMAND_START 1u
#define COMMAND_CANCEL 2u
#define COMMAND_RESUME 4u
#define COMMAND_LOGIN_NEW 8u /* the secrets' files held something new: send again */
#define COMMAND_LOGIN_SAME \
    16u /* they did not: the 401 stands; before the first sending: the login cannot be had */

enum exchange_state {
    EXCHANGE_NEW,
    EXCHANGE_DELAYED,
    EXCHANGE_LOGIN, /* the login is being fetched */
    EXCHANGE_RESOLVING,
    EXCHANGE_RUNNING,
    EXCHANGE_ENDED,
};

/* A request as curl takes it; the arena's memory. */
struct wire {
    char *url;
    struct curl_slist *lines;
    unsigned generation; /* of the login in it */
};

/* Circular; a link that is in no list points to itself. */
struct link {
    struct link *next;
    struct link *prev;
    struct exchange *exchange; /* NULL: a list's head */
};

struct exchange {
    atomic_uint references;
    struct io *io;
    struct io_target *target;
    struct mailbox *mailbox; /* NULL: detached */
    struct message *end;     /* made at the start, so that END cannot fail */
    void *owner;
    uint32_t tag;
    uint32_t flags;
    int64_t begun_ns;
    int64_t send_at_ns;
    int64_t deadline_ns;
    uint64_t max_body;
    size_t budgeted;

    struct arena arena; /* the request's copy */
    const char *method;
    const char *path;
    const void *body;
    size_t body_size;
    const struct sonde_pair *headers; /* the adapter's */
    size_t header_count;
    struct wire sent;      /* login included: wiped at the end */
    struct wire next_sent; /* with the login read again or fetched, made by a worker */

    /* while a worker gets the login, under the lock of provider.c */
    struct link login_wait;
    uint64_t login_asked;  /* which of its secrets were waited for */
    char login_error[512]; /* why it cannot be had; written before the command */

    /* the inbox's, under io->lock */
    unsigned commands;
    bool queued;
    struct exchange *inbox_next;

    /* the mailbox's, under its lock */
    size_t window_used;
    bool parked;                 /* the window was full; a release resumes */
    struct message *last_queued; /* newest DATA still in the queue */

    /* the producer's */
    enum exchange_state state;
    struct link live, paused, filled, waiting; /* in the loop's lists and a flight's */
    struct event timer;
    bool timer_made;
    CURL *easy;
    struct pool *pool; /* it is in; NULL: none */
    struct curl_slist *resolve;
    struct curl_slist *connect_to;
    struct resolution *resolution; /* what was found, shared with the cache */
    char curl_error[CURL_ERROR_SIZE];
    char tls_version[64];
    const char *refused; /* by the address policy when a socket was opened */
    char refused_address[64];
    struct message *filling; /* not in the mailbox yet */
    bool unseen;             /* something is in the mailbox that its reader was not woken for */
    size_t next_capacity;
    uint64_t turn;
    size_t turn_bytes;
    size_t skip; /* bytes of the chunk curl will offer again that were taken already */
    bool window_paused;
    bool in_header; /* CURL calls back from within headers */
    bool head_done;
    bool hold_head; /* a 401 waits for the login's files to be read again */
    bool login_retried;
    bool wants_login; /* it must be fetched before anything is sent */
    bool done_held;   /* the transfer ended meanwhile */
    CURLcode done_code;
    uint32_t status;
    struct buf head; /* name NUL value NUL ... */
    size_t head_pairs;
    size_t head_bytes; /* all header blocks of this exchange */
    int64_t declared;  /* Content-Length, or -1 */
    struct decoder *decoder;
    uint64_t wire;
    uint64_t decoded;
    uint32_t got_bytes;
    int64_t first_byte_ns;
    uint32_t outcome; /* set with the text by exchange_fail, once */
    bool failed;
    bool tls_failed;
    bool proxy_failed;
    bool cancelled;
    int stage; /* the last one reached, of probe.h; told to the target when it has ended by itself */
    char blame[64];   /* the setting that mends its failure; "" none */
    bool look_at_tls; /* curl was asked for the certificate */

    /* a file: endpoint's */
    int fd;
    uint64_t file_left;
    bool no_body;
    struct buf listing;
    size_t listing_at;
};

void exchange_unref(struct exchange *exchange);
/* Puts a command in the producer's inbox and wakes it. Any thread. 0 or ERR_SYSTEM (a first start only). */
int exchange_command(struct exchange *exchange, unsigned command, struct err *err);

/*
 * The producer's way to hand bytes on. Room: the place for the next ones and how many, 0 when the window
 * is full (a RESUME follows), or -1 without memory.
 */
ptrdiff_t exchange_room(struct exchange *exchange, char **ret_to);
void exchange_wrote(struct exchange *exchange, size_t size);
/* Puts what was written into the mailbox, and wakes its reader if there is anything new. */
void exchange_flush(struct exchange *exchange);
/* The headers collected in head. 0 or ERR_MEMORY. The reader is woken by the flush that must follow. */
int exchange_put_head(struct exchange *exchange);
/* Notes why the exchange fails; the first call counts. */
void exchange_fail(struct exchange *exchange, uint32_t outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Counts decoded bytes against the limits. 0, or -1 with exchange_fail done. */
int exchange_count(struct exchange *exchange, size_t wire, size_t decoded);
/* Checks a declared length. 0, or -1 with exchange_fail done. */
int exchange_check_declared(struct exchange *exchange, bool encoded);
/* Last: END goes out, the producer's reference is given up. */
void exchange_finish(struct exchange *exchange);
/* The URL and the header lines, login included. 0, or a negative code with a text that may be shown. */
int exchange_compose(struct exchange *exchange, struct wire *ret_wire, struct err *err);
void wire_wipe(struct wire *wire);
/* The last value of a header of this answer, or NULL; name in lower case. */
const char *exchange_header(const struct exchange *exchange, const char *name);
void link_init(struct link *link, struct exchange *exchange);
/* At the list's end; nothing happens when it is in a list already. */
void link_add(struct link *list, struct link *link);
void link_remove(struct link *link);
static inline struct exchange *link_first(const struct link *list)
{
    return list->next->exchange;
}
/* "1.5 MiB", "812 bytes". */
void size_text(char out[32], uint64_t bytes);

#endif
