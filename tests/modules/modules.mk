# SPDX-License-Identifier: Apache-2.0
# README.md says what these modules are. -rpath makes libtool build a shared object that is never installed.
ZOO_LDFLAGS = -module -avoid-version -shared -rpath /nowhere $(AM_LDFLAGS) $(PLUGIN_LDFLAGS) \
	-export-symbols-regex '^(sonde_plugin_entry_v[12]|zoo_table)$$'
PAPER_LDFLAGS = $(PLUGIN_FLAGS) -rpath /nowhere

check_LTLIBRARIES += tests/modules/zoo_good.la
tests_modules_zoo_good_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_good_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_GOOD -DZOO_NAME='"zoo_good"'
tests_modules_zoo_good_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_no_entry.la
tests_modules_zoo_no_entry_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_no_entry_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_NO_ENTRY -DZOO_NAME='"zoo_no_entry"' -DZOO_WITHOUT_ENTRY
tests_modules_zoo_no_entry_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_v2_only.la
tests_modules_zoo_v2_only_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_v2_only_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_V2_ONLY -DZOO_NAME='"zoo_v2_only"' -DZOO_ENTRY_V2
tests_modules_zoo_v2_only_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_short_table.la
tests_modules_zoo_short_table_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_short_table_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_SHORT_TABLE -DZOO_NAME='"zoo_short_table"'
tests_modules_zoo_short_table_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_future_table.la
tests_modules_zoo_future_table_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_future_table_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_FUTURE_TABLE -DZOO_NAME='"zoo_future_table"'
tests_modules_zoo_future_table_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_null_slot.la
tests_modules_zoo_null_slot_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_null_slot_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_NULL_SLOT -DZOO_NAME='"zoo_null_slot"'
tests_modules_zoo_null_slot_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_no_caps.la
tests_modules_zoo_no_caps_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_no_caps_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_NO_CAPS -DZOO_NAME='"zoo_no_caps"'
tests_modules_zoo_no_caps_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_unknown_caps.la
tests_modules_zoo_unknown_caps_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_unknown_caps_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_UNKNOWN_CAPS -DZOO_NAME='"zoo_unknown_caps"'
tests_modules_zoo_unknown_caps_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_required_caps.la
tests_modules_zoo_required_caps_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_required_caps_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_REQUIRED_CAPS -DZOO_NAME='"zoo_required_caps"'
tests_modules_zoo_required_caps_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_bad_name.la
tests_modules_zoo_bad_name_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_bad_name_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_BAD_NAME -DZOO_NAME='"zoo_bad_name"'
tests_modules_zoo_bad_name_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_duplicate.la
tests_modules_zoo_duplicate_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_duplicate_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_DUPLICATE -DZOO_NAME='"zoo_duplicate"'
tests_modules_zoo_duplicate_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_null_identity.la
tests_modules_zoo_null_identity_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_null_identity_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_NULL_IDENTITY -DZOO_NAME='"zoo_null_identity"'
tests_modules_zoo_null_identity_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_needs_minor.la
tests_modules_zoo_needs_minor_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_needs_minor_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_NEEDS_MINOR -DZOO_NAME='"zoo_needs_minor"'
tests_modules_zoo_needs_minor_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_other_major.la
tests_modules_zoo_other_major_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_other_major_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_OTHER_MAJOR -DZOO_NAME='"zoo_other_major"'
tests_modules_zoo_other_major_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_entry_error.la
tests_modules_zoo_entry_error_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_entry_error_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_ENTRY_ERROR -DZOO_NAME='"zoo_entry_error"'
tests_modules_zoo_entry_error_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_entry_silent.la
tests_modules_zoo_entry_silent_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_entry_silent_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_ENTRY_SILENT -DZOO_NAME='"zoo_entry_silent"'
tests_modules_zoo_entry_silent_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_bad_allowed.la
tests_modules_zoo_bad_allowed_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_bad_allowed_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_BAD_ALLOWED -DZOO_NAME='"zoo_bad_allowed"'
tests_modules_zoo_bad_allowed_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_actor.la
tests_modules_zoo_actor_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_actor_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_ACTOR -DZOO_NAME='"zoo_actor"'
tests_modules_zoo_actor_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/zoo_wait.la
tests_modules_zoo_wait_la_SOURCES = tests/modules/zoo.c
tests_modules_zoo_wait_la_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_WAIT -DZOO_NAME='"zoo_wait"'
tests_modules_zoo_wait_la_LDFLAGS = $(ZOO_LDFLAGS)

