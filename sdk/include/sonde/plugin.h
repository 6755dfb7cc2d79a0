/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sonde plugin ABI, 1.0-draft: the only header an adapter needs. It pulls in the whole contract;
 * sonde-plugin(7) explains it with an example.
 *
 * An adapter translates: a query into requests, an answer into rows. It never opens a socket or a
 * file, sleeps, starts a thread or sees a credential; the host does all that, once, for everyone.
 *
 * Ownership: memory never changes owner across this line. The host copies what a plugin hands in;
 * a plugin copies what it wants to keep beyond the stated lifetime (static, call or op).
 * Threads: an instance is immutable after open and may be used by many threads at once; one
 * operation is touched by one thread at a time, possibly not always the same one.
 */
#ifndef SONDE_PLUGIN_H
#define SONDE_PLUGIN_H

#include <sonde/abi.h>
#include <sonde/types.h>
#include <sonde/param.h>
#include <sonde/query.h>
#include <sonde/http.h>
#include <sonde/sink.h>
#include <sonde/host.h>
#include <sonde/table.h>

#endif
