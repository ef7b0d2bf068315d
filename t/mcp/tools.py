"""Every file tool on paths of every level, and what each of them does."""

import base64
import itertools
import os
import sys

sys.path.insert(0, os.environ["TEST_MCP_FOLDER"])
from client import Client, equal, like, ok

SOURCE = "source"

# What each tool says of a file at a path of each level; None: it works.
LEVELS = {
    "none": "hidden/file",
    "view": "listed/file",
    "read": "readable",
    "write": "open/file",
}
TABLE = [
    # tool, arguments, {level: failure}
    ("read_file", {}, {"none": "not_found", "view": "not_permitted:read"}),
    ("read_media_file", {}, {"none": "not_found", "view": "not_permitted:read"}),
    ("file_info", {}, {"none": "not_found"}),
    ("permissions", {}, {}),
    ("grep", {"pattern": "."}, {"none": "not_found", "view": "not_permitted:read"}),
    ("grep", {"pattern": ".", "engine": "pcre2"}, {"none": "not_found", "view": "not_permitted:read"}),
    (
        "edit_file",
        {"old_string": "a", "new_string": "a", "replace_all": True},
        {"none": "not_found", "view": "not_permitted:read", "read": "not_permitted:write"},
    ),
    (
        "write_file",
        {"content": "written by the matrix\n"},
        {"none": "not_permitted:write", "view": "not_permitted:write", "read": "not_permitted:write"},
    ),
    ("create_directory", {}, {"none": "not_permitted:write", "view": "exists", "read": "exists", "write": "exists"}),
    ("delete", {}, {"none": "not_found", "view": "not_permitted:write", "read": "not_permitted:write"}),
]


def content(path):
    with open(os.path.join(SOURCE, path), "rb") as file:
        return file.read()


def store(path, data):
    with open(os.path.join(SOURCE, path), "wb") as file:
        file.write(data)
    os.chmod(os.path.join(SOURCE, path), 0o666)


def matrix(client):
    for tool, arguments, failures in TABLE:
        for level, path in LEVELS.items():
            if tool == "delete" and level == "write":
                continue
            got = client.failure(tool, path=path, **arguments)
            equal(f"{tool} {list(arguments.values())} at {level}", got, failures.get(level))
    store("open/file", b"writable\n")
    for level in ["none", "view", "read"]:
        expected = "not_found" if level == "none" else "not_permitted:write"
        got = client.failure("move_file", source=LEVELS[level], destination="open/moved")
        equal(f"move_file from {level}", got, expected)
        got = client.failure("move_file", source="open/file", destination=LEVELS[level] + "-new")
        equal(f"move_file to {level}", got, "not_permitted:write")
    for level, path in LEVELS.items():
        equal(f"permissions tells {level}", client.structured("permissions", path=path)["level"], level)
    unlike_rule = client.text("permissions", path="listed/file") + client.text("read_file", path="listed/file")
    ok("and no rule is named", "scopefs.ini" not in unlike_rule and "/listed/" not in unlike_rule.replace("/workspace/listed/", ""))


