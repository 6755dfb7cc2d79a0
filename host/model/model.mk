# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/model/principal.h host/model/connection.c host/model/connection.h host/model/result.c \
	host/model/result.h host/model/result_codec.c host/model/result_codec.h host/model/secret_ref.h
