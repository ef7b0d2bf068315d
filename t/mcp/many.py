"""Many clients on many scopes at once, for a while: every answer is there, and is its own.

    many.py CLIENTS SECONDS

on all of $TEST_SCOPES."""

import collections
import http.client
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.environ["TEST_MCP_FOLDER"])
os.environ.setdefault("TEST_SCOPE", "")
from client import equal, ok
from web import EVENTS, SCOPES, Server, Web, events_of, make_token, read, write_tokens

CLIENTS, SECONDS = int(sys.argv[1]), float(sys.argv[2])
made = [make_token(scope) for scope in SCOPES]
TOKENS = write_tokens("many-tokens", *[line for _, line in made])
faults = []
counts = collections.Counter()
lock = threading.Lock()


def fault(*what):
    with lock:
        faults.append(what)


class Worker(threading.Thread):
    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.place = number % len(SCOPES)
        self.random = random.Random(number)
        self.written = None

    def check(self, name, got, expected):
        if got != expected:
            fault(self.number, SCOPES[self.place], name, got, expected)

    def text(self, result):
        return result["content"][0]["text"]

    def step(self, web):
        kind = self.random.choice(["mark", "write", "read", "stream", "foreign", "several"] + ["read"] * 6)
        if kind == "mark":
            self.check(kind, self.text(web.call("read_file", path="name", line_numbers=False)), SCOPES[self.place])
        elif kind == "write":
            self.written = f"{self.number} {self.random.random()}"
            web.call("write_file", path=f"own{self.number}", content=self.written)
        elif kind == "read" and self.written:
            self.check(kind, self.text(web.call("read_file", path=f"own{self.number}", line_numbers=False)), self.written)
        elif kind == "stream" and self.random.random() < 0.2:
            mark = f"{self.number}-{self.random.random()}"
            self.check(kind, web.call("execute", token=self.number, command=f"echo {mark}")["structuredContent"]["stdout"], mark + "\n")
        elif kind == "foreign":
            # The same session in another scope, and another's token here.
            other = (self.place + 1) % len(SCOPES)
            connection = self.server.connect()
            scope, web.scope = web.scope, SCOPES[other]
            self.check(kind, read(web.send("POST", '{"jsonrpc":"2.0","id":1,"method":"ping"}', connection)).status, 404 if len(SCOPES) > 1 else 200)
            web.scope = scope
            connection.close()
        elif kind == "several":
            sent = [(web.server.connect(), self.random.random()) for _ in range(3)]
            for connection, value in sent:
                message = {"jsonrpc": "2.0", "id": value, "method": "ping"}
                connection.request("POST", f"/mcp/{web.scope}", json.dumps(message), web.headers(**{"Content-Type": "application/json"}))
            for connection, value in reversed(sent):
                self.check(kind, read(connection.getresponse()).json, {"jsonrpc": "2.0", "id": value, "result": {}})
                connection.close()
        with lock:
            counts[SCOPES[self.place]] += 1

    def run(self):
        try:
            web = Web(self.server, SCOPES[self.place], made[self.place][0])
            if not web.session:
                fault(self.number, "no session", web.answer.status, web.answer.text)
                return
            started.wait()
            while time.monotonic() < end[0]:
                self.step(web)
            self.check("the end", web.delete().status, 204)
        except (OSError, http.client.HTTPException, KeyError, TypeError) as error:
            fault(self.number, repr(error))


end = [0.0]
started = threading.Event()
with Server("--tokens", TOKENS, "--max-scopes", str(len(SCOPES)), "--max-sessions", str(CLIENTS)) as server:
    workers = [Worker(server, number) for number in range(CLIENTS)]
    for worker in workers:
        worker.start()
    # All scopes come up at once; the time begins when the last one has.
    for scope in SCOPES:
        server.wait_for_log(f"{scope} is up", 120)
    end[0] = time.monotonic() + SECONDS
    started.set()
    for worker in workers:
        worker.join(SECONDS + 120)
    equal(f"{CLIENTS} clients on {len(SCOPES)} scopes lose and mix nothing", faults[:5], [])
    ok("all of them were there", not any(worker.is_alive() for worker in workers) and set(counts) == set(SCOPES), counts)
    print(f"{sum(counts.values())} steps in {SECONDS:g} seconds", flush=True)
    equal("and it ends", server.stop(), 0)
