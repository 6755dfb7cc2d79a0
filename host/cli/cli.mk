# SPDX-License-Identifier: Apache-2.0
libhost_la_SOURCES += host/cli/cli.h host/cli/main.c host/cli/options.c host/cli/open.c host/cli/help.c \
	host/cli/run.c host/cli/run.h host/cli/cmd_mcp.c host/cli/cmd_query.c host/cli/cmd_plugin.c \
	host/cli/cmd_connection.c host/cli/cmd_history.c host/cli/cmd_db.c host/cli/cmd_demo.c host/cli/child.c host/cli/child.h \
	host/cli/cmd_serve.c host/cli/serve.h host/cli/serve_routes.c host/cli/serve_reload.c host/cli/serve_pulse.c host/cli/serve_stats.c \
	host/cli/notify.c host/cli/notify.h
