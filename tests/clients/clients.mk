# SPDX-License-Identifier: Apache-2.0
# The SDKs and the Inspector as clients, over standard input and output and over HTTP.
TESTS += tests/clients/clients.sh
dist_noinst_SCRIPTS += tests/clients/clients.sh tests/clients/build
dist_noinst_DATA += tests/clients/clients.py tests/clients/package.json tests/clients/python1.txt tests/clients/python2.txt \
	tests/clients/python1.py tests/clients/python2.py tests/clients/typescript1.mjs tests/clients/typescript2.mjs
