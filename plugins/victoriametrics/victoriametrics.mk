# SPDX-License-Identifier: Apache-2.0
VICTORIAMETRICS_SOURCES = plugins/victoriametrics/plugin.c plugins/victoriametrics/victoriametrics.h \
	plugins/victoriametrics/request.c plugins/victoriametrics/response.c
VICTORIAMETRICS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/lib

plugin_LTLIBRARIES += plugins/victoriametrics/victoriametrics.la
plugins_victoriametrics_victoriametrics_la_SOURCES = $(VICTORIAMETRICS_SOURCES)
plugins_victoriametrics_victoriametrics_la_CPPFLAGS = $(VICTORIAMETRICS_CPPFLAGS)
plugins_victoriametrics_victoriametrics_la_LDFLAGS = $(PLUGIN_FLAGS)
plugins_victoriametrics_victoriametrics_la_LIBADD = libpromql.la libsdk.la

# A folder: make dist copies it with all its fixtures.
EXTRA_DIST += plugins/victoriametrics/fixtures
