/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgresql://... taken apart. libpq parses it; two parameters of our own are taken out before:
 *   sonde_direct=HOST[:PORT]  where migrations and LISTEN go when HOST of the address is a pooler that hands out transactions
 *   sonde_notify=off          no LISTEN and no NOTIFY: changes are seen by polling alone
 */
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/postgres/internal.h"

#define LOCATION_MAX 4096

static int refuse(struct err *err, const char *what)
{
    /* Nothing of the address is repeated: what was split at a wrong place may be a piece of the password. */
    return err_set(err, ERR_INVALID,
                   "the store's address cannot be read: %s. Expected "
                   "postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in the password everything but "
                   "letters, digits and -._~ is written as %%XX (@ is %%40, / is %%2F, : is %%3A)",
                   what);
}

/* One '@' at most, and before it no '/' or '?': else a character of the password splits the address at the wrong place. */
static const char *ambiguous(const char *rest)
{
    const char *at = strchr(rest, '@');
    size_t authority = strcspn(rest, "/?#");
    if (at && (size_t)(at - rest) > authority)
        return "there is a /, ? or # before the @";
    if (at && memchr(at + 1, '@', strcspn(at + 1, "?")))
        return "there is more than one @";
    return NULL;
}

static int take_direct(struct address *address, const char *value, size_t size, struct err *err)
{
    const char *colon = memchr(value, ':', size);
    size_t host = colon ? (size_t)(colon - value) : size;
    size_t port = colon ? size - host - 1 : 0;
    if (host == 0 || host >= sizeof address->direct || port >= sizeof address->direct_port)
        return refuse(err, "sonde_direct is not HOST or HOST:PORT");
    memcpy(address->direct, value, host);
    address->direct[host] = '\0';
    if (port)
        memcpy(address->direct_port, colon + 1, port);
    address->direct_port[port] = '\0';
    int64_t number;
    if (colon && str_to_int(address->direct_port, 1, 65535, &number) != 0)
        return refuse(err, "the port of sonde_direct is not a number from 1 to 65535");
    return 0;
}

/* Takes our own parameters out of text, in place. */
static int take_own(struct address *address, char *text, struct err *err)
{
    char *query = strchr(text, '?');
    if (!query)
        return 0;
    char *out = query + 1;
    for (const char *in = query + 1; *in;) {
        size_t size = strcspn(in, "&");
        const char *next = in[size] ? in + size + 1 : in + size;
        if (str_starts(in, "sonde_direct=")) {
            int r = take_direct(address, in + 13, size - 13, err);
            if (r != 0)
                return r;
        } else if (str_starts(in, "sonde_notify=")) {
            bool off = size == 16 && strncmp(in + 13, "off", 3) == 0;
            bool on = size == 15 && strncmp(in + 13, "on", 2) == 0;
            if (!off && !on)
                return refuse(err, "sonde_notify is neither on nor off");
            address->quiet = off;
        } else {
            if (out != query + 1)
                *out++ = '&';
            memmove(out, in, size);
            out += size;
        }
        in = next;
    }
    /* The rest is what moved forward; nothing of it may stay behind the new end. */
    wipe(out, strlen(out));
    if (out == query + 1)
        *query = '\0';
    return 0;
}

const char *pg_address_option(const struct address *address, const char *keyword)
{
    for (const PQconninfoOption *o = address->options; o && o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            return o->val && *o->val ? o->val : NULL;
    }
    return NULL;
}

static int check(const struct address *address, struct err *err)
{
    const char *port = pg_address_option(address, "port");
    if (port && strspn(port, "0123456789,") != strlen(port))
        return refuse(err, "the port is not a number");
    const char *timeout = pg_address_option(address, "connect_timeout");
    int64_t seconds;
    if (timeout && str_to_int(timeout, 0, 3600, &seconds) != 0)
        return refuse(err, "connect_timeout is not a number of seconds up to 3600");
    return 0;
}

static void describe(struct address *address)
{
    const char *host = pg_address_option(address, "host");
    const char *numeric = pg_address_option(address, "hostaddr");
    const char *port = pg_address_option(address, "port");
    const char *database = pg_address_option(address, "dbname");
    struct buf out = BUF(sizeof address->where);
    buf_add(&out, "PostgreSQL at ");
    buf_add(&out, host ? host : numeric ? numeric : "the local socket");
    if (port)
        buf_printf(&out, ":%s", port);
    if (database)
        buf_printf(&out, ", database %s", database);
    utf8_clean(address->where, sizeof address->where, buf_text(&out), out.size);
    buf_finish(&out);
}

static int parse(char *copy, struct address *address, struct err *err)
{
    const char *rest = strstr(copy, "://") + 3;
    const char *wrong = ambiguous(rest);
    if (wrong)
        return refuse(err, wrong);
    int r = take_own(address, copy, err);
    if (r != 0)
        return r;
    char *words = NULL;
    address->options = PQconninfoParse(copy, &words);
    if (!address->options) {
        /* libpq's words quote pieces of the address. */
        if (words)
            wipe(words, strlen(words));
        PQfreemem(words);
        return refuse(err, "it is malformed, or names a parameter that libpq does not know");
    }
    return check(address, err);
}

int pg_address_parse(const char *location, struct address *ret_address, struct err *err)
{
    if (!str_starts(location, "postgresql://") && !str_starts(location, "postgres://"))
        return refuse(err, "it does not begin with postgresql://");
    if (strlen(location) > LOCATION_MAX)
        return refuse(err, "it is longer than 4096 bytes");
    char *copy = mem_strdup(location);
    if (!copy)
        return err_set(err, ERR_MEMORY, "out of memory");
    size_t size = strlen(copy);
    struct address address = {0};
    int r = parse(copy, &address, err);
    wipe(copy, size);
    mem_free(copy);
    if (r != 0) {
        pg_address_finish(&address);
        return r;
    }
    describe(&address);
    *ret_address = address;
    return 0;
}

void pg_address_finish(struct address *address)
{
    for (PQconninfoOption *o = address->options; o && o->keyword; o++) {
        if (o->val)
            wipe(o->val, strlen(o->val));
    }
    PQconninfoFree(address->options);
    address->options = NULL;
}
