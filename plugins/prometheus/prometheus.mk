# SPDX-License-Identifier: Apache-2.0
PROMETHEUS_SOURCES = plugins/prometheus/plugin.c plugins/prometheus/prometheus.h \
	plugins/prometheus/request.c plugins/prometheus/response.c
PROMETHEUS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/plugins/lib

plugin_LTLIBRARIES += plugins/prometheus/prometheus.la
plugins_prometheus_prometheus_la_SOURCES = $(PROMETHEUS_SOURCES)
plugins_prometheus_prometheus_la_CPPFLAGS = $(PROMETHEUS_CPPFLAGS)
plugins_prometheus_prometheus_la_LDFLAGS = $(PLUGIN_FLAGS)
plugins_prometheus_prometheus_la_LIBADD = libpromql.la libsdk.la

# A folder: make dist copies it with all its fixtures.
EXTRA_DIST += plugins/prometheus/fixtures
