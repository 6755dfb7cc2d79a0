/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"

#include "cmocka_all.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"

#define DOCUMENT ((size_t)1 << 20)

struct service *service;
struct principal ann, bob;
struct manage_mistakes mistakes;
struct err err;
char people_folder[64];

static struct config_mistake file_mistakes[CONFIG_MAX_MISTAKES];
static size_t mistake_count;
static const struct service_options options = {.keeping = KEEP_ALWAYS};

/* The toy's registry in place of the loader's. */
int registry_load(const char *const *paths, size_t path_count, const char *const *enable,
                  size_t enable_count, struct registry **ret_registry, struct err *ret_err)
{
    (void)paths;
    (void)path_count;
    (void)enable;
    (void)enable_count;
    (void)ret_err;
    *ret_registry = toy_registry();
    return 0;
}

void registry_free(struct registry *registry)
{
    (void)registry;
}

static struct config *parse(const char *yaml)
{
    char text[8192];
    struct config *config = NULL;
    err = (struct err){0};
    snprintf(text, sizeof text, "store: %s/db\nkeys: {file: %s/keys}\n%s", people_folder,
             people_folder, yaml);
    if (config_parse(text, strlen(text), "f.yaml", &config, file_mistakes, &mistake_count, &err))
        fail_msg("%s", err.text);
    return config;
}

static void start(const char *yaml)
{
    if (service_create(parse(yaml), &options, &service, file_mistakes, &mistake_count, &err))
        fail_msg("%s", err.text);
}

static void make_user(struct principal *who, const char *name)
{
    struct user_row row = {.name = name, .created_ms = 1};
    uuid7(row.id);
    if (store_user_add(service->kept.store, &row, &err))
        fail_msg("%s", err.text);
    *who = (struct principal){.rights = RIGHT_READ | RIGHT_MANAGE};
    snprintf(who->id, sizeof who->id, "%s", row.id);
    snprintf(who->name, sizeof who->name, "%s", name);
}

void people_start(const char *yaml)
{
    log_setup(LOG_NONE, false);
    toy_reset();
    snprintf(people_folder, sizeof people_folder, "/tmp/sonde_people_XXXXXX");
    if (!mkdtemp(people_folder))
        fail_msg("no folder");
    start(yaml);
    make_user(&ann, "ann");
    make_user(&bob, "bob");
}

void people_restart(const char *yaml)
{
    service_destroy(service, 60000);
    start(yaml);
}

int people_reload(const char *yaml)
{
    struct service_changes changes;
    return service_reload(service, parse(yaml), &options, &changes, file_mistakes, &mistake_count,
                          &err);
}

int people_finish(void **state)
{
    (void)state;
    service_destroy(service, 60000);
    service = NULL;
    DIR *folder = opendir(people_folder);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(people_folder);
    /* Everything that was opened is closed. */
    assert_int_equal(atomic_load(&plan.opens), atomic_load(&plan.closes));
    return 0;
}

int people_add(const struct principal *who, const char *body, char ret_id[37])
{
    char id[37] = "";
    err = (struct err){0};
    int r = manage_add(service, who, body, strlen(body), "rest", NULL, id, &mistakes, &err);
    assert_int_equal(r, err.code);
    if (ret_id)
        memcpy(ret_id, id, sizeof id);
    return r;
}

int people_edit(const struct principal *who, const char *id, const char *body, uint64_t revision)
{
    err = (struct err){0};
    int r =
        manage_edit(service, who, id, body, strlen(body), revision, NULL, NULL, &mistakes, &err);
    assert_int_equal(r, err.code);
    return r;
}

const char *people_show(const struct principal *who, const char *id)
{
    static char text[1 << 16];
    struct buf out = BUF(DOCUMENT);
    err = (struct err){0};
    text[0] = '\0';
    if (!manage_show(service, who, id, &out, NULL, &err))
        snprintf(text, sizeof text, "%s", buf_text(&out));
    buf_finish(&out);
    return text;
}

const char *people_names(const struct principal *who)
{
    static char text[4096];
    struct connection_set *set = service_set_for(service, who);
    size_t used = 0;
    assert_non_null(set);
    text[0] = '\0';
    for (size_t i = 0; i < set->slot_count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
                                 set->slots[i].connection->name);
    set_unref(set);
    return text;
}

struct slot *people_slot(const struct principal *who, const char *id,
                         struct connection_set **ret_set)
{
    *ret_set = service_set_for(service, who);
    assert_non_null(*ret_set);
    return set_find_id(*ret_set, id);
}

static bool file_holds(int folder, const char *name, const char *text)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t size = 0;
    size_t room = (size_t)16 << 20;
    char *data = test_malloc(room);
    ssize_t n;
    while (size < room && (n = read(fd, data + size, room - size)) > 0)
        size += (size_t)n;
    close(fd);
    bool found = memmem(data, size, text, strlen(text)) != NULL;
    test_free(data);
    return found;
}

bool people_disk_holds(const char *text)
{
    DIR *folder = opendir(people_folder);
    struct dirent *entry;
    bool found = false;
    assert_non_null(folder);
    while ((entry = readdir(folder)))
        found |= file_holds(dirfd(folder), entry->d_name, text);
    closedir(folder);
    return found;
}
