# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/service/service.c host/service/service.h host/service/stats.c host/service/stats.h host/service/internal.h host/service/keep.c host/service/keep.h host/service/upkeep.c host/service/upkeep.h host/service/history.c host/service/history.h host/service/sessions.c host/service/sessions.h host/service/manage_history.c host/service/manage.h \
	host/service/database.c host/service/database.h \
	host/service/set.c host/service/set.h host/service/reload.c \
	host/service/args.c host/service/args.h host/service/ask.c host/service/explain.c host/service/filters.c \
	host/service/filters.h host/service/query_metrics.c host/service/list_metrics.c \
	host/service/list_connections.c host/service/connection_test.c \
	host/service/ask_select.c host/service/connection_read.c host/service/connection_read.h \
	host/service/connections.c host/service/connections.h host/service/select.c \
	host/service/select.h \
	host/service/keys.c host/service/keys.h
