/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>

#include "base/str.h"

static const struct {
    const char *command;
    const char *text;
} pages[] = {
    {"mcp",
     "usage: sonde mcp [--config FILE] [--connection BACKEND=URL]...\n"
     "Serves MCP on standard input and output, for an agent to start.\n"
     "  --connection prometheus=http://localhost:9090   or NAME:BACKEND=URL; may be repeated\n"},
    {"serve",
     "usage: sonde serve [--config FILE] [--listen ADDRESS:PORT] [--token-file FILE] [--grace TIME] "
     "[--check]\n"
     "Serves MCP over HTTP, for a team: one process, one configuration, a token for each.\n"
     "  --listen 127.0.0.1:7464   where; the default. 0.0.0.0:7464 listens on all addresses\n"
     "  --token-file FILE         one token a line, mode 0600; made with a random one when absent\n"
     "  --grace 5s                at TERM, running calls get so long before they are cancelled\n"
     "  --check                   say whether configuration, plugins, tokens and certificate are well, "
     "and end\n"
     "signals: TERM and INT stop (a second one at once), HUP reads configuration, tokens and "
     "certificate again\n"},
    {"query", "usage: sonde query QUERY [options]\n"
              "Asks for metrics in the backend's own language and draws the answer.\n"
              "  -c, --select NAMES    connections: a name, several with commas, a glob, a tag "
              "(env=prod), all\n"
              "      --since 2h        start of the window; or --start and --end (10:20, ISO 8601, "
              "now-1h ...)\n"
              "      --step 30s        0 asks for one value at the end\n"
              "  -f, --filter KEY=VAL  service=web, pod=a*, namespace=!test; may be repeated\n"
              "      --timezone ZONE   of times read and shown\n"
              "      --max-series N    how many series to show (default 20)\n"
              "      --table, --csv, --json   instead of a plot; --json is what an agent gets\n"
              "  sonde query 'rate(http_requests_total[5m])' -f service=checkout --since 2h\n"},
    {"metrics", "usage: sonde metrics [PART-OF-NAME] [-c NAMES] [-f KEY=VAL] [--json]\n"
                "Lists metric names with type, unit and help.\n"},
    {"plugin", "usage: sonde plugin list | sonde plugin check FILE\n"
               "Shows the adapters loaded, and those refused with the reason; checks one file.\n"},
    {"connection",
     "usage: sonde connection list | sonde connection test NAME\n"
     "Tests a connection stage by stage; the first that fails names the setting that mends it.\n"},
    {"history",
     "usage: sonde history [options] | sonde history ID\n"
     "Shows what was asked by whoever runs this, newest first; with an id, one query whole.\n"
     "      --since 1d, --start, --end   when\n"
     "      --session ID          of one session (SONDE_SESSION names that of the terminal)\n"
     "      --tool query_metrics  --status ok|error   only those\n"
     "      --limit 20            how many; --cursor goes on where a page ended\n"
     "      --json                everything that is known of each\n"},
    {"db",
     "usage: sonde db status [--json] | sonde db migrate [--dry-run]\n"
     "Shows the database that connections, users and history are kept in, and brings its schema up to "
     "date.\n"
     "  status                where it is, its size, the migrations applied and missing (then the exit "
     "status is 1)\n"
     "  migrate --dry-run     say what would be applied, change nothing\n"},
    {"demo", "usage: sonde demo [--seed N]\n"
             "Makes an incident that ends now, serves it to a real MCP client and shows what an "
             "agent sees.\n"},
};

void cli_help(const char *command)
{
    for (size_t i = 0; command && i < ARRAY_SIZE(pages); i++) {
        if (str_eq(pages[i].command, command)) {
            fputs(pages[i].text, stdout);
            return;
        }
    }
    fputs("sonde: one server for metrics, whichever systems hold them\n\n"
          "usage: sonde COMMAND [options]\n"
          "  serve        serve a team of agents over MCP (HTTP)\n"
          "  mcp          serve an agent over MCP (standard input and output)\n"
          "  query        ask for metrics in the terminal\n"
          "  metrics      list metric names\n"
          "  connection   list and test connections\n"
          "  history      what was asked before\n"
          "  db           look at the database, bring it up to date\n"
          "  plugin       list and check adapters\n"
          "  demo         see it work on an incident made for you\n"
          "  help COMMAND options of a command\n\n"
          "everywhere:\n"
          "  --config FILE              default ~/.config/sonde/sonde.yaml, then "
          "/etc/sonde/sonde.yaml\n"
          "  --connection BACKEND=URL   a connection without any file: "
          "prometheus=http://localhost:9090\n"
          "  --plugins DIR              a folder of adapters, before the configured ones\n"
          "  --files DIR                the folder that file: connections may read\n"
          "  --log-level LEVEL          debug info warn error none\n"
          "  --version\n\n"
          "exit status: 0 answered, 1 the answer is an error, 2 wrong usage or configuration, 4 no "
          "backend reachable\n",
          stdout);
}