def listings(client):
    equal("ls hides", [e["name"] for e in client.structured("ls")["entries"]], ["listed", "open", "readable"])
    like("ls tells sizes", client.text("ls"), r"listed/\nopen/\nreadable \(9 bytes\)")
    equal("ls of a hidden directory", client.failure("ls", path="hidden"), "not_found")
    equal("ls of a file", client.failure("ls", path="readable"), "not_a_directory")
    equal("ls of what is listed", client.failure("ls", path="listed"), None)
    part = client.structured("ls", limit=1, offset=1)
    equal("ls in parts", [part["entries"][0]["name"], part["truncated"], part["next_offset"], part["total"]], ["open", True, 2, 3])
    like("and says how to go on", client.text("ls", limit=1, offset=1), r"\[truncated, 1 more; offset=2 lists on\]")
    for name in ["/", ".", "/workspace", "/workspace/", "./open/.."]:
        equal(f"{name} is the workspace", client.structured("ls", path=name)["path"], "/workspace")
    equal("nothing lies above it", client.failure("ls", path="../.."), "not_found")
    equal("the host is not there", client.failure("read_file", path="/etc/passwd"), "not_found")
    tree = client.structured("directory_tree")
    equal("directory_tree hides", [e["name"] for e in tree["tree"]], ["listed", "open", "readable"])
    equal("and goes down", tree["tree"][0]["children"], [{"name": "file", "type": "file"}])
    ok("directory_tree is cut", client.structured("directory_tree", limit=2)["truncated"])
    like("and says so", client.text("directory_tree", limit=2), r"\[truncated, \d+ more entries")
    os.makedirs(f"{SOURCE}/open/node_modules/x", 0o777)
    names = lambda **more: [e["name"] for e in client.structured("directory_tree", path="open", **more)["tree"]]
    equal("it leaves out what tools make", names(), ["file"])
    equal("unless it is wanted", names(includeDefaultExcludes=False), ["file", "node_modules"])
    equal("or what is given", names(excludePatterns=["f*"], default_excludes=False), ["node_modules"])
    equal("the workspace is told", client.structured("list_allowed_directories")["directories"], ["/workspace"])
    info = client.structured("get_file_info", path="readable")
    equal("file_info", [info["type"], info["size"], info["level"]], ["file", 9, "read"])


def reading(client):
    store("open/long", b"".join(b"line %d\n" % number for number in range(5000)))
    whole = client.structured("read_file", path="open/long")
    equal("a long file comes in parts", [whole["lines"], whole["total_lines"], whole["next_offset"]], [2000, 5000, 2000])
    like("and says how to go on", client.text("read_file", path="open/long"), r"\[truncated, 3000 more lines; offset=2000 reads on\]\n$")
    part = client.text("read_file", path="open/long", offset=4998)
    equal("lines have their numbers", part, "  4999\tline 4998\n  5000\tline 4999\n")
    equal("head", client.text("read_text_file", path="open/long", head=2), "line 0\nline 1\n")
    equal("tail", client.text("read_text_file", path="open/long", tail=1), "line 4999\n")
    store("open/wide", b"x" * 20000 + b"\nend")
    like("a long line is cut", client.text("read_file", path="open/wide"), r"x{8000}\[12000 more bytes; max_line=0 shows them\]\n +2\tend$")
    store("open/empty", b"")
    equal("an empty file", client.text("read_file", path="open/empty"), "[the file is empty]\n")
    store("open/latin", b"gr\xfc\xdfe\r\n")
    equal("Latin-1 is shown", client.structured("read_file", path="open/latin")["content"], "grüße\r\n")
    store("open/utf16", "\ufeffzwölf 🦊\n".encode("utf-16-le"))
    equal("UTF-16 is shown", client.structured("read_file", path="open/utf16")["content"], "zwölf 🦊\n")
    store("open/image.png", b"\x89PNG\0\1\2")
    equal("what is no text is told so", client.failure("read_file", path="open/image.png"), "not_a_file")
    image = client.call("read_media_file", path="open/image.png")["content"][0]
    equal("an image", [image["type"], image["mimeType"], base64.b64decode(image["data"])], ["image", "image/png", b"\x89PNG\0\1\2"])
    blob = client.call("read_media_file", path="readable")["content"][0]
    equal("other data is a resource", [blob["type"], base64.b64decode(blob["resource"]["blob"])], ["resource", b"readable\n"])
    files = client.structured("read_multiple_files", paths=["readable", "hidden/file", "listed/file", "open/empty"])["files"]
    equal(
        "several files at once",
        [file.get("content", file.get("error", {}).get("code")) for file in files],
        ["readable\n", "not_found", "not_permitted", ""],
    )
    os.mkfifo(f"{SOURCE}/open/fifo")
    os.chmod(f"{SOURCE}/open/fifo", 0o666)
    equal("a FIFO does not hold it up", client.failure("read_file", path="open/fifo"), "not_a_file")
    os.symlink("/etc/passwd", f"{SOURCE}/open/out")
    equal("a link does not lead out", client.failure("read_file", path="open/out"), "not_found")
    os.symlink("../hidden/file", f"{SOURCE}/open/in")
    equal("nor to what is hidden", client.failure("read_file", path="open/in"), "not_found")


