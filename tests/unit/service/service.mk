# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/service/test_args
UNIT_TESTS += tests/unit/service/test_args

tests_unit_service_test_args_SOURCES = tests/unit/service/test_args.c
tests_unit_service_test_args_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_args_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/service/test_filters
UNIT_TESTS += tests/unit/service/test_filters
tests_unit_service_test_filters_SOURCES = tests/unit/service/test_filters.c
tests_unit_service_test_filters_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_filters_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/service/test_connections tests/unit/service/test_select
UNIT_TESTS += tests/unit/service/test_connections tests/unit/service/test_select

# The fake registry stands before libhost's, so that no plugin is loaded.
tests_unit_service_test_connections_SOURCES = tests/unit/service/test_connections.c \
	tests/support/fake_registry.c tests/support/fake_registry.h tests/support/examples.h
tests_unit_service_test_connections_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_connections_LDADD = $(TEST_LIBS)

tests_unit_service_test_select_SOURCES = tests/unit/service/test_select.c
tests_unit_service_test_select_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_select_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/service/test_reload
UNIT_TESTS += tests/unit/service/test_reload
# The toy adapter's registry stands before libhost's.
tests_unit_service_test_reload_SOURCES = tests/unit/service/test_reload.c tests/support/toy_adapter.c \
	tests/support/toy_adapter.h
tests_unit_service_test_reload_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_reload_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/service/test_stats
tests_unit_service_test_stats_SOURCES = tests/unit/service/test_stats.c
tests_unit_service_test_stats_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_stats_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/service/test_stats

check_PROGRAMS += tests/unit/service/test_keys
tests_unit_service_test_keys_SOURCES = tests/unit/service/test_keys.c
tests_unit_service_test_keys_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_keys_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/service/test_keys

check_PROGRAMS += tests/unit/service/test_manage tests/unit/service/test_user_sets
UNIT_TESTS += tests/unit/service/test_manage tests/unit/service/test_user_sets
PEOPLE = tests/unit/service/people.c tests/unit/service/people.h tests/support/toy_adapter.c \
	tests/support/toy_adapter.h
tests_unit_service_test_manage_SOURCES = tests/unit/service/test_manage.c $(PEOPLE)
tests_unit_service_test_manage_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_manage_LDADD = $(TEST_LIBS)
tests_unit_service_test_user_sets_SOURCES = tests/unit/service/test_user_sets.c $(PEOPLE)
tests_unit_service_test_user_sets_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_user_sets_LDADD = $(TEST_LIBS)
tests_unit_service_test_user_sets_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=store_connections
check_PROGRAMS += tests/unit/service/test_watch
UNIT_TESTS += tests/unit/service/test_watch
# The toy adapter's registry stands before libhost's.
tests_unit_service_test_watch_SOURCES = tests/unit/service/test_watch.c tests/support/toy_adapter.c \
	tests/support/toy_adapter.h
tests_unit_service_test_watch_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_watch_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/service/test_enforce
UNIT_TESTS += tests/unit/service/test_enforce
tests_unit_service_test_enforce_SOURCES = tests/unit/service/test_enforce.c $(PEOPLE)
tests_unit_service_test_enforce_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_enforce_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/service/test_query_limits
UNIT_TESTS += tests/unit/service/test_query_limits
tests_unit_service_test_query_limits_SOURCES = tests/unit/service/test_query_limits.c $(PEOPLE)
tests_unit_service_test_query_limits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_service_test_query_limits_LDADD = $(TEST_LIBS)
