/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

void cli_print_mistakes(const struct config_mistake *mistakes, size_t n, const struct err *err)
{
    if (!n)
        fprintf(stderr, "sonde: %s\n", err->text);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "sonde: %s\n", mistakes[i].text);
}

int cli_set_log(const struct cli *cli, const struct config *config, struct err *err)
{
    static const char *const levels[] = {"debug", "info", "warn", "error", "none"};
    const char *level = cli->log_level ? cli->log_level : config->log_level;
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (!str_eq(levels[i], level))
            continue;
        log_setup((enum log_level)i, config->log_json);
        return 0;
    }
    return err_set(err, ERR_INVALID, "--log-level %s: accepted are debug, info, warn, error, none",
                   level);
}

struct service_options cli_service_options(const struct cli *cli, const char *zone)
{
    return (struct service_options){.connections = cli->connections,
                                    .connection_count = cli->connection_count,
                                    .plugin_paths = cli->plugin_paths,
                                    .plugin_path_count = cli->plugin_path_count,
                                    .timezone = cli->timezone ? cli->timezone : zone,
                                    .files = cli->files,
                                    .keeping = KEEP_IF_POSSIBLE};
}

int cli_open(const struct cli *cli, struct service **ret_service)
{
    struct config_mistake *mistakes = mem_alloc_array(CONFIG_MAX_MISTAKES, sizeof *mistakes);
    size_t n = 0;
    struct err err = {0};
    struct config *config = NULL;
    if (!mistakes)
        return EXIT_FAILED;
    int r = config_load(cli->config_path, &config, mistakes, &n, &err);
    if (!r && cli_set_log(cli, config, &err)) {
        r = err.code;
        config_free(config);
    } else if (!r) {
        struct service_options options = cli_service_options(cli, "local");
        r = service_create(config, &options, ret_service, mistakes, &n, &err);
    }
    if (r)
        cli_print_mistakes(mistakes, n, &err);
    mem_free(mistakes);
    return r ? EXIT_USAGE : 0;
}
