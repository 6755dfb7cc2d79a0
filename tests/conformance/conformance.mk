# SPDX-License-Identifier: Apache-2.0
# The MCP conformance suite against the host's HTTP front; it is built into a cache folder by tests/conformance/build.
check_PROGRAMS += tests/conformance/fixture
tests_conformance_fixture_SOURCES = tests/conformance/fixture.c $(HTTP_PROGRAM) $(FAKE_CALLS)
tests_conformance_fixture_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/tests/mcp
tests_conformance_fixture_LDADD = libhost.la

TESTS += tests/conformance/conformance.sh
dist_noinst_SCRIPTS += tests/conformance/conformance.sh tests/conformance/build
dist_noinst_DATA += tests/conformance/package.json
