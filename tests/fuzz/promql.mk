# SPDX-License-Identifier: Apache-2.0
# The Prometheus adapter, its queries and its answers.
check_PROGRAMS += tests/fuzz/fuzz_promql
tests_fuzz_fuzz_promql_SOURCES = tests/fuzz/fuzz_promql.c $(PROMETHEUS_SOURCES) $(FUZZ_SOURCES)
tests_fuzz_fuzz_promql_CPPFLAGS = $(FUZZ_CPPFLAGS) $(PROMETHEUS_CPPFLAGS)
tests_fuzz_fuzz_promql_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_promql_LDADD = libpromql.la libsonde-testkit.a libsdk.la
