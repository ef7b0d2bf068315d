"""The HTTP transport of scopefs-mcp, by plain clients."""

import http.client
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["TEST_MCP_FOLDER"])
os.environ.setdefault("TEST_SCOPE", "")
from client import STATELESS, equal, like, metadata, ok
from web import EVENTS, JSON, SCOPES, CONFIG, Server, Web, events_of, hang_up, make_token, read, tls_context, write_tokens

ONE, TWO, THREE = SCOPES[:3]
token_one, line_one = make_token(ONE)
token_two, line_two = make_token(TWO, THREE)
token_rival, line_rival = make_token(ONE)
token_metrics, line_metrics = make_token(":metrics")
TOKENS = write_tokens("tokens", line_one, line_two, line_rival, line_metrics)


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


# --- The command line ---


def refusals():
    def refused(name, pattern, *arguments):
        ended = subprocess.run(["scopefs-mcp", "-c", CONFIG, *arguments], capture_output=True, text=True, timeout=30)
        ok(f"refused: {name}", ended.returncode in (1, 2) and re.search(pattern, ended.stderr), ended)

    local = ["--listen", "127.0.0.1:0"]
    refused("TCP without tokens", "--tokens FILE", *local, ONE)
    refused("no tokens and no names of scopes", "name the scopes", *local, "--no-tokens")
    refused("beyond this host without TLS", "--tls-cert", "--listen", "0.0.0.0:0", "--tokens", TOKENS)
    refused("beyond this host without tokens", "--tokens", "--listen", "0.0.0.0:0", "--plain", "--no-tokens", ONE)
    refused("a name to listen at", "no place to listen", "--listen", "localhost:0", "--tokens", TOKENS)
    refused("a port out of range", "no place to listen", "--listen", "127.0.0.1:70000", "--tokens", TOKENS)
    refused("a certificate without a key", "belong together", *local, "--tokens", TOKENS, "--tls-cert", TOKENS)
    refused("a number that is none", "1 to 100000", *local, "--tokens", TOKENS, "--max-scopes", "0")
    refused("a scope that is not there", "nothing", *local, "--tokens", TOKENS, "nothing")
    for name, pattern, lines, mode in [
        ("tokens that others can read", "chmod 600", [line_one], 0o640),
        ("a token instead of its hash", r":3: .*sha256:.*--make-token", [token_one + " " + ONE], 0o600),
        ("a token without a scope", ":3: .*no scope", [line_one.split()[0]], 0o600),
        ("a token for a name that is none", r":3: '\.\./x' is no name", [line_one + " ../x"], 0o600),
        ("a token for a scope that is not there", ":3: .*nothing", [line_one + " nothing"], 0o600),
        ("a token that is there twice", ":4: .*twice", [line_one, line_one], 0o600),
        ("no token at all", "no token", [], 0o600),
    ]:
        refused(name, pattern, *local, "--tokens", write_tokens("bad-tokens", *lines, mode=mode))


# --- Who may ---


