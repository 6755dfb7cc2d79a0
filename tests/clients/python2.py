# SPDX-License-Identifier: Apache-2.0
"""The Python SDK 2.x as a client, in the era of "era". Argument and output as typescript1.mjs."""
import asyncio
import contextlib
import json
import os
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

wish = json.loads(sys.argv[1])
MODES = {"legacy": "legacy", "auto": "auto", "modern": "2026-07-28"}


async def main():
    async with contextlib.AsyncExitStack() as stack:
        if "url" in wish:
            http = await stack.enter_async_context(httpx2.AsyncClient(headers={"Authorization": "Bearer " + wish["token"]}, timeout=60))
            server = streamable_http_client(wish["url"], http_client=http)
        else:
            server = StdioServerParameters(command=wish["command"][0], args=wish["command"][1:], env=dict(os.environ))
        client = await stack.enter_async_context(Client(server, mode=MODES[wish["era"]]))
        tools = await client.list_tools()
        calls = []
        for name, arguments in wish["calls"]:
            answer = await client.call_tool(name, arguments)
            calls.append({"error": bool(answer.is_error), "text": answer.content[0].text, "structured": answer.structured_content})
        info = client.server_info
        print(json.dumps({"server": info.model_dump(exclude_none=True) if info else None, "instructions": client.instructions,
                          "tools": [tool.name for tool in tools.tools], "calls": calls}))


asyncio.run(main())
