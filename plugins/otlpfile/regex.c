/* SPDX-License-Identifier: Apache-2.0 */
#include "regex.h"

#include <string.h>

#define MAX_PROGRAM 4000
#define MAX_REPEAT 200
#define MAX_NESTING 20

enum opcode { OP_SET, OP_SPLIT, OP_JUMP, OP_MATCH };

struct instruction {
    uint8_t op;
    uint16_t x; /* next, or the first way of a split */
    uint16_t y;
    uint16_t set;
};

struct regex {
    struct instruction *program;
    size_t count;
    uint8_t (*sets)[32]; /* a bit a byte */
    size_t set_count;
    uint16_t *now;
    uint16_t *next;
    uint16_t *stack;
    uint32_t *seen; /* generation that visited an instruction */
    uint32_t generation;
};

struct compiler {
    struct regex *regex;
    const char *pattern;
    size_t at;
    const char *reason;
    size_t set_capacity;
    size_t room; /* of the program */
    unsigned nesting;
    bool fold;
    struct memory *memory;
};

/* A piece of program: instructions [begin, end), falling out at end. */
struct piece {
    size_t begin;
};

static int parse_alternatives(struct compiler *c);

static int failed(struct compiler *c, const char *reason)
{
    if (!c->reason)
        c->reason = reason;
    return -1;
}

static int emit(struct compiler *c, struct instruction in)
{
    if (c->regex->count >= c->room)
        return failed(c, "the pattern is too long");
    c->regex->program[c->regex->count++] = in;
    return 0;
}

/* Makes room for one instruction before begin, moving what is there and its targets. */
static int insert(struct compiler *c, size_t begin, struct instruction in)
{
    struct instruction *p = c->regex->program;

    if (emit(c, in) < 0)
        return -1;
    memmove(p + begin + 1, p + begin, (c->regex->count - 1 - begin) * sizeof(*p));
    for (size_t i = begin + 1; i < c->regex->count; i++) {
        if (p[i].x >= begin)
            p[i].x++;
        if (p[i].op == OP_SPLIT && p[i].y >= begin)
            p[i].y++;
    }
    p[begin] = in;
    return 0;
}

static uint8_t *new_set(struct compiler *c)
{
    void *sets = memory_grow(c->memory, c->regex->sets, c->regex->set_count, &c->set_capacity,
                             sizeof(c->regex->sets[0]), MAX_PROGRAM);

    if (!sets)
        return NULL;
    c->regex->sets = sets;
    return memset(c->regex->sets[c->regex->set_count++], 0, sizeof(c->regex->sets[0]));
}

static void set_add(uint8_t *set, unsigned byte)
{
    set[byte / 8] = (uint8_t)(set[byte / 8] | (1u << (byte % 8)));
}

static bool set_has(const uint8_t *set, unsigned byte)
{
    return set[byte / 8] >> (byte % 8) & 1;
}

