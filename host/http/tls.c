/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* struct tls_context is an SSL_CTX, struct tls an SSL: both count or are counted by OpenSSL already. */

static SSL_CTX *context_of(struct tls_context *context)
{
    return (SSL_CTX *)(void *)context;
}

static SSL *ssl_of(struct tls *tls)
{
    return (SSL *)(void *)tls;
}

DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free);

/* ---- Bytes by send and recv: OpenSSL's own socket BIO writes without MSG_NOSIGNAL ---- */

static int fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int bio_write(BIO *bio, const char *data, int size)
{
    BIO_clear_retry_flags(bio);
    ssize_t n;
    do
        n = send(fd_of(bio), data, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_write(bio);
    return (int)n;
}

static int bio_read(BIO *bio, char *data, int size)
{
    BIO_clear_retry_flags(bio);
    ssize_t n;
    do
        n = recv(fd_of(bio), data, (size_t)size, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_read(bio);
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO_METHOD *bio_method; /* made once, kept for the life of the process */

static int make_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sonde socket");
    if (!method)
        return 0;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    bio_method = method;
    return 1;
}

static CRYPTO_ONCE bio_once = CRYPTO_ONCE_STATIC_INIT;

static void make_bio_once(void)
{
    (void)make_bio_method();
}

/* ---- Contexts ---- */

/* HTTP/1.1 is all there is; a client that offers other protocols only is told so by the handshake. */
static int choose_protocol(SSL *ssl, const unsigned char **ret_out, unsigned char *ret_size,
                           const unsigned char *offered, unsigned offered_size, void *user)
{
    (void)ssl;
    (void)user;
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, ret_size, ours, sizeof ours - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int fail(struct err *err, const char *what, const char *file)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SYS)
        reason = strerror(ERR_GET_REASON(code));
    int r = err_set(err, ERR_INVALID, "%s %s cannot be used: %s", what, file,
                    reason ? reason : "not PEM");
    ERR_clear_error();
    return r;
}

static int load(SSL_CTX *context, const char *cert, const char *key, struct err *err)
{
    if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        return fail(err, "certificate", cert);
    ERR_clear_error();
    /* Says key values mismatch, too, when the certificate is another key's. */
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
            ERR_clear_error();
            return err_set(err, ERR_INVALID,
                           "key %s does not belong to certificate %s: both must be of one pair",
                           key, cert);
        }
        return fail(err, "key", key);
    }
    if (SSL_CTX_check_private_key(context) != 1)
        return fail(err, "key", key);
    return 0;
}

int tls_context_create(const char *cert, const char *key, struct tls_context **ret_context,
                       struct err *err)
{
    if (!cert || !key)
        return err_set(err, ERR_INVALID, "TLS needs both a certificate and a key");
    CRYPTO_THREAD_run_once(&bio_once, make_bio_once);
    ERR_clear_error();
    CLEANUP(SSL_CTX_freep) SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context || !bio_method)
        return err_set(err, ERR_MEMORY, "OpenSSL cannot be set up");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Tickets resume sessions; nothing is kept here for them. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    int r = load(context, cert, key, err);
    if (r != 0)
        return r;
    *ret_context = (struct tls_context *)(void *)STEAL(context);
    return 0;
}

void tls_context_free(struct tls_context *context)
{
    SSL_CTX_free(context_of(context));
}

/* ---- Connections ---- */

struct tls *tls_new(struct tls_context *context, int fd)
{
    SSL *ssl = SSL_new(context_of(context));
    BIO *bio = BIO_new(bio_method);
    if (!ssl || !bio) {
        SSL_free(ssl);
        BIO_free(bio);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    return (struct tls *)(void *)ssl;
}

void tls_free(struct tls *tls)
{
    SSL_free(ssl_of(tls));
}

/* The error queue is the thread's: what is left in it would be read as the next connection's. */
static ssize_t outcome(SSL *ssl, int r)
{
    int error = SSL_get_error(ssl, r);
    bool plain = error == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_END;
    default:
        return plain ? TLS_PLAIN_HTTP : TLS_BROKEN;
    }
}

ssize_t tls_read(struct tls *tls, void *data, size_t size)
{
    size_t n = 0;
    ERR_clear_error();
    int r = SSL_read_ex(ssl_of(tls), data, size, &n);
    return r == 1 ? (ssize_t)n : outcome(ssl_of(tls), r);
}

ssize_t tls_write(struct tls *tls, const void *data, size_t size)
{
    size_t n = 0;
    ERR_clear_error();
    int r = SSL_write_ex(ssl_of(tls), data, size, &n);
    return r == 1 ? (ssize_t)n : outcome(ssl_of(tls), r);
}

void tls_goodbye(struct tls *tls)
{
    if (SSL_is_init_finished(ssl_of(tls)))
        SSL_shutdown(ssl_of(tls));
    ERR_clear_error();
}
