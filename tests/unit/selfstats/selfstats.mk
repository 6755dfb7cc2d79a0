# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/selfstats/test_selfstats
tests_unit_selfstats_test_selfstats_SOURCES = tests/unit/selfstats/test_selfstats.c
tests_unit_selfstats_test_selfstats_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_selfstats_test_selfstats_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/selfstats/test_selfstats
