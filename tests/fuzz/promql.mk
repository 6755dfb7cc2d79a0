# SPDX-License-Identifier: Apache-2.0
# The Prometheus adapter. With --enable-fuzzers a libFuzzer program, else it replays its corpus.
check_PROGRAMS += tests/fuzz/fuzz_promql
tests_fuzz_fuzz_promql_SOURCES = tests/fuzz/fuzz_promql.c $(PROMETHEUS_SOURCES)
tests_fuzz_fuzz_promql_CPPFLAGS = $(PROMETHEUS_CPPFLAGS)
tests_fuzz_fuzz_promql_LDADD = libpromql.la libsonde-testkit.a libsdk.la
if FUZZERS
tests_fuzz_fuzz_promql_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
else
tests_fuzz_fuzz_promql_SOURCES += tests/fuzz/replay_main.c
endif
dist_noinst_SCRIPTS += tests/fuzz/promql.sh
EXTRA_DIST += tests/fuzz/corpus/promql
TESTS += tests/fuzz/promql.sh
