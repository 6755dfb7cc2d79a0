/* SPDX-License-Identifier: Apache-2.0 */
#include "name.h"

#include <string.h>

static bool is_name(const char *name, size_t size, bool colon)
{
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!alpha && !(c >= '0' && c <= '9' && i > 0) && !(c == ':' && colon))
            return false;
    }
    return size > 0;
}

bool promql_is_label_name(const char *name, size_t size)
{
    return is_name(name, size, false);
}

bool promql_is_metric_name(const char *name, size_t size)
{
    return is_name(name, size, true);
}

void promql_add_string(struct sonde_text *text, const char *data, size_t size)
{
    sonde_text_add_char(text, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '"' || c == '\\') {
            sonde_text_add_char(text, '\\');
            sonde_text_add_char(text, data[i]);
        } else if (c < 0x20 || c == 0x7f) {
            sonde_text_add_format(text, "\\x%02x", (unsigned)c);
        } else {
            sonde_text_add_char(text, data[i]);
        }
    }
    sonde_text_add_char(text, '"');
}

void promql_add_label(struct sonde_text *text, const char *name)
{
    size_t size = strlen(name);
    if (promql_is_label_name(name, size))
        sonde_text_add_n(text, name, size);
    else
        promql_add_string(text, name, size);
}

void promql_add_regex_literal(struct sonde_text *text, const char *value)
{
    for (; *value != '\0'; value++) {
        if (strchr("\\.+*?()|[]{}^$", *value) != NULL)
            sonde_text_add_char(text, '\\');
        sonde_text_add_char(text, *value);
    }
}

/* Decodes one UTF-8 character; 0xFFFD and one byte where there is none. */
static uint32_t next_rune(const unsigned char *p, size_t *ret_size)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    size_t more = p[0] >= 0xf0 && p[0] < 0xf8 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
    *ret_size = 1;
    if (p[0] < 0x80)
        return p[0];
    if (more == 0 || p[0] >= 0xf8)
        return 0xfffd;
    uint32_t rune = p[0] & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        rune = rune << 6 | (p[i] & 0x3fu);
    }
    if (rune < least[more])
        return 0xfffd;
    *ret_size = more + 1;
    return rune;
}

void promql_add_escaped_label(struct sonde_text *text, const char *name)
{
    const unsigned char *p = (const unsigned char *)name;
    size_t size = strlen(name);
    for (size_t i = 0, used; i < size; i += used) {
        uint32_t rune = next_rune(p + i, &used);
        char c = (char)p[i];
        if (used > 1 && rune <= 0xffff)
            sonde_text_add_format(text, "\\u%04x", (unsigned)rune);
        else if (used > 1)
            sonde_text_add_n(text, name + i, used);
        else if (c == '.' && i > 0)
            sonde_text_add_char(text, c);
        else if (is_name(i > 0 ? (char[]){'_', c} : &c, i > 0 ? 2 : 1, true))
            sonde_text_add_char(text, c);
        else if (c > ' ' && c < 0x7f)
            sonde_text_add_format(text, "\\%c", c);
        else
            sonde_text_add_format(text, "\\x%02x", (unsigned)p[i]);
    }
}

void promql_add_plain_path_name(struct sonde_text *text, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++) {
        if (is_name((char[]){'_', name[i]}, 2, false) || name[i] == '-' ||
            (name[i] == '.' && size > 2))
            sonde_text_add_char(text, name[i]);
        else
            sonde_text_add_format(text, "%%%02X", (unsigned)(unsigned char)name[i]);
    }
}

void promql_add_path_name(struct sonde_text *text, const char *name)
{
    size_t size = strlen(name);
    if (promql_is_label_name(name, size)) {
        sonde_text_add_n(text, name, size);
        return;
    }
    sonde_text_add(text, "U__");
    const unsigned char *p = (const unsigned char *)name;
    for (size_t i = 0, used; i < size; i += used) {
        uint32_t rune = next_rune(p + i, &used);
        char c = (char)p[i];
        if (c == '_')
            sonde_text_add(text, "__");
        else if (used == 1 && rune < 0x80 &&
                 is_name(i > 0 ? (char[]){'_', c} : &c, i > 0 ? 2 : 1, false))
            sonde_text_add_char(text, c);
        else
            sonde_text_add_format(text, "_%x_", (unsigned)rune);
    }
}

size_t promql_cut(const char *text, size_t size, size_t max)
{
    if (size <= max)
        return size;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

void promql_trim(char *text)
{
    size_t size = strlen(text);
    size_t lead = size;
    while (lead > 0 && size - lead < 3 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead == 0 || (unsigned char)text[lead - 1] < 0xc0)
        return;
    unsigned char first = (unsigned char)text[lead - 1];
    size_t wanted = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (size - lead + 1 < wanted)
        text[lead - 1] = '\0';
}

struct suffix {
    const char *text;
    const char *unit;
};

/* Prometheus naming conventions and OpenTelemetry's translation of units, to UCUM. */
static const struct suffix units[] = {
    {"seconds", "s"},      {"milliseconds", "ms"},    {"microseconds", "us"},
    {"nanoseconds", "ns"}, {"minutes", "min"},        {"hours", "h"},
    {"days", "d"},         {"bytes", "By"},           {"kilobytes", "kBy"},
    {"megabytes", "MBy"},  {"bits", "bit"},           {"ratio", "1"},
    {"percent", "%"},      {"celsius", "Cel"},        {"volts", "V"},
    {"amperes", "A"},      {"joules", "J"},           {"watts", "W"},
    {"grams", "g"},        {"meters", "m"},           {"hertz", "Hz"},
    {"cores", "{core}"},   {"requests", "{request}"},
};

const char *promql_unit(const char *word)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(units[i].text, word) == 0)
            return units[i].unit;
    return word;
}

/* Whether name[0..size) ends in '_' or '.' and the suffix, with something before it. */
static bool ends_in(const char *name, size_t size, const char *suffix)
{
    size_t n = strlen(suffix);
    return size > n + 1 && (name[size - n - 1] == '_' || name[size - n - 1] == '.') &&
           memcmp(name + size - n, suffix, n) == 0;
}

static const char *unit_of(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ends_in(name, size, units[i].text))
            return units[i].unit;
    return NULL;
}

struct promql_guess promql_guess_name(const char *name, size_t size)
{
    static const struct {
        const char *suffix;
        uint32_t type;
        bool has_unit; /* the unit of the family is the unit of this series */
    } rules[] = {
        {"total", SONDE_TYPE_COUNTER, true},  {"bucket", SONDE_TYPE_HISTOGRAM, false},
        {"count", SONDE_TYPE_COUNTER, false}, {"sum", SONDE_TYPE_COUNTER, true},
        {"info", SONDE_TYPE_INFO, false},     {"created", SONDE_TYPE_GAUGE, false},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!ends_in(name, size, rules[i].suffix))
            continue;
        size_t family = size - strlen(rules[i].suffix) - 1;
        return (struct promql_guess){.type = rules[i].type,
                                     .unit = rules[i].has_unit ? unit_of(name, family) : NULL,
                                     .keeps_unit = rules[i].has_unit,
                                     .family_size = family};
    }
    const char *unit = unit_of(name, size);
    return (struct promql_guess){.type = unit != NULL ? SONDE_TYPE_GAUGE : SONDE_TYPE_UNKNOWN,
                                 .unit = unit,
                                 .keeps_unit = true,
                                 .family_size = size};
}
