# SPDX-License-Identifier: Apache-2.0
# The fake engine stands before libhost's, so that no network is touched.
FAKE_ENGINE = tests/unit/catalogue/fake_engine.c tests/unit/catalogue/fake_engine.h

check_PROGRAMS += tests/unit/catalogue/test_catalogue tests/unit/catalogue/test_keeper \
	tests/unit/catalogue/test_resolve
UNIT_TESTS += tests/unit/catalogue/test_catalogue tests/unit/catalogue/test_keeper \
	tests/unit/catalogue/test_resolve

tests_unit_catalogue_test_catalogue_SOURCES = tests/unit/catalogue/test_catalogue.c $(FAKE_ENGINE)
tests_unit_catalogue_test_catalogue_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_catalogue_test_catalogue_LDADD = $(TEST_LIBS)

tests_unit_catalogue_test_keeper_SOURCES = tests/unit/catalogue/test_keeper.c $(FAKE_ENGINE)
tests_unit_catalogue_test_keeper_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_catalogue_test_keeper_LDADD = $(TEST_LIBS)

tests_unit_catalogue_test_resolve_SOURCES = tests/unit/catalogue/test_resolve.c
tests_unit_catalogue_test_resolve_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_catalogue_test_resolve_LDADD = $(TEST_LIBS)
