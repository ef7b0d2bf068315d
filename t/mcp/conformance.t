#!/usr/bin/env bash
# The protocol's own conformance suite, over HTTP: against scopefs-mcp as it is, and with a worker in
# which the same code has the tools that the suite asks for.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=npm.sh
. "$SCOPEFS_SRCDIR/t/mcp/npm.sh"

# It is found beside the program that starts it.
make_programs() {
    mkdir programs
    (cd "$SCOPEFS_BUILDDIR" && cp -r scopefs scopefs-exec scopefs-stage2 scopefs-network scopefs-mcp presets "$workdir/programs")
    cp "$SCOPEFS_BUILDDIR/t/mcp/fixture-worker" programs/scopefs-mcp-worker
}

start() { # PROGRAM
    : >log
    "$1" -c "$config" --listen 127.0.0.1:0 --no-tokens "conformance-$$" 2>log &
    server=$!
    wait_for '[[ $(<log) == *listening* ]]'
    url=$(sed -n 's/.*listening at //p' log)/mcp/conformance-$$
}

suite() { # ARGUMENT...
    "$node" "$packages/node_modules/@modelcontextprotocol/conformance/dist/index.js" server --url "$url" -o "$workdir/results" "$@"
}

passes() { # REVISION
    ok "revision $1" suite --requirements "$1" --expected-failures "$SCOPEFS_SRCDIR/t/mcp/conformance-$1.yaml"
    like "revision $1 was tried" "$output" 'tools-call-with-progress.*: 2 passed, 0 failed'
}

new_workdir
cd "$workdir" || exit
why=$(why_no_packages)
if [[ $why ]]; then
    skip "$why" "the conformance suite"
    done_testing
fi
mkdir project && chmod a+rwx project
write_config <<END
[scope conformance-$$]
source = project
default = write
END
if install_packages; then
    make_programs
    start programs/scopefs-mcp
    passes 2025-11-25
    passes 2026-07-28
    ok "headers that repeat the message" suite --scenario http-header-validation
    like "they were tried" "$output" '14[^0-9]*passed|Passed: 14/14'
    kill "$server"
    wait "$server"
    start scopefs-mcp
    for scenario in server-initialize ping tools-list logging-set-level dns-rebinding-protection server-session-lifecycle; do
        ok "with its own tools: $scenario" suite --scenario "$scenario"
    done
    kill "$server"
    ok "the server ends" wait "$server"
else
    flunk "npm installs the suite"
fi
done_testing
