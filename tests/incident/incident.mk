# SPDX-License-Identifier: Apache-2.0
# The generated incident holds what its truth.json says.
TESTS += tests/incident/incident.sh
EXTRA_DIST += tests/incident/incident.sh tests/incident/check.py
