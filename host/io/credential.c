/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/credential.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/provider.h"

static struct login_secret *find_secret(struct login *login, const char *key, size_t size)
{
    for (size_t i = 0; i < login->secret_count; i++)
        if (strlen(login->secrets[i].key) == size && memcmp(login->secrets[i].key, key, size) == 0)
            return &login->secrets[i];
    return NULL;
}

static int add_secret(struct login *login, const char *key, const struct secret_ref *ref,
                      struct err *err)
{
    if (ref->kind == SECRET_NONE)
        return 0;
    if (login->secret_count == LOGIN_SECRETS)
        return err_set(err, ERR_LIMIT, "more than %d secret values in one connection",
                       LOGIN_SECRETS);
    if (ref->kind != SECRET_LITERAL && !login->connection->from_operator)
        return err_set(err, ERR_INVALID,
                       "%s: only the operator's connections may take secrets from the environment, "
                       "files or programs; give the value itself",
                       key);
    login->reads_files |= ref->kind == SECRET_FILE;
    login->secrets[login->secret_count++] = (struct login_secret){.key = key, .ref = *ref};
    return 0;
}

static int add_placement(struct login *login, unsigned place, const char *name,
                         const char *template_, struct err *err)
{
    if (login->placement_count == LOGIN_PLACEMENTS)
        return err_set(err, ERR_LIMIT, "more than %d headers and logins in one connection",
                       LOGIN_PLACEMENTS);
    login->placements[login->placement_count++] =
        (struct login_placement){.place = place, .name = name, .template_ = template_};
    return 0;
}

/* The auth block, but for an adapter's own scheme, which the registry knows. */
static int add_auth(struct login *login, struct err *err)
{
    const struct connection_auth *auth = &login->connection->auth;
    const char *key = NULL;
    switch (auth->type) {
    case AUTH_NONE:
    case AUTH_SCHEME:
        return 0;
    case AUTH_OAUTH2:
        key = "auth.client_secret";
        if (!auth->token_url || !auth->client_id)
            return err_set(err, ERR_INVALID,
                           "auth: type oauth2 needs token_url, client_id and client_secret");
        break;
    case AUTH_BASIC:
        key = "auth.password";
        if (!auth->user || strchr(auth->user, ':'))
            return err_set(err, ERR_INVALID,
                           "auth.username: a user name without ':' is needed for auth.type basic");
        break;
    case AUTH_BEARER:
        key = "auth.token";
        break;
    case AUTH_HEADER:
        key = "auth.value";
        if (!auth->header || !*auth->header)
            return err_set(err, ERR_INVALID,
                           "auth.header: the header's name is needed for auth.type header");
        break;
    }
    if (auth->secret.kind == SECRET_NONE && auth->type != AUTH_BASIC)
        return err_set(err, ERR_INVALID, "%s is missing", key);
    int r = add_secret(login, key, &auth->secret, err);
    if (r < 0)
        return r;
    if (auth->type == AUTH_BASIC)
        return add_placement(login, SONDE_PLACE_BASIC, "Authorization",
                             "{auth.user}:{auth.password}", err);
    if (auth->type == AUTH_OAUTH2)
        login->secrets[login->secret_count - 1].key = "auth.token"; /* what its hole is called */
    if (auth->type == AUTH_BEARER || auth->type == AUTH_OAUTH2)
        return add_placement(login, SONDE_PLACE_HEADER, "Authorization", "Bearer {auth.token}",
                             err);
    return add_placement(login, SONDE_PLACE_HEADER, auth->header, "{auth.value}", err);
}

