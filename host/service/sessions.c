/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sessions.h"

#include <pthread.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

struct found_session {
    char id[37];
    int64_t seen_ns; /* clock_mono_ns */
};

struct session_table {
    pthread_mutex_t lock;
    struct map sessions; /* "user token client" -> struct found_session */
};

int session_table_create(struct session_table **ret_table)
{
    struct session_table *table = mem_alloc(sizeof *table);
    if (!table || pthread_mutex_init(&table->lock, NULL)) {
        mem_free(table);
        return ERR_MEMORY;
    }
    map_init(&table->sessions, SESSIONS_MAX);
    *ret_table = table;
    return 0;
}

void session_table_free(struct session_table *table)
{
    if (!table)
        return;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&table->sessions, &i));)
        mem_free(entry->value);
    map_finish(&table->sessions);
    pthread_mutex_destroy(&table->lock);
    mem_free(table);
}

void session_begin(struct principal *principal, const char *front)
{
    snprintf(principal->front, sizeof principal->front, "%s", front);
    uuid7(principal->session);
}

void session_set_client(struct principal *principal, const char *name, const char *version)
{
    char text[2 * sizeof principal->client];
    int n = snprintf(text, sizeof text, "%s%s%s", name ? name : "", name && version ? " " : "",
                     version ? version : "");
    utf8_clean(principal->client, sizeof principal->client, text,
               n < 0                     ? 0
               : (size_t)n < sizeof text ? (size_t)n
                                         : sizeof text - 1);
}

void session_named(struct principal *principal, const char *name)
{
    static const char hex[] = "0123456789abcdef";
    struct buf text = BUF(4096);
    unsigned char digest[SHA256_BYTES] = {0};
    buf_printf(&text, "%s\n%.1024s", principal->id, name);
    if (text.failed || crypto_sha256(buf_text(&text), text.size, digest))
        uuid7(principal->session);
    buf_finish(&text);
    digest[6] = (unsigned char)((digest[6] & 0x0f) | 0x80); /* version 8, RFC 9562 section 5.8 */
    digest[8] = (unsigned char)((digest[8] & 0x3f) | 0x80);
    char *to = principal->session;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = hex[digest[i] >> 4];
        *to++ = hex[digest[i] & 15];
    }
    *to = '\0';
}

/* One that is idle too long goes; a full table loses all of those. */
static void expire(struct session_table *table, int64_t now_ns)
{
    struct map kept;
    map_init(&kept, SESSIONS_MAX);
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&table->sessions, &i));) {
        struct found_session *session = entry->value;
        if (now_ns - session->seen_ns > SESSION_IDLE_MIN * NS_PER_MIN ||
            map_set(&kept, entry->key, entry->key_size, session, NULL))
            mem_free(session);
    }
    map_finish(&table->sessions);
    table->sessions = kept;
}

static struct found_session *add(struct session_table *table, const char *key, size_t size,
                                 int64_t now_ns)
{
    if (table->sessions.count >= SESSIONS_MAX)
        expire(table, now_ns);
    struct found_session *session = mem_alloc(sizeof *session);
    if (session && map_set(&table->sessions, key, size, session, NULL)) {
        mem_free(session);
        session = NULL;
    }
    return session;
}

void session_find(struct session_table *table, struct principal *principal, const char *named)
{
    if (named && *named) {
        session_named(principal, named);
        return;
    }
    char key[256];
    int n =
        snprintf(key, sizeof key, "%s %s %s", principal->id, principal->token, principal->client);
    size_t size = n < 0 ? 0 : (size_t)n;
    int64_t now_ns = clock_mono_ns();
    pthread_mutex_lock(&table->lock);
    struct found_session *session = map_get(&table->sessions, key, size);
    bool fresh = session && now_ns - session->seen_ns <= SESSION_IDLE_MIN * NS_PER_MIN;
    if (!session)
        session = add(table, key, size, now_ns);
    if (session && !fresh)
        uuid7(session->id);
    if (session) {
        session->seen_ns = now_ns;
        snprintf(principal->session, sizeof principal->session, "%s", session->id);
    } else {
        uuid7(principal->session); /* no room: a session for this call alone */
    }
    pthread_mutex_unlock(&table->lock);
}
