# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/selfstats/selfstats.h
