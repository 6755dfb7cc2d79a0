# SPDX-License-Identifier: Apache-2.0
# The suite of both databases on a PostgreSQL of its own, and what can go wrong with a server.
if HAVE_CMOCKA
check_PROGRAMS += tests/store/test_postgres
tests_store_test_postgres_SOURCES = tests/store/test_postgres.c
tests_store_test_postgres_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_postgres_LDADD = $(TEST_LIBS)
endif
check_PROGRAMS += tests/store/store_shell
tests_store_store_shell_SOURCES = tests/store/store_shell.c
tests_store_store_shell_CPPFLAGS = $(AM_CPPFLAGS)
tests_store_store_shell_LDADD = libhost.la
TESTS += tests/store/postgres.sh
dist_noinst_SCRIPTS += tests/store/postgres.sh
dist_noinst_DATA += tests/store/postgres.py tests/support/postgres_server.py
