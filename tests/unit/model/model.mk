# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/model/test_result
tests_unit_model_test_result_SOURCES = tests/unit/model/test_result.c
tests_unit_model_test_result_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_model_test_result_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/model/test_result
