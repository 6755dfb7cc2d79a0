# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/store/store.h host/store/rows.h host/store/driver.h host/store/internal.h \
	host/store/store.c host/store/operations.c host/store/queue.c host/store/queue.h host/store/copy.c \
	host/store/writer.c host/store/notices.c host/store/place.c host/store/migration.c

# Numbered, forward only; each has a text for either database. What was released is never changed.
MIGRATIONS = 0001_init
sqlsqlitedir = $(datadir)/sonde/sql/sqlite
sqlpostgresdir = $(datadir)/sonde/sql/postgres
dist_sqlsqlite_DATA = sql/sqlite/0001_init.sql
dist_sqlpostgres_DATA = sql/postgres/0001_init.sql
EXTRA_DIST += host/store/embed.sh
nodist_libhost_la_SOURCES = host/store/migrations.c
CLEANFILES += host/store/migrations.c
host/store/migrations.c: host/store/embed.sh host/store/store.mk $(dist_sqlsqlite_DATA) $(dist_sqlpostgres_DATA)
	$(AM_V_GEN)$(MKDIR_P) host/store && \
	  $(SHELL) $(srcdir)/host/store/embed.sh $(srcdir)/sql $(MIGRATIONS) > $@.tmp && mv $@.tmp $@

include host/store/sqlite/sqlite.mk
include host/store/postgres/postgres.mk
