"""JSON-RPC and the Model Context Protocol, as far as no tool matters."""

import json
import os
import signal
import sys

sys.path.insert(0, os.environ["TEST_MCP_FOLDER"])
from client import STATELESS, Client, equal, like, metadata, ok

REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]


def code(answer):
    return answer["error"]["code"] if answer and "error" in answer else answer


def revisions():
    for revision in REVISIONS:
        with Client(revision=revision) as client:
            equal(f"{revision} is spoken", client.info["protocolVersion"], revision)
            tool = client.request("tools/list")["result"]["tools"][0]
            result = client.call("ls")
            equal(
                f"{revision}: what it does not have is left out",
                ["annotations" in tool, "outputSchema" in tool, "structuredContent" in result],
                [revision != "2024-11-05"] + 2 * [revision >= "2025-06-18"],
            )
    with Client(revision="1999-01-01") as client:
        equal("to an unknown revision the newest is offered", client.info["protocolVersion"], REVISIONS[0])


def session():
    with Client(initialize=False) as client:
        equal("before initialize there is ping", client.request("ping").get("result"), {})
        equal("and nothing else", code(client.request("tools/list")), -32600)
        equal("initialize needs a revision", code(client.request("initialize", {})), -32602)
    with Client() as client:
        again = client.request("initialize", {"protocolVersion": REVISIONS[0], "capabilities": {}})
        equal("initialize comes once", code(again), -32600)
        equal("an unknown method", code(client.request("resources/list")), -32601)
        equal("an unknown tool", code(client.request("tools/call", {"name": "nothing"})), -32602)
        equal("params that are no object", code(client.request("tools/list", [])), -32602)
        equal("a made-up cursor", code(client.request("tools/list", {"cursor": "t99999"})), -32602)
        equal("a log level", client.request("logging/setLevel", {"level": "info"}).get("result"), {})
        equal("that is none", code(client.request("logging/setLevel", {"level": "loud"})), -32602)
        names = [tool["name"] for tool in client.request("tools/list")["result"]["tools"]]
        ok("tools are listed", "ls" in names and len(set(names)) == len(names), names)


def stateless():
    with Client(initialize=False) as client:
        ask = lambda method, meta=None, **params: client.request(method, {"_meta": meta or metadata(), **params})
        result = ask("server/discover")["result"]
        equal("server/discover tells the revisions", result["supportedVersions"], [STATELESS, *REVISIONS])
        equal("and what the server can", result["capabilities"]["tools"], {"listChanged": False})
        result = ask("tools/list")["result"]
        equal("every result says what it is", [result["resultType"], result["cacheScope"]], ["complete", "public"])
        ok("and by whom", result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "scopefs-mcp", result)
        result = ask("tools/call", name="ls", arguments={})["result"]
        equal("a tool is called", [result["resultType"], result["structuredContent"]["total"]], ["complete", 3])
        result = ask("tools/call", name="ls", arguments={"path": "hidden"})["result"]
        equal("and fails", [result["isError"], result["_meta"]["scopefs/error"]["code"]], [True, "not_found"])
        old = dict(metadata(), **{"io.modelcontextprotocol/protocolVersion": "1900-01-01"})
        answer = ask("tools/list", old)
        equal("an unknown revision is an error", code(answer), -32022)
        equal("which names those that are known", answer["error"]["data"]["supported"], [STATELESS, *REVISIONS])
        bare = {"io.modelcontextprotocol/protocolVersion": STATELESS}
        equal("without capabilities it is no request", code(ask("tools/list", bare)), -32602)
        equal("there is no ping any more", code(ask("ping")), -32601)
        equal("without its word there is no session", code(client.request("tools/list")), -32600)
        ask("tools/call", metadata(logLevel="info"), name="execute", arguments={"command": "true"})
        equal("a log is told to who wants one", [m["method"] for m in client.others], ["notifications/message"])
        client.others.clear()
        ask("tools/call", name="execute", arguments={"command": "true"})
        equal("and to nobody else", client.others, [])


def wrong_messages():
    with Client() as client:
        for name, data, expected in [
            ("no JSON", b"{nonsense}\n", -32700),
            ("a truncated message", b'{"jsonrpc":"2.0","id":1,"meth\n', -32700),
            ("bytes that are not UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}\n', -32700),
            ("a number", b"5\n", -32600),
            ("an empty object", b"{}\n", -32600),
            ("JSON-RPC 1.0", b'{"jsonrpc":"1.0","id":null,"method":"ping"}\n', -32600),
            ("an id that is an object", b'{"jsonrpc":"2.0","id":{},"method":"ping"}\n', -32600),
            ("a batch, which this revision has not", b"[]\n", -32600),
            ("deep nesting", b"[" * 100000 + b"\n", -32700),
            ("a message of 20 MB", b'{"a":"' + b"x" * 20000000 + b'"}\n', -32600),
        ]:
            client.send_bytes(data)
            equal(f"{name} is an error", code(client.answer(None)), expected)
        client.send({"jsonrpc": "2.0", "id": 77, "result": {}})
        client.send({"jsonrpc": "2.0", "method": "notifications/unknown", "params": 5})
        client.notify("notifications/cancelled", {"requestId": "nothing"})
        client.send_bytes(b"\n\r\n")
        equal("after all of that it works on", client.request("ping").get("result"), {})
        equal("and has said nothing more", client.answers, {})


def batches():
    with Client(revision="2025-03-26") as client:
        batch = [
            {"jsonrpc": "2.0", "id": "a", "method": "ping"},
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": {"name": "ls"}},
            7,
        ]
        client.send(batch)
        client.wait(lambda: client.others)
        answers = client.others.pop()
        equal("a batch is answered as one", sorted(str(one.get("id")) for one in answers), ["None", "a", "b"])
        client.send([{"jsonrpc": "2.0", "method": "notifications/initialized"}])
        client.send([])
        equal("an empty one is an error", code(client.answer(None)), -32600)


def end():
    client = Client()
    number = client.start_call("ls", {})
    client.process.stdin.close()
    ok("what was asked is answered after the end of the input", client.answer(number))
    equal("and the server ends", client.process.wait(), 0)
    client = Client()
    client.process.terminate()
    equal("it ends when it is told to", client.process.wait(), 0)


def deaths():
    """The worker is killed: the server ends, and says so."""
    client = Client()
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                is_worker = file.read() == b"scopefs-mcp-worker\0"
            if is_worker and client.process.pid in ancestors(int(number)):
                os.kill(int(number), signal.SIGKILL)
        except OSError:
            pass
    equal("when its worker is killed, it ends as failed", client.process.wait(), 1)


def ancestors(number):
    found = []
    while number > 1:
        with open(f"/proc/{number}/stat") as file:
            number = int(file.read().rsplit(")", 1)[1].split()[1])
        found.append(number)
    return found


revisions()
deaths()
session()
stateless()
wrong_messages()
batches()
end()
