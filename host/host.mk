# SPDX-License-Identifier: Apache-2.0
# libhost is everything but main(), so that tests link without the program.
noinst_LTLIBRARIES += libhost.la
libhost_la_CPPFLAGS = $(AM_CPPFLAGS) -DSONDE_PLUGIN_DIR='"$(plugindir)"' \
	-DSONDE_SYSCONF_DIR='"$(sysconfdir)"' -DSONDE_LIBEXEC_DIR='"$(pkglibexecdir)"'
libhost_la_LIBADD = libsdk.la $(CURL_LIBS) $(EVENT_LIBS) $(JSONC_LIBS) $(YAML_LIBS) $(ZLIB_LIBS) \
	$(OPENSSL_LIBS) $(LLHTTP_LIBS) $(SQLITE_LIBS) $(PQ_LIBS)
libhost_la_SOURCES =

bin_PROGRAMS += sonde
sonde_SOURCES = host/main.c
sonde_LDADD = libhost.la

include host/base/base.mk
include host/model/model.mk
include host/selfstats/selfstats.mk
include host/config/config.mk
include host/secrets/secrets.mk
include host/store/store.mk
include host/plugin/plugin.mk
include host/io/io.mk
include host/query/query.mk
include host/catalogue/catalogue.mk
include host/answer/answer.mk
include host/render/render.mk
include host/auth/auth.mk
include host/service/service.mk
include host/http/http.mk
include host/mcp/mcp.mk
include host/cli/cli.mk
