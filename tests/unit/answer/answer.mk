# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/answer/test_reduce tests/unit/answer/test_metrics \
	tests/unit/answer/test_names tests/unit/answer/test_cursor
tests_unit_answer_test_reduce_SOURCES = tests/unit/answer/test_reduce.c
tests_unit_answer_test_reduce_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_answer_test_reduce_LDADD = $(TEST_LIBS)
tests_unit_answer_test_metrics_SOURCES = tests/unit/answer/test_metrics.c
tests_unit_answer_test_metrics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_answer_test_metrics_LDADD = $(TEST_LIBS)
tests_unit_answer_test_names_SOURCES = tests/unit/answer/test_names.c
tests_unit_answer_test_names_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_answer_test_names_LDADD = $(TEST_LIBS)
tests_unit_answer_test_cursor_SOURCES = tests/unit/answer/test_cursor.c
tests_unit_answer_test_cursor_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_answer_test_cursor_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/answer/test_reduce tests/unit/answer/test_metrics \
	tests/unit/answer/test_names tests/unit/answer/test_cursor
