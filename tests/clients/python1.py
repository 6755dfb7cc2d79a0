# SPDX-License-Identifier: Apache-2.0
"""The Python SDK 1.x as a client. Argument and output as typescript1.mjs."""
import asyncio
import contextlib
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

wish = json.loads(sys.argv[1])


async def main():
    async with contextlib.AsyncExitStack() as stack:
        if "url" in wish:
            streams = await stack.enter_async_context(
                streamablehttp_client(wish["url"], headers={"Authorization": "Bearer " + wish["token"]}))
        else:
            streams = await stack.enter_async_context(
                stdio_client(StdioServerParameters(command=wish["command"][0], args=wish["command"][1:], env=dict(os.environ))))
        session = await stack.enter_async_context(ClientSession(streams[0], streams[1]))
        begun = await session.initialize()
        tools = await session.list_tools()
        calls = []
        for name, arguments in wish["calls"]:
            answer = await session.call_tool(name, arguments)
            calls.append({"error": bool(answer.isError), "text": answer.content[0].text, "structured": answer.structuredContent})
        await session.send_ping()
        print(json.dumps({"server": begun.serverInfo.model_dump(exclude_none=True), "instructions": begun.instructions,
                          "tools": [tool.name for tool in tools.tools], "calls": calls}))


asyncio.run(main())
