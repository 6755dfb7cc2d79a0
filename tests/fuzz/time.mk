# SPDX-License-Identifier: Apache-2.0
# Times as users write them, zone names, zone files and rules.
check_PROGRAMS += tests/fuzz/fuzz_time
tests_fuzz_fuzz_time_SOURCES = tests/fuzz/fuzz_time.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_time_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_time_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_time_LDADD = libhost.la
