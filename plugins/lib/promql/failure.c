/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

#include "name.h"
#include "structured.h"

#include <stdio.h>
#include <string.h>

#define MAX_MESSAGE 4096

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* Limits of Prometheus, Thanos, Mimir and VictoriaMetrics in their own words. */
static bool is_limit(const char *error)
{
    static const char *const marks[] = {"exceeded maximum resolution",
                                        "too many samples",
                                        "too many points",
                                        "exceeds the limit",
                                        "exceeded the limit",
                                        "err-mimir-max-",
                                        "the query exceeded",
                                        "the query time range exceeds",
                                        "exceeds limit",
                                        "number of matching timeseries exceeds",
                                        "number of matching series exceeds",
                                        "cannot select more than -search.",
                                        "cannot scan more than",
                                        "not enough memory for processing",
                                        "too long query"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (has(error, marks[i]))
            return true;
    return false;
}

static int32_t class_of_type(const char *type, const char *error, uint32_t status)
{
    if (status == 401 || status == 403 || status == 429)
        return sonde_class_of_status(status);
    if (strcmp(type, "timeout") == 0 || strcmp(type, "canceled") == 0 ||
        has(error, "timeout exceeded"))
        return SONDE_E_TIMEOUT;
    if (has(error, "couldn't start executing the request"))
        return SONDE_E_BUSY;
    if (is_limit(error))
        return SONDE_E_TOO_MUCH;
    if (strcmp(type, "bad_data") == 0)
        return SONDE_E_BAD_QUERY;
    if (strcmp(type, "execution") == 0)
        return has(error, "expanding series") ? SONDE_E_BUSY : SONDE_E_BAD_QUERY;
    if (strcmp(type, "not_found") == 0)
        return SONDE_E_NOT_FOUND;
    if (strcmp(type, "too_many_requests") == 0)
        return SONDE_E_THROTTLED;
    if (strcmp(type, "unavailable") == 0)
        return status == 503 ? SONDE_E_BUSY : SONDE_E_UNSUPPORTED;
    /* VictoriaMetrics writes the status where Prometheus writes a word. */
    if (status == 400 || status == 422)
        return SONDE_E_BAD_QUERY;
    return sonde_class_of_status(status);
}

/* The step that keeps a series within the backend's limit, which its message names. */
static void add_fitting_step(const struct promql_failure *failure, struct sonde_text *text)
{
    const struct sonde_query *query = failure->query;
    /* VictoriaMetrics names step and window before the limit. */
    const char *limit = strstr(failure->error, "maxPointsPerTimeseries=");
    if (limit == NULL)
        limit = strstr(failure->error, "maximum number of points is ");
    const char *p = limit != NULL ? limit : failure->error;
    while (*p != '\0' && (*p < '0' || *p > '9'))
        p++;
    uint64_t most = 0;
    for (; ((*p >= '0' && *p <= '9') || *p == ',') && most < 10000000; p++)
        most = *p == ',' ? most : most * 10 + (uint64_t)(*p - '0');
    if (most < 2 || query->end_ns <= query->start_ns)
        return;
    int64_t second = 1000000000;
    int64_t step = (query->end_ns - query->start_ns) / (int64_t)most / second + 1;
    sonde_text_add(text, "; a step of ");
    promql_add_duration(text, step * second);
    sonde_text_add(text, " fits this window");
}

static void add_advice(const struct promql_failure *failure, int32_t class, struct sonde_text *text)
{
    if (has(failure->error, "exceeded maximum resolution") ||
        has(failure->error, "too many points"))
        add_fitting_step(failure, text);
    else if (has(failure->error, "too many samples") ||
             has(failure->error, "matching timeseries exceeds") ||
             has(failure->error, "matching series exceeds"))
        sonde_text_add(text, "; select fewer series, shorten the window or raise the step");
    else if (class == SONDE_E_TIMEOUT)
        sonde_text_add(text, "; shorten the window, raise the step or aggregate less at once");
    else if (class == SONDE_E_AUTH)
        sonde_text_add(text, "; check the connection's auth");
}

static int32_t fail_with(const struct promql_failure *failure, int32_t class, int64_t position,
                         const char *message)
{
    const struct promql_context *context = failure->context;
    if (class == SONDE_E_THROTTLED || (class == SONDE_E_BUSY && failure->retry_after_ms > 0))
        return context->host->fail_after(context->ctx, class, failure->retry_after_ms, message);
    return context->host->fail(context->ctx, class, position, message);
}

static int32_t fail_envelope(const struct promql_failure *failure)
{
    const struct promql_context *context = failure->context;
    int32_t class = class_of_type(failure->error_type, failure->error, failure->status);
    struct sonde_text text;
    int64_t position = -1;
    sonde_text_init(&text, context->host, context->ctx, MAX_MESSAGE * 2);
    sonde_text_add_format(&text, "%s refused the query: ", context->dialect->product);
    if (class != SONDE_E_BAD_QUERY && class != SONDE_E_TOO_MUCH) {
        text.size = 0;
        sonde_text_add_format(&text, "%s answered %u: ", context->dialect->product,
                              (unsigned)failure->status);
    }
    if (failure->rewrite != NULL)
        position = promql_translate_message(failure->rewrite, failure->error, &text);
    else
        sonde_text_add(&text, failure->error);
    if (failure->error_type[0] != '\0')
        sonde_text_add_format(&text, " (%s)", failure->error_type);
    add_advice(failure, class, &text);
    return fail_with(failure, class, class == SONDE_E_BAD_QUERY ? position : -1,
                     sonde_text_string(&text));
}

/* vmauth and VictoriaMetrics say with 400, in plain text, what others say with 404 and 401. */
static int32_t class_of_page(uint32_t status, const char *seen)
{
    if (status == 400 &&
        (has(seen, "unsupported path requested") || has(seen, "missing route for")))
        return SONDE_E_NOT_FOUND;
    if (status == 400 && has(seen, "auth token"))
        return SONDE_E_AUTH;
    return sonde_class_of_status(status);
}

static int32_t fail_status(const struct promql_failure *failure, const char *seen)
{
    const struct promql_context *context = failure->context;
    uint32_t status = failure->status;
    char text[1024];
    int32_t class = class_of_page(status, seen);
    if (status >= 300 && status < 400) {
        (void)snprintf(text, sizeof text,
                       "the server redirects %s to %.400s (%u) and redirects are not followed: set "
                       "the connection's url to the new place%s",
                       failure->path, failure->location[0] != '\0' ? failure->location : "nowhere",
                       (unsigned)status,
                       has(failure->location, "login") ? ", or its auth if that is a login page"
                                                       : "");
    } else if (class == SONDE_E_AUTH && status == 400) {
        /* vmauth repeats the token, which is for no one's eyes. */
        (void)snprintf(text, sizeof text,
                       "a front before %s (vmauth) refused the login (400: it does not know this "
                       "token): check the connection's auth",
                       context->dialect->product);
    } else if (class == SONDE_E_AUTH) {
        (void)snprintf(text, sizeof text,
                       "%s refused the login (401: %s): check the connection's auth",
                       context->dialect->product, seen);
    } else if (class == SONDE_E_FORBIDDEN) {
        (void)snprintf(text, sizeof text, "%s knows this login but forbids %s (403: %s)",
                       context->dialect->product, failure->path, seen);
    } else if (class == SONDE_E_NOT_FOUND) {
        (void)snprintf(text, sizeof text,
                       "there is no %s API at %s below the connection's url (%u: %s): the url may "
                       "lack a path prefix such as /prometheus, or have one too many%s",
                       context->dialect->product, failure->path, (unsigned)status, seen,
                       context->dialect->tenant_words != NULL ? context->dialect->tenant_words
                                                              : "");
    } else if (class == SONDE_E_BUSY) {
        (void)snprintf(text, sizeof text, "%s is not available right now (%u: %s)",
                       context->dialect->product, (unsigned)status, seen);
    } else if (class == SONDE_E_TIMEOUT) {
        (void)snprintf(text, sizeof text, "%s or a proxy before it gave up waiting (%u: %s)",
                       context->dialect->product, (unsigned)status, seen);
    } else {
        (void)snprintf(text, sizeof text, "%s answered %s with %u: %s", context->dialect->product,
                       failure->path, (unsigned)status, seen);
    }
    promql_trim(text);
    return fail_with(failure, class, -1, text);
}

int32_t promql_fail(const struct promql_failure *failure)
{
    if (failure->error != NULL)
        return fail_envelope(failure);
    char seen[512];
    sonde_describe_body(failure->body, failure->body_size, seen, sizeof seen);
    return fail_status(failure, seen);
}

int32_t promql_fail_unreadable(const struct promql_failure *failure, const char *fault,
                               uint64_t offset)
{
    const struct promql_context *context = failure->context;
    char seen[400];
    size_t blank = 0;
    while (blank < failure->body_size && strchr(" \t\r\n", failure->body[blank]) != NULL)
        blank++;
    bool json = blank < failure->body_size && failure->body[blank] == '{';
    if (json)
        return sonde_failf(context->host, context->ctx, SONDE_E_BAD_ANSWER, -1,
                           "the answer of %s to %s cannot be read at byte %llu: %s",
                           context->dialect->product, failure->path, (unsigned long long)offset,
                           fault);
    if (failure->body_size == 0)
        return sonde_failf(context->host, context->ctx, SONDE_E_BAD_ANSWER, -1,
                           "%s answered %s with an empty body; check the connection's url and what "
                           "stands before it",
                           context->dialect->product, failure->path);
    sonde_describe_body(failure->body, failure->body_size, seen, sizeof seen);
    return sonde_failf(context->host, context->ctx, SONDE_E_BAD_ANSWER, -1,
                       "this is no %s API: %s was answered with \"%s\" (%s); check the "
                       "connection's url and what stands before it",
                       context->dialect->product, failure->path, seen, fault);
}
