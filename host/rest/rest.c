/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from the loop to a call thread and back. */
#include "rest/rest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/accounts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "rest/internal.h"

#define DOCUMENT_MAX ((size_t)1 << 20)
#define BUSY_WAIT_MS 1000
#define STORE_WAIT_MS 5000

struct mount {
    struct rest *rest;
    const struct operation *operation;
};

struct rest {
    struct service *service;
    struct buf document;
    size_t count;
    struct mount *mounts;
    struct http_route *routes;
};

/* ---- One request ---- */

const char *work_part(const struct work *work, size_t n)
{
    return http_part(work->request, n);
}

const char *work_query(const struct work *work, const char *name)
{
    return uri_query_get(&work->query, name);
}

size_t work_number(const struct work *work, const char *name)
{
    const struct fields *fields = &work->operation->query;
    int64_t number = 0;
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        const char *text = work_query(work, name);
        if (str_eq(field->name, name))
            str_to_int(text ? text : field->fallback, field->min, field->max, &number);
    }
    return (size_t)number;
}

/* Ends the request with a problem before work is freed: its texts may lie in it. */
static void refuse(struct work *work, int status)
{
    int64_t wait_ms = work->err.wait_ms;
    if (!wait_ms && (status == 429 || status == 503))
        wait_ms = work->err.code == ERR_UNAVAILABLE ? STORE_WAIT_MS : BUSY_WAIT_MS;
    if (status == 500)
        log_line(LOG_ERROR, REST_AREA, "%s failed: %s", work->operation->id, work->err.text);
    if (status == 412 && work->revision) {
        char tag[32];
        snprintf(tag, sizeof tag, "\"%" PRIu64 "\"", work->revision);
        http_set_header(work->request, "ETag", tag);
    }
    problem_reply(work->request, status,
                  work->err.text[0] ? work->err.text : http_status_title(status), &work->mistakes,
                  status == 429 || status == 503 ? wait_ms : 0);
}

static void work_free(struct work *work)
{
    if (work->rewritten.data)
        wipe(work->rewritten.data, work->rewritten.capacity);
    buf_finish(&work->rewritten);
    buf_finish(&work->out);
    uri_query_finish(&work->query);
    mem_free(work);
}
DEFINE_CLEANUP(struct work *, work_free);

static void answer(struct work *work)
{
    const struct operation *operation = work->operation;
    struct http_request *request = work->request;
    char text[128];
    if (operation->etag) {
        snprintf(text, sizeof text, "\"%" PRIu64 "\"", work->revision);
        http_set_header(request, "ETag", text);
    }
    if (operation->location) {
        snprintf(text, sizeof text, "%s/%s", operation->path, work->id);
        http_set_header(request, "Location", text);
    }
    http_set_header(request, "Cache-Control", "no-store");
    http_reply(request, operation->success, operation->answer ? "application/json" : NULL,
               buf_text(&work->out), work->out.size);
}

/* ---- On the call thread ---- */

static void cancel(void *user)
{
    call_cancel(user);
}

/* 0, or the status of the problem. */
static int run_checked(struct work *work)
{
    int status = body_check(work);
    if (status)
        return status;
    int r = work->operation->run(work);
    if (!r && work->out.failed)
        r = err_set(&work->err, ERR_MEMORY, "no memory for the answer; ask for less at once");
    /* Who was told of mistakes alone has no one sentence. */
    if (r && !work->err.text[0])
        err_set(&work->err, r, "%s",
                work->mistakes.count ? "the body is not what is taken here: see errors"
                                     : "it did not work");
    return r ? problem_status(work, r) : 0;
}

static void run(struct call *call, void *argument)
{
    CLEANUP(work_freep) struct work *work = argument;
    log_set_request(http_request_id(work->request));
    work->call = call;
    work->principal = &call->principal;
    if (work->operation->cancel)
        http_on_gone(work->request, cancel, call);
    int status = 429;
    if (!service_enter(work->service, work->principal, &work->err)) {
        status = run_checked(work);
        service_leave(work->service, work->principal);
    }
    if (status)
        refuse(work, status);
    else
        answer(work);
    log_set_request("");
}

/* ---- On the loop ---- */

/* What a parameter needs beyond its operation, which http/ saw to. 0 or 403. */
static int check_rights(struct work *work, const struct field *field)
{
    if ((work->principal->rights & field->rights) == field->rights)
        return 0;
    err_set(&work->err, ERR_FORBIDDEN,
            "the parameter %s needs the right \"%s\", which the token does not have", field->name,
            rights_text(field->rights));
    return 403;
}

