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

# Runs an adapter on fixtures; stands on nothing but the helpers above.
lib_LIBRARIES += libsonde-testkit.a
libsonde_testkit_a_SOURCES = sdk/testkit/base.h sdk/testkit/base.c sdk/testkit/tree.h sdk/testkit/tree.c \
	sdk/testkit/fixture.h sdk/testkit/fixture.c sdk/testkit/record.h sdk/testkit/record.c sdk/testkit/sink.c \
	sdk/testkit/run.h sdk/testkit/host.c sdk/testkit/run.c sdk/testkit/table.c sdk/testkit/testkit.c

# For authors who use autotools, and a whole adapter to begin from.
sondem4dir = $(datadir)/aclocal
dist_sondem4_DATA = sdk/m4/sonde_plugin.m4
sondetemplatedir = $(datadir)/sonde/template
SDK_TEMPLATE = sdk/template/README.md sdk/template/Makefile sdk/template/tally.c sdk/template/check.c \
	sdk/template/fixtures/range/query.json sdk/template/fixtures/range/want.json \
	sdk/template/fixtures/bad_metric/query.json sdk/template/fixtures/bad_metric/want.json \
	sdk/template/fixtures/throttled/query.json sdk/template/fixtures/throttled/want.json
EXTRA_DIST += $(SDK_TEMPLATE)
# The folders under template/ stay as they are, so automake's own install rules will not do.
install-data-local: install-template
install-template:
	@for f in $(SDK_TEMPLATE); do to="$(DESTDIR)$(sondetemplatedir)/$${f#sdk/template/}"; \
	  $(MKDIR_P) "$${to%/*}" && $(INSTALL_DATA) "$(srcdir)/$$f" "$$to" || exit 1; done
uninstall-local: uninstall-template
uninstall-template:
	rm -rf "$(DESTDIR)$(sondetemplatedir)"
.PHONY: install-template uninstall-template

# The SDK alone, under whatever prefix is given now: the pkg-config file is written for it.
install-sdk: libsonde-plugin.a libsonde-testkit.a install-dist_sondeincludeHEADERS install-dist_sondem4DATA install-template
	$(MKDIR_P) '$(DESTDIR)$(libdir)' '$(DESTDIR)$(pkgconfigdir)'
	$(INSTALL_DATA) libsonde-plugin.a libsonde-testkit.a '$(DESTDIR)$(libdir)'
	sed -e 's|^prefix=.*|prefix=$(prefix)|' -e 's|^exec_prefix=.*|exec_prefix=$(exec_prefix)|' \
	  sdk/sonde.pc > '$(DESTDIR)$(pkgconfigdir)/sonde.pc'
.PHONY: install-sdk
