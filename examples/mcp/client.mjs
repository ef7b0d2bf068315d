// A client of scopefs-mcp with the official TypeScript SDK: node client.mjs CONFIG SCOPE
// or, of one that listens, with the token in SCOPEFS_TOKEN:  node client.mjs http://127.0.0.1:8080/mcp/SCOPE
//
// It starts the server as any client does, or connects to it, lists its tools, reads what it may, is refused what it may
// not, runs a command and watches its progress, and answers a question as the user would.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [config, scope] = process.argv.slice(2);
const isUrl = /^https?:/.test(config ?? "");
if (!scope && !isUrl) {
  console.error("usage: node client.mjs CONFIG SCOPE | URL");
  process.exit(2);
}

const client = new Client(
  { name: "scopefs-example", version: "1" },
  { capabilities: { elicitation: {} } },
);
client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
  console.log("asked:", params.message.split("\n").at(-1));
  return { action: "accept", content: { allow: true } };
});
const transport = isUrl
  ? new StreamableHTTPClientTransport(new URL(config), {
      requestInit: { headers: { Authorization: `Bearer ${process.env.SCOPEFS_TOKEN}` } },
    })
  : new StdioClientTransport({ command: "scopefs-mcp", args: ["-c", config, scope] });
await client.connect(transport);

const call = async (name, args, options) => {
  const result = await client.callTool({ name, arguments: args }, undefined, options);
  const text = result.content.map((part) => part.text ?? `(${part.type})`).join("");
  console.log(`${name} ${JSON.stringify(args)}${result.isError ? " fails" : ""}: ${text.trimEnd()}`);
  return result;
};

const { tools } = await client.listTools();
console.log("tools:", tools.map((tool) => tool.name).join(" "));
await call("ls", {});
await call("read_file", { path: "README.md" });
await call("read_file", { path: ".env" });
await call("write_file", { path: "README.md", content: "mine" });
await call("write_file", { path: "output/note.txt", content: "one\ntwo\n" });
await call("edit_file", { path: "output/note.txt", old_string: "two", new_string: "2" });
await call("grep", { pattern: "^2$", path: "output", output_mode: "content" });
await call(
  "execute",
  { command: "cat output/note.txt; exit 3" },
  { onprogress: ({ message }) => console.log("progress:", JSON.stringify(message)) },
);
await call("execute", { command: "touch output/asked" });
if (isUrl) await transport.terminateSession();
await client.close();
