# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/store/postgres/internal.h host/store/postgres/address.c host/store/postgres/batch.c \
	host/store/postgres/connect.c host/store/postgres/connections.c host/store/postgres/connections_write.c \
	host/store/postgres/driver.c host/store/postgres/error.c host/store/postgres/facts.c host/store/postgres/history.c \
	host/store/postgres/migrate.c host/store/postgres/notice.c host/store/postgres/pool.c \
	host/store/postgres/settings.c host/store/postgres/statement.c host/store/postgres/users.c
