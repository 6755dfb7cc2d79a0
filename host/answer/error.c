/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "answer/answer.h"
#include "answer/envelope.h"
#include "answer/write.h"
#include "base/mem.h"

void answer_finish(struct answer *answer)
{
    mem_free(answer->json);
    mem_free(answer->text);
    mem_free(answer->blocks);
    *answer = (struct answer){0};
}

static void write_both(int code, const char *message, size_t max, const struct envelope *envelope,
                       const struct envelope_cut *cut, struct buf *json, struct buf *text)
{
    const struct envelope_rows none = {0};
    size_t size = strlen(message);
    buf_clear(json);
    buf_add(json, "{\"error\":{\"class\":");
    buf_json_string(json, err_class(code), strlen(err_class(code)));
    buf_json_key(json, "message");
    write_json_cut(json, message, size, max);
    buf_add_char(json, '}');
    buf_clear(text);
    buf_printf(text, "error (%s): ", err_class(code));
    write_line(text, message, size, max);
    buf_add_char(text, '\n');
    if (envelope) {
        envelope_json_head(json, envelope, cut);
        envelope_json_tail(json, envelope, &none, cut);
        envelope_text_head(text, envelope, &none, cut);
        envelope_text_tail(text, envelope, &none, cut);
    }
    buf_add_char(json, '}');
}

int answer_error(int code, const char *message, struct envelope *envelope,
                 struct answer *ret_answer)
{
    const struct envelope_rows none = {0};
    struct envelope_cut cut = {0};
    struct buf json = BUF(ANSWER_MAX);
    struct buf text = BUF(ANSWER_MAX);
    size_t budget = envelope_budget(envelope);
    /* The message is what matters; the rest gets what it leaves. */
    size_t max = 3000;
    size_t share = 60;
    for (;;) {
        if (envelope)
            envelope_fit(envelope, &none, share, &cut);
        write_both(code, message, max, envelope, &cut, &json, &text);
        if ((tokens_json(buf_text(&json), json.size) <= budget &&
             tokens_text(buf_text(&text), text.size) <= budget) ||
            max < 80)
            break;
        max = max * 3 / 4;
        share = share > 30 ? share - 10 : share;
    }
    *ret_answer = (struct answer){
        .json_size = json.size, .text_size = text.size, .is_error = true, .code = code};
    ret_answer->json = buf_steal(&json);
    ret_answer->text = buf_steal(&text);
    if (ret_answer->json && ret_answer->text)
        return 0;
    answer_finish(ret_answer);
    return ERR_MEMORY;
}
