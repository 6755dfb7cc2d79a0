# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/secrets/keyring.c host/secrets/keyring.h host/secrets/keyring_file.c \
	host/secrets/ring.h host/secrets/seal.c host/secrets/sealed_json.c host/secrets/sealed_json.h
