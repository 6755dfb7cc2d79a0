# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/base/arena.c host/base/arena.h host/base/base64.c host/base/base64.h \
	host/base/private_file.c host/base/private_file.h host/base/buf.c host/base/buf.h \
	host/base/cleanup.h host/base/crypto.c host/base/crypto.h host/base/clock.c host/base/clock.h host/base/err.c host/base/err.h \
	host/base/file.c host/base/file.h host/base/json.c host/base/json.h host/base/log.c \
	host/base/log.h host/base/map.c host/base/map.h host/base/mem.c host/base/mem.h \
	host/base/process.c host/base/process.h \
	host/base/rand.c host/base/rand.h host/base/secret.c host/base/secret.h host/base/str.c \
	host/base/str.h host/base/thread.c host/base/thread.h host/base/timeinput.c \
	host/base/timeinput.h host/base/tzif.c host/base/tzif.h host/base/utf8.c host/base/wake.c host/base/wake.h \
	host/base/zone.c \
	host/base/zone.h
