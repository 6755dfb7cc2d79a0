# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/http/http.h host/http/internal.h \
	host/http/accept.c host/http/access.c host/http/admit.c host/http/auth.c host/http/conn.c host/http/event.c \
	host/http/guard.c host/http/guard.h host/http/head.c host/http/listen.c \
	host/http/message.c host/http/message.h host/http/output.c host/http/parse.c \
	host/http/parse.h host/http/reply.c host/http/request.c host/http/route.c host/http/scan.c \
	host/http/scan.h host/http/server.c host/http/stream.c host/http/tls.c host/http/tls.h \
	host/http/uri.c host/http/uri.h
