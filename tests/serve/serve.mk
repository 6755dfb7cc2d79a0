# SPDX-License-Identifier: Apache-2.0
SERVE_TESTS = tests/serve/serve.sh tests/serve/unit.sh tests/serve/cache.sh
dist_noinst_SCRIPTS += $(SERVE_TESTS)
dist_noinst_DATA += tests/serve/cache.py tests/serve/serve.py tests/serve/server.py
TESTS += $(SERVE_TESTS)