def writing(client):
    client.call("write_file", path="open/a/b/new", content="one\ntwo\n")
    equal("write_file makes directories", content("open/a/b/new"), b"one\ntwo\n")
    os.chmod(f"{SOURCE}/open/a/b/new", 0o750)
    client.call("write_file", path="open/a/b/new", content="nul \0 and ü\n")
    equal("it replaces all", content("open/a/b/new"), "nul \0 and ü\n".encode())
    equal("and keeps the mode", os.stat(f"{SOURCE}/open/a/b/new").st_mode & 0o777, 0o750)
    equal("over a directory it does not write", client.failure("write_file", path="open/a", content=""), "is_a_directory")
    equal("a file is no directory", client.failure("write_file", path="open/file/x", content=""), "not_a_directory")
    equal("no temporary file is left", [n for n in os.listdir(f"{SOURCE}/open/a/b") if n != "new"], [])
    store("open/target", b"old")
    os.symlink("target", f"{SOURCE}/open/link")
    client.call("write_file", path="open/link", content="through")
    equal("a link is followed, not replaced", [os.path.islink(f"{SOURCE}/open/link"), content("open/target")], [True, b"through"])
    equal("create_directory", client.structured("create_directory", path="open/c/d")["created"], True)
    equal("which may be there", client.structured("create_directory", path="open/c/d")["created"], False)
    client.call("move_file", source="open/target", destination="open/e/moved")
    equal("move_file", content("open/e/moved"), b"through")
    equal("not over anything", client.failure("move_file", source="open/e/moved", destination="open/file"), "exists")
    equal("a directory that is not empty", client.failure("delete", path="open/a"), "not_empty")
    equal("is deleted with what is in it", client.structured("delete", path="open/a", recursive=True)["deleted"], 3)
    ok("and is gone", not os.path.exists(f"{SOURCE}/open/a"))
    equal("the workspace stays", client.failure("delete", path="."), "is_a_directory")


