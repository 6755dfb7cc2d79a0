# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/config/check.c host/config/check.h host/config/config.c \
	host/config/config.h host/config/keep.c host/config/keep.h host/config/node.c host/config/node.h host/config/serve.c host/config/serve.h
