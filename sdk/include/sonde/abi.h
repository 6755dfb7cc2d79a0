/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and rules of the ABI.
 *
 * Rules of growth, binding from 1.0 on:
 *  1. Append only: no member is ever reordered, removed, resized, retyped or reused. A dead slot
 *     stays, renamed reserved_N.
 *  2. A signature is frozen at release. New behaviour is a new slot with _v2 in its name.
 *  3. A member added later carries a "since 1.N" comment and is read only after SONDE_HAS_MEMBER.
 *  4. New optional behaviour is a caps bit and a slot; new mandatory semantics a required_caps bit
 *     (plugin to host) or a must_understand bit (host to plugin).
 *  5. Settings and query options grow by key, not by member.
 *  6. Shared structs hold fixed-width integers, double, pointers and size_t only, with no hidden
 *     padding. No third-party type crosses the line.
 *  7. Structs begin with struct_size. Arrays of structs that may grow are arrays of pointers; the
 *     few plain arrays (labels, key/value pairs, facts, match nodes) are of types frozen for ever.
 *  8. Strings are UTF-8. Each states its lifetime: static (the process), op (until op_end or
 *     close), call (until the function returns).
 *  9. The host never makes a callback while it holds a lock. Plugins start no threads and touch no
 *     process-wide state (locale, environment, signals, stdio).
 * 10. An adapter may rely on 64 KiB of stack.
 *
 * Ownership: none here. Threads: constants only.
 */
#ifndef SONDE_ABI_H
#define SONDE_ABI_H

#include <stddef.h>
#include <stdint.h>

#define SONDE_ABI_MAJOR 1u
#define SONDE_ABI_MINOR 0u
#define SONDE_ABI_STATUS "1.0-draft"

/* The one exported symbol; the major is in its name. */
#define SONDE_ENTRY_SYMBOL "sonde_plugin_entry_v1"

/* True when *ptr, whose struct_size its maker filled in, is large enough to hold the member. */
#define SONDE_HAS_MEMBER(ptr, type, member) \
    ((ptr)->struct_size >= offsetof(type, member) + sizeof(((type *)0)->member))

#if defined(__GNUC__) || defined(__clang__)
#define SONDE_EXPORT __attribute__((visibility("default")))
#else
#define SONDE_EXPORT
#endif

#ifdef __cplusplus
#define SONDE_EXTERN_C extern "C"
#else
#define SONDE_EXTERN_C extern
#endif

#endif
