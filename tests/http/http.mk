# SPDX-License-Identifier: Apache-2.0
# The HTTP listener over sockets: a small server on host/http and a script of faults.
check_PROGRAMS += tests/http/http_server
tests_http_http_server_SOURCES = tests/http/http_server.c
tests_http_http_server_CPPFLAGS = $(AM_CPPFLAGS)
tests_http_http_server_LDADD = libhost.la
TESTS += tests/http/faults.sh
dist_noinst_SCRIPTS += tests/http/faults.sh
dist_noinst_DATA += tests/http/faults.py
