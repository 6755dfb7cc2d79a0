# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/rest/rest.c host/rest/rest.h host/rest/internal.h host/rest/field.c \
	host/rest/field.h host/rest/operations.c host/rest/body.c host/rest/problem.c \
	host/rest/openapi.c host/rest/schemas.c host/rest/connections.c host/rest/history.c
