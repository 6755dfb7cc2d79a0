/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read a connection share: connection_read.c (who, where, login), connection_fetched.c (logins that are fetched),
 * connection_keys.c (the rest).
 *
 * Ownership: the connection being read owns what is copied. Threads: one reader a thread.
 */
#ifndef SERVICE_CONNECTION_READER_H
#define SERVICE_CONNECTION_READER_H

#include "service/connection_read.h"

#define MAX_KEYS 64
#define TAGS_MAX 32
#define ENFORCE_MAX 16
#define DESCRIPTION_MAX 4096

struct reader {
    struct connection_reading *reading;
    struct check *check;
    const struct adapter *adapter; /* NULL: unknown, parameters are not looked at */
    struct connection *connection;
    const struct node *outer; /* name, backend, description, default, tags */
    const struct node *map;   /* the other keys: the same map, or connection_config of a row */
};

const char *reader_copy(struct reader *reader, const char *text);
void reader_text(struct reader *reader, const struct node *map, const char *key,
                 const char **ret_text);
void reader_bool(struct reader *reader, const struct node *map, const char *key, bool *ret_value);
/* A secret's value is never part of a message. */
bool reader_secret(struct reader *reader, const struct node *node, struct secret_ref *ret);
/* A key that a login of this type cannot do without. */
const struct node *reader_need(struct reader *reader, const struct node *map, const char *key,
                               const char *type);
/* The list of a program and its arguments. */
bool reader_exec(struct reader *reader, const struct node *node, struct secret_ref *ret);
/* The keys of auth.type oauth2. */
void reader_oauth2(struct reader *reader, const struct node *auth);
/* Notes a value written out, for the one who seals it. */
void reader_note_secret(struct reader *reader, const struct node *node);
/* Of a row or a body: what is sealed, masked, or not for everybody. 1: it is none of these, and read like the file's. */
int reader_kept_secret(struct reader *reader, const struct node *node, struct secret_ref *ret);

/* The keys that go with the name; those of a row or a body are all of them. */
void reader_outer_keys(struct reader *reader);
void reader_description(struct reader *reader);
void reader_tags(struct reader *reader);
void reader_limits(struct reader *reader);
void reader_ui(struct reader *reader);
void reader_proxy(struct reader *reader);
/* The filters every query is held to. */
void reader_enforce(struct reader *reader);
/* Who may see it: of the operator's file only. */
void reader_access(struct reader *reader);
/* Whatever is left must be parameters of the adapter. */
void reader_all_params(struct reader *reader);

#endif
