/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service without backends for tests of the protocol: implements what host/mcp uses of service.h;
 * the call threads are fake_calls.h. What query_metrics does follows from its query:
 *   "sleep"       until cancelled or past the deadline
 *   "sleep 300ms" that long, then answers
 *   "big"         an answer of about 250 kB
 *   "newline"     an answer whose JSON holds newlines between its tokens
 *   "print"       prints to standard output, as a careless plugin would, then answers
 *   "steps"       reports progress 0, 1, 1, 0.5, 2, 3 of 3, then answers
 *   "blocks"      an answer with two further content blocks
 *   "fail"        an answer that is an error
 *   "memory"      the service itself fails
 *   anything else an answer that repeats query and connection_id
 *
 * Ownership: fake_service_destroy frees, after the last call. Threads: as service.h.
 */
#ifndef TESTS_FAKE_SERVICE_H
#define TESTS_FAKE_SERVICE_H

#include "fake_calls.h"

#endif
