# SPDX-License-Identifier: Apache-2.0
EXTRA_PROGRAMS = bench/linked bench/load bench/backend
bench_linked_SOURCES = bench/linked.c
bench_linked_LDFLAGS = $(SONDE_LDFLAGS) -Wl,--no-as-needed
bench_linked_LDADD = $(CURL_LIBS) $(EVENT_LIBS) $(JSONC_LIBS) $(YAML_LIBS) $(ZLIB_LIBS) \
	$(OPENSSL_LIBS) $(LLHTTP_LIBS)
bench_load_SOURCES = bench/load.c bench/load.h bench/load_run.c bench/load_http.c
bench_backend_SOURCES = bench/backend.c
CLEANFILES += bench/linked bench/load bench/backend
EXTRA_DIST += bench/side.py bench/fetch bench/README.md

bench: all bench/linked bench/load bench/backend
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' python3 '$(srcdir)/bench/side.py' $(BENCHFLAGS)
.PHONY: bench
