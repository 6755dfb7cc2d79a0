/* SPDX-License-Identifier: Apache-2.0 */
#include "op.h"

#include "failure.h"
#include "name.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>

/* Beyond this a GET is refused by most servers and proxies. */
#define MAX_GET ((size_t)64 * 1024)

static bool is_success(uint32_t status)
{
    return status >= 200 && status < 300;
}

static void on_note(void *user, const char *code, const char *note)
{
    struct promql_step *step = user;
    struct promql_op *op = step->op;
    /* An error answer is no answer; and what was cut because we asked for it is said as partial. */
    if (!is_success(step->status) ||
        (step->limited && strcmp(note, "results truncated due to limit") == 0))
        return;
    struct sonde_text text;
    sonde_text_init(&text, op->host, op->ctx, 8192);
    if (op->rewrite.text != NULL) {
        promql_translate_message(&op->rewrite, note, &text);
        note = sonde_text_string(&text);
    }
    op->sink->note(op->ctx, code, note);
}

static int on_name(void *user, const char *name, size_t size)
{
    struct promql_step *step = user;
    struct promql_op *op = step->op;
    struct sonde_name row = {.struct_size = sizeof row, .name = name, .name_size = size};
    if (op->query->kind == SONDE_KIND_METRIC_NAMES)
        promql_metadata_describe(&op->metadata, &row);
    return op->sink->name(op->ctx, &row) == SONDE_STOP ? PROMQL_ROW_STOP : PROMQL_ROW_OK;
}

static int on_metadata(void *user, const char *name, size_t size, const char *type,
                       const char *unit, const char *help)
{
    struct promql_step *step = user;
    promql_metadata_add(&step->op->metadata, name, size, type, unit, help);
    return PROMQL_ROW_OK;
}

static void on_field(void *user, const char *path, const char *value, size_t size)
{
    struct promql_step *step = user;
    const struct promql_dialect *dialect = step->op->instance->dialect;
    if (is_success(step->status) && step->op->query->kind == SONDE_KIND_PROBE &&
        step->index < dialect->probe_count)
        dialect->probe_field(step->op, step->index, path, value, size);
}

struct promql_step *promql_add_step(struct promql_op *op, const char *path, const char *form,
                                    enum promql_shape shape)
{
    if (op->step_count == PROMQL_MAX_STEPS)
        return NULL;
    struct promql_step *step = op->host->alloc(op->ctx, sizeof *step);
    struct promql_reader_events events = {
        .user = step, .note = on_note, .name = on_name, .metadata = on_metadata, .field = on_field};
    if (step == NULL ||
        promql_reader_init(&step->reader, op->host, op->ctx, op->sink, &events) != 0)
        return NULL;
    op->steps[op->step_count] = step;
    step->path = path;
    step->form = form;
    step->shape = shape;
    step->endpoint = op->instance->endpoint;
    step->op = op;
    step->index = op->step_count++;
    return step;
}

static uint32_t major_of(const char *version)
{
    uint32_t major = 0;
    while (*version >= '0' && *version <= '9' && major < 1000)
        major = major * 10 + (uint32_t)(*version++ - '0');
    return major;
}

static const char *fact_of(const struct sonde_begin *begin, const char *key)
{
    const char *fact = sonde_pair_get(begin->facts, begin->fact_count, key);
    return fact != NULL ? fact : "";
}

int32_t promql_op_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    const struct promql_instance *owner = instance;
    struct promql_op *op = owner->host->alloc(begin->ctx, sizeof *op);
    if (op == NULL)
        return owner->host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "no memory for this query");
    op->instance = owner;
    op->host = owner->host;
    op->ctx = begin->ctx;
    op->query = begin->query;
    op->sink = begin->sink;
    op->product = fact_of(begin, "product");
    op->version = fact_of(begin, "version");
    op->latency_offset = fact_of(begin, "latency_offset_ms");
    op->ignores_match = strcmp(fact_of(begin, "ignores_match"), "yes") == 0;
    op->max_points = owner->dialect->max_points;
    int64_t most = 0;
    const char *fact = fact_of(begin, "max_points");
    if (sonde_parse_int64(fact, strlen(fact), &most) == 0 && most > 1 && most < 100000000)
        op->max_points = (uint32_t)most;
    op->no_post = strcmp(fact_of(begin, "post"), "no") == 0;
    op->exemplars_off = strcmp(fact_of(begin, "exemplars"), "off") == 0;
    op->context = (struct promql_context){.host = owner->host,
                                          .ctx = begin->ctx,
                                          .dialect = owner->dialect,
                                          .major = major_of(op->version),
                                          .native = begin->query->native,
                                          .native_size = begin->query->native_size};
    int32_t result = promql_plan(op);
    if (result != 0) {
        promql_op_end(op, result);
        return result;
    }
    *ret_op = op;
    return 0;
}

