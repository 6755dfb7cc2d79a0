/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the adapter on its fixtures, plugins/victoriametrics/fixtures: no host and no network. */
#include <sonde/testkit.h>

const struct sonde_plugin *sonde_plugin_entry_v1(const struct sonde_host *host, char *error,
                                                 size_t error_size);

int main(int argc, char **argv)
{
    return sonde_testkit_main(argc, argv, sonde_plugin_entry_v1);
}
