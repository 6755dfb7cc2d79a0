# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/answer/answer.h host/answer/cursor.c host/answer/cursor.h \
	host/answer/envelope.c host/answer/envelope.h host/answer/error.c host/answer/histogram.c \
	host/answer/histogram.h host/answer/metrics.c host/answer/metrics_row.c \
	host/answer/metrics_row.h host/answer/names.c host/answer/reduce.c host/answer/tokens.c \
	host/answer/write.c host/answer/write.h
