// A client of scopefs-mcp with the official TypeScript SDK: node client.mjs CONFIG SCOPE
//
// It starts the server as any client does, lists its tools, reads what it may, is refused what it may
// not, runs a command and watches its progress, and answers a question as the user would.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [config, scope] = process.argv.slice(2);
if (!scope) {
  console.error("usage: node client.mjs CONFIG SCOPE");
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
await client.connect(
  new StdioClientTransport({ command: "scopefs-mcp", args: ["-c", config, scope] }),
);

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
await client.close();
