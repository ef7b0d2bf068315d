#!/bin/bash
# network = allow: a command reaches the hosts that its scope names, through the proxy, and no others.
# All servers are on this host's loopback.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=common.sh
. "$SCOPEFS_SRCDIR/t/exec/common.sh"

# A program with sanitizers has no filter.
TEST_FILTER=2
! is_sanitized || TEST_FILTER=0
export TEST_FILTER

# Serves the work folder, and tells at /echo what a request looked like. Writes its port to a file.
start_server() { # NAME
    cat >server.py <<'END'
import http.server, os, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if not self.path.startswith("/echo"):
            return super().do_GET()
        body = f"{self.requestline}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
END
    python3 server.py "$1.port" 2>/dev/null &
    servers+=($!)
    wait_for "[[ -e $1.port ]]"
}

make_network() { # PATTERN...: with %PORT for the allowed server's
    servers=()
    make_project
    start_server allowed
    start_server refused
    port=$(<allowed.port)
    other=$(<refused.port)
    printf '\n[exec %s]\nnetwork = allow\nnetwork-allow = %s\n' "$scope" "${*//%PORT/$port}" >>"$config"
    scopefs-exec -c "$config" "$scope" true
    rm -f "$(runtime_folder)/.$scope".audit*
    echo hello >file
}

stop_servers() {
    kill "${servers[@]}"
    wait "${servers[@]}" 2>/dev/null
}

# Runs curl in the sandbox, and prints what it got or why not.
fetch() { in_sandbox curl -sS --max-time 20 "$@" 2>&1; }

# Sends bytes to the proxy and prints what comes back, or the names of headers of a program's own.
raw() { # TEXT, as Perl has it in quotes
    in_sandbox perl -e 'use IO::Socket::INET;
        my $proxy = IO::Socket::INET->new("127.0.0.1:3128") or die $!;
        $SIG{PIPE} = "IGNORE";
        print $proxy eval qq("$ARGV[0]");
        $proxy->shutdown(1) if $ARGV[1];
        local $/; print readline $proxy' "$@"
}

