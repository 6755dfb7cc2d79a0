# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += man/sonde.1 man/sonde.yaml.5 man/sonde-plugin.7 man/sonde-api.7
