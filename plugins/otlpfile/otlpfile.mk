# SPDX-License-Identifier: Apache-2.0
OTLPFILE_SOURCES = plugins/otlpfile/plugin.c plugins/otlpfile/operation.h plugins/otlpfile/request.c \
	plugins/otlpfile/response.c plugins/otlpfile/files.c plugins/otlpfile/collect.c \
	plugins/otlpfile/reader.c plugins/otlpfile/reader.h plugins/otlpfile/keys.c plugins/otlpfile/keys.h \
	plugins/otlpfile/series.c plugins/otlpfile/series.h plugins/otlpfile/hist.c plugins/otlpfile/hist.h \
	plugins/otlpfile/parse.c plugins/otlpfile/ast.c plugins/otlpfile/ast.h plugins/otlpfile/structured.c \
	plugins/otlpfile/alias.c plugins/otlpfile/alias.h plugins/otlpfile/regex.c plugins/otlpfile/regex.h \
	plugins/otlpfile/eval.c plugins/otlpfile/eval.h plugins/otlpfile/group.c plugins/otlpfile/window.c \
	plugins/otlpfile/common.c plugins/otlpfile/common.h

plugin_LTLIBRARIES += plugins/otlpfile/otlpfile.la
plugins_otlpfile_otlpfile_la_SOURCES = $(OTLPFILE_SOURCES)
plugins_otlpfile_otlpfile_la_CPPFLAGS = $(AM_CPPFLAGS) -DHAVE_CONFIG_H
plugins_otlpfile_otlpfile_la_LDFLAGS = $(PLUGIN_FLAGS)
plugins_otlpfile_otlpfile_la_LIBADD = libsdk.la

# A folder: make dist copies it with all its fixtures.
EXTRA_DIST += plugins/otlpfile/fixtures
