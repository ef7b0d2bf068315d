"""The life of scopefs-mcp over HTTP: limits, what is idle, new tokens, sockets, TLS, deaths and the end."""

import contextlib
import errno
import http.client
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["TEST_MCP_FOLDER"])
os.environ.setdefault("TEST_SCOPE", "")
from client import equal, like, ok
from web import CONFIG, SCOPES, Server, Web, events_of, make_token, read, tls_context, write_tokens

ONE, TWO, THREE = SCOPES[:3]
token, line = make_token(ONE, TWO, THREE)
token_two, line_two = make_token(TWO)
TOKENS = write_tokens("server-tokens", line, line_two)


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def views():
    with open("/proc/self/mountinfo") as file:
        return file.read()


def busy(name, response):
    equal(name, [response.status, response.headers.get("Retry-After")], [429, "1"])


def limits():
    with Server("--tokens", TOKENS, "--max-scopes", "2", "--max-sessions", "2") as server:
        first, second = Web(server, ONE, token), Web(server, ONE, token)
        busy("a session too many is put off", Web(server, ONE, token).answer)
        first.delete()
        third = Web(server, ONE, token)
        ok("until one ends", third.session)
        other = Web(server, TWO, token)
        busy("a scope too many is put off", Web(server, THREE, token).answer)
        other.delete()
        ok("until one is not used", wait_until(lambda: Web(server, THREE, token).session))
        server.wait_for_log(f"{TWO} is down")
        equal("the others go on", [second.request("ping").status, third.request("ping").status], [200, 200])
        calls = [third.server.connect() for _ in range(70)]
        waiting = json.dumps({"jsonrpc": "2.0", "method": "notifications/x"})
        for connection in calls:
            body = json.dumps(third.call_message("execute", command="until [ -e done ]; do sleep 0.2; done"))
            connection.request("POST", f"/mcp/{ONE}", body, third.headers(**{"Content-Type": "application/json"}))
        responses = [connection.getresponse() for connection in calls]
        equal("too much at once is put off", [sum(r.status == 200 for r in responses), sum(r.status == 429 for r in responses)], [64, 6])
        busy("and so is what comes then", second.post(waiting))
        equal("in that scope only", Web(server, THREE, token).request("ping").status, 200)
        open("one/done", "w").close()
        answers = [read(response) for response in responses if response.status == 200]
        equal("what was begun is done", {answer.json["result"]["structuredContent"]["exit_status"] for answer in answers}, {0})
        equal("then there is room", second.post(waiting).status, 202)


def idle():
    with Server("--tokens", TOKENS, "--session-idle", "1s", "--scope-idle", "1s") as server:
        web = Web(server, ONE, token)
        listening = Web(server, TWO, token)
        stream = listening.send("GET", connection=server.connect())
        server.wait_for_log(f"{ONE} is down")
        equal("a session that nobody uses ends", web.request("ping").status, 404)
        equal("one that listens does not", listening.request("ping").status, 200)
        again = Web(server, ONE, token)
        equal("its scope comes up again when it is wanted", [again.request("ping").status, sum(f"{ONE} is up" in l for l in server.log)], [200, 2])
        equal("with one view", views().count(f".exec-{ONE}-"), 1)
        del stream


def reloading():
    name = write_tokens("changing", line, line_two)
    with Server("--tokens", name) as server:
        web, other = Web(server, TWO, token), Web(server, TWO, token_two)
        stream = other.send("GET", connection=server.connect())
        write_tokens(name, line)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("read anew")
        equal("a token that was taken out is none", other.request("ping").status, 401)
        stream.read()
        ok("what it listened to has ended", stream.isclosed())
        equal("the others go on", web.request("ping").status, 200)
        write_tokens(name, "nonsense")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("stay as they were")
        equal("a file with an error changes nothing", web.request("ping").status, 200)


def ends():
    server = Server("--tokens", TOKENS)
    web = Web(server, ONE, token)
    listening = web.send("GET", connection=server.connect())
    response, connection = web.stream("execute", command="echo begun; until [ -e finish ]; do sleep 0.01; done; echo finished")
    events = (message for _, message in events_of(response) if message)
    next(events)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_log("ending")
    equal("what listens is let go", len([1 for _ in listening]), 2 + 1)
    late = None
    with contextlib.suppress(OSError):
        late = server.ask("GET", "/health")
    equal("nobody comes in any more", late, None)
    open("one/finish", "w").close()
    *_, last = events
    equal("what runs may finish", last["result"]["structuredContent"]["stdout"], "begun\nfinished\n")
    connection.close()
    equal("and that is the end", server.process.wait(30), 0)

    server = Server("--tokens", TOKENS, "--grace", "500ms")
    web = Web(server, ONE, token)
    response, connection = web.stream("execute", command="echo begun; sleep 1000")
    next(events_of(response))
    equal("what does not finish is ended", server.stop(), 0)
    server.wait_for_log(f"{ONE} is down")

    server = Server("--tokens", TOKENS)
    web = Web(server, ONE, token)
    ok("there is a view", f".exec-{ONE}-" in views())
    server.process.kill()
    ok("also after SIGKILL no view stays", wait_until(lambda: f".exec-{ONE}-" not in views()), views())


def worker_of(process):
    found = [process]
    for parent in found:
        for task in os.listdir(f"/proc/{parent}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{parent}/task/{task}/children") as file:
                found += map(int, file.read().split())
    for one in found:
        with contextlib.suppress(OSError), open(f"/proc/{one}/cmdline", "rb") as file:
            if file.read() == b"scopefs-mcp-worker\0":
                yield one


