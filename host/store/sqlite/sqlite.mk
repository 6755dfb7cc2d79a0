# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/store/sqlite/internal.h host/store/sqlite/driver.c host/store/sqlite/open.c host/store/sqlite/create.c \
	host/store/sqlite/lane.c host/store/sqlite/lock.c host/store/sqlite/schema.c host/store/sqlite/changes.c \
	host/store/sqlite/users.c host/store/sqlite/tokens.c host/store/sqlite/connections.c \
	host/store/sqlite/connection_write.c host/store/sqlite/sync.c host/store/sqlite/settings.c \
	host/store/sqlite/history.c host/store/sqlite/batch.c host/store/sqlite/sweep.c
