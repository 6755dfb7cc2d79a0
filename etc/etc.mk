# SPDX-License-Identifier: Apache-2.0
# The demonstration incident, a program of its own: `sonde demo` and the tests run it.
pkglibexec_PROGRAMS = sonde-incident
sonde_incident_SOURCES = etc/demo/incident.c etc/demo/story.c etc/demo/story.h etc/demo/out.c \
	etc/demo/out.h etc/demo/metrics.c etc/demo/metrics.h etc/demo/metrics_otlp.c \
	etc/demo/metrics_text.c etc/demo/logs.c etc/demo/traces.c etc/demo/truth.c

# The commented configuration: installed once, never over one that somebody has edited; removed only while untouched.
EXTRA_DIST += etc/sonde.yaml
install-data-local: install-config
uninstall-local: uninstall-config
.PHONY: install-config uninstall-config
install-config:
	$(MKDIR_P) "$(DESTDIR)$(sysconfdir)/sonde"
	test -e "$(DESTDIR)$(sysconfdir)/sonde/sonde.yaml" || \
		$(INSTALL_DATA) "$(srcdir)/etc/sonde.yaml" "$(DESTDIR)$(sysconfdir)/sonde/sonde.yaml"
uninstall-config:
	! cmp -s "$(srcdir)/etc/sonde.yaml" "$(DESTDIR)$(sysconfdir)/sonde/sonde.yaml" || \
		rm -f "$(DESTDIR)$(sysconfdir)/sonde/sonde.yaml"

# The service of systemd, with the folders of this build in it.
EXTRA_DIST += etc/sonde.service.in
systemdsystemunitdir = @systemdsystemunitdir@
if WITH_SYSTEMD_UNIT
systemdsystemunit_DATA = etc/sonde.service
endif
CLEANFILES += etc/sonde.service
etc/sonde.service: etc/sonde.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed -e 's|@bindir[@]|$(bindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		"$(srcdir)/etc/sonde.service.in" > $@.tmp && mv $@.tmp $@