def doors(server):
    health = server.ask("GET", "/health")
    equal("/health is open to all", [health.status, health.text], [200, "ok\n"])
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    usual = {"Accept": f"{JSON}, {EVENTS}", "Content-Type": JSON, "Authorization": f"Bearer {token_one}"}

    def status(path=f"/mcp/{ONE}", method="POST", body=message, **headers):
        given = {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return server.ask(method, path, body, {n: v for n, v in given.items() if v is not None})

    equal("the door opens", status().status, 200)
    answer = status(Authorization=None)
    equal("not without a token", [answer.status, answer.headers["WWW-Authenticate"]], [401, "Bearer"])
    for name, value in [
        ("a wrong one", "Bearer " + token_one[:-1] + ("0" if token_one[-1] != "0" else "1")),
        ("a part of one", "Bearer " + token_one[:-1]),
        ("its hash", "Bearer " + line_one.split()[0]),
        ("another scheme", "Basic " + token_one),
        ("nothing", "Bearer "),
    ]:
        equal(f"nor with {name}", status(Authorization=value).status, 401)
    equal("without a token all paths are the same", {status(path=p, Authorization=None).status for p in ["/", "/metrics", f"/mcp/{TWO}"]}, {401})
    same = lambda answer: (answer.status, answer.text, tuple(sorted(n for n, v in answer.getheaders() if n != "Date")))
    unknown = same(status(path="/mcp/nothing"))
    equal("a scope that is not there", unknown[0], 404)
    for path in [f"/mcp/{TWO}", f"/mcp/{THREE}", "/", "/mcp/", "/mcp", "/metrics", f"/mcp/{ONE}/", f"/mcp/{ONE}/../{TWO}", f"/mcp/../mcp/{TWO}",
                 f"/mcp/%2e%2e/{ONE}", f"/mcp/{ONE}%00", f"/mcp/{ONE}%2f", "/mcp/" + "a" * 4000, f"//mcp/{TWO}", f"/MCP/{ONE}", "/mcp/*"]:
        equal(f"{path[:40]} looks the same", same(status(path=path)), unknown)
    equal("for GET too", {same(status(path=p, method="GET", body=None)) for p in [f"/mcp/{TWO}", "/mcp/nothing", "/metrics"]}, {unknown})
    down = [line for line in server.log if f"{TWO} is up" in line]
    equal("and none of it was brought up", down, [])
    equal("an argument behind the path is nothing", status(path=f"/mcp/{ONE}?x=1").status, 200)

    for host, wanted in [("localhost", 200), (f"localhost:{server.port}", 200), ("127.0.0.1", 200), ("[::1]:1", 200), ("agents.example", 200), ("AGENTS.example:80", 200),
                         ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example", 403), ("", 403), ("localhost:x", 403), ("[evil]", 403)]:
        equal(f"Host {host or 'that is empty'}", status(Host=host).status, wanted)
    for origin, wanted in [("http://localhost", 200), ("https://ide.example", 200), ("http://localhost:3000", 403), ("https://localhost", 403), ("http://evil.example", 403), ("null", 403)]:
        equal(f"Origin {origin}", status(Host="localhost", Origin=origin).status, wanted)
    equal("/health too is for those who know the name", server.ask("GET", "/health", headers={"Host": "evil.example"}).status, 403)

    for name, wanted, headers in [
        ("no Content-Type", 415, {"Content_Type": None}),
        ("a form", 415, {"Content_Type": "text/plain"}),
        ("a type that only begins so", 415, {"Content_Type": "application/jsonx"}),
        ("a character set", 200, {"Content_Type": "application/json; charset=utf-8"}),
        ("no Accept", 406, {"Accept": None}),
        ("half an Accept", 406, {"Accept": JSON}),
        ("the other half", 406, {"Accept": EVENTS}),
        ("all types", 200, {"Accept": "text/html, */*;q=0.1"}),
        ("families of types", 200, {"Accept": "application/*, text/*"}),
        ("a session that is none", 404, {"Mcp_Session_Id": "x"}),
        ("another session that is none", 404, {"Mcp_Session_Id": "0" * 48}),
        ("a revision that is not known", 400, {"MCP_Protocol_Version": "1999-01-01"}),
        ("a revision that is none", 400, {"MCP_Protocol_Version": "newest"}),
    ]:
        equal(f"with {name}", status(**headers).status, wanted)
    for method, wanted in [("PUT", 405), ("OPTIONS", 405), ("GET", 400), ("DELETE", 400)]:
        equal(f"{method} without a session", status(method=method, body=None).status, wanted)
    twice = server.raw(f"POST /mcp/{ONE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token_one}\r\nAuthorization: Bearer {token_two}\r\nContent-Length: 0\r\n\r\n".encode())
    like("two tokens are none", twice.decode(), "^HTTP/1.1 400")
    metrics = server.ask("GET", "/metrics", headers={"Authorization": f"Bearer {token_metrics}"})
    like("numbers have a token of their own", metrics.text, rf'scopefs_mcp_refused_total [1-9].*scope_running{{scope="{ONE}"}} 0\n')
    equal("which is for nothing else", status(Authorization=f"Bearer {token_metrics}").status, 404)


def sessions(server):
    one, two = Web(server, ONE, token_one), Web(server, TWO, token_two)
    ok("a session has a long id", re.fullmatch("[0-9a-f]{48}", one.session), one.session)
    ok("and another has another", one.session != two.session)
    equal("it shows its own scope", [w.call("read_file", path="name", line_numbers=False)["content"][0]["text"] for w in (one, two)], [ONE, TWO])
    equal("ping needs no session", Web(server, ONE, token_one, initialize=False).request("ping").json["result"], {})
    stranger = Web(server, ONE, token_one, initialize=False)
    equal("tools do", stranger.request("tools/list").status, 400)
    equal("a notification too", stranger.post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status, 400)
    for name, web in [
        ("another token", Web(server, TWO, token_two, initialize=False)),
        ("another scope of the token", Web(server, THREE, token_two, initialize=False)),
        ("another token for the same scope", Web(server, ONE, token_rival, initialize=False)),
    ]:
        web.session = one.session
        never = Web(server, web.scope, web.token, initialize=False)
        never.session = "f" * 48
        equal(f"a session is nothing for {name}", [web.request("ping").text, web.request("ping").status], [never.request("ping").text, 404])
        equal(f"nor can {name} listen to it", read(web.send("GET")).status, 404)
        equal(f"nor end it", web.delete().status, 404)
    equal("it lives on", one.request("ping").status, 200)
    equal("a notification is accepted", [one.post({"jsonrpc": "2.0", "method": "notifications/x"}).status, one.post({"jsonrpc": "2.0", "method": "notifications/x"}).text], [202, ""])
    equal("an unknown method is an error of the protocol", one.request("nothing").json["error"]["code"], -32601)
    equal("a session can be ended", one.delete().status, 204)
    equal("and is gone then", [one.request("ping").status, read(one.send("GET")).status, one.delete().status], [404, 404, 404])
    shell = two.call("execute", command="X=1", session="s")
    two.delete()
    equal("what a session kept is gone", Web(server, TWO, token_two).call("execute", command="echo ${X-unset}", session="s")["structuredContent"]["stdout"], "unset\n")


# --- Streams ---


def streams(server):
    web = Web(server, ONE, token_one)
    response, connection = web.stream("execute", command="echo 1; until [ -e go ]; do sleep 0.01; done; echo 2; echo 3 >&2")
    equal("progress makes a stream", response.headers["Content-Type"], EVENTS)
    events = events_of(response)
    first, beginning = next(events)
    equal("which begins with an id alone", beginning, None)
    second, progress = next(events)
    equal("progress comes as it is made", progress["params"]["message"], "1\n")
    hang_up(connection)
    listened = read(web.send("GET", Accept=JSON))
    equal("who takes no events gets none", listened.status, 406)
    open("one/go", "w").close()
    taken = web.server.connect()
    again = web.send("GET", connection=taken, **{"Last-Event-ID": second})
    rest = [message for _, message in events_of(again)]
    result = rest[-1]["result"]["structuredContent"]
    equal("a broken stream goes on where it was", [result["stdout"], result["exit_status"]], ["1\n2\n", 0])
    ok("without what was there before", all(m.get("params", {}).get("message") != "1\n" for m in rest), rest)
    again = events_of(web.send("GET", connection=taken, **{"Last-Event-ID": first}))
    ids = [number for number, _ in again]
    equal("what was sent can be had again, from any place", [ids[0], ids == sorted(set(ids), key=lambda n: int(n.split("-")[1]))], [second, True])
    stranger = Web(server, ONE, token_one)
    equal("but in its session only", read(stranger.send("GET", **{"Last-Event-ID": first})).status, 400)
    for name, value in [("that never was", "999999-1"), ("of the future", first.split("-")[0] + "-99"), ("that is none", "x"), ("too large to be one", "9" * 30 + "-1"), ("negative", "-1--1")]:
        equal(f"an id {name}", read(web.send("GET", connection=server.connect(), **{"Last-Event-ID": value})).status, 400)
    os.remove("one/go")

    listening = server.connect()
    response = web.send("GET", connection=listening)
    equal("a client can listen", [response.status, response.headers["Content-Type"], next(events_of(response))[1]], [200, EVENTS, None])
    other = server.connect()
    second = web.send("GET", connection=other)
    equal("who listens again takes over", [next(events_of(second))[1], response.read()], [None, b""])
    web.delete()
    equal("the end of the session ends it", second.read(), b"")

    web = Web(server, ONE, token_one)
    response, connection = web.stream("execute", token=None, command="sleep 1.8; echo late")
    equal("what takes long becomes a stream without being asked", response.headers["Content-Type"], EVENTS)
    equal("and ends with the answer", [m for _, m in events_of(response) if m][0]["result"]["structuredContent"]["stdout"], "late\n")
    many = [web.stream("execute", command=f"echo {n}; sleep 0.2; echo {n}")[0] for n in range(8)]
    last = [[m for _, m in events_of(r) if m][-1]["result"]["structuredContent"]["stdout"] for r in many]
    equal("streams at once are not mixed up", last, [f"{n}\n{n}\n" for n in range(8)])
    response, connection = web.stream("execute", command="head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end")
    equal("a stream that is not read at once is not cut", [m for _, m in events_of(response) if m][-1]["result"]["structuredContent"]["stdout_size"], 3000005)

    asking = Web(server, ONE, token_one, capabilities={"elicitation": {}})
    response, connection = asking.stream("execute", token=None, command="touch asked")
    events = (m for _, m in events_of(response) if m)
    question = next(events)
    equal("a question comes on the stream", question["method"], "elicitation/create")
    answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"allow": True}}}
    impostor = Web(server, ONE, token_one)
    equal("the answer of another session is taken", impostor.post(answer).status, 202)
    ok("and is none", not os.path.exists("one/asked"))
    equal("the answer is a message of its own", asking.post(answer).status, 202)
    equal("and is heard", [next(events)["result"]["structuredContent"]["exit_status"], os.path.exists("one/asked")], [0, True])


