/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs an adapter on files, without host or network: a fixture is a folder with query.json (the
 * query, parameters, facts and the answers to give) and want.json (the requests and rows to expect).
 * Link it with the adapter's own objects; see sonde-plugin(7).
 *
 * Ownership: everything is freed before a function returns. Threads: one at a time.
 */
#ifndef SONDE_TESTKIT_H
#define SONDE_TESTKIT_H

#include <sonde/plugin.h>

/*
 * main() of a fixture runner: arguments are fixture folders, or folders of fixtures. Each runs with the
 * answers cut at every chunk size of 1, 2, 3, 7, 64, 4096 bytes and whole, and must give the same
 * rows every time; answers in flight together also in turns, then in any order of rows. Anything the host
 * would refuse, and every breach of the contract, fails the fixture. Option --update writes want.json. Exit status 0, or 1 with a difference shown.
 */
int sonde_testkit_main(int argc, char **argv, sonde_entry_fn entry);

/*
 * For fuzzing: the adapter answers query (kind and native text) with status and body given, in chunks of
 * chunk bytes (0: whole). Rows are counted and dropped. Returns the op's final code; a breach of the
 * contract aborts, so that a fuzzer notices.
 */
int32_t sonde_testkit_feed(sonde_entry_fn entry, uint32_t kind, const char *native, uint32_t status,
                           const void *body, size_t size, size_t chunk);

#endif
