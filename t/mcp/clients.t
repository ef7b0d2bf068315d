#!/usr/bin/env bash
# Clients that others have made, and the examples. What npm installs goes into the build folder.
# shellcheck source=../lib.sh
. "${0%/*}/../lib.sh"

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

# Installs once for each lock file.
install_packages() {
    local folder sum
    sum=$(cksum <"$SCOPEFS_SRCDIR/t/mcp/npm/package-lock.json")
    folder=$SCOPEFS_BUILDDIR/npm-${sum%% *}
    packages=$folder
    [[ -e $folder/node_modules/.complete ]] && return
    mkdir -p "$folder" && cp "$SCOPEFS_SRCDIR"/t/mcp/npm/*.json "$folder" || return
    (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1) || {
        diag "$(tail -n 5 "$folder/npm.log")"
        return 1
    }
    touch "$folder/node_modules/.complete"
}

inspect() { # ARGUMENT...
    node "$packages/node_modules/@modelcontextprotocol/inspector/cli/build/cli.js" --cli \
        scopefs-mcp -c "$config" "$scope" "$@"
}

new_workdir
cd "$workdir" || exit
make_project

ok "the agent without a model does its task" "$SCOPEFS_SRCDIR/examples/mcp/agent.py" "$config" "$scope"
like "it found the cause" "$output" '/workspace/src/sum.sh:1: sum\(\)'
like "mended it" "$output" '\+sum\(\) \{ echo \$\(\(\$1 \+ \$2\)\); \}'
like "and saw that it is" "$output" 'all tests pass'
like "and was not shown what is hidden" "$output" 'read_file \{"path": ".env"\} \(failed\)'

if ! command -v npm >/dev/null; then
    skip "npm is not installed" "clients of others"
    done_testing
fi
if install_packages; then
    pass "npm installs the clients"
    cp "$SCOPEFS_SRCDIR/examples/mcp/client.mjs" "$packages"
    ok "the example with the TypeScript SDK works" node "$packages/client.mjs" "$config" "$scope"
    like "it lists" "$output" $'\nls \\{\\}: README.md \\(12 bytes\\)\noutput/\n'
    like "it is told that a secret is not there" "$output" 'read_file \{"path":".env"\} fails: not_found'
    like "it may not write everywhere" "$output" 'write_file \{"path":"README.md",[^}]*\} fails: not_permitted'
    like "it edits" "$output" $'\n-two\n\\+2\n'
    like "it follows a command" "$output" 'progress: "one\\n2\\n"'
    like "it is asked" "$output" 'asked: touch output/asked'
    unlike "it never sees the secret" "$output$errors" "TOKEN"

    ok "the Inspector lists the tools" inspect --method tools/list
    is "all of them" "$(grep -c '"inputSchema"' <<<"$output")" 18
    ok "the Inspector calls one" inspect --method tools/call --tool-name read_file --tool-arg path=README.md
    like "and shows its result" "$output" '"content": "# A project\\n"'
    ok "the Inspector sets a log level" inspect --method logging/setLevel --log-level debug
else
    flunk "npm installs the clients"
fi
done_testing
