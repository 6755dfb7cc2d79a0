# SPDX-License-Identifier: Apache-2.0
dist_noinst_SCRIPTS += tests/abi/template.sh
TESTS += tests/abi/template.sh
