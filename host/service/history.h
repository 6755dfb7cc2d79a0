/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written of each tool call: a row for every connection that was asked, or one where none was. Rows go into the store's queue: a call
 * never waits for them.
 *
 * Ownership: arguments are only looked at. Threads: the call's own, before its results are let go.
 */
#ifndef SERVICE_HISTORY_H
#define SERVICE_HISTORY_H

#include "service/internal.h"

#define HISTORY_SAMPLE_ROWS 10
#define HISTORY_SAMPLE_MAX 4096u
#define HISTORY_TEXT_MAX ((size_t)64 * 1024)

/*
 * Notes a call that ended with answer, or that failed with failure (code 0: it did not). Nothing is written without a store, without a session, or
 * where the call asked nobody and all went well.
 */
void history_note(struct ask *ask, struct json_object *arguments, const struct answer *answer,
                  const struct err *failure);
/* The same for one that did not even get to its arguments. */
void history_note_refused(struct service *service, const struct principal *principal,
                          const char *tool, struct json_object *arguments,
                          const struct err *failure);

#endif
