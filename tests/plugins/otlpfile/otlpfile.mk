# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/plugins/otlpfile/fixtures
tests_plugins_otlpfile_fixtures_SOURCES = tests/plugins/otlpfile/fixtures.c $(OTLPFILE_SOURCES)
tests_plugins_otlpfile_fixtures_CPPFLAGS = $(AM_CPPFLAGS) -DHAVE_CONFIG_H
tests_plugins_otlpfile_fixtures_LDADD = libsonde-testkit.a libsdk.la
TESTS += tests/plugins/otlpfile/fixtures.sh tests/plugins/otlpfile/story.sh \
	tests/plugins/otlpfile/prometheus.sh
EXTRA_DIST += tests/plugins/otlpfile/fixtures.sh tests/plugins/otlpfile/story.sh \
	tests/plugins/otlpfile/story.py tests/plugins/otlpfile/ask.py \
	tests/plugins/otlpfile/prometheus.sh tests/plugins/otlpfile/prometheus.py

if HAVE_CMOCKA
check_PROGRAMS += tests/plugins/otlpfile/test_regex
tests_plugins_otlpfile_test_regex_SOURCES = tests/plugins/otlpfile/test_regex.c \
	plugins/otlpfile/regex.c plugins/otlpfile/common.c
tests_plugins_otlpfile_test_regex_CPPFLAGS = $(TEST_CPPFLAGS)
tests_plugins_otlpfile_test_regex_LDADD = $(CMOCKA_LIBS)
TESTS += tests/plugins/otlpfile/test_regex
endif
