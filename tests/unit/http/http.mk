# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/http/test_message
tests_unit_http_test_message_SOURCES = tests/unit/http/test_message.c
tests_unit_http_test_message_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_http_test_message_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/http/test_message

check_PROGRAMS += tests/unit/http/test_guard
tests_unit_http_test_guard_SOURCES = tests/unit/http/test_guard.c
tests_unit_http_test_guard_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_http_test_guard_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/http/test_guard

check_PROGRAMS += tests/unit/http/test_uri
tests_unit_http_test_uri_SOURCES = tests/unit/http/test_uri.c
tests_unit_http_test_uri_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_http_test_uri_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/http/test_uri
