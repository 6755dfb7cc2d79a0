# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/secrets/test_secrets
tests_unit_secrets_test_secrets_SOURCES = tests/unit/secrets/test_secrets.c
tests_unit_secrets_test_secrets_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_secrets_test_secrets_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/secrets/test_secrets
