#!/usr/bin/env python3
"""An agent without a model: the loop is that of a real one, and a script stands where it would think.

    agent.py CONFIG SCOPE

The task: find out which test fails, mend the code, and see that the tests pass. What the agent knows it
has from the tools of scopefs-mcp, which is started as any client starts it; no library is needed.
"""

import json
import subprocess
import sys


class Tools:
    """The client's side of the protocol, over standard input and output."""

    def __init__(self, config, scope):
        self.process = subprocess.Popen(
            ["scopefs-mcp", "-c", config, scope], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.number = 0
        self.request(
            "initialize",
            {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "scripted-agent", "version": "1"},
            },
        )
        self.send({"method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def request(self, method, params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == self.number:
                return message["result"]
        sys.exit("scopefs-mcp has ended")

    def call(self, name, arguments):
        """What the model would be shown."""
        result = self.request("tools/call", {"name": name, "arguments": arguments})
        text = "".join(part.get("text", "") for part in result["content"])
        return text, result.get("isError", False)

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def think(step, seen):
    """Stands for the model: the next tool and its arguments, or None when the task is done."""
    if step == 0:
        return "directory_tree", {}
    if step == 1:
        return "execute", {"command": "sh test.sh"}
    if step == 2:
        # The message of the failing test names the function.
        return "grep", {"pattern": seen.split("FAIL: ")[1].split()[0], "output_mode": "content"}
    if step == 3:
        return "read_file", {"path": "src/sum.sh"}
    if step == 4:
        return "edit_file", {"path": "src/sum.sh", "old_string": "$1 - $2", "new_string": "$1 + $2"}
    if step == 5:
        return "execute", {"command": "sh test.sh"}
    if step == 6 and "all tests pass" not in seen:
        sys.exit("the task was not done")
    if step == 6:
        # Whatever it tries, what is hidden stays hidden.
        return "read_file", {"path": ".env"}
    return None


def main(config, scope):
    tools = Tools(config, scope)
    step, seen = 0, ""
    while (wanted := think(step, seen)) is not None:
        name, arguments = wanted
        seen, failed = tools.call(name, arguments)
        print(f"> {name} {json.dumps(arguments)}{' (failed)' if failed else ''}")
        print(seen.rstrip())
        step += 1
    return tools.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: agent.py CONFIG SCOPE")
    sys.exit(main(*sys.argv[1:]))
