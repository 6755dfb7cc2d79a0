# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/config/test_node
UNIT_TESTS += tests/unit/config/test_node
tests_unit_config_test_node_SOURCES = tests/unit/config/test_node.c
tests_unit_config_test_node_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_config_test_node_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/config/test_config
UNIT_TESTS += tests/unit/config/test_config
tests_unit_config_test_config_SOURCES = tests/unit/config/test_config.c tests/support/examples.h
tests_unit_config_test_config_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_config_test_config_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/config/test_serve
UNIT_TESTS += tests/unit/config/test_serve
tests_unit_config_test_serve_SOURCES = tests/unit/config/test_serve.c
tests_unit_config_test_serve_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_config_test_serve_LDADD = $(TEST_LIBS)
