/* SPDX-License-Identifier: Apache-2.0 */
#include "paper.h"

int32_t paper_open(const struct sonde_open *open, void **ret_instance)
{
    (void)open;
    *ret_instance = NULL;
    return 0;
}

void paper_close(void *instance)
{
    (void)instance;
}

void paper_head(struct paper_answer *answer, const struct sonde_response_head *head)
{
    answer->status = head->status;
    answer->error_size = 0;
    answer->key[0] = '\0';
    sonde_json_reset(&answer->json);
}

int32_t paper_data(struct sonde_ctx *ctx, struct paper_answer *answer, const void *data,
                   size_t size)
{
    if (answer->status != 200) {
        const size_t room = sizeof(answer->error) - answer->error_size;
        memcpy(answer->error + answer->error_size, data, size < room ? size : room);
        answer->error_size += size < room ? size : room;
        return 0;
    }
    const int rc = sonde_json_feed(&answer->json, data, size);
    if (rc >= 0)
        return rc ? SONDE_DONE : 0;
    return host->fail(ctx, SONDE_E_BAD_ANSWER, -1, sonde_json_error(rc));
}

int32_t paper_end(struct sonde_ctx *ctx, struct paper_answer *answer,
                  const struct sonde_outcome *outcome)
{
    char text[256];
    if (outcome->outcome != SONDE_OUTCOME_OK)
        return host->fail(ctx, SONDE_E_BAD_ANSWER, -1, outcome->text);
    if (answer->status == 200) {
        const int rc = sonde_json_end(&answer->json);
        return rc < 0 ? host->fail(ctx, SONDE_E_BAD_ANSWER, -1, sonde_json_error(rc)) : 0;
    }
    const int32_t code = sonde_class_of_status(answer->status);
    sonde_describe_body(answer->error, answer->error_size, text, sizeof(text));
    if (code == SONDE_E_THROTTLED || code == SONDE_E_BUSY)
        return host->fail_after(ctx, code, 250, text);
    return host->fail(ctx, code, -1, text);
}

int paper_is_key(struct paper_answer *answer, uint32_t type, const char *text, size_t size)
{
    if (type != SONDE_JSON_KEY)
        return 0;
    const size_t n = size < sizeof(answer->key) - 1 ? size : sizeof(answer->key) - 1;
    memcpy(answer->key, text, n);
    answer->key[n] = '\0';
    return 1;
}

const char *paper_copy(struct sonde_ctx *ctx, const char *text, size_t size)
{
    const char *copy = sonde_copy(host, ctx, text, size);
    return copy ? copy : "";
}

int32_t paper_series(const struct sonde_begin *begin, uint64_t id, const char *text)
{
    const struct sonde_label label = {"id", 2, text, strlen(text)};
    const struct sonde_series row = {
        .struct_size = sizeof(row), .id = id, .labels = &label, .label_count = 1};
    return begin->sink->series(begin->ctx, &row);
}