check_LTLIBRARIES += tests/modules/paper_pages.la
tests_modules_paper_pages_la_SOURCES = tests/modules/paper_pages.c tests/modules/paper.c tests/modules/paper.h
tests_modules_paper_pages_la_CPPFLAGS = $(AM_CPPFLAGS)
tests_modules_paper_pages_la_LDFLAGS = $(PAPER_LDFLAGS)
tests_modules_paper_pages_la_LIBADD = libsdk.la
check_PROGRAMS += tests/modules/run_paper_pages
tests_modules_run_paper_pages_SOURCES = tests/modules/run_fixtures.c tests/modules/paper_pages.c tests/modules/paper.c tests/modules/paper.h
tests_modules_run_paper_pages_LDADD = libsonde-testkit.a libsdk.la

check_LTLIBRARIES += tests/modules/paper_pit.la
tests_modules_paper_pit_la_SOURCES = tests/modules/paper_pit.c tests/modules/paper.c tests/modules/paper.h
tests_modules_paper_pit_la_CPPFLAGS = $(AM_CPPFLAGS)
tests_modules_paper_pit_la_LDFLAGS = $(PAPER_LDFLAGS)
tests_modules_paper_pit_la_LIBADD = libsdk.la
check_PROGRAMS += tests/modules/run_paper_pit
tests_modules_run_paper_pit_SOURCES = tests/modules/run_fixtures.c tests/modules/paper_pit.c tests/modules/paper.c tests/modules/paper.h
tests_modules_run_paper_pit_LDADD = libsonde-testkit.a libsdk.la

check_LTLIBRARIES += tests/modules/paper_poll.la
tests_modules_paper_poll_la_SOURCES = tests/modules/paper_poll.c tests/modules/paper.c tests/modules/paper.h
tests_modules_paper_poll_la_CPPFLAGS = $(AM_CPPFLAGS)
tests_modules_paper_poll_la_LDFLAGS = $(PAPER_LDFLAGS)
tests_modules_paper_poll_la_LIBADD = libsdk.la
check_PROGRAMS += tests/modules/run_paper_poll
tests_modules_run_paper_poll_SOURCES = tests/modules/run_fixtures.c tests/modules/paper_poll.c tests/modules/paper.c tests/modules/paper.h
tests_modules_run_paper_poll_LDADD = libsonde-testkit.a libsdk.la

check_LTLIBRARIES += tests/modules/paper_gateway.la
tests_modules_paper_gateway_la_SOURCES = tests/modules/paper_gateway.c tests/modules/paper.c tests/modules/paper.h
tests_modules_paper_gateway_la_CPPFLAGS = $(AM_CPPFLAGS)
tests_modules_paper_gateway_la_LDFLAGS = $(PAPER_LDFLAGS)
tests_modules_paper_gateway_la_LIBADD = libsdk.la
check_PROGRAMS += tests/modules/run_paper_gateway
tests_modules_run_paper_gateway_SOURCES = tests/modules/run_fixtures.c tests/modules/paper_gateway.c tests/modules/paper.c tests/modules/paper.h
tests_modules_run_paper_gateway_LDADD = libsonde-testkit.a libsdk.la

check_LTLIBRARIES += tests/modules/paper_vendor.la
tests_modules_paper_vendor_la_SOURCES = tests/modules/paper_vendor.c tests/modules/paper.c tests/modules/paper.h
tests_modules_paper_vendor_la_CPPFLAGS = $(AM_CPPFLAGS)
tests_modules_paper_vendor_la_LDFLAGS = $(PAPER_LDFLAGS)
tests_modules_paper_vendor_la_LIBADD = libsdk.la
check_PROGRAMS += tests/modules/run_paper_vendor
tests_modules_run_paper_vendor_SOURCES = tests/modules/run_fixtures.c tests/modules/paper_vendor.c tests/modules/paper.c tests/modules/paper.h
tests_modules_run_paper_vendor_LDADD = libsonde-testkit.a libsdk.la

