/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed values inside a JSON document, as the store keeps a connection's configuration: {"sealed": "sonde1:..."} wherever a secret stands.
 * A value's field is its place in the document: the keys down to it joined by dots ("auth.token", "headers.X-Api-Key"), list members by
 * their number ("list.0").
 *
 * A document of a user's must hold no such object before it is sealed here: sealed_walk finds them, so whoever takes one from outside refuses it.
 *
 * Ownership: documents are the caller's, changed in place. Threads: one thread a document.
 */
#ifndef SECRETS_SEALED_JSON_H
#define SECRETS_SEALED_JSON_H

#include <stdbool.h>
#include "base/json.h"
#include "secrets/keyring.h"

#define SEALED_FIELD_MAX 512 /* bytes of a field's name */
#define SEALED_DEPTH_MAX 16

/* The text of {"sealed": TEXT}; NULL when the value is anything else. Lifetime of the value. */
const char *sealed_text(struct json_object *value);

/*
 * Called for each sealed value, in the document's order. *ret_value: what is put in its place (handed over), or left NULL to keep it. Not 0 ends
 * the walk with that code.
 */
typedef int sealed_visit(void *user, const char *field, const char *sealed,
                         struct json_object **ret_value, struct err *err);
/* 0, what visit returned, ERR_LIMIT (deeper, or a longer field, than accepted) or ERR_MEMORY. */
int sealed_walk(struct json_object *document, sealed_visit *visit, void *user, struct err *err);

/* Makes {"sealed": ...} of a value; place->field is where it will stand. 0 or as seal. */
int sealed_make(struct keyring *keyring, const struct seal_place *place, const void *data,
                size_t size, struct json_object **ret_value, struct err *err);
/* Puts every sealed value of the document under the active master key; place->field is not looked at. 0, as reseal (the text names the field). */
int sealed_reseal(struct keyring *keyring, const struct seal_place *place,
                  struct json_object *document, bool *ret_changed, struct err *err);

#endif