static int32_t fill_request(struct promql_op *op, struct promql_step *step,
                            struct sonde_request *request)
{
    static const struct sonde_pair form_headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    request->flags = SONDE_REQUEST_IDEMPOTENT;
    request->tag = step->index;
    request->max_size = step->max_size;
    request->headers = step->post ? form_headers : form_headers + 1;
    request->header_count = step->post ? 2 : 1;
    request->method = step->post ? "POST" : "GET";
    request->endpoint = step->endpoint;
    request->path = step->path;
    if (step->post) {
        request->body = step->form;
        request->body_size = strlen(step->form);
    } else if (step->form[0] != '\0') {
        struct sonde_text path;
        sonde_text_init(&path, op->host, op->ctx, MAX_GET);
        sonde_text_add(&path, step->path);
        sonde_text_add_char(&path, '?');
        sonde_text_add(&path, step->form[0] == '&' ? step->form + 1 : step->form);
        if (path.failed)
            return op->host->fail(op->ctx, SONDE_E_TOO_MUCH, -1,
                                  "the query is too long to be sent in a url, and this server or "
                                  "request takes no form: use fewer filter values");
        request->path = sonde_text_string(&path);
    }
    step->state = PROMQL_STEP_SENT;
    return SONDE_REQUEST;
}

static bool is_last(const struct promql_step *step)
{
    return step->index + 1 == step->op->step_count;
}

static void finish_rows(struct promql_op *op)
{
    const struct promql_step *step = op->steps[op->step_count - 1];
    const struct promql_reader *reader = &step->reader;
    bool cut = step->limit > 0 && reader->seen > step->limit;
    op->sink->total(op->ctx, reader->seen,
                    op->cut || reader->is_partial || (cut && step->limited) ? SONDE_TOTAL_AT_LEAST
                                                                            : SONDE_TOTAL_EXACT);
    if (reader->is_partial)
        op->sink->partial(op->ctx, SONDE_PARTIAL_SHARDS,
                          "the server says that some of its storage nodes did not answer");
    if (cut) {
        char text[160];
        (void)snprintf(text, sizeof text,
                       "only the first %llu rows were read; filters or a higher "
                       "limit bring the others",
                       (unsigned long long)step->limit);
        op->sink->partial(op->ctx, SONDE_PARTIAL_LIMIT, text);
    }
    if (op->query->kind == SONDE_KIND_EXEMPLARS && reader->seen == 0 && op->exemplars_off)
        op->sink->note(op->ctx, "exemplars",
                       strcmp(op->product, "VictoriaMetrics") == 0
                           ? "this server keeps no exemplars: it is VictoriaMetrics"
                           : "this server keeps no exemplars: it was started without "
                             "--enable-feature=exemplar-storage");
}

static int32_t finish(struct promql_op *op)
{
    if (op->stopped)
        return SONDE_DONE;
    if (op->query->kind == SONDE_KIND_PROBE) {
        op->instance->dialect->probe_done(op);
    } else if (op->query->kind == SONDE_KIND_HEALTH) {
        struct sonde_backend row = {
            .struct_size = sizeof row,
            .product = op->product[0] != '\0' ? op->product : op->instance->dialect->product,
            .version = op->version};
        op->sink->backend(op->ctx, &row);
    } else {
        finish_rows(op);
    }
    return SONDE_DONE;
}

int32_t promql_op_next(void *data, struct sonde_request *request)
{
    struct promql_op *op = data;
    bool in_flight = false;
    for (uint32_t i = 0; i < op->step_count && !op->stopped; i++) {
        struct promql_step *step = op->steps[i];
        if (step->state == PROMQL_STEP_SENT)
            in_flight = true;
        if (step->state == PROMQL_STEP_READY && (op->side_by_side || !in_flight)) {
            int32_t result = fill_request(op, step, request);
            if (result == SONDE_REQUEST && op->side_by_side && !is_last(step))
                request->flags |= SONDE_REQUEST_MORE;
            return result;
        }
    }
    return in_flight ? SONDE_WAIT : finish(op);
}

static const char *header(const struct sonde_response_head *head, const char *name)
{
    const char *value = sonde_pair_get(head->headers, head->header_count, name);
    return value != NULL ? value : "";
}

