"""A client of scopefs-mcp over standard input and output, and the assertions of its tests."""

import itertools
import json
import os
import re
import subprocess
import threading

SCOPE = os.environ["TEST_SCOPE"]
CONFIG = os.environ["TEST_CONFIG"]


def ok(name, holds, *details):
    print(("ok - " if holds else "not ok - ") + name, flush=True)
    if not holds:
        for detail in details:
            print("  " + repr(detail)[:1000], flush=True)
    return bool(holds)


def equal(name, got, expected):
    return ok(name, got == expected, got, expected)


def like(name, got, pattern):
    return ok(name, re.search(pattern, got, re.S), got, pattern)


STATELESS = "2026-07-28"


def metadata(capabilities=None, **more):
    """What a request of the stateless revision says of itself."""
    prefix = "io.modelcontextprotocol/"
    return {
        prefix + "protocolVersion": STATELESS,
        prefix + "clientCapabilities": capabilities or {},
        **{prefix + name: value for name, value in more.items()},
    }


TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def fits(value, schema):
    """Whether a value is what the part of JSON Schema says that the server uses."""
    if "enum" in schema:
        return value in schema["enum"]
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, TYPES[name]) for name in names):
        return False
    if isinstance(value, bool) and "boolean" not in names:
        return False
    if isinstance(value, dict):
        members = schema.get("properties")
        return all(name in value for name in schema.get("required", [])) and (
            members is None or all(name in members and fits(value[name], members[name]) for name in value)
        )
    if isinstance(value, list):
        return all(fits(item, schema["items"]) for item in value)
    return True


class Client:
    """A running server. A thread sorts what comes; whoever waits does so for a condition."""

    def __init__(self, capabilities=None, revision="2025-11-25", initialize=True, arguments=()):
        self.process = subprocess.Popen(
            ["scopefs-mcp", "-c", CONFIG, *arguments, SCOPE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.numbers = itertools.count(1)
        self.changed = threading.Condition()
        self.answers = {}
        self.others = []
        self.ended = False
        self.on_request = None
        threading.Thread(target=self._read, daemon=True).start()
        self.info = None
        self.schemas = None
        if initialize:
            self.info = self.request(
                "initialize",
                {
                    "protocolVersion": revision,
                    "capabilities": capabilities or {},
                    "clientInfo": {"name": "test", "version": "1"},
                },
            )["result"]
            self.notify("notifications/initialized")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            with self.changed:
                if isinstance(message, dict) and "method" not in message:
                    self.answers[message.get("id")] = message
                else:
                    self.others.append(message)
                self.changed.notify_all()
            if isinstance(message, dict) and "id" in message and "method" in message:
                if self.on_request:
                    self.on_request(message)
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def send_bytes(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def notify(self, method, params=None):
        self.send({"jsonrpc": "2.0", "method": method, "params": params or {}})

    def start(self, method, params=None):
        number = next(self.numbers)
        message = {"jsonrpc": "2.0", "id": number, "method": method}
        if params is not None:
            message["params"] = params
        self.send(message)
        return number

    def wait(self, condition, seconds=30):
        with self.changed:
            if not self.changed.wait_for(lambda: condition() or self.ended, seconds):
                raise TimeoutError("nothing came")
            return condition()

    def answer(self, number):
        self.wait(lambda: number in self.answers)
        return self.answers.pop(number, None)

    def request(self, method, params=None):
        return self.answer(self.start(method, params))

    def start_call(self, tool, arguments, token=None):
        params = {"name": tool, "arguments": arguments}
        if token is not None:
            params["_meta"] = {"progressToken": token}
        return self.start("tools/call", params)

    def call(self, tool, **arguments):
        """The result of a tool."""
        answer = self.answer(self.start_call(tool, arguments))
        if "result" not in answer:
            return answer
        if "structuredContent" in answer["result"]:
            self._check(tool, answer["result"]["structuredContent"])
        return answer["result"]

    def _check(self, tool, structured):
        if self.schemas is None:
            tools = self.request("tools/list")["result"]["tools"]
            self.schemas = {tool["name"]: tool.get("outputSchema") for tool in tools}
        schema = self.schemas.get(tool)
        if schema and not fits(structured, schema):
            ok(f"what {tool} gives fits its schema", False, structured)

    def text(self, tool, **arguments):
        return self.call(tool, **arguments)["content"][0]["text"]

    def structured(self, tool, **arguments):
        result = self.call(tool, **arguments)
        return result.get("structuredContent", result)

    def failure(self, tool, **arguments):
        """The code of the error, with the level that was missing; None when there is none."""
        result = self.call(tool, **arguments)
        if not result.get("isError"):
            return None
        error = result["_meta"]["scopefs/error"]
        return error["code"] + (":" + error["missing"] if "missing" in error else "")

    def close(self):
        self.process.stdin.close()
        self.wait(lambda: self.ended)
        return self.process.wait()
