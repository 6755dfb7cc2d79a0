# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/service/args.c host/service/args.h host/service/service.h
