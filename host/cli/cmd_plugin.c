/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "render/render.h"

/* An empty list says where it looked: most often the program was not installed. */
static void add_searched(struct buf *text, struct service *service)
{
    size_t n;
    const char *const *paths = service_plugin_paths(service, &n);
    buf_add(text, "no adapter is loaded; looked in ");
    for (size_t i = 0; i < n; i++)
        buf_printf(text, "%s%s", i ? ", " : "", paths[i]);
    buf_add(text, "; --plugins DIR or plugins.path names another folder\n");
}

static int list(const struct cli *cli)
{
    struct service *service = NULL;
    int status = cli_open(cli, &service);
    if (status)
        return status;
    size_t n;
    size_t refused;
    const struct adapter *const *adapters = registry_adapters(service_registry(service), &n);
    const struct plugin_refusal *refusals = registry_refusals(service_registry(service), &refused);
    struct render_terminal terminal;
    render_terminal_detect(STDOUT_FILENO, &terminal);
    struct buf text = BUF(1024 * 1024);
    const char **cells = mem_alloc_array((n + 1) * 4, sizeof *cells);
    if (!cells)
        return EXIT_FAILED;
    cells[0] = "BACKEND";
    cells[1] = "VERSION";
    cells[2] = "SUMMARY";
    cells[3] = "FILE";
    for (size_t i = 0; i < n; i++) {
        cells[(i + 1) * 4] = adapters[i]->table.name;
        cells[(i + 1) * 4 + 1] = adapters[i]->table.version;
        cells[(i + 1) * 4 + 2] = adapters[i]->table.summary;
        cells[(i + 1) * 4 + 3] = adapters[i]->path;
    }
    if (n)
        render_table(&text, &terminal, cells, n + 1, 4, 0);
    else
        add_searched(&text, service);
    for (size_t i = 0; i < refused; i++)
        buf_printf(&text, "refused %s: %s\n",
                   refusals[i].path[0] ? refusals[i].path : refusals[i].name, refusals[i].reason);
    fputs(buf_text(&text), stdout);
    buf_finish(&text);
    mem_free(cells);
    service_destroy(service, 0);
    return 0;
}

int cmd_plugin(const struct cli *cli)
{
    const char *what = cli->word_count > 1 ? cli->words[1] : "list";
    if (str_eq(what, "list"))
        return list(cli);
    /* check-here is what check starts as a child, so that a plugin that crashes takes only that with it. */
    bool here = str_eq(what, "check-here");
    if ((here || str_eq(what, "check")) && cli->word_count == 3) {
        char verdict[2048];
        int r = here ? plugin_check_here(cli->words[2], verdict, sizeof verdict)
                     : plugin_check_file(cli->words[2], verdict, sizeof verdict);
        printf("%s\n", verdict);
        return r ? EXIT_FAILED : 0;
    }
    cli_help("plugin");
    return EXIT_USAGE;
}
