# SPDX-License-Identifier: Apache-2.0
# One target a parser: fuzz_NAME with its corpus in tests/fuzz/corpus/NAME, which replays in make check. With
# --enable-fuzzers (clang) the targets are libFuzzer's: tests/fuzz/fuzz_NAME FOLDER.
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/fuzz
FUZZ_SOURCES = tests/fuzz/fuzz.h
FUZZ_LINK = $(AM_LDFLAGS)
if FUZZERS
FUZZ_LINK += -fsanitize=fuzzer
else
FUZZ_SOURCES += tests/fuzz/replay.c
TESTS += tests/fuzz/replay.sh
endif
dist_noinst_SCRIPTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/replay.c

check_PROGRAMS += tests/fuzz/fuzz_jsonrpc
tests_fuzz_fuzz_jsonrpc_SOURCES = tests/fuzz/fuzz_jsonrpc.c $(FAKE_SERVICE) $(FUZZ_SOURCES)
tests_fuzz_fuzz_jsonrpc_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/tests/mcp
tests_fuzz_fuzz_jsonrpc_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_jsonrpc_LDADD = libhost.la

check_PROGRAMS += tests/fuzz/fuzz_mcp_headers
tests_fuzz_fuzz_mcp_headers_SOURCES = tests/fuzz/fuzz_mcp_headers.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_mcp_headers_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_mcp_headers_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_mcp_headers_LDADD = libhost.la

check_PROGRAMS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_json_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_json_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_json_LDADD = libsdk.la

check_PROGRAMS += tests/fuzz/fuzz_describe
tests_fuzz_fuzz_describe_SOURCES = tests/fuzz/fuzz_describe.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_describe_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_describe_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_describe_LDADD = libsdk.la

check_PROGRAMS += tests/fuzz/fuzz_paper
tests_fuzz_fuzz_paper_SOURCES = tests/fuzz/fuzz_paper.c tests/modules/paper_pages.c tests/modules/paper.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_paper_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_paper_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_paper_LDADD = libsonde-testkit.a libsdk.la

include tests/fuzz/auth.mk
include tests/fuzz/http.mk
include tests/fuzz/promql.mk
include tests/fuzz/secrets.mk
include tests/fuzz/time.mk
check_PROGRAMS += tests/fuzz/fuzz_yaml
tests_fuzz_fuzz_yaml_SOURCES = tests/fuzz/fuzz_yaml.c tests/support/fake_registry.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_yaml_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/tests/support
tests_fuzz_fuzz_yaml_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_yaml_LDADD = libhost.la
check_PROGRAMS += tests/fuzz/fuzz_otlpfile
tests_fuzz_fuzz_otlpfile_SOURCES = tests/fuzz/fuzz_otlpfile.c $(OTLPFILE_SOURCES) $(FUZZ_SOURCES)
tests_fuzz_fuzz_otlpfile_CPPFLAGS = $(FUZZ_CPPFLAGS) -DHAVE_CONFIG_H
tests_fuzz_fuzz_otlpfile_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_otlpfile_LDADD = libsdk.la

check_PROGRAMS += tests/fuzz/fuzz_decode
tests_fuzz_fuzz_decode_SOURCES = tests/fuzz/fuzz_decode.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_decode_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_decode_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_decode_LDADD = libhost.la

check_PROGRAMS += tests/fuzz/fuzz_request
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_request_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_request_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_request_LDADD = libhost.la

check_PROGRAMS += tests/fuzz/fuzz_result
tests_fuzz_fuzz_result_SOURCES = tests/fuzz/fuzz_result.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_result_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_result_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_result_LDADD = libhost.la