int login_init(struct login *login, const struct connection *connection, struct err *err)
{
    *login = (struct login){.connection = connection};
    if (pthread_mutex_init(&login->lock, NULL))
        return err_set(err, ERR_SYSTEM, "cannot make a lock");
    int r = add_auth(login, err);
    for (size_t i = 0; !r && i < connection->header_count; i++) {
        /* A header's own name is its secret's key; its template is the hole alone (see hole_text). */
        const struct connection_header *header = &connection->headers[i];
        r = add_secret(login, header->name, &header->value, err);
        if (!r)
            r = add_placement(login, SONDE_PLACE_HEADER, header->name, NULL, err);
    }
    for (size_t i = 0; !r && i < connection->param_count; i++)
        if (!connection->params[i].value)
            r = add_secret(login, connection->params[i].key, &connection->params[i].secret, err);
    if (r < 0)
        login_finish(login);
    return r;
}

void login_finish(struct login *login)
{
    for (size_t i = 0; i < login->secret_count; i++) {
        secret_free(login->secrets[i].value);
        provider_unref(login->secrets[i].provider);
    }
    pthread_mutex_destroy(&login->lock);
}

int login_add_scheme(struct login *login, const struct sonde_auth_scheme *scheme, struct err *err)
{
    for (size_t i = 0; i < scheme->placement_count; i++) {
        const struct sonde_placement *placement = scheme->placements[i];
        if (placement->place == SONDE_PLACE_SIGV4)
            return err_set(err, ERR_INVALID,
                           "auth.type: %s signs with SigV4, which this sonde cannot do",
                           scheme->name);
        const char *name =
            placement->place == SONDE_PLACE_BASIC ? "Authorization" : placement->name;
        int r = add_placement(login, placement->place, name, placement->template_, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A value that would break out of its header line is a mistake in the file, or an attack. */
static int check_value(const char *key, const char *value, size_t size, struct err *err)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return err_set(err, ERR_INVALID,
                           "%s: the value holds a line break or control character at byte %zu; it "
                           "must be one line of text",
                           key, i);
    return 0;
}

/* One line of text, whose end does not belong to it. */
static int make_secret(const char *key, const char *value, size_t size, struct secret **ret_secret,
                       struct err *err)
{
    while (size && (value[size - 1] == '\n' || value[size - 1] == '\r'))
        size--;
    int r = check_value(key, value, size, err);
    if (r < 0)
        return r;
    struct secret *made = secret_new(value, size);
    if (!made)
        return err_set(err, ERR_MEMORY, "no memory for %s", key);
    *ret_secret = made;
    return 0;
}

static int read_file(const struct secret_ref *ref, const char *key, struct secret **ret_secret,
                     struct err *err)
{
    char *data;
    size_t size;
    int r = file_read(ref->name, SECRET_MAX, &data, &size, err);
    if (r < 0) {
        err_prefix(err, "%s: ", key);
        return r;
    }
    r = make_secret(key, data, size, ret_secret, err);
    wipe(data, size);
    mem_free(data);
    return r;
}

int secret_fetch(const struct secret_ref *ref, const char *key, const atomic_bool *stop,
                 struct secret **ret_secret, struct err *err)
{
    struct fetched fetched;
    const char *variable;
    int r;
    switch (ref->kind) {
    case SECRET_NONE:
        break;
    case SECRET_LITERAL:
        return make_secret(key, secret_reveal(ref->literal), secret_size(ref->literal), ret_secret,
                           err);
    case SECRET_ENV:
        variable = getenv(ref->name);
        if (!variable || !*variable)
            return err_set(err, ERR_INVALID,
                           "%s: the environment variable %s is not set; set it before starting "
                           "sonde, or name another",
                           key, ref->name);
        return make_secret(key, variable, strlen(variable), ret_secret, err);
    case SECRET_FILE:
        return read_file(ref, key, ret_secret, err);
    case SECRET_EXEC:
        r = exec_fetch(ref->command, key, stop, &fetched, err);
        if (!r)
            *ret_secret = fetched.value;
        return r;
    }
    return err_set(err, ERR_INVALID, "%s is missing", key);
}

static void take_value(struct login *login, struct login_secret *secret, struct secret *made)
{
    if (secret->value && !secret_equal(secret->value, made))
        login->generation++;
    secret_free(secret->value);
    secret->value = made;
}

static int read_again(struct login *login, struct login_secret *secret, bool force, struct err *err)
{
    struct stat st;
    struct secret *made;
    if (stat(secret->ref.name, &st) < 0)
        return err_set(err, ERR_SYSTEM, "%s: cannot read %s: %s", secret->key, secret->ref.name,
                       strerror(errno));
    if (!force && secret->value && st.st_mtim.tv_sec == secret->changed.tv_sec &&
        st.st_mtim.tv_nsec == secret->changed.tv_nsec && st.st_ino == secret->inode &&
        st.st_size == secret->size)
        return 0;
    int r = read_file(&secret->ref, secret->key, &made, err);
    if (r < 0)
        return r;
    take_value(login, secret, made);
    secret->changed = st.st_mtim;
    secret->inode = st.st_ino;
    secret->size = st.st_size;
    return 0;
}

static int take_provided(struct login *login, struct login_secret *secret, struct err *err)
{
    unsigned generation = secret->provided;
    struct secret *made = provider_take(secret->provider, &generation);
    if (made) {
        int r = check_value(secret->key, secret_reveal(made), secret_size(made), err);
        if (r < 0) {
            secret_free(made);
            return r;
        }
        take_value(login, secret, made);
    }
    return secret->value ? 0 : err_set(err, ERR_SYSTEM, "%s has not been fetched yet", secret->key);
}

/* Makes secret->value current. */
static int refresh(struct login *login, struct login_secret *secret, bool force, struct err *err)
{
    if (secret->provider)
        return take_provided(login, secret, err);
    if (secret->ref.kind == SECRET_FILE)
        return read_again(login, secret, force, err);
    struct secret *made = NULL;
    int r = secret->value ? 0 : secret_fetch(&secret->ref, secret->key, NULL, &made, err);
    if (made)
        take_value(login, secret, made);
    return r;
}

/* The bytes a hole stands for; size 0 and "" when the key is not set. Under the lock. */
static int hole_text(struct login *login, const char *key, size_t size, const char **ret_text,
                     size_t *ret_size, struct err *err)
{
    const struct connection *connection = login->connection;
    *ret_text = "";
    *ret_size = 0;
    struct login_secret *secret = find_secret(login, key, size);
    if (secret) {
        int r = refresh(login, secret, false, err);
        if (r < 0)
            return r;
        if (secret->value) {
            *ret_text = secret_reveal(secret->value);
            *ret_size = secret_size(secret->value);
        }
        return 0;
    }
    if (size == strlen("auth.user") && memcmp(key, "auth.user", size) == 0 && connection->auth.user)
        *ret_text = connection->auth.user;
    for (size_t i = 0; i < connection->param_count; i++) {
        const struct connection_param *param = &connection->params[i];
        if (param->value && strlen(param->key) == size && memcmp(param->key, key, size) == 0)
            *ret_text = param->value;
    }
    *ret_size = strlen(*ret_text);
    return check_value("auth", *ret_text, *ret_size, err);
}

static int fill_template(struct login *login, const char *template_, struct buf *out,
                         struct err *err)
{
    while (*template_) {
        const char *open = strchr(template_, '{');
        const char *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            buf_add(out, template_);
            return 0;
        }
        buf_add_n(out, template_, (size_t)(open - template_));
        const char *text;
        size_t size;
        int r = hole_text(login, open + 1, (size_t)(close - open - 1), &text, &size, err);
        if (r < 0)
            return r;
        buf_add_n(out, text, size);
        template_ = close + 1;
    }
    return 0;
}

static void add_query_value(struct buf *out, const char *data, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            buf_add_char(out, (char)c);
            continue;
        }
        buf_add_char(out, '%');
        buf_add_char(out, digits[c >> 4]);
        buf_add_char(out, digits[c & 15]);
    }
}

