# SPDX-License-Identifier: Apache-2.0
# REST over sockets: the real listener and routes on a fake service, driven by the OpenAPI document that is served.
check_PROGRAMS += tests/rest/rest_server
tests_rest_rest_server_SOURCES = tests/rest/rest_server.c tests/rest/fake_manage.c \
	tests/rest/fake_manage.h $(FAKE_CALLS)
tests_rest_rest_server_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/mcp
tests_rest_rest_server_LDADD = libhost.la
REST_TESTS = tests/rest/routes.sh tests/rest/walk_sqlite.sh tests/rest/walk_postgresql.sh
TESTS += $(REST_TESTS)
dist_noinst_SCRIPTS += $(REST_TESTS)
dist_noinst_DATA += tests/rest/routes.py tests/rest/schema.py tests/rest/walk.py