int32_t promql_op_head(void *data, uint32_t tag, const struct sonde_response_head *head)
{
    struct promql_op *op = data;
    struct promql_step *step = op->steps[tag];
    const char *retry = header(head, "retry-after");
    int64_t seconds = 0;
    step->status = head->status;
    step->body_size = 0;
    step->line_size = 0;
    step->retry_after_ms = 0;
    if (sonde_parse_int64(retry, strlen(retry), &seconds) == 0 && seconds > 0 && seconds < 86400)
        step->retry_after_ms = (uint64_t)seconds * 1000;
    /* A header may hold any bytes; this leaves readable text. */
    const char *location = header(head, "location");
    step->location[0] = '\0';
    if (location[0] != '\0')
        sonde_describe_body(location, strlen(location), step->location, sizeof step->location);
    /* An error answer is read as fields, of which only the envelope is wanted. */
    promql_reader_start(&step->reader, is_success(head->status) ? step->shape : PROMQL_SHAPE_FIELDS,
                        step->limit);
    return 0;
}

static struct promql_failure failure_of(const struct promql_step *step)
{
    const struct promql_op *op = step->op;
    return (struct promql_failure){
        .context = &op->context,
        .query = op->query,
        .rewrite = op->rewrite.text != NULL && is_last(step) ? &op->rewrite : NULL,
        .path = step->path,
        .status = step->status,
        .error_type = step->reader.error_type,
        .error = step->reader.error,
        .body = step->body,
        .body_size = step->body_size,
        .location = step->location,
        .retry_after_ms = step->retry_after_ms};
}

static int32_t unreadable(const struct promql_step *step)
{
    struct promql_failure failure = failure_of(step);
    return promql_fail_unreadable(&failure, step->reader.fault, step->reader.json.offset);
}

static void end_line(struct promql_step *step)
{
    const struct promql_dialect *dialect = step->op->instance->dialect;
    if (step->line_size > 0 && step->line_size <= sizeof step->line)
        dialect->probe_line(step->op, step->index, step->line, step->line_size);
    step->line_size = 0;
}

static void feed_lines(struct promql_step *step, const char *bytes, size_t size)
{
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t n = end != NULL ? (size_t)(end - bytes) : size;
        if (step->line_size + n <= sizeof step->line)
            memcpy(step->line + step->line_size, bytes, n);
        step->line_size =
            step->line_size + n <= sizeof step->line ? step->line_size + n : sizeof step->line + 1;
        if (end == NULL)
            return;
        end_line(step);
        bytes += n + 1;
        size -= n + 1;
    }
}

int32_t promql_op_data(void *data, uint32_t tag, const void *bytes, size_t size)
{
    struct promql_op *op = data;
    struct promql_step *step = op->steps[tag];
    size_t room = sizeof step->body - step->body_size;
    size_t kept = size < room ? size : room;
    memcpy(step->body + step->body_size, bytes, kept);
    step->body_size += kept;
    if (step->lines && is_success(step->status)) {
        feed_lines(step, bytes, size);
        return 0;
    }
    int result = promql_reader_feed(&step->reader, bytes, size);
    if (result == PROMQL_ROW_STOP) {
        op->stopped = true;
        return SONDE_DONE;
    }
    /* What cannot be read is reported at the end, when its beginning is known in full. */
    if (result == PROMQL_ROW_FAULT && step->body_size == sizeof step->body)
        return SONDE_DONE;
    return 0;
}

static bool has_rows(const struct promql_step *step)
{
    return step->reader.rows.series > 0 ||
           (step->shape == PROMQL_SHAPE_NAMES && step->reader.seen > 0);
}