static void set_add_range(const struct compiler *c, uint8_t *set, unsigned low, unsigned high)
{
    for (unsigned b = low; b <= high; b++) {
        set_add(set, b);
        if (c->fold && ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z')))
            set_add(set, b ^ 0x20);
    }
}

static void set_invert(uint8_t *set)
{
    for (size_t i = 0; i < 32; i++)
        set[i] = (uint8_t)~set[i];
}

/* \d \w \s or their complements: adds to set; false when it is none of them. */
static bool add_class(const struct compiler *c, uint8_t *set, char name)
{
    uint8_t part[32] = {0};
    char lower = (char)(name | 0x20);

    if (lower == 'd') {
        set_add_range(c, part, '0', '9');
    } else if (lower == 'w') {
        set_add_range(c, part, '0', '9');
        set_add_range(c, part, 'a', 'z');
        set_add_range(c, part, 'A', 'Z');
        set_add(part, '_');
    } else if (lower == 's') {
        set_add_range(c, part, '\t', '\n');
        set_add_range(c, part, '\f', '\r');
        set_add(part, ' ');
    } else {
        return false;
    }
    if (name != lower)
        set_invert(part);
    for (size_t i = 0; i < 32; i++)
        set[i] |= part[i];
    return true;
}

/* The byte behind a backslash that stands for itself or a control; -1: not supported. */
static int escaped_byte(char name)
{
    switch (name) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    default:
        if ((name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z') ||
            (name >= '0' && name <= '9') || !name)
            return -1;
        return (unsigned char)name;
    }
}

static int parse_escape(struct compiler *c, uint8_t *set)
{
    char name = c->pattern[++c->at];
    int byte;

    if (!name || !add_class(c, set, name)) {
        byte = escaped_byte(name);
        if (byte < 0)
            return failed(c, "this escape is not supported");
        set_add_range(c, set, (unsigned)byte, (unsigned)byte);
    }
    c->at++;
    return 0;
}

/* One end of a range in a class; -1 with the reason when it is a class or wrong. */
static int class_byte(struct compiler *c)
{
    int byte = (unsigned char)c->pattern[c->at];

    if (byte == '\\') {
        byte = escaped_byte(c->pattern[++c->at]);
        if (byte < 0)
            return failed(c, "this escape is not supported");
    }
    if (!byte)
        return failed(c, "missing ]");
    if (byte >= 0x80)
        return failed(c, "a class takes ASCII only");
    c->at++;
    return byte;
}

static int parse_class_member(struct compiler *c, uint8_t *set)
{
    int low;
    int high;

    if (c->pattern[c->at] == '[' && c->pattern[c->at + 1] == ':')
        return failed(c, "[[:name:]] classes are not supported");
    if (c->pattern[c->at] == '\\' && c->pattern[c->at + 1] &&
        add_class(c, set, c->pattern[c->at + 1])) {
        c->at += 2;
        return 0;
    }
    low = class_byte(c);
    if (low < 0)
        return -1;
    high = low;
    if (c->pattern[c->at] == '-' && c->pattern[c->at + 1] && c->pattern[c->at + 1] != ']') {
        c->at++;
        high = class_byte(c);
        if (high < low)
            return failed(c, "the range is upside down");
    }
    set_add_range(c, set, (unsigned)low, (unsigned)high);
    return 0;
}

static int parse_class(struct compiler *c, uint8_t *set)
{
    bool inverted = c->pattern[++c->at] == '^';
    bool first = true;

    c->at += inverted;
    while (first || c->pattern[c->at] != ']') {
        if (!c->pattern[c->at])
            return failed(c, "missing ]");
        if (parse_class_member(c, set) < 0)
            return -1;
        first = false;
    }
    c->at++;
    if (inverted)
        set_invert(set);
    return 0;
}

static int parse_group(struct compiler *c)
{
    int rc;

    c->at++;
    if (c->pattern[c->at] == '?') {
        if (c->pattern[c->at + 1] != ':')
            return failed(c, "of (?...) only (?:...) and a leading (?i) are supported");
        c->at += 2;
    }
    if (++c->nesting > MAX_NESTING)
        return failed(c, "groups are nested too deep");
    rc = parse_alternatives(c);
    c->nesting--;
    if (rc < 0)
        return rc;
    if (c->pattern[c->at] != ')')
        return failed(c, "missing )");
    c->at++;
    return 0;
}

static int parse_continuation(struct compiler *c)
{
    while (((unsigned char)c->pattern[c->at] & 0xc0) == 0x80) {
        struct instruction in = {.op = OP_SET, .x = (uint16_t)(c->regex->count + 1)};
        uint8_t *set;

        in.set = (uint16_t)c->regex->set_count;
        set = new_set(c);
        if (!set)
            return -1;
        set_add(set, (unsigned char)c->pattern[c->at++]);
        if (emit(c, in) < 0)
            return -1;
    }
    return 0;
}

static int parse_atom(struct compiler *c)
{
    struct instruction in = {.op = OP_SET};
    char first = c->pattern[c->at];
    uint8_t *set;
    int rc = 0;

    if (first == '(')
        return parse_group(c);
    if (first == '*' || first == '+' || first == '?' || first == '{')
        return failed(c, "nothing to repeat");
    in.set = (uint16_t)c->regex->set_count;
    set = new_set(c);
    if (!set)
        return -1;
    if (first == '[') {
        rc = parse_class(c, set);
    } else if (first == '\\') {
        rc = parse_escape(c, set);
    } else {
        if (first == '.')
            set_add_range(c, set, 0, 255);
        else
            set_add_range(c, set, (unsigned char)first, (unsigned char)first);
        c->at++;
    }
    in.x = (uint16_t)(c->regex->count + 1);
    if (rc < 0 || emit(c, in) < 0)
        return -1;
    /* The rest of a character beyond ASCII belongs to the same atom. */
    if ((unsigned char)first >= 0xc0 && ((unsigned char)c->pattern[c->at] & 0xc0) == 0x80)
        return parse_continuation(c);
    return 0;
}

/* Optional: split(body, after). */
static int make_optional(struct compiler *c, size_t begin)
{
    struct instruction in = {.op = OP_SPLIT, .x = (uint16_t)(begin + 1)};

    if (insert(c, begin, in) < 0)
        return -1;
    c->regex->program[begin].y = (uint16_t)c->regex->count;
    return 0;
}

/* At least once: body, split(body, after). */
static int make_plus(struct compiler *c, size_t begin)
{
    struct instruction in = {.op = OP_SPLIT, .x = (uint16_t)begin};

    in.y = (uint16_t)(c->regex->count + 1);
    return emit(c, in);
}

static int copy_body(struct compiler *c, size_t begin, size_t size)
{
    size_t shift = c->regex->count - begin;

    for (size_t i = 0; i < size; i++) {
        struct instruction in = c->regex->program[begin + i];

        in.x = (uint16_t)(in.x + shift);
        if (in.op == OP_SPLIT)
            in.y = (uint16_t)(in.y + shift);
        if (emit(c, in) < 0)
            return -1;
    }
    return 0;
}

static int parse_count(struct compiler *c, unsigned *ret_count)
{
    unsigned n = 0;
    unsigned digits = 0;

    for (; c->pattern[c->at] >= '0' && c->pattern[c->at] <= '9' && digits < 4; digits++)
        n = n * 10 + (unsigned)(c->pattern[c->at++] - '0');
    if (!digits || n > MAX_REPEAT)
        return failed(c, "a repeat count is 0 to 200");
    *ret_count = n;
    return 0;
}

static int repeat(struct compiler *c, size_t begin, unsigned low, unsigned high, bool open)
{
    size_t size = c->regex->count - begin;

    if (high == 0 && !open) {
        c->regex->count = begin;
        return 0;
    }
    for (unsigned i = 1; i < (low ? low : 1); i++)
        if (copy_body(c, c->regex->count - size, size) < 0)
            return -1;
    if (open) {
        if (make_plus(c, c->regex->count - size) < 0)
            return -1;
        return low ? 0 : make_optional(c, begin);
    }
    for (unsigned i = low ? low : 1; i < high; i++) {
        size_t copy = c->regex->count;

        if (copy_body(c, begin, size) < 0 || make_optional(c, copy) < 0)
            return -1;
    }
    return low ? 0 : make_optional(c, begin);
}

static int parse_braces(struct compiler *c, size_t begin)
{
    unsigned low;
    unsigned high;
    bool open = false;

    c->at++;
    if (parse_count(c, &low) < 0)
        return -1;
    high = low;
    if (c->pattern[c->at] == ',') {
        c->at++;
        open = c->pattern[c->at] == '}';
        if (!open && parse_count(c, &high) < 0)
            return -1;
    }
    if (c->pattern[c->at] != '}')
        return failed(c, "missing }");
    c->at++;
    if (high < low)
        return failed(c, "the repeat counts are upside down");
    return repeat(c, begin, low, high, open);
}

static int parse_repeated(struct compiler *c)
{
    size_t begin = c->regex->count;
    int rc = parse_atom(c);
    char mark = c->pattern[c->at];

    if (rc < 0)
        return rc;
    if (mark == '{')
        rc = parse_braces(c, begin);
    else if (mark == '*')
        rc = make_plus(c, begin) < 0 ? -1 : make_optional(c, begin);
    else if (mark == '+')
        rc = make_plus(c, begin);
    else if (mark == '?')
        rc = make_optional(c, begin);
    else
        return 0;
    if (rc < 0)
        return rc;
    if (mark != '{')
        c->at++;
    if (c->pattern[c->at] == '?') /* lazy: the same set of matches */
        c->at++;
    mark = c->pattern[c->at];
    if (mark == '*' || mark == '+' || mark == '?' || mark == '{')
        return failed(c, "a repeat of a repeat");
    return 0;
}

static int parse_sequence(struct compiler *c)
{
    while (c->pattern[c->at] && c->pattern[c->at] != '|' && c->pattern[c->at] != ')') {
        char mark = c->pattern[c->at];

        /* The match is anchored anyway. */
        if ((mark == '^' && c->at == 0) || (mark == '$' && !c->pattern[c->at + 1])) {
            c->at++;
            continue;
        }
        if (mark == '^' || mark == '$')
            return failed(c, "^ and $ are supported at the ends only");
        if (parse_repeated(c) < 0)
            return -1;
    }
    return 0;
}

static int parse_alternatives(struct compiler *c)
{
    size_t begin = c->regex->count;

    if (parse_sequence(c) < 0)
        return -1;
    while (c->pattern[c->at] == '|') {
        struct instruction split = {.op = OP_SPLIT, .x = (uint16_t)(begin + 1)};
        struct instruction jump = {.op = OP_JUMP};
        size_t out;

        c->at++;
        if (insert(c, begin, split) < 0 || emit(c, jump) < 0)
            return -1;
        out = c->regex->count - 1;
        c->regex->program[begin].y = (uint16_t)c->regex->count;
        if (parse_sequence(c) < 0)
            return -1;
        c->regex->program[out].x = (uint16_t)c->regex->count;
    }
    return 0;
}

static int prepare(struct compiler *c)
{
    struct regex *r = c->regex;

    r->now = memory_get(c->memory, r->count * sizeof(*r->now));
    r->next = memory_get(c->memory, r->count * sizeof(*r->next));
    r->stack = memory_get(c->memory, (r->count * 2 + 2) * sizeof(*r->stack));
    r->seen = memory_get(c->memory, r->count * sizeof(*r->seen));
    return c->memory->full ? -1 : 0;
}

struct regex *regex_compile(struct memory *memory, const char *pattern, const char **ret_reason,
                            size_t *ret_position)
{
    struct compiler c = {.pattern = pattern, .memory = memory};
    size_t room = strlen(pattern) * 4 + 64;

    c.regex = memory_get(memory, sizeof(*c.regex));
    if (room > MAX_PROGRAM || strstr(pattern, "{"))
        room = MAX_PROGRAM;
    c.room = room;
    if (c.regex)
        c.regex->program = memory_get(memory, room * sizeof(*c.regex->program));
    if (memory->full) {
        *ret_reason = NULL;
        return NULL;
    }
    if (strncmp(pattern, "(?i)", 4) == 0) {
        c.fold = true;
        c.pattern = pattern + 4;
    }
    if (strlen(pattern) > MAX_PROGRAM)
        failed(&c, "the pattern is too long");
    else if (parse_alternatives(&c) == 0 && c.pattern[c.at])
        failed(&c, "unexpected )");
    if (!c.reason && !memory->full && emit(&c, (struct instruction){.op = OP_MATCH}) == 0 &&
        prepare(&c) == 0)
        return c.regex;
    *ret_reason = memory->full ? NULL : c.reason;
    *ret_position = c.at + (size_t)(c.pattern - pattern);
    return NULL;
}

/* Follows splits and jumps from one instruction; each is entered once a generation. */
static void add_state(struct regex *r, uint16_t *list, size_t *count, uint16_t state)
{
    size_t depth = 0;

    r->stack[depth++] = state;
    while (depth) {
        uint16_t s = r->stack[--depth];
        const struct instruction *in = &r->program[s];

        if (r->seen[s] == r->generation)
            continue;
        r->seen[s] = r->generation;
        if (in->op == OP_JUMP) {
            r->stack[depth++] = in->x;
        } else if (in->op == OP_SPLIT) {
            r->stack[depth++] = in->y;
            r->stack[depth++] = in->x;
        } else {
            list[(*count)++] = s;
        }
    }
}

bool regex_match(struct regex *regex, const char *text)
{
    size_t count = 0;

    regex->generation++;
    add_state(regex, regex->now, &count, 0);
    for (; *text && count; text++) {
        size_t next_count = 0;
        uint16_t *swap;

        regex->generation++;
        for (size_t i = 0; i < count; i++) {
            const struct instruction *in = &regex->program[regex->now[i]];

            if (in->op == OP_SET && set_has(regex->sets[in->set], (unsigned char)*text))
                add_state(regex, regex->next, &next_count, in->x);
        }
        swap = regex->now;
        regex->now = regex->next;
        regex->next = swap;
        count = next_count;
    }
    if (*text)
        return false;
    for (size_t i = 0; i < count; i++)
        if (regex->program[regex->now[i]].op == OP_MATCH)
            return true;
    return false;
}
