# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/io/io.h host/io/io.c host/io/runtime.h host/io/loop.c host/io/loop.h \
	host/io/exchange.c host/io/exchange.h host/io/mailbox.c host/io/mailbox.h \
	host/io/transfer.c host/io/transfer.h host/io/answer.c host/io/answer.h \
	host/io/decode.c host/io/decode.h host/io/request.c host/io/request.h \
	host/io/target.c host/io/target.h host/io/credential.c host/io/credential.h \
	host/io/credential_exec.c host/io/credential_oauth.c host/io/provider.c host/io/provider.h \
	host/io/resolve.c host/io/resolve.h host/io/address.c host/io/address.h \
	host/io/file_endpoint.c host/io/file_endpoint.h host/io/file_answer.c \
	host/io/file_answer.h host/io/probe.c host/io/probe.h host/io/describe.c host/io/describe.h
