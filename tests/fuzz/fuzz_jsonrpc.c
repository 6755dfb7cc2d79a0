/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to a peer of the protocol; whatever it sends must be one valid JSON-RPC message (or a batch) each. */
#include <stdlib.h>
#include <string.h>

#include "fake_service.h"
#include "fuzz.h"
#include "mcp/mcp.h"

static void check_message(struct json_object *message)
{
    const char *version = json_string_of(message, "jsonrpc");
    bool is_answer = json_object_object_get_ex(message, "id", NULL) &&
                     (json_member(message, "result") || json_member(message, "error"));
    if (!version || strcmp(version, "2.0") || (!is_answer && !json_string_of(message, "method")))
        abort();
}

static void check(void *user, const struct mcp_out *out)
{
    (void)user;
    if (!out->size)
        return;
    struct json_object *object = NULL;
    if (json_parse(out->text, out->size, 256, &object, NULL))
        abort();
    if (json_object_is_type(object, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(object); i++)
            check_message(json_object_array_get_idx(object, i));
    } else {
        check_message(object);
    }
    json_object_put(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct service *service;
    if (!service)
        service = fake_service_create(20);
    struct mcp_peer *peer = NULL;
    struct mcp_channel channel = {.request_id = ""};
    if (mcp_peer_create(service, &PRINCIPAL_LOCAL, check, NULL, &peer))
        abort();
    const char *text = (const char *)data;
    while (size) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;
        mcp_receive(peer, &channel, text, length);
        mcp_peer_tick(peer);
        text += length + (end != NULL);
        size -= length + (end != NULL);
    }
    mcp_peer_wait_idle(peer, 1000);
    mcp_peer_destroy(peer, 10000);
    return 0;
}
