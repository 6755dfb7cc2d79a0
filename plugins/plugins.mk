# SPDX-License-Identifier: Apache-2.0
# Plugins are modules with exactly one exported symbol. NAME.so in plugins.d/ is what tests and the
# uninstalled program load.
PLUGIN_FLAGS = -module -avoid-version -shared -export-symbols-regex '^sonde_plugin_entry_v1$$' \
	$(AM_LDFLAGS) $(PLUGIN_LDFLAGS)

include plugins/lib/promql/promql.mk
include plugins/prometheus/prometheus.mk
include plugins/victoriametrics/victoriametrics.mk
include plugins/otlpfile/otlpfile.mk

plugins.d/stamp: $(plugin_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) plugins.d && chmod go-w plugins.d && for la in $(plugin_LTLIBRARIES); do \
	  name=$${la##*/}; name=$${name%.la}; \
	  cp -f "$${la%/*}/.libs/$$name.so" plugins.d/ && chmod go-w "plugins.d/$$name.so" || exit 1; done && touch $@
all-local: plugins.d/stamp

# libtool's .la files of modules are of no use to anyone.
install-data-hook:
	cd '$(DESTDIR)$(plugindir)' && rm -f *.la
uninstall-hook:
	for la in $(plugin_LTLIBRARIES); do name=$${la##*/}; rm -f "$(DESTDIR)$(plugindir)/$${name%.la}.so"; done

clean-plugins-d:
	rm -rf plugins.d
CLEAN_LOCALS += clean-plugins-d
