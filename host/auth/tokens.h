/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask over HTTP: tokens of a file, one a line ('#' begins a comment; a name may follow the token after a blank), kept as
 * SHA-256 only. The file is made with one random token where none exists, and is readable by its owner alone.
 *
 * Ownership: tokens_free. Threads: tokens_check and tokens_reload from any thread.
 */
#ifndef AUTH_TOKENS_H
#define AUTH_TOKENS_H

#include <stdbool.h>
#include "base/cleanup.h"
#include "base/err.h"
#include "model/principal.h"

struct tokens;

#define TOKEN_MIN_BYTES 16 /* shorter ones are refused when the file is read */
#define TOKENS_MAX 10000

/*
 * Reads the file, or makes it (0600, its folder 0700, written under a temporary name and linked into place, so that two starts agree)
 * and says so in ret_made. 0; ERR_INVALID (readable by others, another owner, a bad line: which and why), ERR_SYSTEM.
 */
int tokens_open(const char *path, struct tokens **ret_tokens, bool *ret_made, struct err *err);
/* Reads it again; on failure the tokens in use stay. */
int tokens_reload(struct tokens *tokens, struct err *err);
/* Constant time in what is compared. 0 and who it is, or ERR_NOT_FOUND. token NULL is unknown. */
int tokens_check(struct tokens *tokens, const char *token, struct principal *ret_principal);
void tokens_free(struct tokens *tokens);
DEFINE_CLEANUP(struct tokens *, tokens_free);

#endif
