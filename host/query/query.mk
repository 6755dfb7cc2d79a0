# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/query/admission.c host/query/admission.h host/query/at_end.c host/query/at_end.h host/query/backend.c \
	host/query/backend.h host/query/cache.c host/query/cache.h host/query/cache_internal.h \
	host/query/cache_table.c host/query/call.c host/query/call.h host/query/engine.c \
	host/query/engine.h host/query/exchange_stats.c host/query/exchange_stats.h \
	host/query/facts.c host/query/facts.h host/query/flight.c \
	host/query/flight.h host/query/gate.c \
	host/query/gate.h host/query/health.c host/query/health.h host/query/intern.c host/query/intern.h host/query/op.c host/query/op.h \
	host/query/op_finish.c host/query/op_internal.h host/query/op_slot.c host/query/permit.c \
	host/query/permit.h host/query/query_key.c host/query/query_key.h host/query/reduce.c \
	host/query/reduce.h host/query/request.c host/query/request.h host/query/retry.c \
	host/query/retry.h host/query/samples.c host/query/samples.h \
	host/query/samples_internal.h host/query/samples_seal.c host/query/sink.c \
	host/query/sink.h host/query/text.c host/query/text.h
