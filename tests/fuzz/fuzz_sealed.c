/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed text: what opens must have been sealed with the one key there is, and reseal agrees with unseal. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "secrets/keyring.h"

static struct keyring *keyring;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct seal_place place = {"t", "r", "u", "f"};
    if (!keyring) {
        char variable[] = "one:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        struct keyring_source source = {.environment = "SONDE_FUZZ_KEYS"};
        bool made;
        if (setenv("SONDE_FUZZ_KEYS", variable, 1) || keyring_open(&source, &keyring, &made, NULL))
            abort();
    }
    char *text = mem_strndup((const char *)data, size);
    struct secret *secret = NULL;
    struct buf out = BUF(SEALED_MAX);
    bool changed = false;
    char id[KEY_ID_MAX + 1];
    if (!text)
        abort();
    int r = unseal(keyring, &place, text, &secret, NULL);
    int again = reseal(keyring, &place, text, &out, &changed, NULL);
    if (!r && (again || changed || sealed_key_id(text, id, NULL) || strcmp(id, "one") != 0))
        abort();
    if (!r && secret_size(secret) > 16384)
        abort();
    secret_free(secret);
    buf_finish(&out);
    mem_free(text);
    return 0;
}