def editing(client):
    numbers = itertools.count()

    def edit(name, data, expected, **arguments):
        path = f"open/edit{next(numbers)}"
        store(path, data)
        result = client.call("edit_file", path=path, **arguments)
        equal(name, content(path), expected)
        return result

    result = edit("edit_file", b"a\nb\nc\n", b"a\nB\nc\n", old_string="b", new_string="B")
    equal("it gives the difference", result["structuredContent"]["diff"], "--- /workspace/open/edit0\n+++ /workspace/open/edit0\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n")
    edit("everywhere", b"x x x", b"y y y", old_string="x", new_string="y", replace_all=True)
    edit("CRLF stays", b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nC\r\n", old_string="b\nc\n", new_string="B\nC\n")
    edit("Latin-1 stays", b"gr\xfcn\n", b"gr\xf6n\n", old_string="grün", new_string="grön")
    edit("a byte order mark stays", b"\xef\xbb\xbfa", b"\xef\xbb\xbfb", old_string="a", new_string="b")
    utf16 = lambda text: ("\ufeff" + text).encode("utf-16-be")
    edit("UTF-16 stays", utf16("zwölf"), utf16("elf 🦊"), old_string="zwölf", new_string="elf 🦊")
    edit("several edits", b"1 2 3", b"one two 3", edits=[{"oldText": "1", "newText": "one"}, {"old_string": "2", "new_string": "two"}])
    edit("all or none", b"1 2 3", b"1 2 3", edits=[{"oldText": "1", "newText": "one"}, {"oldText": "9", "newText": ""}])
    result = edit("a dry run changes nothing", b"1\n", b"1\n", old_string="1", new_string="2", dryRun=True)
    like("and shows the difference", result["content"][0]["text"], r"^Would make 1 .*-1\n\+2\n$")
    store("open/edit", b"1 1")
    equal("what is not there", client.failure("edit_file", path="open/edit", old_string="9", new_string=""), "no_match")
    equal("what is there twice", client.failure("edit_file", path="open/edit", old_string="1", new_string=""), "not_unique")
    equal("nothing to look for", client.failure("edit_file", path="open/edit", old_string="", new_string="x"), "invalid_arguments")
    equal("a character that Latin-1 lacks", (store("open/edit", b"\xfc"), client.failure("edit_file", path="open/edit", old_string="ü", new_string="🦊"))[1], "invalid_arguments")
    store("open/edit", b"first")
    client.call("read_file", path="open/edit")
    store("open/edit", b"changed by somebody")
    equal("a file that was changed since it was read", client.failure("edit_file", path="open/edit", old_string="by", new_string=""), "changed_since_read")
    client.call("read_file", path="open/edit")
    equal("is edited when it was read again", client.failure("edit_file", path="open/edit", old_string="by", new_string="BY"), None)
    equal("and again", client.failure("edit_file", path="open/edit", old_string="BY", new_string="by"), None)


def searching(client):
    os.makedirs(f"{SOURCE}/open/s/.deep/sub", 0o777)
    for name, data in {"s/a.py": b"import os\nalpha\n", "s/b.js": b"alpha\nbeta\nalpha\n", "s/.deep/sub/c.py": b"ALPHA\n", "s/bin": b"alpha\0\n"}.items():
        store(f"open/{name}", data)
    glob = lambda pattern, **more: [m.removeprefix("/workspace/open/s/") for m in client.structured("glob", pattern=pattern, path="open/s", **more)["matches"]]
    for pattern, expected in {
        "*.py": ["a.py"],
        "**/*.py": [".deep/sub/c.py", "a.py"],
        "*.{py,js}": ["a.py", "b.js"],
        "[!a]*": [".deep/sub/c.py"][:0] + ["b.js", "bin"],
        "**": [".deep/sub/c.py", "a.py", "b.js", "bin"],
        ".deep/**": [".deep/sub/c.py"],
        "?.js": ["b.js"],
    }.items():
        equal(f"glob {pattern}", glob(pattern), expected)
    equal("glob with exclusions", glob("**", exclude=[".deep", "*.js"]), ["a.py", "bin"])
    equal("glob of directories", glob("**", type="directory"), [".deep", ".deep/sub"])
    equal("search_files gives both", [m.removeprefix("/workspace/") for m in client.structured("search_files", pattern="**/sub*", path="open/s")["matches"]], ["open/s/.deep/sub"])
    equal("glob hides", client.structured("glob", pattern="**/file")["matches"], ["/workspace/listed/file", "/workspace/open/file"])
    equal("glob in parts", glob("**", limit=1, offset=1), ["a.py"])
    for engine in ["ripgrep", "pcre2"]:
        grep = lambda pattern, **more: client.structured("grep", pattern=pattern, path=more.pop("path", "open/s"), engine=engine, **more)
        paths = lambda *given, **more: [r["path"].removeprefix("/workspace/") for r in grep(*given, **more)["results"]]
        equal(f"{engine}: files", paths("alpha"), ["open/s/a.py", "open/s/b.js"])
        equal(f"{engine}: hidden ones too", paths("alpha", ignore_case=True, ignore_hidden=False), ["open/s/.deep/sub/c.py", "open/s/a.py", "open/s/b.js"])
        equal(f"{engine}: of some names", paths("alpha", glob_pattern="*.py"), ["open/s/a.py"])
        equal(f"{engine}: but not of others", paths("alpha", exclude=["*.py"]), ["open/s/b.js"])
        equal(f"{engine}: counts", [(r["count"]) for r in grep("alpha", output_mode="count")["results"]], [1, 2])
        lines = [(r["line"], r["text"], r["is_context"]) for r in grep("beta", output_mode="content", context=1)["results"]]
        equal(f"{engine}: lines with context", lines, [(1, "alpha", True), (2, "beta", False), (3, "alpha", True)])
        equal(f"{engine}: an expression", [(r["line"]) for r in grep("^al.*a$", output_mode="content", path="open/s/b.js")["results"]], [1, 3])
        equal(f"{engine}: a text", paths("l.h", literal=True), [])
        equal(f"{engine}: hidden and unreadable files are left out", paths("^(hidden|listed|readable)$", path="."), ["readable"])
        equal(f"{engine}: a pattern that is none", client.failure("grep", pattern="(", engine=engine), "invalid_arguments")
        part = grep("alpha", limit=1)
        equal(f"{engine}: in parts", [part["truncated"], part["next_offset"]], [True, 1])
    like("lines are shown with their places", client.text("grep", pattern="beta", path="open/s", output_mode="content"), r"/workspace/open/s/b.js:2: beta\n")


def arguments(client):
    for name, tool, given in [
        ("one that is missing", "read_file", {}),
        ("one that is not known", "read_file", {"path": "readable", "colour": 1}),
        ("a wrong type", "read_file", {"path": 5}),
        ("a number out of range", "read_file", {"path": "readable", "limit": 0}),
        ("a path with a NUL", "read_file", {"path": "a\0b"}),
        ("an empty path", "ls", {"path": ""}),
        ("none of the choices", "ls", {"sort_by": "colour"}),
        ("no edit at all", "edit_file", {"path": "open/file"}),
        ("a list of numbers", "read_multiple_files", {"paths": [1]}),
    ]:
        equal(f"arguments: {name}", client.failure(tool, **given), "invalid_arguments")
    equal("arguments: null is not given", client.failure("ls", path=None), None)
    os.mkdir(f"{SOURCE}/open/names")
    with open(os.fsencode(SOURCE) + b"/open/names/\xff\\x", "wb"):
        pass
    store('open/names/quo"te', b"")
    like("a name with a quote is shown as it is", client.text("ls", path="open/names"), 'quo"te ')
    ok("a name that is not UTF-8 is shown", "\\377\\\\x" in [e["name"] for e in client.structured("ls", path="open/names")["entries"]])


def many(client):
    """What is asked at once is not mixed up, whatever comes back first."""
    asked = {}
    for number in range(300):
        path = f"open/many{number % 20}"
        if number < 20:
            store(path, b"%d\n" % number)
        if number % 3 == 0:
            asked[client.start_call("read_file", {"path": path, "line_numbers": False})] = f"{number % 20}\n"
        elif number % 3 == 1:
            asked[client.start_call("permissions", {"path": path})] = f"/workspace/{path}: write\n"
        else:
            asked[client.start_call("grep", {"pattern": "^", "path": path, "output_mode": "content", "engine": "pcre2"})] = f"/workspace/{path}:1: {number % 20}\n"
    wrong = [number for number, text in asked.items() if not client.answer(number)["result"]["content"][0]["text"].startswith(text)]
    equal("300 calls at once each have their own answer", wrong, [])


def directories_and_commands(client):
    for tool, arguments in [("ls", {}), ("directory_tree", {}), ("glob", {"pattern": "**"})]:
        for level, path in {"none": "hidden", "view": "listed", "read": ".", "write": "open"}.items():
            expected = "not_found" if level == "none" else None
            equal(f"{tool} at {level}", client.failure(tool, path=path, **arguments), expected)
    for level, path in LEVELS.items():
        readable = level in ("read", "write")
        expected = content(path).decode() if readable else {"none": "not_found", "view": "not_permitted"}[level]
        got = client.structured("read_multiple_files", paths=[path])["files"][0]
        equal(f"read_multiple_files at {level}", got.get("content") or got["error"]["code"], expected)
        run = client.structured("execute", command=f"cat {path} >/dev/null; echo $?; (echo >>{path}) 2>/dev/null; echo $?")["stdout"].split()
        equal(f"a command at {level}", [code == "0" for code in run], [readable, level == "write"])


with Client() as session:
    matrix(session)
    listings(session)
    reading(session)
    writing(session)
    editing(session)
    searching(session)
    arguments(session)
    many(session)
    directories_and_commands(session)
