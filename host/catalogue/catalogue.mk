# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/catalogue/catalogue.c host/catalogue/catalogue.h \
	host/catalogue/fetch.c host/catalogue/enforce.c host/catalogue/internal.h host/catalogue/keeper.c \
	host/catalogue/resolve.c host/catalogue/snapshot.c
