# SPDX-License-Identifier: Apache-2.0
# Tokens of an authorization server, and its keys.
check_PROGRAMS += tests/fuzz/fuzz_jwt
tests_fuzz_fuzz_jwt_SOURCES = tests/fuzz/fuzz_jwt.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_jwt_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jwt_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_jwt_LDADD = libhost.la

check_PROGRAMS += tests/fuzz/fuzz_jwks
tests_fuzz_fuzz_jwks_SOURCES = tests/fuzz/fuzz_jwks.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_jwks_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jwks_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_jwks_LDADD = libhost.la
