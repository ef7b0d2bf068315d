#!/usr/bin/env bash
# Clients that others have made, and the examples. What npm installs goes into the build folder.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=npm.sh
. "$SCOPEFS_SRCDIR/t/mcp/npm.sh"

make_project() {
    mkdir -p "$workdir"/project/{src,output}
    echo "# A project" >"$workdir/project/README.md"
    echo "TOKEN=secret" >"$workdir/project/.env"
    # shellcheck disable=SC2016 # text of a script
    echo 'sum() { echo $(($1 - $2)); }' >"$workdir/project/src/sum.sh"
    cat >"$workdir/project/test.sh" <<'END'
. src/sum.sh
[ "$(sum 2 3)" = 5 ] || { echo "FAIL: sum 2 3"; exit 1; }
echo "all tests pass"
END
    chmod -R a+rwX "$workdir/project"
    scope=clients-$$
    write_config <<END
[scope $scope]
source = project
preset = agent-safe

[rules $scope]
write = /src/

[exec $scope]
ask = touch
END
}

inspect() { # SERVER... -- ARGUMENT...: the Inspector's settings stay in the work folder
    local target=()
    while [[ $1 != -- ]]; do
        target+=("$1")
        shift
    done
    MCP_CATALOG_PATH=$workdir/catalog.json "$node" \
        "$packages/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js" --cli \
        "${target[@]}" "${@:2}"
}

try_inspector() { # TRANSPORT SERVER...
    local transport=$1
    shift
    ok "the Inspector lists the tools over $transport" inspect "$@" -- --method tools/list
    is "all of them" "$(grep -c '"inputSchema"' <<<"$output")" 18
    ok "the Inspector calls one" inspect "$@" -- --method tools/call --tool-name read_file --tool-arg path=README.md
    like "and shows its result" "$output" '"content": "# A project\\n"'
    ok "the Inspector sets a log level" inspect "$@" -- --method logging/setLevel --log-level debug
}

try_example() { # TRANSPORT ARGUMENT...
    ok "the example with the TypeScript SDK works over $1" node "$packages/client.mjs" "${@:2}"
    like "it lists" "$output" $'\nls \\{\\}: README.md \\(12 bytes\\)\noutput/\n'
    like "it is told that a secret is not there" "$output" 'read_file \{"path":".env"\} fails: not_found'
    like "it may not write everywhere" "$output" 'write_file \{"path":"README.md",[^}]*\} fails: not_permitted'
    like "it edits" "$output" $'\n-two\n\\+2\n'
    like "it follows a command" "$output" 'progress: "one\\n2\\n"'
    like "it is asked" "$output" 'asked: touch output/asked'
    unlike "it never sees the secret" "$output$errors" "TOKEN"
    rm -rf project/output/*
}

new_workdir
cd "$workdir" || exit
make_project

ok "the agent without a model does its task" "$SCOPEFS_SRCDIR/examples/mcp/agent.py" "$config" "$scope"
like "it found the cause" "$output" '/workspace/src/sum.sh:1: sum\(\)'
like "mended it" "$output" '\+sum\(\) \{ echo \$\(\(\$1 \+ \$2\)\); \}'
like "and saw that it is" "$output" 'all tests pass'
like "and was not shown what is hidden" "$output" 'read_file \{"path": ".env"\} \(failed\)'

why=$(why_no_packages)
if [[ $why ]]; then
    skip "$why" "clients of others"
    done_testing
fi
if install_packages; then
    pass "npm installs the clients"
    cp "$SCOPEFS_SRCDIR/examples/mcp/client.mjs" "$packages"
    try_example "standard input and output" "$config" "$scope"
    try_inspector "standard input and output" scopefs-mcp -c "$config" "$scope"

    scopefs-mcp --make-token "$scope" >made
    sed -n 's/^line.*: *sha256/sha256/p' made >tokens && chmod 600 tokens
    SCOPEFS_TOKEN=$(sed -n 's/^token.*: *//p' made)
    export SCOPEFS_TOKEN
    : >log
    scopefs-mcp -c "$config" --listen 127.0.0.1:0 --tokens tokens 2>log &
    server=$!
    wait_for '[[ $(<log) == *listening* ]]'
    url=$(sed -n 's/.*listening at //p' log)/mcp/$scope
    try_example HTTP "$url"
    try_inspector HTTP "$url" --transport http --header "Authorization: Bearer $SCOPEFS_TOKEN"
    kill "$server"
    ok "the server ends" wait "$server"
else
    flunk "npm installs the clients"
fi
done_testing
