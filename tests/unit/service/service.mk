# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/service/test_args
UNIT_TESTS += tests/unit/service/test_args

tests_unit_service_test_args_SOURCES = tests/unit/service/test_args.c
tests_unit_service_test_args_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_args_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/service/test_filters
UNIT_TESTS += tests/unit/service/test_filters
tests_unit_service_test_filters_SOURCES = tests/unit/service/test_filters.c
tests_unit_service_test_filters_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_filters_LDADD = $(TEST_LIBS)
