# SPDX-License-Identifier: Apache-2.0
# Unit tests are one cmocka program a module: add NAME to UNIT_TESTS below in the folder's fragment, as
#   check_PROGRAMS += tests/unit/base/test_arena
#   tests_unit_base_test_arena_SOURCES = tests/unit/base/test_arena.c
#   tests_unit_base_test_arena_CPPFLAGS = $(TEST_CPPFLAGS)
#   tests_unit_base_test_arena_LDADD = $(TEST_LIBS)
#   UNIT_TESTS += tests/unit/base/test_arena
TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests/support
TEST_LIBS = libhost.la $(CMOCKA_LIBS)
UNIT_TESTS =
FAKE_CALLS = tests/mcp/fake_calls.c tests/mcp/fake_calls.h
FAKE_SERVICE = $(FAKE_CALLS) tests/mcp/fake_service.c tests/mcp/fake_service.h

include tests/unit/unit.mk
include tests/incident/incident.mk
include tests/plugins/plugins.mk
include tests/modules/modules.mk
include tests/abi/abi.mk
include tests/fuzz/fuzz.mk
include tests/store/postgres.mk
include tests/lint/lint.mk
include tests/store/store.mk
include tests/http/http.mk
include tests/mcp/mcp.mk
include tests/conformance/conformance.mk
include tests/serve/serve.mk
include tests/backends/backends.mk
include tests/clients/clients.mk
include tests/people/people.mk

TESTS += $(UNIT_TESTS)