/* The body did not come whole. Rows that did are worth keeping, as long as it is said. */
static int32_t end_cut(struct promql_op *op, struct promql_step *step,
                       const struct sonde_outcome *outcome)
{
    static const struct {
        uint32_t reason;
        int32_t class;
        const char *cut;    /* after some of the body */
        const char *silent; /* before any */
        const char *advice;
    } cuts[] = {
        [SONDE_OUTCOME_LOST] = {SONDE_PARTIAL_LOST, SONDE_E_BUSY, "the connection was lost",
                                "sent no answer", ""},
        [SONDE_OUTCOME_TIMED_OUT] = {SONDE_PARTIAL_TIMEOUT, SONDE_E_TIMEOUT,
                                     "the answer took too long", "sent no answer in time",
                                     "; shorten the window, raise the step or aggregate"},
        [SONDE_OUTCOME_TOO_LARGE] = {SONDE_PARTIAL_LIMIT, SONDE_E_TOO_MUCH, "reading stopped",
                                     "answered too much",
                                     "; select fewer series, raise the step or aggregate"},
        [SONDE_OUTCOME_REFUSED] = {SONDE_PARTIAL_BACKEND, SONDE_E_FORBIDDEN,
                                   "the request was stopped", "was not asked", ""},
    };
    uint32_t which =
        outcome->outcome <= SONDE_OUTCOME_REFUSED ? outcome->outcome : SONDE_OUTCOME_LOST;
    const char *words = outcome->text != NULL && outcome->text[0] != '\0' ? outcome->text : "";
    char text[1024];
    if (outcome->body_bytes == 0)
        (void)snprintf(text, sizeof text, "%s %s%s%s%s", op->instance->dialect->product,
                       cuts[which].silent, words[0] != '\0' ? ": " : "", words, cuts[which].advice);
    else
        (void)snprintf(text, sizeof text, "%s after %llu bytes%s%s%s", cuts[which].cut,
                       (unsigned long long)outcome->body_bytes, words[0] != '\0' ? ": " : "", words,
                       cuts[which].advice);
    promql_trim(text);
    if (!has_rows(step))
        return op->host->fail(op->ctx, cuts[which].class, -1, text);
    op->cut = true;
    op->sink->partial(op->ctx, cuts[which].reason, text);
    return 0;
}

/* 405 and 501: the server, or a proxy before it, takes no form. Ask by GET, and remember. */
static bool falls_back_to_get(struct promql_op *op, struct promql_step *step)
{
    if (!step->post || (step->status != 405 && step->status != 501))
        return false;
    step->post = false;
    op->no_post = true;
    step->state = PROMQL_STEP_READY;
    op->sink->fact(op->ctx, "post", "no", 24u * 3600 * 1000);
    return true;
}

/* Old and foreign servers have no buildinfo: only a query tells them from a wrong url. */
static bool falls_back_to_query(struct promql_op *op, const struct promql_step *step)
{
    return op->query->kind == SONDE_KIND_PROBE && step->status == 404 && !step->optional &&
           strncmp(step->path, "/api/v1/query", 13) != 0 &&
           step->index < op->instance->dialect->probe_count && promql_plan_health(op) == 0;
}

static int32_t end_success(struct promql_op *op, struct promql_step *step)
{
    if (step->lines) {
        end_line(step);
        return 0;
    }
    int result = promql_reader_end(&step->reader);
    if (result == PROMQL_ROW_STOP)
        op->stopped = true;
    if (result == PROMQL_ROW_FAULT)
        return step->optional ? 0 : unreadable(step);
    if (step->reader.succeeded || op->stopped || step->optional)
        return 0;
    struct promql_failure failure = failure_of(step);
    if (failure.error == NULL)
        failure.error = "";
    return promql_fail(&failure);
}

static int32_t end_step(struct promql_op *op, struct promql_step *step,
                        const struct sonde_outcome *outcome)
{
    bool whole = outcome->outcome == SONDE_OUTCOME_OK;
    if (op->query->kind == SONDE_KIND_PROBE && step->index < op->instance->dialect->probe_count)
        op->instance->dialect->probe_answered(op, step->index, whole ? step->status : 0);
    if (op->stopped)
        return 0;
    if (whole && (falls_back_to_get(op, step) || falls_back_to_query(op, step)))
        return 0;
    if (!whole && (step->status == 0 || is_success(step->status)))
        return step->optional ? 0 : end_cut(op, step, outcome);
    if (is_success(step->status))
        return end_success(op, step);
    /* -metricsAuthKey keeps /metrics apart from the login of everything else. */
    if (step->optional && (step->status != 401 || step->lines))
        return 0;
    struct promql_failure failure = failure_of(step);
    return promql_fail(&failure);
}

int32_t promql_op_response_end(void *data, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct promql_op *op = data;
    struct promql_step *step = op->steps[tag];
    int32_t result = end_step(op, step, outcome);
    /* After an error the host may send the request again: until then it counts as in flight. */
    if (result == 0 && step->state == PROMQL_STEP_SENT)
        step->state = PROMQL_STEP_DONE;
    step->status = 0;
    return result;
}

void promql_op_end(void *data, int32_t reason)
{
    struct promql_op *op = data;
    (void)reason;
    for (uint32_t i = 0; i < op->step_count; i++)
        promql_reader_free(&op->steps[i]->reader);
}
