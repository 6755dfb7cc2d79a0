/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacks a gzip or deflate body into memory the caller offers, stopping wherever that is full: so a
 * paused answer holds nothing but its window, however well it was packed.
 *
 * Ownership: decoder_finish frees. Threads: one thread at a time.
 */
#ifndef IO_DECODE_H
#define IO_DECODE_H

#include <stdbool.h>
#include <stddef.h>

struct decoder;

/* coding: a Content-Encoding value, any case. NULL when there is no memory. */
bool decoder_knows(const char *coding);
struct decoder *decoder_new(void);
void decoder_finish(struct decoder *decoder);
/*
 * Takes from in[*in_size] and writes to out[*out_size]; both sizes become what was used. 0, or -1 when
 * the bytes are not what they should be. Call again with *in_size 0 while decoder_holds says that
 * more output is ready. Bytes after the end of the stream are swallowed; a further gzip member is read.
 */
int decoder_step(struct decoder *decoder, const void *in, size_t *in_size, void *out,
                 size_t *out_size);
bool decoder_holds(const struct decoder *decoder);
/* The stream's own end was seen (or no byte of it came). */
bool decoder_complete(const struct decoder *decoder);

#endif
