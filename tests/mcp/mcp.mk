# SPDX-License-Identifier: Apache-2.0
# The protocol over pipes: tests/mcp/transcript.py plays transcripts against a program; --command takes any other one.
check_PROGRAMS += tests/mcp/fake_mcp
tests_mcp_fake_mcp_SOURCES = tests/mcp/fake_mcp.c tests/mcp/fake_service.c tests/mcp/fake_service.h
tests_mcp_fake_mcp_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mcp_fake_mcp_LDADD = libhost.la

TESTS += tests/mcp/transcripts.sh
dist_noinst_SCRIPTS += tests/mcp/transcripts.sh tests/mcp/transcript.py
EXTRA_DIST += tests/mcp/transcripts
