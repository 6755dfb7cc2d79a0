/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packed body in pieces: the first byte is the size of the pieces, the second that of the room offered. However they are cut, the same
 * bytes come out, or the same fault.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "io/decode.h"

#define MOST_OUT (64u * 1024) /* a bomb need not be unpacked to its end */

/* Bytes unpacked, at most MOST_OUT of them; ret_fault is set where the stream is broken. */
static size_t unpack(const uint8_t *data, size_t size, size_t piece, size_t room, char *out,
                     int *ret_fault)
{
    struct decoder *decoder = decoder_new();
    size_t taken = 0;
    size_t made = 0;
    *ret_fault = 0;
    if (!decoder)
        abort();
    while (made + room <= MOST_OUT && (taken < size || decoder_holds(decoder))) {
        size_t in = size - taken < piece ? size - taken : piece;
        size_t got = room;
        if (decoder_holds(decoder))
            in = 0;
        size_t offered = in;
        if (decoder_step(decoder, data + taken, &in, out + made, &got)) {
            *ret_fault = 1;
            break;
        }
        if (in > offered || got > room)
            abort();
        taken += in;
        made += got;
        if (!in && !got && !decoder_holds(decoder))
            break;
    }
    decoder_finish(decoder);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char whole[MOST_OUT];
    static char pieces[MOST_OUT];
    if (size < 2)
        return 0;
    int fault_whole;
    int fault_pieces;
    size_t n = unpack(data + 2, size - 2, size, 4096, whole, &fault_whole);
    size_t k =
        unpack(data + 2, size - 2, (size_t)data[0] + 1, (size_t)data[1] + 1, pieces, &fault_pieces);
    size_t both = n < k ? n : k;
    if (memcmp(whole, pieces, both) != 0)
        abort();
    return 0;
}
