/* SPDX-License-Identifier: Apache-2.0 */
/* A document of keys: what is taken of it can be used, and equals itself alone. */
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char signature[64] = {1};
    struct jwk_set set = {0};
    struct err err = {0};
    if (jwk_set_parse((const char *)data, size, &set, &err)) {
        if (set.count || !err.text[0])
            abort();
        return 0;
    }
    if (!set.count || !jwk_set_equal(&set, &set))
        abort();
    struct jwt jwt = {.signed_text = "a.b",
                      .signed_size = 3,
                      .signature = signature,
                      .signature_size = sizeof signature};
    for (int i = JWT_RS256; i <= JWT_EDDSA; i++) {
        jwt.algorithm = (enum jwt_algorithm)i;
        const struct jwk *key = jwk_set_find(&set, &jwt);
        if (key && jwt_verify(&jwt, key, &err) == 0)
            abort();
    }
    jwk_set_finish(&set);
    return 0;
}
