/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts every answer has, cut until they leave room for rows. Internal to answer/.
 *
 * Ownership: text is appended to the caller's buffer. Threads: pure functions.
 */
#ifndef ANSWER_ENVELOPE_H
#define ANSWER_ENVELOPE_H

#include "answer/answer.h"

/* What the rows add to the envelope. */
struct envelope_rows {
    bool has_total;
    bool truncated;
    bool total_at_least;
    uint64_t total;
    size_t returned;
    const char *cursor; /* NULL none */
    const char *note;   /* one more note; NULL none */
};

/* How much of each part is shown; envelope_fit chooses. */
struct envelope_cut {
    size_t query;  /* bytes of each executed query */
    size_t error;  /* bytes of each error */
    size_t errors; /* connections with an error shown */
    size_t others; /* connections without one */
    size_t not_asked;
    size_t notes;
    size_t note; /* bytes of each */
    size_t next;
    bool url;
};

/* What the envelope may take beside query, errors and next. */
#define FIXED_TOKENS 200
/* Nothing left out. */
struct envelope_cut envelope_uncut(void);

#define BUDGET_DEFAULT 6000
#define BUDGET_MIN 200
size_t envelope_budget(const struct envelope *envelope);

/*
 * Chooses the cut: at most 200 tokens beside query, errors and next; everything at most share (in percent) of the
 * budget as JSON and as text.
 */
void envelope_fit(const struct envelope *envelope, const struct envelope_rows *rows, size_t share,
                  struct envelope_cut *ret_cut);

/* Members before and after the rows; the object's braces are the caller's. */
void envelope_json_head(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_cut *cut);
void envelope_json_tail(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_rows *rows, const struct envelope_cut *cut);
void envelope_text_head(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_rows *rows, const struct envelope_cut *cut);
void envelope_text_tail(struct buf *buf, const struct envelope *envelope,
                        const struct envelope_rows *rows, const struct envelope_cut *cut);

/* A buffer for an answer: nothing of one needs more. */
#define ANSWER_MAX (8u << 20)

#endif
