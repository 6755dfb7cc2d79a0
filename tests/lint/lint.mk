# SPDX-License-Identifier: Apache-2.0
LINT_TESTS = tests/lint/layers.sh tests/lint/format.sh tests/lint/man.sh
dist_noinst_SCRIPTS += $(LINT_TESTS)
TESTS += $(LINT_TESTS)
