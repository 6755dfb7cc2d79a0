# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/mcp/test_headers tests/unit/mcp/test_jsonrpc tests/unit/mcp/test_peer \
	tests/unit/mcp/test_stdio
UNIT_TESTS += tests/unit/mcp/test_headers tests/unit/mcp/test_jsonrpc tests/unit/mcp/test_peer tests/unit/mcp/test_stdio

tests_unit_mcp_test_jsonrpc_SOURCES = tests/unit/mcp/test_jsonrpc.c
tests_unit_mcp_test_jsonrpc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_mcp_test_jsonrpc_LDADD = $(TEST_LIBS)

tests_unit_mcp_test_peer_SOURCES = tests/unit/mcp/test_peer.c $(FAKE_SERVICE)
tests_unit_mcp_test_peer_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/tests/mcp
tests_unit_mcp_test_peer_LDADD = $(TEST_LIBS)

tests_unit_mcp_test_stdio_SOURCES = tests/unit/mcp/test_stdio.c $(FAKE_SERVICE)
tests_unit_mcp_test_stdio_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/tests/mcp
tests_unit_mcp_test_stdio_LDADD = $(TEST_LIBS)

tests_unit_mcp_test_headers_SOURCES = tests/unit/mcp/test_headers.c
tests_unit_mcp_test_headers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_mcp_test_headers_LDADD = $(TEST_LIBS)
