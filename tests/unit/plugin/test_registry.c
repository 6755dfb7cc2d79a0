/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before it is mapped, which names are loaded, and the check in a child process. */
#include "cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/registry.h"

static char folder[256];
static char zoo[4096];
static struct registry *registry;

static void copy(const char *module, const char *to, mode_t mode)
{
    char from[4200];
    char path[600];
    static char bytes[1 << 22];
    snprintf(from, sizeof from, "%s/%s.so", zoo, module);
    snprintf(path, sizeof path, "%s/%s", folder, to);
    FILE *in = fopen(from, "rb");
    assert_non_null(in);
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    assert_true(n > 0 && n < sizeof bytes);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(out);
    assert_int_equal(chmod(path, mode), 0);
}

static void clear(void)
{
    static const char *const files[] = {"zoo_good.so", "zoo_actor.so", "other.so", "readme.txt",
                                        "zoo_no_entry.so"};
    char path[600];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        if (unlink(path) && errno == EISDIR)
            rmdir(path);
    }
    rmdir(folder);
}

static int setup(void **state)
{
    (void)state;
    const char *top = getenv("top_builddir");
    snprintf(zoo, sizeof zoo, "%s/zoo.d", top ? top : ".");
    snprintf(folder, sizeof folder, "/tmp/sonde-registry-XXXXXX");
    return mkdtemp(folder) ? chmod(folder, 0755) : -1;
}

static int teardown(void **state)
{
    (void)state;
    registry_free(registry);
    registry = NULL;
    chmod(folder, 0755);
    clear();
    return 0;
}

static void load(const char *const *enable, size_t n)
{
    const char *paths[] = {folder};
    struct err err = {0};
    assert_int_equal(registry_load(paths, 1, enable, n, &registry, &err), 0);
}

static void expect(const char *name, const char *reason)
{
    size_t n;
    const struct plugin_refusal *rows = registry_refusals(registry, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0) {
            if (!strstr(rows[i].reason, reason))
                assert_string_equal(rows[i].reason, reason);
            return;
        }
    fail_msg("%s was not refused", name);
}

static const char *const good[] = {"zoo_good"};

static void test_accepted(void **state)
{
    (void)state;
    copy("zoo_good", "zoo_good.so", 0644);
    copy("zoo_actor", "zoo_actor.so", 0644);
    load(good, 1);
    size_t n;
    registry_adapters(registry, &n);
    assert_int_equal(n, 1);
    assert_string_equal(registry_find(registry, "zoo_good")->table.version, "1");
    /* A third party's that is not named is not even mapped. */
    expect("zoo_actor", "not enabled");
}

static void test_default_names(void **state)
{
    (void)state;
    copy("zoo_good", "zoo_good.so", 0644);
    load(NULL, 0);
    size_t n;
    registry_adapters(registry, &n);
    assert_int_equal(n, 0);
    registry_refusals(registry, &n);
    assert_int_equal(n, 1); /* that prometheus is absent is no fault when no one asked for it */
    expect("zoo_good", "not enabled");
}

static void test_writable_file(void **state)
{
    (void)state;
    copy("zoo_good", "zoo_good.so", 0646);
    load(good, 1);
    expect("zoo_good", "may be written by its group or others (mode 646)");
    assert_null(registry_find(registry, "zoo_good"));
}

static void test_writable_folder(void **state)
{
    (void)state;
    copy("zoo_good", "zoo_good.so", 0644);
    assert_int_equal(chmod(folder, 0775), 0);
    load(good, 1);
    expect("zoo_good", "the plugin folder");
}