# An index of one package, as PyPI serves it.
make_index() {
    mkdir -p simple/demo
    python3 - <<'END'
import zipfile
with zipfile.ZipFile("simple/demo/demo-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("demo.py", "answer = 42\n")
    wheel.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
    wheel.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("demo-1.0.dist-info/RECORD", "")
END
}

# pip out of the wheel that virtual environments are made with.
pip_install() { # HOST:PORT
    sandbox_shell "exec /usr/bin/python3 \$(echo /usr/share/python-wheels/pip-*.whl)/pip install --quiet --no-cache-dir \
        --disable-pip-version-check --no-input --retries 0 --timeout 20 --target /workspace/output/packages \
        --index-url http://$1/simple --trusted-host ${1%:*} demo 2>&1"
}

packages() {
    make_network 127.0.0.1:%PORT localhost:%PORT
    make_index
    like "pip gets nothing where it may not" "$(pip_install "localhost:$other")" "403 Forbidden|No matching distribution"
    fails "so that nothing is installed" test -e source/output/packages/demo.py
    run pip_install "localhost:$port"
    is "pip installs from an index that is named" "$status:$output" 0:
    is "what is there" "$(sandbox_shell 'PYTHONPATH=output/packages exec /usr/bin/python3 -c "import demo; print(demo.answer)"')" 42
    stop_servers
}

programs() {
    make_network 127.0.0.1:%PORT localhost:%PORT
    is "a host that is named is reached" "$(fetch "http://127.0.0.1:$port/file")" hello
    is "by its name, too" "$(fetch "http://localhost:$port/file")" hello
    is "through a tunnel" "$(fetch --proxytunnel "http://localhost:$port/file")" hello
    is "and by SOCKS" "$(fetch --socks5-hostname 127.0.0.1:3128 "http://localhost:$port/file")" hello
    is "with an address, too" "$(fetch --socks5 127.0.0.1:3128 "http://127.0.0.1:$port/file")" hello
    like "another port is refused" "$(fetch "http://127.0.0.1:$other/file")" \
        "127.0.0.1:$other: no network-allow covers it"
    like "in a tunnel" "$(fetch --proxytunnel "http://127.0.0.1:$other/file")" "403"
    like "and by SOCKS" "$(fetch --socks5 127.0.0.1:3128 "http://127.0.0.1:$other/")" "\(2\)"
    like "so is another host" "$(fetch http://example.invalid/)" "no network-allow covers it"
    like "without the proxy there is none" "$(fetch --noproxy '*' "http://127.0.0.1:$port/file")" "[Cc]onnect"
    like "and no name is resolved" "$(fetch --noproxy '*' http://example.invalid/)" "resolve host"
    fails "not even one of the host's own" in_sandbox getent hosts "$(hostname)"
    git init -q repository && git -C repository commit -q --allow-empty -m first &&
        git -C repository update-server-info
    ok "git clones" in_sandbox git clone -q "http://localhost:$port/repository/.git" /tmp/clone
    ok "Python's library and what builds on it read the variables" in_sandbox python3 -c \
        "import urllib.request as r; assert r.urlopen('http://localhost:$port/file').read() == b'hello\n'"
    if command -v npm >/dev/null; then
        mkdir package
        echo '{"name": "package", "versions": {}, "dist-tags": {}, "time": {}}' >package/index.html
        in_sandbox npm view --registry "http://localhost:$port/echo/" package >npm.out 2>&1
        unlike "npm reaches its registry" "$(<npm.out)" "ECONNREFUSED|ENOTFOUND|EAI_AGAIN|403"
    else
        skip "npm is not installed" "npm reaches its registry"
    fi
    stop_servers
}

tricks() {
    make_network 127.0.0.1:%PORT "*.example.invalid"
    local host
    for host in 0x7f.1 0x7f000001 2130706433 127.1 017700000001 127.0.0.1. 0 0.0.0.0 127.0.0.2 \
        localhost '[::1]' '[::]' '[::ffff:127.0.0.2]' '127.0.0.1@example.invalid'; do
        like "$host is not the address that is named" "$(raw "CONNECT $host:$port HTTP/1.1\r\n\r\n")" "^HTTP/1.1 40[03] "
    done
    for host in 127.0.0.1 '[::ffff:127.0.0.1]' '[::ffff:7f00:1]'; do
        like "$host is" "$(raw "CONNECT $host:$port HTTP/1.1\r\n\r\nGET /file HTTP/1.0\r\n\r\n")" "hello$"
    done
    like "a name that is allowed but not there is told as that" \
        "$(raw "CONNECT a.example.invalid:443 HTTP/1.1\r\n\r\n")" "^HTTP/1.1 502 .*cannot be resolved"
    like "the URI decides, not the header" \
        "$(raw "GET http://127.0.0.1:$other/file HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n\r\n")" "^HTTP/1.1 403 "
    host=$(raw "GET http://127.0.0.1:$port/echo HTTP/1.1\r\nHost: other\r\nProxy-Authorization: x\r\n\r\n")
    like "and the header is made to fit" "$host" "Host: 127.0.0.1:$port"
    unlike "nothing for the proxy is passed on" "$host" "Proxy-|other"
    like "in a tunnel the header does not matter" \
        "$(raw "CONNECT 127.0.0.1:$other HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n\r\n")" "^HTTP/1.1 403 "
    like "a second request does not go elsewhere" \
        "$(raw "GET http://127.0.0.1:$port/file HTTP/1.1\r\n\r\nGET http://127.0.0.1:$other/file HTTP/1.1\r\n\r\n" | grep -c hello)" "^[01]$"
    like "a request without a host is none" "$(raw 'GET / HTTP/1.1\r\n\r\n')" "^HTTP/1.1 400 "
    like "a head that is too long is refused" \
        "$(raw 'GET http://a/ HTTP/1.1\r\nX: @{[q(x) x 20000]}\r\n\r\n' 2>&1)" "^HTTP/1.1 431 "
    is "one that ends early gets nothing" "$(raw 'CONNECT 127' 1)" ""
    is "half-closed connections are served" \
        "$(raw "CONNECT 127.0.0.1:$port HTTP/1.1\r\n\r\nGET /file HTTP/1.0\r\n\r\n" 1 | tail -n 1)" hello
    is "clients that say nothing keep nobody from it" "$(in_sandbox perl -e 'use IO::Socket::INET;
        my @slow = map { my $s = IO::Socket::INET->new("127.0.0.1:3128") or die $!; print $s "G"; $s } 1 .. 40;
        system "curl", "-sS", "http://127.0.0.1:$ARGV[0]/file"' "$port")" hello
    head -c 5000000 /dev/urandom >large
    is "much is moved whole" "$(fetch "http://127.0.0.1:$port/large" | cksum)" "$(cksum <large)"
    stop_servers
}

told() {
    make_network 127.0.0.1:%PORT
    run scopefs-exec -c "$config" --json "$scope" sh -c \
        'for i in 1 2 3; do curl -sS http://example.invalid:81/; done; curl -s http://10.0.0.1/'
    like "what was refused is in the result" "$output" \
        '"refused_connections":\[\{"host":"example.invalid","port":81,"reason":"no network-allow covers it","times":3\},\{"host":"10.0.0.1","port":80,'
    run scopefs log "$scope"
    like "and in the log of the scope" "$output" \
        "refused a connection to example.invalid:81: no network-allow covers it \(EACCES\), user $EUID"
    is "once" "$(grep -c example.invalid <<<"$output")" 1
    run scopefs log --json "$scope"
    like "also as JSON" "$output" '"operation":"connect","path":"example.invalid:81","wanted":"network"'
    run scopefs summary "$scope"
    like "the summary has it" "$output" "1  10.0.0.1:80: no network-allow covers it"
    run scopefs learn "$scope"
    unlike "nothing about files is learnt from it" "$output" example
    run scopefs-exec -c "$config" --json "$scope" true
    like "nothing is told where nothing was refused" "$output" '"refused_connections":\[\]'
    stop_servers
}

confined() {
    make_network 127.0.0.1:%PORT
    run in_sandbox perl -e 'opendir D, "/proc/self/fd"; print join(" ", sort grep /\d/, readdir D)'
    is "the command has no descriptor of it" "$output" "0 1 2 3"
    run in_sandbox perl -e '@ARGV = glob "/proc/[0-9]*/comm"; print sort <>'
    is "it sees the forwarder" "$output" "bwrap
perl
scopefs-forward"
    run in_sandbox awk 'FNR > 1 { print $2, $4 }' /proc/net/tcp
    is "and its socket, nothing else" "$output" "0100007F:0C38 0A"
    is "nobody is in the network but it" "$(in_sandbox awk 'NR > 2 { print $1 }' /proc/net/dev)" "lo:"
    fails "the forwarder's descriptors are out of reach" sandbox_shell \
        'for p in /proc/[0-9]*; do grep -q forward $p/comm && exec 9<>$p/fd/3; done 2>/dev/null'
    ok "it does not mind signals to everybody" sandbox_shell \
        "trap : TERM; kill -TERM -1; curl -sS http://127.0.0.1:$port/file"
    local sandbox sandbox_PID outside
    coproc sandbox { in_sandbox sh -c 'echo up; read -r _'; }
    read -r -u "${sandbox[0]}" _
    outside=$(pgrep -f "^scopefs-network .* 127.0.0.1:$port\$")
    is "outside, one process makes the connections" "$(wc -w <<<"$outside")" 1
    is "as an ordinary user" "$(ps -o uid= -p "$outside" | tr -d ' ')" \
        "$( ((EUID == 0)) && echo 65530 || echo "$EUID")"
    like "with a filter" "$(</proc/"$outside"/status)" $'NoNewPrivs:\t1.*Seccomp:\t'"$TEST_FILTER"
    is "and without the caller's environment" "$(tr -d '\0' 2>/dev/null <"/proc/$outside/environ")" ""
    eval "exec ${sandbox[1]}>&-"
    wait "$sandbox_PID"
    fails "it ends with the command" pgrep -f "^scopefs-network .* 127.0.0.1:$port\$"
    printf 'pids = 3\n' >>"$config"
    is "it takes none of the command's processes" \
        "$(in_sandbox sh -c 'sleep 0.1 & sleep 0.1 & wait; echo all')" all
    stop_servers
}

settings() {
    make_project
    printf '\n[exec %s]\nnetwork-allow = example.org 1.2.3 *:x\n' "$scope" >>"$config"
    exits "bad patterns are refused" 125 in_sandbox true
    like "with their place" "$errors" "scopefs.ini:[0-9]+:29: error: '1.2.3' is no host to talk to: write a host's name"
    like "each" "$errors" "scopefs.ini:[0-9]+:37: error: '\*:x' is no host to talk to: a port is"
    sed -i 's/^network-allow = .*/network-allow = example.org/' "$config"
    exits "patterns without effect are refused" 125 in_sandbox true
    like "with the mend" "$errors" "no effect without the line: network = allow"
    sed -i 's/^network-allow = .*/network = allow/' "$config"
    exits "and the word without patterns" 125 in_sandbox true
    like "with the mend" "$errors" "add a line: network-allow = HOST"
}

for_each_user programs
for_each_user packages
for_each_user tricks
for_each_user told
for_each_user confined
for_each_user settings
done_testing
