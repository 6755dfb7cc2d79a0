/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/result_codec.h"

#define MAX ((size_t)16 << 20)

static double odd_values[] = {0.0, -0.0, 1.5, INFINITY, -INFINITY, 5e-324, 0, 0};
static const int64_t times[] = {-5, 0, 7, INT64_MAX - 1};
static const double few[] = {1, 2, 3, 4};
static const struct sonde_label labels[] = {{"__name__", 8, "up", 2}, {"a\0b", 3, "", 0}};

static struct result *make(void)
{
    struct result *result = result_new(SONDE_KIND_METRICS, MAX, NULL);
    struct series *series = result_alloc(result, 3, sizeof *series);
    odd_values[6] = sample_missing();
    odd_values[7] = NAN;
    series[0] = (struct series){.labels = labels,
                                .label_count = 2,
                                .unit = "s",
                                .type = 2,
                                .start_ns = 1767225600 * NS_PER_S,
                                .step_ns = 15 * NS_PER_S,
                                .sample_count = 8,
                                .values = odd_values};
    series[1] = (struct series){.unit = "", .sample_count = 4, .values = few, .times = times};
    static const struct histogram_point point = {.time_ns = 3,
                                                 .count = 10,
                                                 .sum = 2.5,
                                                 .bucket_count = 4,
                                                 .lower = few,
                                                 .upper = few,
                                                 .counts = few};
    static const struct exemplar exemplar = {.time_ns = 4,
                                             .value = 0.25,
                                             .trace_id = "0123456789abcdef0123456789abcdef",
                                             .span_id = "",
                                             .labels = labels,
                                             .label_count = 1};
    series[2] = (struct series){.unit = "",
                                .histograms = &point,
                                .histogram_count = 1,
                                .exemplars = &exemplar,
                                .exemplar_count = 1};
    result->series = series;
    result->series_count = 3;
    static struct name_row names[] = {
        {.name = "up", .unit = "", .help = "Is it?", .count = UINT64_MAX},
        {.name = "x", .unit = "s", .help = "", .parent = "p", .type = 3, .guessed = true}};
    static const struct sonde_pair header = {"X-Scope", "a"};
    static struct scope_row scope = {.id = "1",
                                     .name = "eu",
                                     .path_prefix = "/eu",
                                     .headers = &header,
                                     .header_count = 1,
                                     .is_default = true};
    static struct note_row note = {"code", "text"};
    static const char *const features[] = {"a", ""};
    result->names = names;
    result->name_count = 2;
    result->scopes = &scope;
    result->scope_count = 1;
    result->notes = &note;
    result->note_count = 1;
    result->features = features;
    result->feature_count = 2;
    result->executed = "up{job=\"x\"}";
    result->status = "well";
    result->resume = "\0\1\2";
    result->resume_size = 3;
    result->partial_reason = 2;
    result->partial_text = "half";
    result->total = 77;
    result->total_kind = 1;
    result->samples_read = 1000;
    result->reduced = true;
    result->newest_sample_ns = 123456789;
    result->fetched_at_ns = 1767225600 * NS_PER_S;
    result->elapsed_ns = -1;
    result->wire_bytes = 4711;
    return result;
}

static void pack(const struct result *result, struct buf *buf)
{
    *buf = BUF(RESULT_PACKED_MAX);
    assert_int_equal(result_pack(result, buf), 0);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, MAX);
    struct result *result = make();
    struct buf text = BUF(1 << 20);
    assert_int_equal(result_encode(result, &text), 0);
    struct result *back = NULL;
    assert_int_equal(result_decode(text.data, text.size, MAX, &budget, &back), 0);
    assert_true(atomic_load(&budget.used) > 0);
    assert_int_equal(back->kind, SONDE_KIND_METRICS);
    assert_int_equal(back->series_count, 3);
    assert_memory_equal(back->series[0].values, odd_values, sizeof odd_values);
    assert_memory_equal(back->series[1].times, times, sizeof times);
    assert_null(back->series[0].times);
    assert_int_equal(back->series[0].labels[1].name_size, 3);
    assert_memory_equal(back->series[0].labels[1].name, "a\0b", 4);
    assert_memory_equal(back->series[2].histograms[0].counts, few, sizeof few);
    assert_string_equal(back->series[2].exemplars[0].trace_id, "0123456789abcdef0123456789abcdef");
    assert_true(back->names[0].count == UINT64_MAX);
    assert_null(back->names[0].parent);
    assert_string_equal(back->names[1].parent, "p");
    assert_string_equal(back->scopes[0].headers[0].value, "a");
    assert_string_equal(back->executed, "up{job=\"x\"}");
    assert_memory_equal(back->resume, "\0\1\2", 3);
    assert_true(back->reduced && back->total == 77 && back->elapsed_ns == -1);
    assert_true(back->fetched_at_ns == 1767225600 * NS_PER_S);
    /* And whatever else there is. */
    struct buf one;
    struct buf two;
    pack(result, &one);
    pack(back, &two);
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.data, two.data, one.size);
    buf_finish(&one);
    buf_finish(&two);
    buf_finish(&text);
    result_unref(back);
    result_unref(result);
    assert_int_equal(atomic_load(&budget.used), 0);
}

