# SPDX-License-Identifier: Apache-2.0
# What the adapters that speak PromQL share, linked into each of them.
noinst_LTLIBRARIES += libpromql.la
libpromql_la_SOURCES = \
	plugins/lib/promql/aliases.c plugins/lib/promql/aliases.h \
	plugins/lib/promql/allowed.c plugins/lib/promql/allowed.h \
	plugins/lib/promql/cursor.c plugins/lib/promql/cursor.h \
	plugins/lib/promql/dialect.h \
	plugins/lib/promql/failure.c plugins/lib/promql/failure.h \
	plugins/lib/promql/instance.c plugins/lib/promql/instance.h \
	plugins/lib/promql/lexer.c plugins/lib/promql/lexer.h \
	plugins/lib/promql/link.c plugins/lib/promql/link.h \
	plugins/lib/promql/matcher.c plugins/lib/promql/matcher.h \
	plugins/lib/promql/metadata.c plugins/lib/promql/metadata.h \
	plugins/lib/promql/metricsql.c plugins/lib/promql/metricsql.h \
	plugins/lib/promql/metricsql_lexer.c plugins/lib/promql/metricsql_lexer.h \
	plugins/lib/promql/name.c plugins/lib/promql/name.h \
	plugins/lib/promql/op.c plugins/lib/promql/op.h \
	plugins/lib/promql/plan.c plugins/lib/promql/plan.h \
	plugins/lib/promql/probe.c plugins/lib/promql/probe.h \
	plugins/lib/promql/reader.c plugins/lib/promql/reader.h \
	plugins/lib/promql/rewrite.c plugins/lib/promql/rewrite.h \
	plugins/lib/promql/rows.c plugins/lib/promql/rows.h \
	plugins/lib/promql/structured.c plugins/lib/promql/structured.h \
	plugins/lib/promql/token.c plugins/lib/promql/token.h \
	plugins/lib/promql/walk.c plugins/lib/promql/walk.h
libpromql_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/lib
