# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/auth/tokens.c host/auth/tokens.h host/auth/token_file.c host/auth/token_file.h
