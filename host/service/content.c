/* SPDX-License-Identifier: Apache-2.0 */
#include "service/content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define TEXT_MAX ((size_t)8 << 20)

static uint64_t first_63_bits(const unsigned char digest[SHA256_BYTES])
{
    uint64_t number = 0;
    for (unsigned i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    number &= UINT64_C(0x7fffffffffffffff);
    return number ? number : 1;
}

uint64_t content_of_row(const char *id, uint64_t revision)
{
    unsigned char digest[SHA256_BYTES];
    struct buf text = BUF(256);
    buf_printf(&text, "%s %" PRIu64, id, revision);
    int r = text.failed ? ERR_MEMORY : crypto_sha256(text.data, text.size, digest);
    buf_finish(&text);
    return r ? 0 : first_63_bits(digest);
}

/* Sizes before bytes, so that no two lists run into the same text. */
static void add(struct buf *buf, const char *text)
{
    buf_printf(buf, "%zu:", text ? strlen(text) : 0);
    buf_add(buf, text ? text : "");
}

static void add_secret(struct buf *buf, const struct secret_ref *ref)
{
    buf_printf(buf, "%d ", ref->kind);
    add(buf, ref->name);
    for (size_t i = 0; ref->command && ref->command[i]; i++)
        add(buf, ref->command[i]);
    const char *value = ref->literal              ? secret_reveal(ref->literal)
                        : ref->kind == SECRET_ENV ? getenv(ref->name)
                                                  : NULL;
    /* Hashed: the buffer grows, and leaves what it held behind in freed memory. */
    unsigned char digest[SHA256_BYTES];
    if (value && !crypto_sha256(value, strlen(value), digest))
        buf_add_n(buf, digest, sizeof digest);
    else if (value)
        buf->failed = 1;
}

static void add_pairs(struct buf *buf, const struct sonde_pair *pairs, size_t n)
{
    buf_printf(buf, "%zu ", n);
    for (size_t i = 0; i < n; i++) {
        add(buf, pairs[i].key);
        add(buf, pairs[i].value);
    }
}

static void add_all(struct buf *buf, const struct connection *c)
{
    const char *const texts[] = {c->id,
                                 c->owner,
                                 c->backend,
                                 c->url,
                                 c->tenant,
                                 c->proxy,
                                 c->auth.scheme,
                                 c->auth.user,
                                 c->auth.header,
                                 c->auth.token_url,
                                 c->auth.client_id,
                                 c->auth.oauth_scope,
                                 c->auth.oauth_audience,
                                 c->tls.ca_file,
                                 c->tls.ca_pem,
                                 c->tls.cert,
                                 c->tls.key,
                                 c->tls.server_name};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add(buf, texts[i]);
    buf_printf(buf, "%d %d %" PRIu64 " %" PRId64 " ", c->auth.type, c->tls.insecure_skip_verify,
               c->max_samples, c->max_time_range_ns);
    add_secret(buf, &c->auth.secret);
    buf_printf(buf, "%zu ", c->header_count);
    for (size_t i = 0; i < c->header_count; i++) {
        add(buf, c->headers[i].name);
        add_secret(buf, &c->headers[i].value);
    }
    buf_printf(buf, "%zu ", c->param_count);
    for (size_t i = 0; i < c->param_count; i++) {
        add(buf, c->params[i].key);
        add(buf, c->params[i].value);
        add_secret(buf, &c->params[i].secret);
    }
    add_pairs(buf, c->enforce, c->enforce_count);
}

uint64_t content_of_file(struct keyring *keyring, const struct connection *connection)
{
    if (!keyring)
        return 0;
    unsigned char digest[SHA256_BYTES];
    struct buf text = BUF(TEXT_MAX);
    add_all(&text, connection);
    int r = text.failed ? ERR_MEMORY : keyring_digest(keyring, text.data, text.size, digest);
    buf_finish(&text);
    return r ? 0 : first_63_bits(digest);
}
