# SPDX-License-Identifier: Apache-2.0
include tests/plugins/otlpfile/otlpfile.mk
include tests/plugins/prometheus/prometheus.mk
include tests/plugins/victoriametrics/victoriametrics.mk
