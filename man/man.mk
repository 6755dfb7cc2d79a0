# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += man/sonde.1
dist_man_MANS += man/sonde-plugin.7
dist_man_MANS += man/sonde.yaml.5
