# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/auth/tokens.c host/auth/tokens.h host/auth/token_file.c host/auth/token_file.h \
	host/auth/accounts.c host/auth/accounts.h host/auth/account_admin.c host/auth/account_internal.h \
	host/auth/account_jwt.c host/auth/api_token.c host/auth/api_token.h host/auth/book.c host/auth/book.h \
	host/auth/fetch.c host/auth/fetch.h host/auth/jwk.c host/auth/jwks.c host/auth/jwks.h host/auth/jwt.c \
	host/auth/jwt.h host/auth/verified.c host/auth/verified.h
