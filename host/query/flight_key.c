/* SPDX-License-Identifier: Apache-2.0 */
#include "query/flight_key.h"

#include <string.h>

static void add_number(struct buf *buf, uint64_t number)
{
    buf_add_n(buf, &number, sizeof number);
}

/* Sizes before bytes, so that no two lists run into the same string. */
static void add_bytes(struct buf *buf, const void *data, size_t size)
{
    add_number(buf, size);
    if (size)
        buf_add_n(buf, data, size);
}

static void add_string(struct buf *buf, const char *string)
{
    add_bytes(buf, string, string ? strlen(string) : 0);
}

static void add_strings(struct buf *buf, const char *const *strings, size_t n)
{
    add_number(buf, n);
    for (size_t i = 0; i < n; i++)
        add_string(buf, strings[i]);
}

static void add_double(struct buf *buf, double value)
{
    buf_add_n(buf, &value, sizeof value);
}

static void add_filters(struct buf *buf, const struct sonde_filter *const *filters, size_t n)
{
    add_number(buf, n);
    for (size_t i = 0; i < n; i++) {
        const struct sonde_filter *filter = filters[i];
        add_number(buf, filter->op);
        add_number(buf, filter->native_type);
        add_number(buf, filter->flags);
        add_string(buf, filter->logical);
        add_string(buf, filter->native);
        add_strings(buf, filter->values, filter->value_count);
    }
}

static void add_operands(struct buf *buf, const struct sonde_query *query)
{
    add_number(buf, query->operand_count);
    for (size_t i = 0; i < query->operand_count; i++) {
        const struct sonde_operand *operand = query->operands[i];
        add_number(buf, operand->function);
        add_number(buf, operand->aggregate);
        add_string(buf, operand->metric);
        add_filters(buf, operand->filters, operand->filter_count);
        add_number(buf, (uint64_t)operand->window_ns);
        add_number(buf, (uint64_t)operand->offset_ns);
        add_double(buf, operand->quantile);
    }
}

static void add_anchors(struct buf *buf, const struct sonde_query *query)
{
    add_number(buf, query->anchor_count);
    for (size_t i = 0; i < query->anchor_count; i++) {
        const struct sonde_anchor *anchor = query->anchors[i];
        add_number(buf, (uint64_t)anchor->time_ns);
        add_bytes(buf, anchor->ref, anchor->ref_size);
        add_number(buf, anchor->label_count);
        for (size_t k = 0; k < anchor->label_count; k++) {
            add_bytes(buf, anchor->labels[k].name, anchor->labels[k].name_size);
            add_bytes(buf, anchor->labels[k].value, anchor->labels[k].value_size);
        }
    }
}

void flight_key(struct buf *buf, uint64_t backend_serial, const struct sonde_query *query)
{
    const uint64_t numbers[] = {backend_serial,
                                query->kind,
                                query->must_understand,
                                (uint64_t)query->start_ns,
                                (uint64_t)query->end_ns,
                                (uint64_t)query->step_ns,
                                query->limit,
                                query->direction,
                                query->combine,
                                query->aggregate,
                                query->top_k,
                                query->bottom_k,
                                query->before,
                                query->after};
    buf_add_n(buf, numbers, sizeof numbers);
    add_string(buf, query->scope);
    add_string(buf, query->name);
    add_bytes(buf, query->native, query->native_size);
    add_filters(buf, query->filters, query->filter_count);
    add_number(buf, query->match_count);
    for (size_t i = 0; i < query->match_count; i++) {
        add_number(buf, query->match[i].type);
        add_number(buf, query->match[i].child_count);
        add_string(buf, query->match[i].text);
    }
    add_operands(buf, query);
    add_strings(buf, query->by, query->by_count);
    add_strings(buf, query->ids, query->id_count);
    add_anchors(buf, query);
    add_bytes(buf, query->resume, query->resume_size);
    add_number(buf, query->option_count);
    for (size_t i = 0; i < query->option_count; i++) {
        add_string(buf, query->options[i].key);
        add_string(buf, query->options[i].value);
    }
}
