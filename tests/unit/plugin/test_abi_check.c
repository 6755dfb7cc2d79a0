/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/abi_check.h"

static int32_t do_open(const struct sonde_open *open, void **ret_instance)
{
    (void)open;
    (void)ret_instance;
    return 0;
}
static void do_close(void *instance)
{
    (void)instance;
}
static int32_t do_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    (void)begin;
    (void)ret_op;
    return 0;
}
static int32_t do_next(void *op, struct sonde_request *request)
{
    (void)op;
    (void)request;
    return SONDE_DONE;
}
static int32_t do_head(void *op, uint32_t tag, const struct sonde_response_head *head)
{
    (void)op;
    (void)tag;
    (void)head;
    return 0;
}
static int32_t do_data(void *op, uint32_t tag, const void *data, size_t size)
{
    (void)op;
    (void)tag;
    (void)data;
    (void)size;
    return 0;
}
static int32_t do_end(void *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    (void)op;
    (void)tag;
    (void)outcome;
    return 0;
}
static void do_op_end(void *op, int32_t reason)
{
    (void)op;
    (void)reason;
}

static struct sonde_param param;
static const struct sonde_param *params[] = {&param, NULL};
static struct sonde_allowed allowed;
static const struct sonde_allowed *alloweds[] = {&allowed};
static struct sonde_placement placement;
static const struct sonde_placement *placements[] = {&placement};
static struct sonde_auth_scheme scheme;
static const struct sonde_auth_scheme *schemes[] = {&scheme};
static const char *candidates[] = {"pod"};
static struct sonde_alias alias;
static const struct sonde_alias *aliases[] = {&alias};
static struct sonde_plugin table;

static int setup(void **state)
{
    (void)state;
    param = (struct sonde_param){
        .struct_size = sizeof param, .type = SONDE_PARAM_STRING, .key = "labels.extra"};
    params[1] = NULL;
    allowed =
        (struct sonde_allowed){.struct_size = sizeof allowed, .method = "GET", .path_prefix = "/"};
    placement = (struct sonde_placement){.struct_size = sizeof placement,
                                         .place = SONDE_PLACE_HEADER,
                                         .name = "X-Key",
                                         .template_ = "{api_key}"};
    scheme = (struct sonde_auth_scheme){.struct_size = sizeof scheme,
                                        .name = "keys",
                                        .placements = placements,
                                        .placement_count = 1};
    alias = (struct sonde_alias){.struct_size = sizeof alias,
                                 .logical = "pod",
                                 .candidates = candidates,
                                 .candidate_count = 1};
    table = (struct sonde_plugin){.struct_size = sizeof table,
                                  .abi_major = SONDE_ABI_MAJOR,
                                  .abi_minor = SONDE_ABI_MINOR,
                                  .caps = SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP_NATIVE,
                                  .name = "toy",
                                  .version = "1",
                                  .license = "MIT",
                                  .summary = "s",
                                  .params = params,
                                  .param_count = 1,
                                  .auth_schemes = schemes,
                                  .auth_scheme_count = 1,
                                  .allowed = alloweds,
                                  .allowed_count = 1,
                                  .aliases = aliases,
                                  .alias_count = 1,
                                  .open = do_open,
                                  .close = do_close,
                                  .op_begin = do_begin,
                                  .op_next = do_next,
                                  .op_response_head = do_head,
                                  .op_response_data = do_data,
                                  .op_response_end = do_end,
                                  .op_end = do_op_end};
    return 0;
}

static void refused(const char *text)
{
    struct sonde_plugin copy = {.struct_size = 77};
    struct err err = {0};
    assert_int_equal(abi_check(&table, &copy, &err), ERR_INVALID);
    if (!strstr(err.text, text))
        assert_string_equal(err.text, text);
    assert_int_equal(copy.struct_size, 77); /* untouched */
    setup(NULL);
}

static void test_accepted(void **state)
{
    (void)state;
    struct sonde_plugin copy;
    assert_int_equal(abi_check(&table, &copy, NULL), 0);
    assert_memory_equal(&copy, &table, sizeof table);
    table.caps |= (uint64_t)1 << 60; /* may be ignored */
    table.understands = ~(uint64_t)0;
    assert_int_equal(abi_check(&table, &copy, NULL), 0);
    assert_true(abi_unknown_caps(&copy) == (uint64_t)1 << 60);
}

