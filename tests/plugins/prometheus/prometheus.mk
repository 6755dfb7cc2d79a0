# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/plugins/prometheus/check
tests_plugins_prometheus_check_SOURCES = tests/plugins/prometheus/check.c $(PROMETHEUS_SOURCES)
tests_plugins_prometheus_check_CPPFLAGS = $(PROMETHEUS_CPPFLAGS)
tests_plugins_prometheus_check_LDADD = libpromql.la libsonde-testkit.a libsdk.la

dist_noinst_SCRIPTS += tests/plugins/prometheus/fixtures.sh
TESTS += tests/plugins/prometheus/fixtures.sh
