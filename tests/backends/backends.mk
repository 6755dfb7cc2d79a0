# SPDX-License-Identifier: Apache-2.0
# Real servers on loopback; one that is absent is skipped by name.
BACKEND_TESTS = tests/backends/prometheus_debian.sh tests/backends/prometheus_3.sh \
	tests/backends/victoriametrics_debian.sh tests/backends/victoriametrics_1_151.sh tests/backends/equal_metrics.sh \
	tests/backends/soak.sh tests/backends/leavers.sh tests/backends/faults.sh tests/backends/http2.sh tests/backends/limits.sh tests/backends/stages.sh
dist_noinst_SCRIPTS += $(BACKEND_TESTS) tests/backends/prometheus3/build tests/backends/victoriametrics/build
dist_noinst_DATA += tests/backends/checks.py tests/backends/prometheus.py tests/backends/prometheus_server.py tests/backends/victoriametrics.py \
	tests/backends/victoriametrics_server.py tests/backends/equal_metrics.py tests/backends/soak.py tests/backends/slow_prometheus.py \
	tests/backends/leavers.py tests/backends/faults.py tests/backends/faulty_prometheus.py tests/backends/http2.py tests/backends/limits.py tests/backends/stages.py \
	tests/backends/prometheus3/go.mod tests/backends/prometheus3/go.sum \
	tests/backends/victoriametrics/go.mod tests/backends/victoriametrics/go.sum \
	tests/support/mcp_client.py tests/support/no_limits.yaml
TESTS += $(BACKEND_TESTS)