/* Exactly struct_size bytes are allocated, so that a sanitizer sees a read beyond. */
static void test_newer_and_older(void **state)
{
    (void)state;
    struct sonde_plugin copy;
    size_t longer = sizeof table + 64;
    unsigned char *bytes = malloc(longer);
    assert_non_null(bytes);
    memset(bytes, 0xff, longer);
    table.struct_size = (uint32_t)longer;
    table.abi_minor = 7;
    memcpy(bytes, &table, sizeof table);
    assert_int_equal(abi_check((const struct sonde_plugin *)(void *)bytes, &copy, NULL), 0);
    free(bytes);
    static const uint32_t sizes[] = {16, 20, 64,
                                     (uint32_t)(offsetof(struct sonde_plugin, link) - 1)};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct err err = {0};
        table.struct_size = sizes[i];
        bytes = malloc(sizes[i]);
        assert_non_null(bytes);
        memcpy(bytes, &table, sizes[i]);
        assert_int_equal(abi_check((const struct sonde_plugin *)(void *)bytes, &copy, &err),
                         ERR_INVALID);
        assert_non_null(strstr(err.text, "struct_size"));
        free(bytes);
    }
}

static void test_versions(void **state)
{
    (void)state;
    table.struct_size = 4;
    refused("struct_size 4");
    table.abi_major = 2;
    refused("built for plugin ABI 2.0, this host speaks 1.0");
    table.abi_minor = 3;
    table.needs_minor = 3;
    refused("needs plugin ABI 1.3, this host offers 1.0");
    table.required_caps = (uint64_t)1 << 50 | SONDE_CAP_NATIVE;
    refused("required_caps bits 0x4000000000000");
    table.caps = SONDE_CAP_NATIVE;
    refused("no kind of query");
}

static void test_identity(void **state)
{
    (void)state;
    table.version = NULL;
    refused("lacks version");
    table.license = "";
    refused("lacks license");
    table.summary = NULL;
    refused("lacks summary");
    static const char *const names[] = {"Toy", "1toy", "to-y", "toy.so",
                                        "a23456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        table.name = names[i];
        refused("malformed");
    }
}

static void test_functions(void **state)
{
    (void)state;
    table.open = NULL;
    refused("function open is NULL");
    table.close = NULL;
    refused("function close is NULL");
    table.op_begin = NULL;
    refused("function op_begin is NULL");
    table.op_next = NULL;
    refused("function op_next is NULL");
    table.op_response_head = NULL;
    refused("function op_response_head is NULL");
    table.op_response_data = NULL;
    refused("function op_response_data is NULL");
    table.op_response_end = NULL;
    refused("function op_response_end is NULL");
    table.op_end = NULL;
    refused("function op_end is NULL");
}

static void test_data(void **state)
{
    (void)state;
    table.params = NULL;
    refused("params is NULL although it counts 1");
    table.param_count = 2;
    refused("params[1] is NULL");
    table.param_count = 1000000;
    refused("at most 64");
    param.key = "Bad Key";
    refused("no key of the form");
    param.key = "tls.extra";
    refused("a key of the host's own");
    param.key = "url";
    refused("a key of the host's own");
    param.type = 9;
    refused("unknown type 9");
    params[1] = &param;
    table.param_count = 2;
    refused("declared twice");
    scheme.name = NULL;
    refused("auth_schemes[0]");
    placement.template_ = NULL;
    refused("malformed placement");
    allowed.path_prefix = "api";
    refused("begins with /");
    allowed.method = "";
    refused("allowed[0]");
    alias.candidates = NULL;
    refused("candidates is NULL");
    alias.logical = NULL;
    refused("aliases[0]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_accepted, setup),
                                       cmocka_unit_test_setup(test_newer_and_older, setup),
                                       cmocka_unit_test_setup(test_versions, setup),
                                       cmocka_unit_test_setup(test_identity, setup),
                                       cmocka_unit_test_setup(test_functions, setup),
                                       cmocka_unit_test_setup(test_data, setup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