static int check_query(struct work *work)
{
    const struct fields *fields = &work->operation->query;
    int r = uri_query_parse(http_query(work->request), &work->query, &work->err);
    if (r)
        return r == ERR_INVALID ? 400 : 503;
    for (size_t i = 0; i < work->query.count; i++) {
        const struct uri_pair *pair = &work->query.pairs[i];
        const struct field *field = NULL;
        struct err err = {0};
        for (size_t k = 0; k < fields->count && !field; k++)
            if (str_eq(fields->list[k].name, pair->name))
                field = &fields->list[k];
        if (!field)
            mistake_unknown(&work->mistakes, pair->name, fields);
        else if (field->rights && check_rights(work, field))
            return 403;
        else if (field_check_text(field, pair->value, &err))
            mistake_add(&work->mistakes, pair->name, "%s", err.text);
    }
    return 0;
}

/* 0, or the status of the problem. */
static int check(struct work *work)
{
    const struct fields *parts = &work->operation->parts;
    int status = check_query(work);
    if (status)
        return status;
    for (size_t i = 0; i < parts->count; i++) {
        struct err err = {0};
        const char *part = work_part(work, i);
        if (!part || field_check_text(&parts->list[i], part, &err))
            mistake_add(&work->mistakes, parts->list[i].name, "%s", err.text);
    }
    if (!work->mistakes.count)
        return precondition_check(work);
    err_set(&work->err, ERR_INVALID, "the URL is not what is taken here: see errors");
    return 400;
}

static void handle(void *user, struct http_request *request)
{
    const struct mount *mount = user;
    struct service *service = mount->rest->service;
    CLEANUP(work_freep) struct work *work = mem_alloc(sizeof *work);
    if (!work) {
        problem_reply(request, 503, "no memory for the request; try again later", NULL,
                      BUSY_WAIT_MS);
        return;
    }
    work->service = service;
    work->operation = mount->operation;
    work->request = request;
    work->principal = http_principal(request);
    work->out = BUF(REST_MAX_ANSWER);
    int status = check(work);
    if (!status && !work->operation->run) {
        http_set_header(request, "Cache-Control", "no-cache");
        http_reply(request, 200, "application/json", mount->rest->document.data,
                   mount->rest->document.size);
        return;
    }
    struct call *ignored; /* run has its own; here it may be gone already */
    if (!status &&
        call_submit(service_calls(service), work->principal,
                    clock_mono_ns() + service_timeout_ns(service), run, work, &ignored, &work->err))
        status = 503;
    if (status)
        refuse(work, status);
    else
        (void)STEAL(work);
}

/* ---- Mounting ---- */

int rest_create(struct service *service, struct rest **ret_rest, struct err *err)
{
    size_t n;
    const struct operation *list = operations(&n);
    struct rest *rest = mem_alloc(sizeof *rest);
    if (!rest)
        return err_set(err, ERR_MEMORY, "no memory for REST");
    rest->service = service;
    rest->document = BUF(DOCUMENT_MAX);
    rest->mounts = mem_alloc_array(n, sizeof *rest->mounts);
    rest->routes = mem_alloc_array(n, sizeof *rest->routes);
    openapi_write(&rest->document);
    if (!rest->mounts || !rest->routes || rest->document.failed) {
        rest_destroy(rest);
        return err_set(err, ERR_MEMORY, "no memory for REST");
    }
    rest->count = n;
    for (size_t i = 0; i < n; i++) {
        rest->mounts[i] = (struct mount){rest, &list[i]};
        rest->routes[i] =
            (struct http_route){.path = list[i].path,
                                .methods = (unsigned)list[i].method,
                                .open = !list[i].rights,
                                .rights = list[i].rights,
                                .scope = list[i].rights & RIGHT_MANAGE ? SCOPE_MANAGE : SCOPE_READ,
                                .max_body = REST_MAX_BODY,
                                .handle = handle,
                                .user = &rest->mounts[i]};
    }
    *ret_rest = rest;
    return 0;
}

void rest_destroy(struct rest *rest)
{
    if (!rest)
        return;
    buf_finish(&rest->document);
    mem_free(rest->mounts);
    mem_free(rest->routes);
    mem_free(rest);
}

const struct http_route *rest_routes(const struct rest *rest, size_t *ret_count)
{
    *ret_count = rest->count;
    return rest->routes;
}

const char *rest_openapi(const struct rest *rest, size_t *ret_size)
{
    *ret_size = rest->document.size;
    return rest->document.data;
}
