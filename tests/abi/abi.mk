# SPDX-License-Identifier: Apache-2.0
# The gates of the ABI. frozen_check is one by being compiled.
check_PROGRAMS += tests/abi/frozen_check
tests_abi_frozen_check_SOURCES = tests/abi/frozen_check.c tests/abi/frozen_1_0.h
TESTS += tests/abi/frozen_check
ABI_GATES = tests/abi/mutants.sh tests/abi/headers.sh tests/abi/abidiff.sh tests/abi/exports.sh \
	tests/abi/template.sh
dist_noinst_SCRIPTS += $(ABI_GATES) tests/abi/freeze.py
EXTRA_DIST += tests/abi/probe.c sdk/abi/HISTORY sdk/abi/sonde-1.0-draft.abi
TESTS += $(ABI_GATES)
