# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/plugin/test_abi_check
tests_unit_plugin_test_abi_check_SOURCES = tests/unit/plugin/test_abi_check.c
tests_unit_plugin_test_abi_check_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_plugin_test_abi_check_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/plugin/test_abi_check

check_PROGRAMS += tests/unit/plugin/test_params
tests_unit_plugin_test_params_SOURCES = tests/unit/plugin/test_params.c
tests_unit_plugin_test_params_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_plugin_test_params_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/plugin/test_params

# zoo.d of the build folder holds the modules it copies.
check_PROGRAMS += tests/unit/plugin/test_registry
tests_unit_plugin_test_registry_SOURCES = tests/unit/plugin/test_registry.c
tests_unit_plugin_test_registry_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_plugin_test_registry_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/plugin/test_registry
