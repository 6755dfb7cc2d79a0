// SPDX-License-Identifier: Apache-2.0
// The TypeScript SDK 2.x as a client, in the era of "era" (legacy, auto, modern). Argument and output as typescript1.mjs.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const wish = JSON.parse(process.argv[2]);
const mode = wish.era === "modern" ? { pin: "2026-07-28" } : wish.era;
const client = new Client({ name: "typescript-2", version: "1" }, { capabilities: {}, versionNegotiation: { mode } });
const transport = wish.url
  ? new StreamableHTTPClientTransport(new URL(wish.url), { requestInit: { headers: { Authorization: `Bearer ${wish.token}` } } })
  : new StdioClientTransport({ command: wish.command[0], args: wish.command.slice(1), env: process.env, stderr: "inherit" });
await client.connect(transport);
const { tools } = await client.listTools();
const calls = [];
for (const [name, args] of wish.calls) {
  const answer = await client.callTool({ name, arguments: args }, { timeout: 60000, onprogress: () => {} });
  calls.push({ error: !!answer.isError, text: answer.content[0].text, structured: answer.structuredContent });
}
console.log(JSON.stringify({ server: client.getServerVersion(), instructions: client.getInstructions(), tools: tools.map((t) => t.name), calls }));
await client.close();
