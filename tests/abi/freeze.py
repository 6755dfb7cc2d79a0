#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes down the ABI of today: frozen_1_0.h (the layouts, verbatim but for their names), frozen_check.c (one static
assertion a member, function type and constant) and probe.c (a function for each of them, for abidiff).

Run it only when the draft changes, in the same commit as the headers; from 1.0 on a new minor gets new files.
Usage: tests/abi/freeze.py (from the top of the tree)."""
import re

HEADERS = ["abi", "types", "param", "query", "http", "sink", "host", "table"]
LICENSE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
MADE = "/* Made by tests/abi/freeze.py. */\n"

source = "\n".join(open(f"sdk/include/sonde/{name}.h").read() for name in HEADERS)
source = re.sub(r"/\*.*?\*/", "", source, flags=re.S)

structs = []
for name, body in re.findall(r"struct sonde_(\w+) \{([^}]*)\};", source):
    members = []
    for declaration in body.split(";"):
        declaration = " ".join(declaration.split())
        if declaration:
            members.append((re.search(r"(\w+)$", declaration).group(1), declaration))
    structs.append((name, members))
functions = []
for declaration in re.findall(r"typedef [^;]*;", source):
    declaration = " ".join(declaration.split())
    functions.append((re.search(r"\(\*sonde_(\w+)\)", declaration).group(1), declaration))
constants = []
for name, value in re.findall(r"^#define (SONDE_\w+) (.+?)\s*$", source, flags=re.M):
    if value == "\\":
        raise SystemExit(f"{name}: the value must stand on the line of its name")
    if not value.startswith('"') and value[0] in "(0123456789":
        constants.append((name, value))


def frozen(text):
    return re.sub(r"\bsonde_(\w+)_fn\b", r"frozen_\1_fn", text)


out = [LICENSE, MADE, """/*
 * The layouts and signatures of ABI 1.0, as they were when it was frozen. Pointers lead to the structs of today: what
 * those are is looked at one by one.
 *
 * Ownership: none. Threads: types only.
 */
#ifndef SONDE_FROZEN_1_0_H
#define SONDE_FROZEN_1_0_H

#include <sonde/plugin.h>

/* clang-format off */
"""]
for name, declaration in functions:
    out.append(frozen(declaration) + "\n")
for name, members in structs:
    out.append(f"\nstruct frozen_{name} {{\n")
    out += [f"    {frozen(declaration)};\n" for _, declaration in members]
    out.append("};\n")
out.append("\n/* clang-format on */\n\n#endif\n")
open("tests/abi/frozen_1_0.h", "w").write("".join(out))

out = [LICENSE, MADE, """/* Compiles only while every layout, signature and constant of ABI 1.0 still holds; members may only be appended. */
#include "frozen_1_0.h"

#define SAME_TYPE(a, b) __builtin_types_compatible_p(a, b)
#define SAME_MEMBER(name, member)                                              \\
    _Static_assert(offsetof(struct sonde_##name, member) ==                    \\
                       offsetof(struct frozen_##name, member),                 \\
                   "sonde_" #name "." #member " has moved");                   \\
    _Static_assert(SAME_TYPE(__typeof__(((struct sonde_##name *)0)->member),   \\
                             __typeof__(((struct frozen_##name *)0)->member)), \\
                   "sonde_" #name "." #member " has another type")
#define NOT_SMALLER(name)                                                       \\
    _Static_assert(sizeof(struct sonde_##name) >= sizeof(struct frozen_##name), \\
                   "sonde_" #name " has shrunk")
#define NOT_GROWN(name)                                                         \\
    _Static_assert(sizeof(struct sonde_##name) == sizeof(struct frozen_##name), \\
                   "sonde_" #name " is frozen for ever")
#define SAME_FUNCTION(name) \\
    _Static_assert(SAME_TYPE(sonde_##name, frozen_##name), "sonde_" #name " has another type")
#define SAME_VALUE(name, value) _Static_assert((name) == (value), #name " has another value")

/* clang-format off */
"""]
for name, _ in functions:
    out.append(f"SAME_FUNCTION({name});\n")
for name, members in structs:
    out.append(f"\nNOT_SMALLER({name});\n")
    out += [f"SAME_MEMBER({name}, {member});\n" for member, _ in members]
out.append("\n")
for name in ("label", "pair", "match"):
    out.append(f"NOT_GROWN({name});\n")
out.append("\n")
for name, value in constants:
    if name == "SONDE_ABI_MINOR":
        out.append(f"_Static_assert({name} >= {value}, \"{name} went back\");\n")
    else:
        out.append(f"SAME_VALUE({name}, {value});\n")
out.append("SAME_VALUE(SONDE_CAP(21), (uint64_t)2097152);\n/* clang-format on */\n\n")
out.append("int main(void)\n{\n    return 0;\n}\n")
open("tests/abi/frozen_check.c", "w").write("".join(out))

out = [LICENSE, MADE, """/* A function for every struct and function type, so that a tool which compares binaries sees them all. */
#include <sonde/plugin.h>

/* clang-format off */
"""]
for name, _ in structs:
    out.append(f"SONDE_EXPORT void probe_struct_{name}(struct sonde_{name} *value);\n"
               f"void probe_struct_{name}(struct sonde_{name} *value) {{ (void)value; }}\n")
for name, _ in functions:
    out.append(f"SONDE_EXPORT void probe_function_{name}(sonde_{name} value);\n"
               f"void probe_function_{name}(sonde_{name} value) {{ (void)value; }}\n")
out.append("/* clang-format on */\n")
open("tests/abi/probe.c", "w").write("".join(out))
print(len(structs), "structs,", len(functions), "function types,", len(constants), "constants")
