/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "cli/cli.h"

int main(int argc, char **argv)
{
    mem_setup();
    return cli_main(argc, argv);
}
