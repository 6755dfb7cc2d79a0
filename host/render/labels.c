/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "render/clean.h"
#include "render/render.h"

static bool is_name(const struct sonde_label *label)
{
    static const char name[] = "__name__";
    return label->name_size == sizeof name - 1 && memcmp(label->name, name, sizeof name - 1) == 0;
}

void render_labels(struct buf *buf, const struct sonde_label *labels, size_t n)
{
    size_t shown = 0;
    bool named = false;
    for (size_t i = 0; i < n; i++) {
        if (is_name(&labels[i])) {
            buf_add_shown(buf, labels[i].value, labels[i].value_size, true);
            named = true;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (is_name(&labels[i]))
            continue;
        buf_add(buf, shown++ ? ", " : "{");
        buf_add_shown(buf, labels[i].name, labels[i].name_size, true);
        buf_add(buf, "=\"");
        const char *value = labels[i].value;
        size_t run = 0;
        for (size_t k = 0; k < labels[i].value_size; k++) {
            if (value[k] != '"' && value[k] != '\\')
                continue;
            buf_add_shown(buf, value + run, k - run, true);
            buf_add_char(buf, '\\');
            run = k;
        }
        buf_add_shown(buf, value + run, labels[i].value_size - run, true);
        buf_add_char(buf, '"');
    }
    if (shown)
        buf_add_char(buf, '}');
    else if (!named)
        buf_add(buf, "{}");
}