int login_write(struct login *login, size_t i, struct buf *out, struct err *err)
{
    const struct login_placement *placement = &login->placements[i];
    struct buf text = BUF(4 * SECRET_MAX);
    const char *plain;
    size_t size;
    pthread_mutex_lock(&login->lock);
    int r = 0;
    if (placement->template_) {
        r = fill_template(login, placement->template_, &text, err);
    } else {
        r = hole_text(login, placement->name, strlen(placement->name), &plain, &size, err);
        if (!r)
            buf_add_n(&text, plain, size);
    }
    pthread_mutex_unlock(&login->lock);
    if (!r && placement->place == SONDE_PLACE_BASIC) {
        buf_add(out, "Basic ");
        base64_add(out, buf_text(&text), text.size);
    } else if (!r && placement->place == SONDE_PLACE_QUERY) {
        add_query_value(out, buf_text(&text), text.size);
    } else if (!r) {
        buf_add_n(out, buf_text(&text), text.size);
    }
    if (!r && (text.failed || out->failed))
        r = err_set(err, ERR_LIMIT, "%s: the login is larger than %d bytes", placement->name,
                    SECRET_MAX);
    if (text.data)
        wipe(text.data, text.capacity);
    buf_finish(&text);
    return r;
}

void login_reread(struct login *login)
{
    pthread_mutex_lock(&login->lock);
    for (size_t i = 0; i < login->secret_count; i++)
        if (login->secrets[i].ref.kind == SECRET_FILE || login->secrets[i].provider)
            /* A file that cannot be read leaves the old value; the next request says what is wrong. */
            refresh(login, &login->secrets[i], true, NULL);
    pthread_mutex_unlock(&login->lock);
}

