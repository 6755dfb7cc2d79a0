/* SPDX-License-Identifier: Apache-2.0 */
/* contract LOCATION: runs the whole suite against an empty database there. 0 when all holds. */
#include "contract.h"

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(struct store *store);
    } parts[] = {
        {"users", contract_users},
        {"tokens", contract_tokens},
        {"connections", contract_connections},
        {"sync", contract_sync},
        {"settings and replicas", contract_settings},
        {"history", contract_history},
        {"pages of history", contract_history_pages},
        {"cache", contract_cache},
        {"sweep", contract_sweep},
        {"bad input", contract_bad_input},
    };
    static const struct {
        const char *name;
        void (*run)(const char *location);
    } others[] = {
        {"changes", contract_changes},
        {"queue", contract_queue},
        {"threads", contract_threads},
    };
    if (argc != 2) {
        fprintf(stderr, "usage: contract LOCATION\n");
        return 2;
    }
    contract_schema(argv[1]);
    printf("ok schema\n");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        struct store *store = open_store(argv[1]);
        parts[i].run(store);
        store_close(store, NS_PER_S);
        printf("ok %s\n", parts[i].name);
        fflush(stdout);
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        others[i].run(argv[1]);
        printf("ok %s\n", others[i].name);
        fflush(stdout);
    }
    return 0;
}
