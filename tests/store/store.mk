# SPDX-License-Identifier: Apache-2.0
# One suite for both databases: contract LOCATION.
check_PROGRAMS += tests/store/contract
tests_store_contract_SOURCES = tests/store/contract.h tests/store/contract.c tests/store/contract_people.c \
	tests/store/contract_connections.c tests/store/contract_history.c tests/store/contract_faults.c
tests_store_contract_CPPFLAGS = $(AM_CPPFLAGS)
tests_store_contract_LDADD = libhost.la
TESTS += tests/store/run_sqlite.sh
dist_noinst_SCRIPTS += tests/store/run_sqlite.sh
