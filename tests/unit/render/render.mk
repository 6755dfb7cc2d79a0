# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/render/test_render
tests_unit_render_test_render_SOURCES = tests/unit/render/test_render.c
tests_unit_render_test_render_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_render_test_render_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/render/test_render
