# SPDX-License-Identifier: Apache-2.0
EXTRA_PROGRAMS = bench/linked
bench_linked_SOURCES = bench/linked.c
bench_linked_LDFLAGS = $(SONDE_LDFLAGS) -Wl,--no-as-needed
bench_linked_LDADD = $(CURL_LIBS) $(EVENT_LIBS) $(JSONC_LIBS) $(YAML_LIBS) $(ZLIB_LIBS) \
	$(OPENSSL_LIBS) $(LLHTTP_LIBS)
CLEANFILES += bench/linked
EXTRA_DIST += bench/small.py bench/README.md

bench: all bench/linked
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' python3 '$(srcdir)/bench/small.py'
.PHONY: bench
