# SPDX-License-Identifier: Apache-2.0
PEOPLE_TESTS = tests/people/two_users.sh tests/people/store_gone.sh tests/people/rotation.sh
dist_noinst_SCRIPTS += $(PEOPLE_TESTS)
dist_noinst_DATA += tests/people/two_users.py tests/people/store_gone.py tests/people/rotation.py
TESTS += $(PEOPLE_TESTS)
