/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a negative code and one message for the person who must mend it, made where the facts are.
 *
 * Ownership: the struct holds its text; nothing to free. Threads: one struct, one thread.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>
#include <stdint.h>
#include <sonde/types.h>

/* Codes beside the ABI's SONDE_E_*, which are -1 to -99. */
#define ERR_INVALID (-101)   /* input of the caller's: an argument, a file, a message */
#define ERR_NOT_FOUND (-102) /* connection, tool, plugin, cursor ... */
#define ERR_LIMIT (-103)     /* a limit of ours */
#define ERR_MEMORY (-104)
#define ERR_SYSTEM (-105)      /* a system call; the text holds strerror */
#define ERR_BUSY (-106)        /* no call thread, no memory left: come back */
#define ERR_CONFLICT (-107)    /* a name that is taken, a revision that has moved on */
#define ERR_UNAVAILABLE (-108) /* the store cannot be reached now */
#define ERR_FORBIDDEN (-109)   /* the caller's rights do not reach so far */

struct err {
    int code;         /* 0: none */
    int64_t position; /* byte in the text it is about, or -1 */
    int64_t wait_ms;  /* come back after; 0 unknown */
    char text[1536];
};

/* Sets code and text (cut to fit, valid UTF-8) and returns code. err may be NULL. */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts words before the text: "file.yaml:3: " + text. */
void err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The class as users see it: "bad_query", "auth", "unreachable", "limit" ...; static. */
const char *err_class(int code);

#endif
