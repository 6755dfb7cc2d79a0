# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/plugins/victoriametrics/check
tests_plugins_victoriametrics_check_SOURCES = tests/plugins/victoriametrics/check.c $(VICTORIAMETRICS_SOURCES)
tests_plugins_victoriametrics_check_CPPFLAGS = $(VICTORIAMETRICS_CPPFLAGS)
tests_plugins_victoriametrics_check_LDADD = libpromql.la libsonde-testkit.a libsdk.la

dist_noinst_SCRIPTS += tests/plugins/victoriametrics/fixtures.sh
TESTS += tests/plugins/victoriametrics/fixtures.sh
