# SPDX-License-Identifier: Apache-2.0
# Requests as they come over the wire: the head, and chunked bodies.
check_PROGRAMS += tests/fuzz/fuzz_httphead
tests_fuzz_fuzz_httphead_SOURCES = tests/fuzz/fuzz_httphead.c tests/fuzz/fuzz_http.h $(FUZZ_SOURCES)
tests_fuzz_fuzz_httphead_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_httphead_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_httphead_LDADD = libhost.la

check_PROGRAMS += tests/fuzz/fuzz_httpchunks
tests_fuzz_fuzz_httpchunks_SOURCES = tests/fuzz/fuzz_httpchunks.c tests/fuzz/fuzz_http.h $(FUZZ_SOURCES)
tests_fuzz_fuzz_httpchunks_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_httpchunks_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_httpchunks_LDADD = libhost.la

# Paths and query strings, decoded.
check_PROGRAMS += tests/fuzz/fuzz_uri
tests_fuzz_fuzz_uri_SOURCES = tests/fuzz/fuzz_uri.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_uri_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_uri_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_uri_LDADD = libhost.la
