# SPDX-License-Identifier: Apache-2.0
include tests/plugins/prometheus/prometheus.mk
