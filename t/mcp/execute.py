"""Commands: execute, read_output, kill, approval, progress and cancellation."""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.environ["TEST_MCP_FOLDER"])
from client import SCOPE, Client, equal, like, metadata, ok


def until(condition, seconds=20):
    """Waits for a condition that nothing tells of; whether it came true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        os.sched_yield()
    return True


def running(command):
    """Whether a process with that in its command line runs on this host."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                if command.encode() in file.read():
                    return True
        except OSError:
            pass
    return False


def results(client):
    result = client.structured("execute", command="echo out; echo err >&2; exit 3")
    equal("streams and status", [result[name] for name in ["stdout", "stderr", "exit_status"]], ["out\n", "err\n", 3])
    equal("the same as text", client.text("execute", command="echo out; echo err >&2; exit 3"), "out\n[stderr]\nerr\n[exit status 3]\n")
    equal("nothing printed", client.text("exec", command="true"), "[no output]\n")
    equal("standard input", client.structured("execute", command="cat", stdin="in")["stdout"], "in")
    equal("none is empty", client.structured("execute", command="cat")["stdout"], "")
    equal("the workspace", client.structured("execute", command="pwd; ls")["stdout"], "/workspace\nlisted\nopen\nreadable\n")
    equal("another directory", client.structured("execute", command="pwd", workdir="open")["stdout"], "/workspace/open\n")
    equal("variables", client.structured("execute", command="echo $A", env={"A": "b c"})["stdout"], "b c\n")
    equal("those that run code are refused", client.failure("execute", command="true", env={"LD_PRELOAD": "x"}), "failed")
    equal("its time is limited", client.failure("execute", command="echo early; sleep 60", timeout=0.2), "timed_out")
    late = client.call("execute", command="echo early; sleep 60", timeout=0.2)["content"]
    equal("what it had printed is told", late[1]["text"], "early\n[exit status 124]\n")
    equal("rules hold for it", client.structured("execute", command="cat listed/file hidden/file 2>/dev/null")["stdout"], "")
    client.call("execute", command="echo changed > open/file")
    like("what it changes is seen at once", client.text("read_file", path="open/file"), "changed")
    client.call("write_file", path="open/file", content="again")
    equal("and what it sees", client.structured("execute", command="cat open/file")["stdout"], "again")
    equal("bytes that are not UTF-8", client.structured("execute", command="printf 'a\\377b'")["stdout"], "a\ufffdb")
    equal("a signal", client.structured("execute", command="kill -9 $$")["exit_status"], 137)


def truncation(client):
    result = client.structured("execute", command="seq 1 20000")
    equal("much output is cut", [result["stdout_truncated"], result["stdout_size"]], [True, 108894])
    like("in the middle", result["stdout"], r"^1\n.*\[truncated, 78894 more bytes here; read_output from offset 10000\].*20000\n$")
    rest = client.structured("read_output", job=result["job"], stdout_offset=10000, limit=100000)
    equal("and can be had", [len(rest["stdout"]), rest["stdout_next_offset"]], [98894, 108894])
    flood = client.structured("execute", command="head -c 5000000 /dev/zero | tr '\\0' x; echo end")
    equal("a flood is counted", flood["stdout_size"], 5000004)
    like("and its end is kept", flood["stdout"], r"^\n\[truncated, \d+ more bytes here; .*xend\n$")


def background(client):
    job = client.structured("execute", command="echo one; read x; echo two", stdin="go\n", background=True)
    ended = client.structured("execute", command="true")
    ok("a command in the background has a number", job["job"] != ended["job"])
    seen, offset = "", 0
    while True:
        part = client.structured("read_output", job=job["job"], stdout_offset=offset, wait=10)
        seen, offset = seen + part["stdout"], part["stdout_next_offset"]
        if not part["running"]:
            break
    equal("its output is read as it comes", seen, "one\ntwo\n")
    job = client.structured("execute", command="echo ready; exec sleep 4321", background=True, timeout=0)["job"]
    client.structured("read_output", job=job, wait=10)
    ok("it runs", until(lambda: running("sleep\0004321")))
    equal("kill ends it", client.structured("kill", job=job)["killed"], True)
    ok("and it is gone", not running("sleep\0004321"))
    equal("once", client.structured("kill", job=job)["killed"], False)
    equal("another job is not known", client.failure("read_output", job=999), "not_found")
    with Client() as other:
        equal("nor is another client's", other.failure("read_output", job=job), "not_found")


def progress(client):
    number = client.start_call("execute", {"command": "echo begun; read x < open/pipe; echo on"}, token="p1")
    client.wait(lambda: client.others)
    note = client.others.pop(0)
    equal("progress tells what is printed", [note["method"], note["params"]["progressToken"], note["params"]["message"]], ["notifications/progress", "p1", "begun\n"])
    client.call("execute", command="echo > open/pipe")
    equal("before the end", client.answer(number)["result"]["structuredContent"]["stdout"], "begun\non\n")
    client.others.clear()


def cancellation(client):
    number = client.start_call("execute", {"command": "echo begun; exec sleep 5432"}, token="p2")
    client.wait(lambda: client.others)
    client.notify("notifications/cancelled", {"requestId": number, "reason": "test"})
    equal("the client goes on", client.structured("execute", command="echo on")["stdout"], "on\n")
    ok("cancellation ends the command", until(lambda: not running("sleep\0005432")))
    ok("and is not answered", number not in client.answers)
    client.others.clear()


