/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's own file of tokens, for the first start and for machines: lines "TOKEN [USER [RIGHTS]]" ('#' begins a comment), kept as
 * SHA-256 only. Rights are admin where none are given; a token without a user has one of its own, "token-" and eight digits of its hash.
 * The file is made with one random token where none exists, and is readable by its owner alone.
 *
 * Ownership: tokens_free. Threads: tokens_check, tokens_count and tokens_reload from any thread.
 */
#ifndef AUTH_TOKENS_H
#define AUTH_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"
#include "base/err.h"
#include "model/principal.h"

struct tokens;

#define TOKEN_MIN_BYTES 16 /* shorter ones are refused when the file is read */
#define TOKEN_MAX_BYTES 1024
#define TOKENS_MAX 10000

/*
 * Reads the file, or makes it (0600, its folders 0700, written under a temporary name and linked into place, so that two starts agree)
 * and says so in ret_made. A file without a token is one that nobody wants to be let in by. It belongs to the user of the process or
 * to root, and nobody else may read it; root's may be readable by its group, as systemd's credentials are. 0; ERR_INVALID (readable by
 * others, another owner, a bad line: which and why), ERR_SYSTEM, ERR_MEMORY.
 */
int tokens_open(const char *path, struct tokens **ret_tokens, bool *ret_made, struct err *err);
/* The same without making the file: ERR_NOT_FOUND where there is none. */
int tokens_read(const char *path, struct tokens **ret_tokens, struct err *err);
/*
 * Reads it again; on failure the tokens in use stay. A file without a token takes effect: that is how the last one is taken away.
 */
int tokens_reload(struct tokens *tokens, struct err *err);
/*
 * Constant time in what is compared. 0 and who it is, or ERR_NOT_FOUND. token NULL is unknown. The principal's id is made of its name
 * (derived_id "user"); its token is "token-" with 24 digits of the hash.
 */
int tokens_check(struct tokens *tokens, const char *token, struct principal *ret_principal);
/* Each line's principal, under the lock, until each returns other than 0, which is returned. */
int tokens_each(struct tokens *tokens, int (*each)(void *user, const struct principal *principal),
                void *user);
size_t tokens_count(struct tokens *tokens);
const char *tokens_path(const struct tokens *tokens);
void tokens_free(struct tokens *tokens);
DEFINE_CLEANUP(struct tokens *, tokens_free);

/*
 * Where the file is when nobody says: $STATE_DIRECTORY/tokens (set by systemd), $XDG_STATE_HOME/sonde/tokens, for root
 * /var/lib/sonde/tokens, else ~/.local/state/sonde/tokens. Main thread. 0, or ERR_INVALID where none of them is known.
 */
int tokens_default_path(char *path, size_t size, struct err *err);

#endif
