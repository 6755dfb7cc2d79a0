# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/plugin/abi_check.c host/plugin/abi_check.h host/plugin/check_file.c \
	host/plugin/guard.c host/plugin/guard.h host/plugin/host.c host/plugin/host.h \
	host/plugin/loader.c host/plugin/loader.h host/plugin/params.c host/plugin/params.h \
	host/plugin/registry.c host/plugin/registry.h
