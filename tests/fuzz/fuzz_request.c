/* SPDX-License-Identifier: Apache-2.0 */
/* Lines: a path, then a header's name and value. What the checks let pass must hold none of what could change its meaning on the wire. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "io/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    char *name = strchr(text, '\n');
    char *value = NULL;
    if (name) {
        *name++ = '\0';
        value = strchr(name, '\n');
        if (value)
            *value++ = '\0';
    }
    struct err err = {0};
    if (!request_check_path(text, &err)) {
        if (text[0] != '/' || text[1] == '/' || strpbrk(text, "\r\n #"))
            abort();
        size_t path = strcspn(text, "?");
        for (size_t i = 0; i + 3 <= path; i++)
            if (memcmp(text + i, "/..", 3) == 0 && (i + 3 == path || text[i + 3] == '/'))
                abort();
    } else if (!err.text[0]) {
        abort();
    }
    if (value && !request_check_header(name, value, &err) &&
        (strpbrk(value, "\r\n") || strpbrk(name, ": \r\n")))
        abort();
    free(text);
    return 0;
}