# --- Without sessions ---


def stateless(server):
    web = Web(server, ONE, token_one, initialize=False)
    base = {"MCP-Protocol-Version": STATELESS}

    def ask(method, meta=None, name=None, headers=None, number=1, **params):
        given = {**base, "Mcp-Method": method, **({"Mcp-Name": name} if name else {}), **(headers or {})}
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": metadata() if meta is None else meta, **params}}
        return web.post(message, **given)

    code = lambda answer: [answer.status, answer.json["error"]["code"]]
    listed = ask("tools/call", name="ls", arguments={})
    answer = ask("server/discover")
    equal("the stateless revision needs no session", [answer.status, answer.headers.get("Mcp-Session-Id")], [200, None])
    call = lambda **more: ask("tools/call", **{"name": "ls", **more})
    params = {"arguments": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"_meta": metadata(), "name": "ls", "arguments": {}}}
    post = lambda **headers: web.post(message, **{**base, "Mcp-Method": "tools/call", "Mcp-Name": "ls", **headers})
    equal("a tool is called", post().json["result"]["isError"], False)
    equal("blanks around a value are not its own", post(**{"Mcp-Name": " ls \t", "Mcp-Method": "\t tools/call "}).status, 200)
    equal("a name may come encoded", post(**{"Mcp-Name": "=?base64?bHM=?="}).status, 200)
    for name, headers in [
        ("method that is another", {"Mcp-Method": "tools/list"}),
        ("method that is not there", {"Mcp-Method": None}),
        ("method in other letters", {"Mcp-Method": "Tools/Call"}),
        ("name that is another", {"Mcp-Name": "delete"}),
        ("name that is not there", {"Mcp-Name": None}),
        ("name that is empty", {"Mcp-Name": ""}),
        ("name that is badly encoded", {"Mcp-Name": "=?base64?bH?s=?="}),
        ("revision that is not there", {"MCP-Protocol-Version": None}),
        ("revision that is another", {"MCP-Protocol-Version": "2025-11-25"}),
    ]:
        equal(f"with a {name} it is not", code(post(**headers)), [400, -32020])
    equal("a revision that is not spoken", code(post(**{"MCP-Protocol-Version": "2099-01-01"})), [400, -32022])
    equal("metadata that is not there", code(ask("tools/list", meta={})), [400, -32602])
    equal("a method that is not there", code(ask("nothing")), [404, -32601])
    equal("nor is initialize", code(ask("initialize")), [404, -32601])
    equal("nor a stream by GET", read(web.send("GET", **base)).status, 405)

    # Two clients with the same numbers share a token and nothing else.
    slow = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"_meta": metadata(), "name": "execute", "arguments": {"command": "touch x; until [ -e go ]; do sleep 0.01; done"}}}
    slow["params"]["arguments"]["command"] = "echo > running; while :; do sleep 0.01; echo > alive; done"
    connection = server.connect()
    thread = threading.Thread(target=lambda: swallow(lambda: web.send("POST", json.dumps(slow), connection, **{**base, "Mcp-Method": "tools/call", "Mcp-Name": "execute"})))
    thread.start()
    ok("a command runs", wait_until(lambda: os.path.exists("one/running")))
    equal("a call of the same number runs beside it", post().status, 200)
    hang_up(connection)
    thread.join()

    def is_dead():
        if os.path.exists("one/alive"):
            os.remove("one/alive")
        time.sleep(0.2)
        return not os.path.exists("one/alive")

    ok("hanging up is cancelling", wait_until(is_dead))


