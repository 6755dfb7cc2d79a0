# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/render/axis.c host/render/axis.h host/render/clean.c host/render/clean.h \
	host/render/csv.c host/render/labels.c host/render/plot.c host/render/render.h \
	host/render/table.c host/render/terminal.c host/render/value.c
