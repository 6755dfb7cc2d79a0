// SPDX-License-Identifier: Apache-2.0
// The TypeScript SDK 1.x as a client. Argument: {"command": [...]} or {"url", "token"}, and "calls": [[tool, arguments], ...]. Prints one line
// of JSON: what was negotiated, the tools, what each call gave.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const wish = JSON.parse(process.argv[2]);
const client = new Client({ name: "typescript-1", version: "1" }, { capabilities: {} });
const transport = wish.url
  ? new StreamableHTTPClientTransport(new URL(wish.url), { requestInit: { headers: { Authorization: `Bearer ${wish.token}` } } })
  : new StdioClientTransport({ command: wish.command[0], args: wish.command.slice(1), env: process.env, stderr: "inherit" });
await client.connect(transport);
const { tools } = await client.listTools();
const calls = [];
let progress = 0;
for (const [name, args] of wish.calls) {
  const answer = await client.callTool({ name, arguments: args }, undefined, { onprogress: () => progress++, timeout: 60000 });
  calls.push({ error: !!answer.isError, text: answer.content[0].text, structured: answer.structuredContent });
}
await client.ping();
console.log(JSON.stringify({ server: client.getServerVersion(), instructions: client.getInstructions(), tools: tools.map((t) => t.name), calls }));
if (wish.url) await transport.terminateSession();
await client.close();
