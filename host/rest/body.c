/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked of a request's body and of its If-Match before a handler sees them. */
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/str.h"
#include "rest/internal.h"

/* application/json, whatever its parameters. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t size = type ? strcspn(type, "; \t") : 0;
    return size == sizeof json - 1 && !strncasecmp(type, json, size);
}

/* The body without the members that are read only; wiped with the work: it may hold secrets. */
static int drop_read_only(struct work *work, struct json_object *body)
{
    bool dropped = false;
    for (size_t i = 0; i < work->operation->fields.count; i++) {
        const struct field *field = &work->operation->fields.list[i];
        struct json_object *value;
        if (!field->read_only || !json_object_object_get_ex(body, field->name, &value))
            continue;
        json_object_object_del(body, field->name);
        dropped = true;
    }
    if (!dropped)
        return 0;
    /* Room for the escapes that another writer may have left out: growing would leave copies behind. */
    work->rewritten = BUF(8 * REST_MAX_BODY);
    if (buf_reserve(&work->rewritten, 2 * work->body_size + 64))
        buf_json_object(&work->rewritten, body);
    else
        work->rewritten.failed = 1;
    if (work->rewritten.failed) {
        err_set(&work->err, ERR_MEMORY, "no memory for the body; try again later");
        return 503;
    }
    work->body = buf_text(&work->rewritten);
    work->body_size = work->rewritten.size;
    return 0;
}

int body_check(struct work *work)
{
    if (!work->operation->body)
        return 0;
    work->body = http_body(work->request, &work->body_size);
    if (!is_json(http_header(work->request, "Content-Type"))) {
        err_set(&work->err, ERR_INVALID,
                "the body must be JSON, and Content-Type must say so: application/json");
        return 415;
    }
    CLEANUP(json_putp) struct json_object *body = NULL;
    int r = json_parse(work->body, work->body_size, REST_MAX_DEPTH, &body, &work->err);
    if (r) {
        if (work->err.position >= 0)
            err_prefix(&work->err, "the body, byte %lld: ", (long long)work->err.position);
        else
            err_prefix(&work->err, "the body: ");
        return r == ERR_INVALID ? 400 : 503;
    }
    if (!json_object_is_type(body, json_type_object)) {
        err_set(&work->err, ERR_INVALID, "the body must be a JSON object");
        return 422;
    }
    if (fields_check_body(&work->operation->fields, body, &work->mistakes)) {
        err_set(&work->err, ERR_INVALID, "the body is not what is taken here: see errors");
        return 422;
    }
    return drop_read_only(work, body);
}

/* "12" in quotes; 0 when it is none of ours. */
static uint64_t read_tag(const char *text)
{
    size_t size = strlen(text);
    char digits[24];
    int64_t revision;
    if (size < 3 || size - 2 >= sizeof digits || text[0] != '"' || text[size - 1] != '"')
        return 0;
    memcpy(digits, text + 1, size - 2);
    digits[size - 2] = 0;
    return str_to_int(digits, 1, INT64_MAX, &revision) ? 0 : (uint64_t)revision;
}

int precondition_check(struct work *work)
{
    const char *text = http_header(work->request, "If-Match");
    if (!work->operation->if_match)
        return 0;
    if (!text || !*text) {
        err_set(&work->err, ERR_INVALID,
                "say which revision is meant, so that nothing is overwritten unseen: If-Match with "
                "the ETag that was read, or If-Match: * for whichever there is");
        return 428;
    }
    if (http_header_count(work->request, "If-Match") > 1 || strchr(text, ',')) {
        err_set(&work->err, ERR_INVALID, "If-Match names one revision here, or *");
        return 400;
    }
    if (str_eq(text, "*"))
        return 0;
    work->conditional = true;
    work->if_match = read_tag(text);
    /* No revision has that ETag: a number that none will reach fails where one that has moved on does. */
    if (!work->if_match)
        work->if_match = INT64_MAX;
    return 0;
}