static void test_not_regular(void **state)
{
    (void)state;
    char path[600];
    snprintf(path, sizeof path, "%s/zoo_good.so", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    load(good, 1);
    expect("zoo_good", "not a regular file");
}

static void test_outside(void **state)
{
    (void)state;
    char path[600];
    char target[4200];
    snprintf(path, sizeof path, "%s/zoo_good.so", folder);
    snprintf(target, sizeof target, "%s/zoo_good.so", zoo);
    char *real = realpath(target, NULL);
    assert_non_null(real);
    assert_int_equal(symlink(real, path), 0);
    free(real);
    load(good, 1);
    expect("zoo_good", "outside the plugin folder");
}

static void test_same_file_and_name(void **state)
{
    (void)state;
    copy("zoo_good", "zoo_good.so", 0644);
    char path[600];
    char link_path[600];
    snprintf(path, sizeof path, "%s/zoo_good.so", folder);
    snprintf(link_path, sizeof link_path, "%s/zoo_actor.so", folder);
    assert_int_equal(link(path, link_path), 0);
    static const char *const both[] = {"zoo_actor", "zoo_good"};
    const char *paths[] = {folder, zoo};
    struct err err = {0};
    assert_int_equal(registry_load(paths, 2, both, 2, &registry, &err), 0);
    size_t n;
    const struct plugin_refusal *rows = registry_refusals(registry, &n);
    bool taken = false;
    for (size_t i = 0; i < n; i++)
        taken = taken || (strstr(rows[i].reason, "the name zoo_good is taken by") &&
                          strstr(rows[i].path, "zoo.d"));
    assert_true(taken);
    /* Under another name it says so first. */
    expect("zoo_actor", "calls itself \"zoo_good\"");
}

static void test_no_plugin(void **state)
{
    (void)state;
    copy("zoo_no_entry", "zoo_no_entry.so", 0644);
    static const char *const names[] = {"zoo_no_entry", "absent"};
    load(names, 2);
    expect("zoo_no_entry", "not a sonde plugin");
    expect("absent", "no absent.so in");
}

static void test_not_a_library(void **state)
{
    (void)state;
    char path[600];
    snprintf(path, sizeof path, "%s/zoo_good.so", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("#!/bin/sh\n", out);
    fclose(out);
    assert_int_equal(chmod(path, 0644), 0);
    load(good, 1);
    expect("zoo_good", "cannot be loaded");
}

static void test_missing_folder(void **state)
{
    (void)state;
    const char *paths[] = {"/nonexistent/plugins", folder};
    copy("zoo_good", "zoo_good.so", 0644);
    assert_int_equal(registry_load(paths, 2, good, 1, &registry, NULL), 0);
    assert_non_null(registry_find(registry, "zoo_good"));
    registry_free(registry);
    registry = NULL;
    paths[0] = folder;
    assert_int_equal(registry_load(paths, 2, good, 1, &registry, NULL), 0);
    expect("zoo_good", "it is the same file as");
}

static void test_check_in_child(void **state)
{
    (void)state;
    char text[1024];
    char path[600];
    copy("zoo_good", "zoo_good.so", 0644);
    snprintf(path, sizeof path, "%s/zoo_good.so", folder);
    assert_int_equal(plugin_check_file(path, text, sizeof text), 0);
    assert_string_equal(
        text, "accepted: zoo_good 1 (Apache-2.0), plugin ABI 1.0, needs 1.0; this host speaks 1.0");
    copy("zoo_good", "other.so", 0644);
    snprintf(path, sizeof path, "%s/other.so", folder);
    assert_int_equal(plugin_check_file(path, text, sizeof text), ERR_INVALID);
    assert_non_null(strstr(text, "refused: it calls itself \"zoo_good\""));
    assert_int_equal(plugin_check_file("/nonexistent.so", text, sizeof text), ERR_INVALID);
    assert_non_null(strstr(text, "refused: cannot look at /nonexistent.so"));
    /* A child that dies is a verdict too. */
    assert_int_equal(plugin_check_file("crash", text, sizeof text), ERR_INVALID);
    assert_non_null(strstr(text, "refused: it crashed while it was loaded"));
}

#define T(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[2], "check-here") == 0) {
        char text[1024];
        if (strcmp(argv[3], "crash") == 0)
            raise(SIGKILL);
        int r = plugin_check_here(argv[3], text, sizeof text);
        puts(text);
        return r ? 1 : 0;
    }
    const struct CMUnitTest tests[] = {
        T(test_accepted),           T(test_default_names), T(test_writable_file),
        T(test_writable_folder),    T(test_not_regular),   T(test_outside),
        T(test_same_file_and_name), T(test_no_plugin),     T(test_not_a_library),
        T(test_missing_folder),     T(test_check_in_child)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
