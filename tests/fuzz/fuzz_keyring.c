/* SPDX-License-Identifier: Apache-2.0 */
/* The file of keys: what is taken has at least one key, every one under a proper id, none twice; no message holds a key. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "secrets/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ring ring = {0};
    struct err err = {0};
    int r = ring_parse((const char *)data, size, "keys", &ring, &err);
    if (r && (!err.text[0] || ring.count))
        abort();
    if (!r && (!ring.count || !ring.digest))
        abort();
    for (size_t i = 0; i < ring.count; i++)
        if (!key_id_valid(ring.keys[i].id, strlen(ring.keys[i].id)) ||
            ring_find(&ring, ring.keys[i].id) != &ring.keys[i])
            abort();
    if (strstr(err.text, "CAwQFBgcICQoL")) /* as in the corpus */
        abort();
    ring_finish(&ring);
    return 0;
}
