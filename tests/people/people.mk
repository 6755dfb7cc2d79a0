# SPDX-License-Identifier: Apache-2.0
PEOPLE_TESTS = tests/people/two_users.sh
dist_noinst_SCRIPTS += $(PEOPLE_TESTS)
dist_noinst_DATA += tests/people/two_users.py
TESTS += $(PEOPLE_TESTS)
