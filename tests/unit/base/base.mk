# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/base/test_memory tests/unit/base/test_text
UNIT_TESTS += tests/unit/base/test_memory tests/unit/base/test_text

tests_unit_base_test_memory_SOURCES = tests/unit/base/test_memory.c
tests_unit_base_test_memory_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_test_memory_LDADD = $(TEST_LIBS)

tests_unit_base_test_text_SOURCES = tests/unit/base/test_text.c
tests_unit_base_test_text_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_test_text_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/base/test_zone tests/unit/base/test_timeinput
tests_unit_base_test_zone_SOURCES = tests/unit/base/test_zone.c
tests_unit_base_test_zone_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_test_zone_LDADD = $(TEST_LIBS)
tests_unit_base_test_timeinput_SOURCES = tests/unit/base/test_timeinput.c
tests_unit_base_test_timeinput_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_test_timeinput_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/base/test_zone tests/unit/base/test_timeinput

check_PROGRAMS += tests/unit/base/test_crypto
UNIT_TESTS += tests/unit/base/test_crypto
tests_unit_base_test_crypto_SOURCES = tests/unit/base/test_crypto.c
tests_unit_base_test_crypto_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_base_test_crypto_LDADD = $(TEST_LIBS)
