# SPDX-License-Identifier: Apache-2.0
# The Prometheus adapter, its queries and its answers.
check_PROGRAMS += tests/fuzz/fuzz_promql
tests_fuzz_fuzz_promql_SOURCES = tests/fuzz/fuzz_promql.c $(PROMETHEUS_SOURCES) $(FUZZ_SOURCES)
tests_fuzz_fuzz_promql_CPPFLAGS = $(FUZZ_CPPFLAGS) $(PROMETHEUS_CPPFLAGS)
tests_fuzz_fuzz_promql_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_promql_LDADD = libpromql.la libsonde-testkit.a libsdk.la

# The VictoriaMetrics adapter, in the same way.
check_PROGRAMS += tests/fuzz/fuzz_victoriametrics
tests_fuzz_fuzz_victoriametrics_SOURCES = tests/fuzz/fuzz_promql.c $(VICTORIAMETRICS_SOURCES) $(FUZZ_SOURCES)
tests_fuzz_fuzz_victoriametrics_CPPFLAGS = -DFUZZ_NO_EXEMPLARS $(FUZZ_CPPFLAGS) $(VICTORIAMETRICS_CPPFLAGS)
tests_fuzz_fuzz_victoriametrics_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_victoriametrics_LDADD = libpromql.la libsonde-testkit.a libsdk.la

# The walkers that find where filters belong.
check_PROGRAMS += tests/fuzz/fuzz_metricsql
tests_fuzz_fuzz_metricsql_SOURCES = tests/fuzz/fuzz_metricsql.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_metricsql_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/plugins/lib
tests_fuzz_fuzz_metricsql_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_metricsql_LDADD = libpromql.la libsdk.la
