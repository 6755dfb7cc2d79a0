# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += man/sonde.1
<<<<<<< HEAD
dist_man_MANS += man/sonde-plugin.7
dist_man_MANS += man/sonde.yaml.5
=======
dist_man_MANS += man/sonde.yaml.5
dist_man_MANS += man/sonde-plugin.7
>>>>>>> refs/heads/config
