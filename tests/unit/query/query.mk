# SPDX-License-Identifier: Apache-2.0
# fake_io and the toy's registry stand in for host/io and the loader: their symbols come before the library's.
QUERY_DOUBLES = tests/support/fake_io.c tests/support/fake_io.h tests/support/toy_adapter.c \
	tests/support/toy_adapter.h tests/support/cmocka_all.h

check_PROGRAMS += tests/unit/query/test_limits
tests_unit_query_test_limits_SOURCES = tests/unit/query/test_limits.c
tests_unit_query_test_limits_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_limits_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_limits

check_PROGRAMS += tests/unit/query/test_turns
tests_unit_query_test_turns_SOURCES = tests/unit/query/test_turns.c \
	tests/unit/query/engine_fixture.c tests/unit/query/engine_fixture.h $(QUERY_DOUBLES)
tests_unit_query_test_turns_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_turns_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_turns

check_PROGRAMS += tests/unit/query/test_samples
tests_unit_query_test_samples_SOURCES = tests/unit/query/test_samples.c
tests_unit_query_test_samples_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_samples_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_samples

check_PROGRAMS += tests/unit/query/test_engine
tests_unit_query_test_engine_SOURCES = tests/unit/query/test_engine.c \
	tests/unit/query/engine_fixture.c tests/unit/query/engine_fixture.h $(QUERY_DOUBLES)
tests_unit_query_test_engine_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_engine_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_engine

check_PROGRAMS += tests/unit/query/test_flight
tests_unit_query_test_flight_SOURCES = tests/unit/query/test_flight.c \
	tests/unit/query/engine_fixture.c tests/unit/query/engine_fixture.h $(QUERY_DOUBLES)
tests_unit_query_test_flight_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_flight_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_flight

check_PROGRAMS += tests/unit/query/test_parts
tests_unit_query_test_parts_SOURCES = tests/unit/query/test_parts.c
tests_unit_query_test_parts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_parts_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_parts

check_PROGRAMS += tests/unit/query/test_zoo
tests_unit_query_test_zoo_SOURCES = tests/unit/query/test_zoo.c tests/support/fake_io.c \
	tests/support/fake_io.h tests/support/cmocka_all.h
tests_unit_query_test_zoo_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_zoo_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_zoo

check_PROGRAMS += tests/unit/query/test_real_io
tests_unit_query_test_real_io_SOURCES = tests/unit/query/test_real_io.c
tests_unit_query_test_real_io_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_real_io_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_real_io

check_PROGRAMS += tests/unit/query/test_backend
tests_unit_query_test_backend_SOURCES = tests/unit/query/test_backend.c \
	tests/unit/query/engine_fixture.c tests/unit/query/engine_fixture.h $(QUERY_DOUBLES)
tests_unit_query_test_backend_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_backend_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_backend

check_PROGRAMS += tests/unit/query/test_cache
tests_unit_query_test_cache_SOURCES = tests/unit/query/test_cache.c \
	tests/unit/query/engine_fixture.c tests/unit/query/engine_fixture.h $(QUERY_DOUBLES)
tests_unit_query_test_cache_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_cache_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_cache

check_PROGRAMS += tests/unit/query/test_cache_table
tests_unit_query_test_cache_table_SOURCES = tests/unit/query/test_cache_table.c \
	tests/unit/query/engine_fixture.c tests/unit/query/engine_fixture.h $(QUERY_DOUBLES)
tests_unit_query_test_cache_table_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_cache_table_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_cache_table

check_PROGRAMS += tests/unit/query/test_health
tests_unit_query_test_health_SOURCES = tests/unit/query/test_health.c
tests_unit_query_test_health_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_query_test_health_LDADD = $(TEST_LIBS)
UNIT_TESTS += tests/unit/query/test_health