def sessions(client):
    run = lambda command, **more: client.structured("execute", command=command, session="s", **more)
    run("cd open; X=5; f() { echo f $X; }")
    equal("a session keeps its shell", run("pwd; f")["stdout"], "/workspace/open\nf 5\n")
    equal("another one has its own", client.structured("execute", command="pwd", session="t")["stdout"], "/workspace\n")
    equal("another directory for once", run("pwd", workdir=".")["stdout"], "/workspace\n")
    equal("a line that takes too long", client.failure("execute", command="sleep 60", session="s", timeout=0.2), "timed_out")
    equal("does not end it", run("echo $X")["stdout"], "5\n")
    like("its end is told", client.text("execute", command="exit 3", session="s"), "the session has ended")
    equal("and it begins anew", run("echo $X.")["stdout"], ".\n")
    equal("rules hold for it", client.failure("execute", command="rm x", session="s"), "refused")
    equal("no name leads elsewhere", client.failure("execute", command="true", session="../x"), "invalid_arguments")
    with Client() as other:
        other.structured("execute", command="Y=1", session="s")
        equal("another client's is another", run("echo $Y.")["stdout"], ".\n")
    listed = subprocess.run(["scopefs-exec", "session", "list", SCOPE], capture_output=True, text=True).stdout
    equal("a client's sessions end with it", re.findall(r"mcp-[0-9]+-[0-9]+-([a-z]+)", listed), ["s", "t"])


def approval():
    with Client() as client:
        equal("a rule refuses", client.failure("execute", command="rm -rf open"), "refused")
        unsaid = client.text("execute", command="rm -rf open")
        ok("and is not named", "scopefs.ini" not in unsaid, unsaid)
        equal("without anybody to ask the answer is no", client.failure("execute", command="touch open/asked"), "refused")
        ok("and nothing was run", not os.path.exists("source/open/asked"))
    for answer, expected in [
        ({"action": "accept", "content": {"allow": True}}, None),
        ({"action": "accept", "content": {"allow": False}}, "refused"),
        ({"action": "accept"}, "refused"),
        ({"action": "decline"}, "refused"),
        ({"action": "cancel"}, "refused"),
    ]:
        with Client(capabilities={"elicitation": {}}) as client:
            questions = []

            def on_request(message):
                questions.append(message)
                client.send({"jsonrpc": "2.0", "id": message["id"], "result": answer})

            client.on_request = on_request
            equal(f"the user says {answer}", client.failure("execute", command="touch open/asked"), expected)
            like("the question has the command", questions[0]["params"]["message"], "touch open/asked")
    ok("what was allowed was done", os.path.exists("source/open/asked"))
    with Client(capabilities={"elicitation": {}}) as client:
        number = client.start_call("execute", {"command": "touch open/never"})
        client.wait(lambda: client.others)
        client.notify("notifications/cancelled", {"requestId": number})
        client.wait(lambda: len(client.others) > 1)
        equal("a cancelled call takes its question back", client.others[1]["method"], "notifications/cancelled")
    ok("and runs nothing", not os.path.exists("source/open/never"))


def stateless_approval():
    with Client(initialize=False) as client:
        call = lambda capabilities, **more: client.request(
            "tools/call",
            {"name": "execute", "arguments": {"command": "touch open/later"}, "_meta": metadata(capabilities), **more},
        )["result"]
        equal("who cannot ask is refused", call({})["isError"], True)
        result = call({"elicitation": {}})
        equal("who can is told to", [result["resultType"], list(result["inputRequests"])], ["input_required", ["allow"]])
        like("with the command", result["inputRequests"]["allow"]["params"]["message"], "touch open/later")
        ok("nothing was run", not os.path.exists("source/open/later"))
        no = call({"elicitation": {}}, inputResponses={"allow": {"action": "decline"}})
        equal("no is no", no["_meta"]["scopefs/error"]["code"], "refused")
        yes = call({"elicitation": {}}, inputResponses={"allow": {"action": "accept", "content": {"allow": True}}})
        equal("yes is yes", [yes["isError"], os.path.exists("source/open/later")], [False, True])


def new_rules(client):
    """What the configuration says counts from the next command on, and with errors none runs."""
    with open(os.environ["TEST_CONFIG"]) as file:
        text = file.read()

    def now(changed):
        with open(os.environ["TEST_CONFIG"], "w") as file:
            file.write(changed)
        return client.call("execute", command="cat readable")

    refused = now(text.replace("deny = rm", "deny = cat"))
    equal("a command that is denied from now on", [refused["isError"], refused["_meta"]["scopefs/error"]["code"]], [True, "refused"])
    broken = now(text + "colour = blue\n")
    ok("a configuration with errors runs nothing", broken["isError"], broken)
    like("says so, and no more", broken["content"][0]["text"], "only its owner can mend them")
    equal("mended, commands run again", now(text)["structuredContent"]["stdout"], "readable\n")


def ends():
    client = Client()
    job = client.structured("execute", command="echo up; exec sleep 6543", background=True, timeout=0)["job"]
    client.structured("read_output", job=job, wait=10)
    client.close()
    ok("with the client its commands end", until(lambda: not running("sleep\0006543")))
    client = Client()
    job = client.structured("execute", command="echo up; exec sleep 7654", background=True, timeout=0)["job"]
    client.structured("read_output", job=job, wait=10)
    client.process.kill()
    client.process.wait()
    ok("also when the server is killed", until(lambda: not running("sleep\0007654")))
    ok("and its view", until(lambda: f".exec-{os.environ['TEST_SCOPE']}-" not in mounts()), mounts())


def mounts():
    with open("/proc/mounts") as file:
        return file.read()


os.mkfifo("source/open/pipe")
os.chmod("source/open/pipe", 0o666)
with Client() as session:
    results(session)
    truncation(session)
    background(session)
    progress(session)
    cancellation(session)
    sessions(session)
    new_rules(session)
approval()
stateless_approval()
ends()
