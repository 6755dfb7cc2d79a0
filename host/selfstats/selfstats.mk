# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/selfstats/limit_hits.c host/selfstats/limit_hits.h \
	host/selfstats/selfstats.c host/selfstats/selfstats.h
