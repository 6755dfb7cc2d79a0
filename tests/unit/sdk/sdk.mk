# SPDX-License-Identifier: Apache-2.0
# Against the SDK alone: nothing of the host may be needed.
check_PROGRAMS += tests/unit/sdk/test_json
tests_unit_sdk_test_json_SOURCES = tests/unit/sdk/test_json.c
tests_unit_sdk_test_json_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sdk_test_json_LDADD = libsdk.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/sdk/test_json
check_PROGRAMS += tests/unit/sdk/test_number
tests_unit_sdk_test_number_SOURCES = tests/unit/sdk/test_number.c
tests_unit_sdk_test_number_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sdk_test_number_LDADD = libsdk.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/sdk/test_number
check_PROGRAMS += tests/unit/sdk/test_text
tests_unit_sdk_test_text_SOURCES = tests/unit/sdk/test_text.c
tests_unit_sdk_test_text_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_sdk_test_text_LDADD = libsdk.la $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/sdk/test_text
