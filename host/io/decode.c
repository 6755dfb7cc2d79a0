/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/decode.h"

#include <limits.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/str.h"

struct decoder {
    z_stream stream;
    bool begun;   /* inflateInit was called */
    bool any;     /* a byte came */
    bool ended;   /* the current member is complete */
    bool garbage; /* bytes after the last member */
    bool holds;
};

bool decoder_knows(const char *coding)
{
    return str_eq_nocase(coding, "gzip") || str_eq_nocase(coding, "x-gzip") ||
           str_eq_nocase(coding, "deflate");
}

struct decoder *decoder_new(void)
{
    return mem_alloc(sizeof(struct decoder));
}

void decoder_finish(struct decoder *decoder)
{
    if (!decoder)
        return;
    if (decoder->begun)
        inflateEnd(&decoder->stream);
    mem_free(decoder);
}

/*
 * "deflate" should be a zlib stream (RFC 9110 section 8.4.1.2), but some servers send the raw one. A
 * zlib stream's first byte has 8 in its low four bits and at most 7 above; a raw one that begins so
 * would be a stored block with padding bits set, which no packer writes.
 */
static int begin(struct decoder *decoder, unsigned char first)
{
    int bits = MAX_WBITS + 32; /* gzip or zlib, by its header */
    bool gzip = first == 0x1f;
    bool zlib = (first & 0x0f) == 8 && first >> 4 <= 7;
    if (!gzip && !zlib)
        bits = -MAX_WBITS;
    if (inflateInit2(&decoder->stream, bits) != Z_OK)
        return -1;
    decoder->begun = true;
    return 0;
}

/* After a member: another one, or garbage, which gzip itself ignores too. */
static int next_member(struct decoder *decoder, unsigned char first)
{
    if (first != 0x1f || inflateReset2(&decoder->stream, MAX_WBITS + 16) != Z_OK) {
        decoder->garbage = true;
        return 0;
    }
    decoder->ended = false;
    return 0;
}

int decoder_step(struct decoder *decoder, const void *in, size_t *in_size, void *out,
                 size_t *out_size)
{
    const unsigned char *bytes = in;
    size_t offered = *in_size < UINT_MAX ? *in_size : UINT_MAX;
    size_t room = *out_size < UINT_MAX ? *out_size : UINT_MAX;
    *out_size = 0;
    if (offered) {
        if (!decoder->any && begin(decoder, bytes[0]) < 0)
            return -1;
        decoder->any = true;
        if (decoder->ended && !decoder->garbage)
            next_member(decoder, bytes[0]);
    }
    if (decoder->ended || !decoder->begun) {
        decoder->holds = false;
        return 0; /* *in_size stays: swallowed */
    }
    z_stream *stream = &decoder->stream;
    stream->next_in = (z_const Bytef *)(offered ? bytes : NULL);
    stream->avail_in = (uInt)offered;
    stream->next_out = out;
    stream->avail_out = (uInt)room;
    int r = inflate(stream, Z_NO_FLUSH);
    if (r == Z_BUF_ERROR)
        r = Z_OK; /* nothing to do this time */
    *in_size = offered - stream->avail_in;
    *out_size = room - stream->avail_out;
    decoder->holds = r == Z_OK && stream->avail_out == 0;
    stream->next_in = NULL;
    stream->next_out = NULL;
    if (r == Z_STREAM_END)
        decoder->ended = true;
    return r == Z_OK || r == Z_STREAM_END ? 0 : -1;
}

bool decoder_holds(const struct decoder *decoder)
{
    return decoder->holds;
}

bool decoder_complete(const struct decoder *decoder)
{
    return !decoder->any || decoder->ended;
}