def swallow(function):
    try:
        return function()
    except (OSError, http.client.HTTPException):
        return None


# --- What is malformed ---


def garbage(server):
    web = Web(server, ONE, token_one)
    head = f"POST /mcp/{ONE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token_one}\r\nContent-Type: {JSON}\r\nAccept: {JSON}, {EVENTS}\r\nMcp-Session-Id: {web.session}\r\n"
    post = lambda body: web.post(body)
    for name, body in [
        ("no JSON", "{"), ("nothing", ""), ("a number", "1"), ("a deep nest", "[" * 100000), ("a deep message", '{"a":' * 5000 + "1" + "}" * 5000),
        ("no UTF-8", b'{"jsonrpc":"2.0","method":"\xff"}'), ("NULs", "\0" * 1000), ("no message", '{"jsonrpc":"1.0"}'),
    ]:
        equal(f"refused: {name}", post(body).status, 400)
    large = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x" * (17 << 20)})
    answer = swallow(lambda: post(large))
    ok("a message that is too large is refused, or hung up on", answer is None or answer.status == 413, answer and answer.status)
    web.connection.close()
    chunk = b"%x\r\n" % (1 << 20) + b" " * (1 << 20) + b"\r\n"
    answer = server.raw(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17 + b"0\r\n\r\n")
    ok("also when its size is not told", answer == b"" or b" 413 " in answer.split(b"\r\n")[0], answer[:100])
    fits = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "y" * (15 << 20)}})
    equal("one that just fits is not", post(fits).json.get("result"), {})
    for name, data in [
        ("a request that is cut", head.encode()[:100]),
        ("a body that is cut", head.encode() + b"Content-Length: 1000\r\n\r\n{"),
        ("a header that is too long", head.encode() + b"X: " + b"x" * 100000 + b"\r\n\r\n"),
        ("too many headers", head.encode() + b"X: x\r\n" * 20000 + b"\r\n"),
        ("a length that is none", head.encode() + b"Content-Length: -1\r\n\r\n{}"),
        ("a length and chunks", head.encode() + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("chunks that are none", head.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        ("no HTTP", b"\x16\x03\x01" * 1000), ("nothing", b""), ("another protocol", b"SSH-2.0-x\r\n\r\n"),
    ]:
        answer = server.raw(data)
        ok(f"survived: {name}", answer == b"" or re.match(rb"HTTP/1.1 (4\d\d|50[15]) ", answer), answer[:200])
    equal("and the session is as it was", web.request("ping").status, 200)
    equal("the server lives", [server.ask("GET", "/health").status, server.process.poll()], [200, None])
    equal("with the worker it had", sum(f"{ONE} is up" in line for line in server.log), 1)


with Server("--tokens", TOKENS, "--allow-host", "agents.example", "--allow-origin", "https://ide.example") as server:
    for part in sys.argv[1:] or ["refusals", "doors", "sessions", "streams", "stateless", "garbage"]:
        function = globals()[part]
        function() if part == "refusals" else function(server)
    equal("it ends when it is told to", server.stop(), 0)