def deaths():
    with Server("--tokens", TOKENS) as server:
        web = Web(server, ONE, token)
        response, _ = web.stream("execute", command="echo begun; sleep 1000")
        next(events_of(response))
        worker = next(worker_of(server.process.pid))
        other = Web(server, TWO, token)
        os.kill(worker, signal.SIGKILL)
        ok("when a worker dies its streams end", all(not m or "result" not in m for _, m in events_of(response)))
        ok("its sessions are gone", wait_until(lambda: web.request("ping").status == 404))
        equal("other scopes do not notice", other.request("ping").status, 200)
        again = Web(server, ONE, token)
        equal("the scope comes up again", again.call("read_file", path="name", line_numbers=False)["content"][0]["text"], ONE)


def local_socket():
    path = os.path.abspath("socket")
    server = Server(place=f"unix:{path}")
    equal("a socket is its owner's", stat.S_IMODE(os.stat(path).st_mode), 0o600)
    web = Web(server, ONE)
    equal("who needs no token there", web.call("read_file", path="name", line_numbers=False)["content"][0]["text"], ONE)
    like("nor for the numbers", server.ask("GET", "/metrics").text, "scopefs_mcp_scopes 1\n")
    second = subprocess.run(["scopefs-mcp", "-c", CONFIG, "--listen", f"unix:{path}"], capture_output=True, text=True)
    like("one server listens there", second.stderr, "listens at .* already")
    if os.geteuid() == 0:
        os.chmod(path, 0o666)
        code = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(100))"
        stranger = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", code, path], capture_output=True, text=True)
        like("another user is turned away even when it is opened", stranger.stdout, "HTTP/1.1 403")
    equal("it ends", server.stop(), 0)
    ok("and the socket is gone", not os.path.exists(path))
    server = Server(place=f"unix:{path}")
    server.process.kill()
    server.process.wait()
    ok("a killed one leaves it", os.path.exists(path))
    with Server(place=f"unix:{path}"):
        ok("which is in nobody's way", True)
    open(path, "w").close()
    refused = subprocess.run(["scopefs-mcp", "-c", CONFIG, "--listen", f"unix:{path}"], capture_output=True, text=True)
    like("a file is not removed", refused.stderr, "no socket of yours")
    os.remove(path)
    with Server("--tokens", TOKENS, place=f"unix:{path}", ) as server:
        equal("tokens hold there too", [server.ask("GET", "/metrics").status, Web(server, ONE, token).answer.status], [401, 200])


def encrypted():
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        check=True, capture_output=True,
    )
    os.chmod("key.pem", 0o644)
    given = ["--tokens", TOKENS, "--tls-cert", "cert.pem", "--tls-key", "key.pem"]
    refused = subprocess.run(["scopefs-mcp", "-c", CONFIG, "--listen", "127.0.0.1:0", *given], capture_output=True, text=True)
    like("a key that others can read is refused", refused.stderr, "chmod 600 key.pem")
    os.chmod("key.pem", 0o600)
    refused = subprocess.run(["scopefs-mcp", "-c", CONFIG, "--listen", "127.0.0.1:0", *given[:3], TOKENS, "--tls-key", "key.pem"], capture_output=True, text=True)
    like("so is a certificate that is none", refused.stderr, "cannot start")
    # 0.0.0.0 is beyond this host, which is what TLS is for.
    with Server(*given, place="0.0.0.0:0") as server:
        tls = tls_context("cert.pem")
        web = Web(server, ONE, token, tls=tls)
        equal("TLS", web.call("read_file", path="name", line_numbers=False)["content"][0]["text"], ONE)
        response, _ = web.stream("execute", command="echo a; head -c 300000 /dev/zero | tr '\\0' x; echo")
        equal("streams over TLS", [m for _, m in events_of(response) if m][-1]["result"]["structuredContent"]["stdout_size"], 300003)
        ok("without TLS nobody is heard", b"200" not in server.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"))


def several():
    with Server("--no-tokens", ONE, TWO) as server:
        equal("without tokens there are the named scopes", [Web(server, ONE).answer.status, Web(server, THREE).answer.status], [200, 404])


def over_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        if probe.connect_ex(("::1", 1)) != errno.ECONNREFUSED:
            return  # This host has no IPv6.
    with Server("--tokens", TOKENS, place="[::1]:0") as server:
        ok("IPv6", any("http://[::1]:" in line for line in server.log), server.log)
        with contextlib.closing(http.client.HTTPConnection("::1", server.port, timeout=30)) as connection:
            connection.request("GET", "/health")
            equal("is served", connection.getresponse().status, 200)


class Slow(threading.Thread):
    """Strangers who say nothing, or a byte now and then, while all else goes on."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server = Server("--tokens", TOKENS)
        self.took = {}
        self.start()

    def run(self):
        begin = time.monotonic()
        silent, dripping = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(2)]
        dripping.sendall(f"POST /mcp/{ONE} HTTP/1.1\r\nHost: localhost\r\nX: ".encode())
        left = {"silent": silent, "dripping": dripping}
        while left and time.monotonic() < begin + 60:
            with contextlib.suppress(OSError):
                dripping.send(b"x")
            for name in select.select(list(left.values()), [], [], 0.2)[0]:
                with contextlib.suppress(ConnectionError):
                    name.recv(1000)
                self.took[next(n for n, s in left.items() if s is name)] = time.monotonic() - begin
                left = {n: s for n, s in left.items() if s is not name}

    def check(self):
        self.join(60)
        ok("who brings no token is not kept", set(self.took) == {"silent", "dripping"} and min(self.took.values()) > 5, self.took)
        equal("while the server serves", self.server.ask("GET", "/health").status, 200)
        self.server.stop()


slow = None if sys.argv[1:] else Slow()
for part in sys.argv[1:] or ["limits", "idle", "reloading", "ends", "deaths", "local_socket", "encrypted", "several", "over_ipv6"]:
    globals()[part]()
if slow:
    slow.check()
