# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/auth/test_tokens
UNIT_TESTS += tests/unit/auth/test_tokens
tests_unit_auth_test_tokens_SOURCES = tests/unit/auth/test_tokens.c
tests_unit_auth_test_tokens_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_auth_test_tokens_LDADD = $(TEST_LIBS)
