/* SPDX-License-Identifier: Apache-2.0 */
#include "service/manage_internal.h"

#include <string.h>

#include "base/str.h"

struct stages {
    struct buf json;
};

static void add_stage(void *user, const struct service_stage *stage)
{
    struct buf *json = &((struct stages *)user)->json;
    char clean[1024];
    utf8_clean(clean, sizeof clean, stage->detail, strlen(stage->detail));
    buf_json_sep(json);
    buf_add(json, "{\"stage\":");
    buf_json_string(json, stage->name, strlen(stage->name));
    buf_printf(json, ",\"ok\":%s", stage->ok > 0 ? "true" : stage->ok == 0 ? "false" : "null");
    buf_json_key(json, "detail");
    buf_json_string(json, clean, strlen(clean));
    if (*stage->setting) {
        buf_json_key(json, "setting");
        buf_json_string(json, stage->setting, strlen(stage->setting));
    }
    buf_add_char(json, '}');
}

int manage_test(struct service *service, struct call *call, const char *id, struct buf *out,
                struct err *err)
{
    struct managed found;
    struct err failure = {0};
    int r = manage_may(&call->principal, RIGHT_MANAGE, "test connections", err);
    if (!r)
        r = manage_find(service, &call->principal, id, &found, err);
    if (r)
        return r;
    struct stages stages = {.json = BUF(64 * 1024)};
    r = service_connection_test(service, call, found.slot->connection->id, add_stage, &stages,
                                &failure);
    buf_printf(out, "{\"ok\":%s,\"stages\":[%s]", r ? "false" : "true", buf_text(&stages.json));
    if (r) {
        buf_json_key(out, "error");
        char clean[sizeof failure.text];
        utf8_clean(clean, sizeof clean, failure.text, strlen(failure.text));
        buf_json_string(out, clean, strlen(clean));
    }
    buf_add_char(out, '}');
    bool failed = stages.json.failed || out->failed;
    buf_finish(&stages.json);
    managed_finish(&found);
    return failed ? err_set(err, ERR_MEMORY, "no memory for the test") : 0;
}
