# SPDX-License-Identifier: Apache-2.0
# Users, tokens and an authorization server against `sonde serve`.
dist_noinst_SCRIPTS += tests/auth/auth.sh
dist_noinst_DATA += tests/auth/auth.py tests/auth/issuer.py
TESTS += tests/auth/auth.sh
