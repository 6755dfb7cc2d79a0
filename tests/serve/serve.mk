# SPDX-License-Identifier: Apache-2.0
SERVE_TESTS = tests/serve/serve.sh tests/serve/unit.sh tests/serve/health.sh tests/serve/cache.sh
dist_noinst_SCRIPTS += $(SERVE_TESTS)
dist_noinst_DATA += tests/serve/serve.py tests/serve/server.py tests/serve/health.py tests/serve/cache.py
TESTS += $(SERVE_TESTS)
