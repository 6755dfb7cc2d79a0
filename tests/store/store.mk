# SPDX-License-Identifier: Apache-2.0
# One suite for both databases: contract LOCATION. The others are SQLite's own.
STORE_SUPPORT = tests/store/contract.h tests/store/contract_support.c
check_PROGRAMS += tests/store/contract tests/store/test_sqlite tests/store/processes tests/store/rate
tests_store_contract_SOURCES = $(STORE_SUPPORT) tests/store/contract.c tests/store/contract_people.c \
	tests/store/contract_connections.c tests/store/contract_history.c tests/store/contract_faults.c
tests_store_contract_CPPFLAGS = $(AM_CPPFLAGS)
tests_store_contract_LDADD = libhost.la
tests_store_test_sqlite_SOURCES = $(STORE_SUPPORT) tests/store/test_sqlite.c
tests_store_test_sqlite_CPPFLAGS = $(AM_CPPFLAGS)
tests_store_test_sqlite_LDADD = libhost.la
tests_store_processes_SOURCES = $(STORE_SUPPORT) tests/store/processes.c
tests_store_processes_CPPFLAGS = $(AM_CPPFLAGS)
tests_store_processes_LDADD = libhost.la
tests_store_rate_SOURCES = $(STORE_SUPPORT) tests/store/rate.c
tests_store_rate_CPPFLAGS = $(AM_CPPFLAGS)
tests_store_rate_LDADD = libhost.la
TESTS += tests/store/run_sqlite.sh tests/store/sqlite.sh tests/store/processes.sh tests/store/db.sh
dist_noinst_SCRIPTS += tests/store/run_sqlite.sh tests/store/sqlite.sh tests/store/processes.sh tests/store/db.sh
