# SPDX-License-Identifier: Apache-2.0
IO_HARNESS = tests/unit/io/harness.c tests/unit/io/harness.h
dist_noinst_SCRIPTS += tests/support/badserver.py

check_PROGRAMS += tests/unit/io/test_exchange
tests_unit_io_test_exchange_SOURCES = tests/unit/io/test_exchange.c $(IO_HARNESS)
tests_unit_io_test_exchange_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_io_test_exchange_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/io/test_exchange

check_PROGRAMS += tests/unit/io/test_flow
tests_unit_io_test_flow_SOURCES = tests/unit/io/test_flow.c $(IO_HARNESS)
tests_unit_io_test_flow_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_io_test_flow_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/io/test_flow

check_PROGRAMS += tests/unit/io/test_target
tests_unit_io_test_target_SOURCES = tests/unit/io/test_target.c $(IO_HARNESS)
tests_unit_io_test_target_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_io_test_target_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/io/test_target

check_PROGRAMS += tests/unit/io/test_file
tests_unit_io_test_file_SOURCES = tests/unit/io/test_file.c $(IO_HARNESS)
tests_unit_io_test_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_io_test_file_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/io/test_file

check_PROGRAMS += tests/unit/io/test_tls
tests_unit_io_test_tls_SOURCES = tests/unit/io/test_tls.c $(IO_HARNESS)
tests_unit_io_test_tls_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_io_test_tls_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/io/test_tls

dist_noinst_SCRIPTS += tests/support/tokenserver.py
check_PROGRAMS += tests/unit/io/test_login
tests_unit_io_test_login_SOURCES = tests/unit/io/test_login.c $(IO_HARNESS)
tests_unit_io_test_login_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_io_test_login_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/io/test_login
check_PROGRAMS += tests/unit/io/test_policy
tests_unit_io_test_policy_SOURCES = tests/unit/io/test_policy.c $(IO_HARNESS)
tests_unit_io_test_policy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_io_test_policy_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/io/test_policy