unsigned login_generation(struct login *login)
{
    pthread_mutex_lock(&login->lock);
    unsigned generation = login->generation;
    pthread_mutex_unlock(&login->lock);
    return generation;
}

/* ---- What must be fetched ---- */

int login_use_providers(struct login *login, struct io *io, struct connection *connection,
                        struct err *err)
{
    for (size_t i = 0; i < login->secret_count; i++) {
        struct login_secret *secret = &login->secrets[i];
        bool oauth2 = connection->auth.type == AUTH_OAUTH2 && str_eq(secret->key, "auth.token");
        if (!oauth2 && secret->ref.kind != SECRET_EXEC)
            continue;
        secret->provider = provider_of(io, connection, secret->key, &secret->ref, oauth2);
        if (!secret->provider)
            return err_set(err, ERR_MEMORY, "no memory for %s", secret->key);
    }
    return 0;
}

bool login_is_ready(const struct login *login)
{
    for (size_t i = 0; i < login->secret_count; i++)
        if (login->secrets[i].provider && !provider_is_fresh(login->secrets[i].provider))
            return false;
    return true;
}

bool login_has_providers(const struct login *login)
{
    for (size_t i = 0; i < login->secret_count; i++)
        if (login->secrets[i].provider)
            return true;
    return false;
}

bool login_may_change(const struct login *login)
{
    return login->reads_files || login_has_providers(login);
}

void login_take_fetched(struct login *login)
{
    if (!login_has_providers(login))
        return;
    pthread_mutex_lock(&login->lock);
    for (size_t i = 0; i < login->secret_count; i++)
        if (login->secrets[i].provider)
            /* A value that cannot be used is told when it is to be written. */
            (void)take_provided(login, &login->secrets[i], NULL);
    pthread_mutex_unlock(&login->lock);
}

void login_refuse(struct login *login, unsigned generation, int64_t since_ns)
{
    pthread_mutex_lock(&login->lock);
    for (size_t i = 0; login->generation == generation && i < login->secret_count; i++)
        if (login->secrets[i].provider)
            provider_refuse(login->secrets[i].provider, login->secrets[i].provided, since_ns);
    pthread_mutex_unlock(&login->lock);
}
