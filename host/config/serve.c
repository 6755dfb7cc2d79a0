/* SPDX-License-Identifier: Apache-2.0 */
#include "config/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static const char *const tls_keys[] = {"cert", "key"};
static const char *const metrics_keys[] = {"open"};

/* "ADDRESS:PORT" in two; the brackets of IPv6 are gone. False when it has not that form. */
static bool split(const char *listen, char address[INET6_ADDRSTRLEN], const char **ret_port)
{
    const char *begin = listen;
    const char *end = strrchr(listen, ':');
    if (!end)
        return false;
    *ret_port = end + 1;
    if (*begin == '[' && end > begin + 1 && end[-1] == ']') {
        begin++;
        end--;
    }
    size_t size = (size_t)(end - begin);
    if (size >= INET6_ADDRSTRLEN)
        return false;
    memcpy(address, begin, size);
    address[size] = '\0';
    return true;
}

const char *config_listen_wrong(const char *listen)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    const char *port;
    int64_t number;
    if (!split(listen, address, &port))
        return "expected ADDRESS:PORT such as 127.0.0.1:7464 or [::1]:7464";
    bool bracketed = *listen == '[';
    if (inet_pton(AF_INET6, address, bytes) == 1 && !bracketed)
        return "an IPv6 address stands in brackets: [::1]:7464";
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, address, bytes) != 1)
        return "expected an address of this machine in digits, such as 127.0.0.1:7464 or "
               "[::1]:7464; 0.0.0.0 and [::] listen on all";
    if (!*port || str_to_int(port, 0, 65535, &number))
        return "its port must be a number from 0 to 65535; 0 takes a free one";
    return NULL;
}

bool config_listen_is_local(const char *listen)
{
    return str_starts(listen, "127.") || str_starts(listen, "[::1]:");
}

static void read_listen(struct check *check, const struct node *node, struct config *config)
{
    const char *listen;
    if (!node || !check_text(check, node, &listen))
        return;
    const char *wrong = config_listen_wrong(listen);
    if (wrong)
        check_fail(check, node, "%s, got %s", wrong, check_found(check, node));
    else
        config->serve.listen = listen;
}

static void read_tls(struct check *check, const struct node *tls, struct config *config)
{
    if (!tls || node_is_null(tls) || !check_map(check, tls))
        return;
    check_keys(check, tls, tls_keys, ARRAY_SIZE(tls_keys), NULL, 0);
    const struct node *cert = node_get(tls, "cert");
    const struct node *key = node_get(tls, "key");
    if (!cert || !key)
        check_fail(check, tls, "expected both cert and key, PEM files; %s is missing",
                   cert ? "key" : "cert");
    if (cert)
        check_path(check, cert, &config->serve.cert);
    if (key)
        check_path(check, key, &config->serve.key);
}

/* NULL for a host as it stands in a Host header, without its port. */
static const char *host_wrong(const char *host)
{
    unsigned char bytes[16];
    if (strstr(host, "://") || strchr(host, '/'))
        return "expected a host's name alone, such as sonde.example.com: no scheme, no path";
    if (inet_pton(AF_INET6, host, bytes) == 1)
        return NULL;
    if (strchr(host, ':'))
        return "expected a host's name alone, such as sonde.example.com: any port of it is accepted";
    if (strlen(host) > 253)
        return "a host's name has at most 253 characters";
    for (const char *c = host; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              strchr("-._", *c)))
            return "expected a host's name such as sonde.example.com, each one written out";
    return NULL;
}

static void read_hosts(struct check *check, const struct node *node, struct config *config)
{
    const char *const *hosts;
    size_t n;
    if (!node || !check_texts(check, node, &hosts, &n))
        return;
    if (n > CONFIG_MAX_HOSTS) {
        check_fail(check, node, "%zu names, at most %u are accepted", n, CONFIG_MAX_HOSTS);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct node *at = node->type == NODE_LIST ? node->children[i] : node;
        const char *wrong = host_wrong(hosts[i]);
        if (wrong)
            check_fail(check, at, "%s, got %s", wrong, check_found(check, at));
    }
    config->serve.hosts = hosts;
    config->serve.host_count = n;
}

void config_read_serve(struct check *check, const struct node *root, struct config *config)
{
    read_listen(check, node_get(root, "listen"), config);
    read_tls(check, node_get(root, "tls"), config);
    read_hosts(check, node_get(root, "hosts"), config);
    const struct node *tokens = node_get(root, "tokens");
    if (tokens)
        check_path(check, tokens, &config->serve.tokens);
    const struct node *metrics = node_get(root, "metrics");
    if (metrics && check_map(check, metrics)) {
        check_keys(check, metrics, metrics_keys, ARRAY_SIZE(metrics_keys), NULL, 0);
        const struct node *open = node_get(metrics, "open");
        if (open)
            check_bool(check, open, &config->serve.metrics_open);
    }
}

static void check_readable(struct check *check, const struct node *node, const char *path)
{
    if (access(path, R_OK))
        check_fail(check, node, "%s: %s", path, strerror(errno));
}

int config_check_serve(const struct config *config, struct config_mistake *mistakes,
                       size_t *ret_mistake_count, struct err *err)
{
    *ret_mistake_count = 0;
    const struct node *tls = config->root ? node_get(config->root, "tls") : NULL;
    if (!config->serve.cert || !config->serve.key || !tls)
        return 0;
    struct arena arena;
    arena_init(&arena, 64 * 1024, NULL);
    struct check check = {.root = config->root, .arena = &arena, .mistakes = mistakes};
    check_readable(&check, node_get(tls, "cert"), config->serve.cert);
    check_readable(&check, node_get(tls, "key"), config->serve.key);
    arena_finish(&arena);
    *ret_mistake_count = check.count;
    return check_result(&check, err);
}
