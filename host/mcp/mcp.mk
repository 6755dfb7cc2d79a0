# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/mcp/era.c host/mcp/era.h host/mcp/headers.c host/mcp/headers.h host/mcp/jsonrpc.c host/mcp/jsonrpc.h \
	host/mcp/mcp.h host/mcp/mcp_http.h host/mcp/methods.c host/mcp/methods.h host/mcp/peer.c host/mcp/peer.h host/mcp/progress.c host/mcp/receive.c \
	host/mcp/stdio.c host/mcp/tools.c host/mcp/tools.h host/mcp/session.c \
	host/mcp/web.c host/mcp/web.h host/mcp/web_get.c host/mcp/web_post.c