/* As a database that keeps JSON by its meaning gives it back. */
static void test_rewritten_json(void **state)
{
    (void)state;
    struct result *result = make();
    struct buf text = BUF(1 << 20);
    assert_int_equal(result_encode(result, &text), 0);
    struct buf other = BUF(1 << 20);
    const char *z = strstr(text.data, "\"z\":");
    size_t packed = 0;
    struct buf whole;
    pack(result, &whole);
    packed = whole.size;
    buf_finish(&whole);
    buf_printf(&other, "{ %.*s, \"v\": 1, \"n\": %zu }", (int)(strlen(z) - 1), z, packed);
    struct result *back = NULL;
    assert_int_equal(result_decode(other.data, other.size, MAX, NULL, &back), 0);
    result_unref(back);
    buf_finish(&other);
    buf_finish(&text);
    result_unref(result);
}

static void test_damage(void **state)
{
    (void)state;
    struct result *result = make();
    struct buf packed;
    pack(result, &packed);
    struct result *back = NULL;
    for (size_t size = 0; size < packed.size; size++)
        assert_int_equal(result_unpack(packed.data, size, MAX, NULL, &back), ERR_INVALID);
    buf_add_char(&packed, 0);
    assert_int_equal(result_unpack(packed.data, packed.size, MAX, NULL, &back), ERR_INVALID);
    /* Whatever is flipped, it is refused or read within its bounds. */
    for (size_t i = 0; i < packed.size - 1; i++) {
        packed.data[i] = (char)(packed.data[i] ^ 0x80);
        if (!result_unpack(packed.data, packed.size - 1, MAX, NULL, &back))
            result_unref(back);
        packed.data[i] = (char)(packed.data[i] ^ 0x80);
    }
    back = NULL;
    assert_int_equal(result_unpack(packed.data, packed.size - 1, 2000, NULL, &back), ERR_MEMORY);
    assert_null(back);
    buf_finish(&packed);
    /* In the text a damaged byte never changes what is read, for the stream has a checksum; but a few of its bits mean nothing. */
    struct buf text = BUF(1 << 20);
    size_t undamaged = 0;
    assert_int_equal(result_encode(result, &text), 0);
    for (size_t i = 0; i < text.size; i++) {
        char was = text.data[i];
        text.data[i] = was == 'A' ? 'B' : 'A';
        int r = result_decode(text.data, text.size, MAX, NULL, &back);
        text.data[i] = was;
        if (r) {
            assert_int_equal(r, ERR_INVALID);
            continue;
        }
        undamaged++;
        assert_memory_equal(back->series[0].values, odd_values, sizeof odd_values);
        result_unref(back);
    }
    assert_true(undamaged <= 4);
    static const char *const others[] = {"",
                                         "[]",
                                         "{}",
                                         "{\"v\":2,\"n\":1,\"z\":\"\"}",
                                         "{\"v\":1,\"n\":1,\"z\":\"\"}",
                                         "{\"v\":1,\"n\":-1,\"z\":\"eJwDAAAAAAE=\"}",
                                         "{\"v\":1,\"n\":99999999999,\"z\":\"eJwDAAAAAAE=\"}",
                                         "{\"v\":1,\"n\":1,\"z\":7}"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(result_decode(others[i], strlen(others[i]), MAX, NULL, &back),
                         ERR_INVALID);
    buf_finish(&text);
    result_unref(result);
}

static void test_too_large(void **state)
{
    (void)state;
    struct result *result = make();
    struct buf text = BUF(100);
    assert_int_equal(result_encode(result, &text), ERR_LIMIT);
    buf_finish(&text);
    size_t n = RESULT_PACKED_MAX / 8 + 1;
    result->series[1].sample_count = n;
    result->series[1].values = mem_alloc_array(n, sizeof(double));
    result->series[1].times = NULL;
    text = BUF(MAX);
    assert_int_equal(result_encode(result, &text), ERR_LIMIT);
    buf_finish(&text);
    mem_free((void *)result->series[1].values);
    result_unref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_rewritten_json),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_too_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
