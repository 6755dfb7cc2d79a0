/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks on what an adapter wants sent: a method, a path and headers that cannot mean anything but
 * what they say.
 *
 * Ownership: nothing kept. Threads: pure functions.
 */
#ifndef IO_REQUEST_H
#define IO_REQUEST_H

#include <sonde/http.h>
#include "base/err.h"

/*
 * One leading '/', no byte outside printable ASCII, no '#', no "." or ".." segment before the '?' (also
 * percent-encoded: servers decode before they resolve). 0 or ERR_INVALID.
 */
int request_check_path(const char *path, struct err *err);
/* A header an adapter or a scope may send: see http.h for the ones the host owns. */
int request_check_header(const char *name, const char *value, struct err *err);
/* The name of a header that the user configured: all but those that frame a message. */
int request_check_own_header(const char *name, struct err *err);
/* Everything of a request. */
int request_check(const struct sonde_request *request, struct err *err);

#endif
