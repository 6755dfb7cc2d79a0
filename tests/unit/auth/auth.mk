# SPDX-License-Identifier: Apache-2.0
FAKE_STORE = tests/support/fake_store.c tests/support/fake_store.h

check_PROGRAMS += tests/unit/auth/test_tokens
UNIT_TESTS += tests/unit/auth/test_tokens
tests_unit_auth_test_tokens_SOURCES = tests/unit/auth/test_tokens.c
tests_unit_auth_test_tokens_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_auth_test_tokens_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/auth/test_accounts
UNIT_TESTS += tests/unit/auth/test_accounts
tests_unit_auth_test_accounts_SOURCES = tests/unit/auth/test_accounts.c $(FAKE_STORE)
tests_unit_auth_test_accounts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_auth_test_accounts_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/auth/test_jwt
UNIT_TESTS += tests/unit/auth/test_jwt
tests_unit_auth_test_jwt_SOURCES = tests/unit/auth/test_jwt.c tests/unit/auth/jwt_maker.c tests/unit/auth/jwt_maker.h
tests_unit_auth_test_jwt_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_auth_test_jwt_LDADD = $(TEST_LIBS) $(OPENSSL_LIBS)
