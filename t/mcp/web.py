"""A server of scopefs-mcp over HTTP, and plain clients of it."""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading

CONFIG = os.environ["TEST_CONFIG"]
JSON = "application/json"
EVENTS = "text/event-stream"
SCOPES = os.environ["TEST_SCOPES"].split()


def make_token(*scopes):
    """The token, and its line for the file."""
    made = subprocess.run(["scopefs-mcp", "--make-token", *scopes], check=True, capture_output=True, text=True)
    return [line.split(":", 1)[1].strip() for line in made.stdout.splitlines()]


def write_tokens(name, *lines, mode=0o600):
    with open(name, "w") as file:
        file.write("# tokens of a test\n\n" + "\n".join(lines) + "\n")
    os.chmod(name, mode)
    return name


class Server:
    """A running server; its log is collected by a thread."""

    def __init__(self, *arguments, place="127.0.0.1:0"):
        self.place = place
        self.log = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            ["scopefs-mcp", "-c", CONFIG, "--listen", place, *arguments], stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for_log("listening at")
        self.port = int(next(re.findall(r":(\d+)$", line) for line in self.log if "listening" in line)[0]) if ":0" in place else None

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.log.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.log.append("END")
            self.changed.notify_all()

    def wait_for_log(self, text, seconds=30):
        with self.changed:
            there = lambda: any(text in line for line in self.log)
            if not self.changed.wait_for(lambda: there() or "END" in self.log, seconds) or not there():
                raise TimeoutError(f"no '{text}' in {self.log}")

    def connect(self, tls=None):
        if self.place.startswith("unix:"):
            connection = http.client.HTTPConnection("localhost", timeout=30)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(self.place[5:])
            return connection
        if tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method, path, body=None, headers=None, tls=None):
        """One request on a connection of its own: the response, with .text and .json."""
        connection = self.connect(tls)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            return read(connection.getresponse())

    def raw(self, data):
        """What comes back for these bytes, until the server hangs up or has answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except TimeoutError:
                raise
            except OSError:
                pass  # It has hung up before it had read all.
            answer = b""
            with contextlib.suppress(ConnectionError):
                while piece := connection.recv(65536):
                    answer += piece
            return answer

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


def read(response):
    response.text = response.read().decode()
    kind = response.headers.get("Content-Type", "")
    response.json = json.loads(response.text) if JSON in kind else None
    if EVENTS in kind:
        response.json = [message for _, message in events_of(io.BytesIO(response.text.encode())) if message][-1]
    return response


def events_of(response):
    """The events of a stream as (id, message), as they come."""
    event = {}
    for line in response:
        line = line.decode().rstrip("\n")
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            event[name.rstrip(":")] = value
        elif event:
            yield event.get("id"), json.loads(event["data"]) if event.get("data") else None
            event = {}


class Web:
    """A client with a session. Connections are kept, one for each thread of the test."""

    def __init__(self, server, scope, token=None, version="2025-11-25", tls=None, initialize=True, capabilities=None):
        self.server, self.scope, self.token, self.version, self.tls = server, scope, token, version, tls
        self.session = None
        self.number = 0
        self.connection = server.connect(tls)
        if initialize:
            answer = self.request("initialize", protocolVersion=version, capabilities=capabilities or {}, clientInfo={"name": "test", "version": "1"})
            self.session = answer.headers.get("Mcp-Session-Id")
            self.answer = answer
            if self.session:
                self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def headers(self, **more):
        headers = {"Accept": f"{JSON}, {EVENTS}"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.session:
            headers["Mcp-Session-Id"] = self.session
            headers["MCP-Protocol-Version"] = self.version
        headers.update(more)
        return {name: value for name, value in headers.items() if value is not None}

    def send(self, method, body=None, connection=None, **headers):
        """The response, whose body is not read yet."""
        connection = connection or self.connection
        given = self.headers(**headers)
        if body is not None:
            given.setdefault("Content-Type", JSON)
        connection.request(method, f"/mcp/{self.scope}", body, given)
        return connection.getresponse()

    def post(self, message, **headers):
        body = message if isinstance(message, (str, bytes)) else json.dumps(message)
        try:
            return read(self.send("POST", body, **headers))
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server has hung up since, as it does after a refusal.
            self.connection.close()
            self.connection = self.server.connect(self.tls)
            return read(self.send("POST", body, **headers))

    def message(self, method, **params):
        self.number += 1
        return {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}

    def request(self, method, **params):
        return self.post(self.message(method, **params))

    def call_message(self, tool, token=None, **arguments):
        meta = {"_meta": {"progressToken": token}} if token is not None else {}
        return self.message("tools/call", name=tool, arguments=arguments, **meta)

    def call(self, tool, **arguments):
        """The result of a tool, also when it came as a stream."""
        response = self.send("POST", json.dumps(self.call_message(tool, **arguments)))
        if EVENTS in response.headers.get("Content-Type", ""):
            messages = [message for _, message in events_of(response) if message]
            return messages[-1]["result"]
        return read(response).json["result"]

    def stream(self, tool, token=7, **arguments):
        """The response of a call on a connection of its own, and the connection."""
        connection = self.server.connect(self.tls)
        response = self.send("POST", json.dumps(self.call_message(tool, token, **arguments)), connection)
        return response, connection

    def delete(self):
        response = read(self.send("DELETE"))
        return response


def hang_up(connection):
    """At once, whatever was not read."""
    sock = connection.sock
    if sock:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    connection.close()


def tls_context(certificate):
    return ssl.create_default_context(cafile=certificate)
