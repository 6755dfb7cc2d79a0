# SPDX-License-Identifier: Apache-2.0
# Sealed values and the file of keys.
check_PROGRAMS += tests/fuzz/fuzz_sealed
tests_fuzz_fuzz_sealed_SOURCES = tests/fuzz/fuzz_sealed.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_sealed_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_sealed_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_sealed_LDADD = libhost.la

check_PROGRAMS += tests/fuzz/fuzz_keyring
tests_fuzz_fuzz_keyring_SOURCES = tests/fuzz/fuzz_keyring.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_keyring_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_keyring_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_keyring_LDADD = libhost.la
