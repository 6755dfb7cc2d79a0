/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keep.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define MIB ((uint64_t)1 << 20)
#define YEAR_NS (366 * NS_PER_DAY)

static const char *const keys_keys[] = {"file", "environment"};
static const char *const history_keys[] = {"keep", "samples"};
static const char *const cache_keys[] = {"memory", "keep", "table", "logs"};
static const char *const oauth_keys[] = {"issuer", "audience", "jwks"};

void config_keep_defaults(struct config *config)
{
    config->keep = (struct config_keep){.history_ns = 30 * NS_PER_DAY,
                                        .history_samples = true,
                                        .cache_memory = 64 * MIB,
                                        .cache_ns = NS_PER_DAY,
                                        .cache_table = true};
}

static bool is_postgres(const char *text)
{
    return str_starts(text, "postgresql://") || str_starts(text, "postgres://");
}

static void read_store(struct check *check, const struct node *node, struct config *config)
{
    const char *text;
    if (!node || !check_text(check, node, &text))
        return;
    if (str_eq(text, "none"))
        config->keep.store = "";
    else if (is_postgres(text))
        config->keep.store = text;
    else if (strstr(text, "://")) /* the value may hold a password: it is not shown */
        check_fail(check, node,
                   "expected a file's path, postgresql://USER@HOST/DATABASE, or none; other kinds "
                   "of databases are not spoken");
    else
        check_path(check, node, &config->keep.store);
}

static bool is_variable(const char *name)
{
    size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return *name && !name[size] && (*name < '0' || *name > '9');
}

static void read_keys(struct check *check, const struct node *keys, struct config *config)
{
    if (!keys || !check_map(check, keys))
        return;
    check_keys(check, keys, keys_keys, ARRAY_SIZE(keys_keys), NULL, 0);
    const struct node *file = node_get(keys, "file");
    const struct node *environment = node_get(keys, "environment");
    if (file && environment)
        check_fail(check, environment, "give keys.file or keys.environment, not both");
    if (file)
        check_path(check, file, &config->keep.key_file);
    if (environment && check_text(check, environment, &config->keep.key_environment) &&
        !is_variable(config->keep.key_environment))
        check_fail(check, environment, "expected the name of a variable, such as SONDE_KEYS");
}

static void read_history(struct check *check, const struct node *history, struct config *config)
{
    if (!history || !check_map(check, history))
        return;
    check_keys(check, history, history_keys, ARRAY_SIZE(history_keys), NULL, 0);
    const struct node *keep = node_get(history, "keep");
    const struct node *samples = node_get(history, "samples");
    if (keep)
        check_duration(check, keep, 0, 10 * YEAR_NS, &config->keep.history_ns);
    if (samples)
        check_bool(check, samples, &config->keep.history_samples);
}

static void read_cache(struct check *check, const struct node *cache, struct config *config)
{
    if (!cache || !check_map(check, cache))
        return;
    check_keys(check, cache, cache_keys, ARRAY_SIZE(cache_keys), NULL, 0);
    const struct node *memory = node_get(cache, "memory");
    const struct node *keep = node_get(cache, "keep");
    const struct node *table = node_get(cache, "table");
    const struct node *logs = node_get(cache, "logs");
    if (memory)
        check_size(check, memory, 0, MIB << 20, &config->keep.cache_memory);
    if (keep)
        check_duration(check, keep, NS_PER_MIN, YEAR_NS, &config->keep.cache_ns);
    if (table)
        check_bool(check, table, &config->keep.cache_table);
    if (logs)
        check_bool(check, logs, &config->keep.cache_logs);
}

static void read_url(struct check *check, const struct node *node, const char **ret_url)
{
    const char *url;
    if (!node || !check_text(check, node, &url))
        return;
    const char *wrong = check_url_text(url, false);
    if (wrong)
        check_fail(check, node, "%s, got %s", wrong, check_found(check, node));
    else
        *ret_url = url;
}

static void read_oauth(struct check *check, const struct node *oauth, struct config *config)
{
    if (!oauth || node_is_null(oauth) || !check_map(check, oauth))
        return;
    check_keys(check, oauth, oauth_keys, ARRAY_SIZE(oauth_keys), NULL, 0);
    const struct node *issuer = node_get(oauth, "issuer");
    const struct node *audience = node_get(oauth, "audience");
    if (!issuer || !audience)
        check_fail(check, oauth,
                   "expected both issuer, the authorization server's URL, and audience, the URL "
                   "that clients know this server by; %s is missing",
                   issuer ? "audience" : "issuer");
    read_url(check, issuer, &config->oauth.issuer);
    read_url(check, audience, &config->oauth.audience);
    read_url(check, node_get(oauth, "jwks"), &config->oauth.jwks);
}

/* "10.0.0.0/8", "fd00::/8", or an address alone. */
static bool is_range(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    size_t size = strcspn(text, "/");
    if (!size || size >= sizeof address)
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    bool four = inet_pton(AF_INET, address, bytes) == 1;
    if (!four && inet_pton(AF_INET6, address, bytes) != 1)
        return false;
    int64_t bits;
    return !text[size] || !str_to_int(text + size + 1, 0, four ? 32 : 128, &bits);
}

void config_read_allow(struct check *check, const struct node *allow, struct config *config)
{
    if (!allow || !check_texts(check, allow, &config->network_allow, &config->network_allow_count))
        return;
    for (size_t i = 0; i < config->network_allow_count; i++)
        if (!is_range(config->network_allow[i]))
            check_fail(check, allow,
                       "\"%.64s\" is no range of addresses such as 10.0.0.0/8 or fd00::/8",
                       config->network_allow[i]);
}

void config_read_keep(struct check *check, const struct node *root, struct config *config)
{
    read_store(check, node_get(root, "store"), config);
    read_keys(check, node_get(root, "keys"), config);
    read_history(check, node_get(root, "history"), config);
    read_cache(check, node_get(root, "cache"), config);
    read_oauth(check, node_get(root, "oauth"), config);
}
