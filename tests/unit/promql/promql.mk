# SPDX-License-Identifier: Apache-2.0
PROMQL_TEST_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/plugins/lib
PROMQL_TEST_SUPPORT = tests/unit/promql/fake_host.c tests/unit/promql/fake_host.h

check_PROGRAMS += tests/unit/promql/test_rewrite
tests_unit_promql_test_rewrite_SOURCES = tests/unit/promql/test_rewrite.c \
	tests/unit/promql/cases.h $(PROMQL_TEST_SUPPORT)
tests_unit_promql_test_rewrite_CPPFLAGS = $(PROMQL_TEST_CPPFLAGS)
tests_unit_promql_test_rewrite_LDADD = libpromql.la libsdk.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/promql/test_rewrite

check_PROGRAMS += tests/unit/promql/test_structured
tests_unit_promql_test_structured_SOURCES = tests/unit/promql/test_structured.c \
	$(PROMQL_TEST_SUPPORT)
tests_unit_promql_test_structured_CPPFLAGS = $(PROMQL_TEST_CPPFLAGS)
tests_unit_promql_test_structured_LDADD = libpromql.la libsdk.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/promql/test_structured

check_PROGRAMS += tests/unit/promql/test_reader
tests_unit_promql_test_reader_SOURCES = tests/unit/promql/test_reader.c $(PROMQL_TEST_SUPPORT)
tests_unit_promql_test_reader_CPPFLAGS = $(PROMQL_TEST_CPPFLAGS)
tests_unit_promql_test_reader_LDADD = libpromql.la libsdk.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/promql/test_reader

check_PROGRAMS += tests/unit/promql/test_metricsql
tests_unit_promql_test_metricsql_SOURCES = tests/unit/promql/test_metricsql.c \
	tests/unit/promql/metricsql_cases.h $(PROMQL_TEST_SUPPORT)
tests_unit_promql_test_metricsql_CPPFLAGS = $(PROMQL_TEST_CPPFLAGS)
tests_unit_promql_test_metricsql_LDADD = libpromql.la libsdk.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/promql/test_metricsql
