# SPDX-License-Identifier: Apache-2.0
# The protocol over pipes: tests/mcp/transcript.py plays transcripts against a program; --command takes any other one.
check_PROGRAMS += tests/mcp/fake_mcp
tests_mcp_fake_mcp_SOURCES = tests/mcp/fake_mcp.c $(FAKE_SERVICE)
tests_mcp_fake_mcp_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mcp_fake_mcp_LDADD = libhost.la

TESTS += tests/mcp/transcripts.sh
dist_noinst_SCRIPTS += tests/mcp/transcripts.sh tests/mcp/transcript.py
EXTRA_DIST += tests/mcp/transcripts

# The same over HTTP.
HTTP_PROGRAM = tests/mcp/http_program.c tests/mcp/http_program.h
check_PROGRAMS += tests/mcp/fake_http
tests_mcp_fake_http_SOURCES = tests/mcp/fake_http.c $(HTTP_PROGRAM) $(FAKE_SERVICE)
tests_mcp_fake_http_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mcp_fake_http_LDADD = libhost.la

TESTS += tests/mcp/http.sh
dist_noinst_SCRIPTS += tests/mcp/http.sh tests/mcp/http_client.py tests/mcp/http_test.py
