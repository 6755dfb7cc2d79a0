/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw bytes of a request, looked at before the parser library sees them: what its callbacks no longer show (bare LF, folds, blanks
 * before a colon, control bytes) is refused here, byte by byte, so that the verdict never depends on how the bytes were cut into reads.
 *
 * Ownership: plain state; nothing to free. Threads: one state, one thread.
 */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_MAX_BYTES ((size_t)16 * 1024)
#define HEAD_MAX_LINES 64u
#define URI_MAX_BYTES ((size_t)8 * 1024)

/* Why a message is refused: the status to answer with and one sentence. */
struct refusal {
    int status;
    const char *detail; /* static */
};

enum scan_result { SCAN_MORE, SCAN_DONE, SCAN_REFUSED };

struct scan_head {
    uint32_t at; /* bytes looked at; the size of the head when done */
    uint32_t line_start;
    uint16_t lines; /* header lines so far */
    uint8_t
        skipped; /* an empty line before the request line, which RFC 9112 2.2 lets pass: 2 bytes */
    bool first_done;
    bool cr; /* the byte before was CR */
};

/* head: all bytes of the head so far, from the first on, with size more than at the last call. */
enum scan_result scan_head(struct scan_head *scan, const char *head, size_t size,
                           struct refusal *ret_refusal);

/* One line of chunked framing: a size line, the line end after data, or a line of the trailers. */
enum scan_chunk_kind { CHUNK_SIZE, CHUNK_DATA_END, CHUNK_TRAILERS };

struct scan_chunk {
    enum scan_chunk_kind kind;
    uint16_t line_bytes;
    uint16_t trailer_bytes;
    uint8_t state; /* within the line */
};

void scan_chunk_begin(struct scan_chunk *scan, enum scan_chunk_kind kind);
/*
 * DONE with *ret_used bytes taken: the line (or all trailers) ended there. MORE: all were taken. The caller feeds the taken bytes of
 * size lines and line ends to the parser, which has the last word on numbers.
 */
enum scan_result scan_chunk(struct scan_chunk *scan, const char *data, size_t size,
                            size_t *ret_used, struct refusal *ret_refusal);

bool is_token_char(unsigned char c);

#endif
