# SPDX-License-Identifier: Apache-2.0
sondeincludedir = $(includedir)/sonde
dist_sondeinclude_HEADERS = sdk/include/sonde/plugin.h sdk/include/sonde/abi.h \
	sdk/include/sonde/types.h sdk/include/sonde/param.h sdk/include/sonde/query.h \
	sdk/include/sonde/http.h sdk/include/sonde/sink.h sdk/include/sonde/host.h \
	sdk/include/sonde/table.h sdk/include/sonde/json.h sdk/include/sonde/text.h \
	sdk/include/sonde/testkit.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = sdk/sonde.pc

# The same helpers twice: inside the tree as a convenience library, outside as an archive for plugins.
SDK_SOURCES = sdk/src/utf8.h sdk/src/json.c sdk/src/number.c sdk/src/text.c sdk/src/describe.c
noinst_LTLIBRARIES += libsdk.la
libsdk_la_SOURCES = $(SDK_SOURCES)
lib_LIBRARIES += libsonde-plugin.a
libsonde_plugin_a_SOURCES = $(SDK_SOURCES)
libsonde_plugin_a_CFLAGS = $(AM_CFLAGS) -fPIC