check_PROGRAMS += tests/modules/run_zoo_actor
tests_modules_run_zoo_actor_SOURCES = tests/modules/run_fixtures.c tests/modules/zoo.c
tests_modules_run_zoo_actor_CPPFLAGS = $(AM_CPPFLAGS) -DZOO=ZOO_ACTOR -DZOO_NAME='"zoo_actor"'
tests_modules_run_zoo_actor_LDADD = libsonde-testkit.a libsdk.la

# Before any test runs: a test's program finds the modules in zoo.d of the build folder.
check_DATA += zoo.d/stamp
zoo.d/stamp: $(check_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) zoo.d && chmod go-w zoo.d && for la in $(check_LTLIBRARIES); do \
	  name=$${la##*/}; name=$${name%.la}; \
	  cp -f "$${la%/*}/.libs/$$name.so" zoo.d/ && chmod go-w "zoo.d/$$name.so" || exit 1; done && touch $@
clean-zoo-d:
	rm -rf zoo.d
CLEAN_LOCALS += clean-zoo-d

MODULE_CHECKS = tests/modules/papers.sh tests/modules/testkit_catches.sh
dist_noinst_SCRIPTS += $(MODULE_CHECKS)
TESTS += $(MODULE_CHECKS)
EXTRA_DIST += tests/modules/README.md \
	tests/modules/paper_pages/fixtures/five_batches/query.json \
	tests/modules/paper_pages/fixtures/five_batches/want.json \
	tests/modules/paper_pages/fixtures/lost/query.json \
	tests/modules/paper_pages/fixtures/lost/want.json \
	tests/modules/paper_pages/fixtures/one_throttled/query.json \
	tests/modules/paper_pages/fixtures/one_throttled/want.json \
	tests/modules/paper_pages/fixtures/stopped/query.json \
	tests/modules/paper_pages/fixtures/stopped/want.json \
	tests/modules/paper_pages/fixtures/together/query.json \
	tests/modules/paper_pages/fixtures/together/want.json \
	tests/modules/paper_pit/fixtures/cancelled_between/query.json \
	tests/modules/paper_pit/fixtures/cancelled_between/want.json \
	tests/modules/paper_pit/fixtures/cancelled_in_page/query.json \
	tests/modules/paper_pit/fixtures/cancelled_in_page/want.json \
	tests/modules/paper_pit/fixtures/cancelled_while_opening/query.json \
	tests/modules/paper_pit/fixtures/cancelled_while_opening/want.json \
	tests/modules/paper_pit/fixtures/failed/query.json \
	tests/modules/paper_pit/fixtures/failed/want.json \
	tests/modules/paper_pit/fixtures/two_pages/query.json \
	tests/modules/paper_pit/fixtures/two_pages/want.json \
	tests/modules/paper_poll/fixtures/done/query.json \
	tests/modules/paper_poll/fixtures/done/want.json \
	tests/modules/paper_poll/fixtures/refused/query.json \
	tests/modules/paper_poll/fixtures/refused/want.json \
	tests/modules/paper_poll/fixtures/throttled_out/query.json \
	tests/modules/paper_poll/fixtures/throttled_out/want.json \
	tests/modules/paper_poll/fixtures/throttled_then_cancelled/query.json \
	tests/modules/paper_poll/fixtures/throttled_then_cancelled/want.json \
	tests/modules/paper_gateway/fixtures/own_scope/query.json \
	tests/modules/paper_gateway/fixtures/own_scope/want.json \
	tests/modules/paper_gateway/fixtures/scopes/query.json \
	tests/modules/paper_gateway/fixtures/scopes/want.json \
	tests/modules/paper_gateway/fixtures/unknown_scope/query.json \
	tests/modules/paper_gateway/fixtures/unknown_scope/want.json \
	tests/modules/paper_vendor/fixtures/bad_key/query.json \
	tests/modules/paper_vendor/fixtures/bad_key/want.json \
	tests/modules/paper_vendor/fixtures/logs/query.json \
	tests/modules/paper_vendor/fixtures/logs/want.json \
	tests/modules/paper_vendor/fixtures/metrics/query.json \
	tests/modules/paper_vendor/fixtures/metrics/want.json \
	tests/modules/paper_vendor/fixtures/no_app_key/query.json \
	tests/modules/paper_vendor/fixtures/no_app_key/want.json \
	tests/modules/paper_vendor/fixtures/traces/query.json \
	tests/modules/paper_vendor/fixtures/traces/want.json
