#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The VictoriaMetrics adapter on its recorded and made-up answers, at every chunk size.
set -eu
exec "${top_builddir:-.}/tests/plugins/victoriametrics/check" "${top_srcdir:-.}/plugins/victoriametrics/fixtures"
