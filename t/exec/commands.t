#!/bin/bash
# Which commands run: allow, deny and ask, the approver and the terminal.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

ruled() { # SETTING...
    make_project
    printf '\n[exec %s]\n' "$scope" >>"$config"
    printf '%s\n' "$@" >>"$config"
}

verdicts() {
    ruled 'deny = **' 'allow = echo' 'allow = sh' 'deny = re:secret'
    run in_sandbox echo one
    is "what is allowed runs" "$output" one
    exits "what is not is refused" 125 in_sandbox ls
    like "with the rule and its place" "$errors" "refused by .*scopefs.ini:[0-9]+: deny = \*\*; nothing was run"
    exits "an expression looks at the whole line" 125 in_sandbox echo a secret
    exits "so it is in the shell's line" 125 scopefs-exec -c "$config" -s 'echo x; ls' "$scope"
    is "nothing of which runs" "$output" ""
    exits "nothing is mounted for it" 125 in_sandbox ls
    is "or left behind" "$(leftovers)" ""
    run scopefs-exec -c "$config" --json "$scope" ls
    like "JSON has the refusal" "$output" '"exit_status":125.*"error":"the command is refused by'
    make_project
    sed -i 's/^default = read/&\npreset = dangerous/' "$config"
    exits "the preset 'dangerous' refuses" 125 in_sandbox rm -rf /
    ok "and lets the rest run" in_sandbox true
}

approver() {
    ruled 'ask = echo' "approver = $workdir/approver"
    cat >approver <<END
#!/bin/sh
cat >$workdir/question
echo considered
case \$(cat $workdir/question) in *good*) exit 0 ;; *bad*) exit 1 ;; *) exit 7 ;; esac
END
    chmod +x approver
    run in_sandbox echo "good \"x\""
    is "what the approver allows runs" "$status $output" '0 good "x"'
    is "what it prints is no output of the command" "$errors" considered
    is "it is told scope, command and rule" "$(<question)" \
        "{\"scope\":\"$scope\",\"command\":[\"echo\",\"good \\\"x\\\"\"],\"rule\":\"echo\",\"place\":\"$config:$(grep -n '^ask' "$config" | cut -d: -f1)\"}"
    exits "what it refuses does not" 125 in_sandbox echo bad
    like "as refused" "$errors" "refused by the approver"
    exits "what it fails at does not" 125 in_sandbox echo else
    like "as failed" "$errors" "failed with status 7"
    rm approver
    exits "without it, nothing to ask about runs" 125 in_sandbox echo good
    ok "it is not asked about the rest" in_sandbox true
}

# Runs a command that is asked about at a terminal, where ANSWER is typed.
answered() { # ANSWER
    local job
    rm -f keys && mkfifo keys && : >job.out
    timeout 20 script -qec "scopefs-exec -c '$config' $scope printf 'x-%s' ran" typescript <keys >job.out 2>&1 &
    job=$!
    exec 6>keys
    wait_for "grep -q 'y/N' job.out"
    echo "$1" >&6
    wait "$job"
    status=$?
    exec 6>&-
}

terminal() {
    ruled 'ask = printf'
    exits "without a terminal, nothing to ask about runs" 125 setsid -w scopefs-exec -c "$config" "$scope" printf x
    like "with the reason" "$errors" "neither an approver nor a terminal"
    answered y
    like "the terminal is asked" "$(<job.out)" "run in scope $scope: printf x-.*\[y/N\]"
    is "and its yes lets the command run" "$status $(grep -c 'x-ran' job.out)" "0 1"
    answered n
    is "its no does not" "$status $(grep -c 'x-ran' job.out)" "125 0"
    printf '#!/bin/sh\nprintf "really? y/N " >/dev/tty\nread -r word </dev/tty\n[ "$word" = y ]\n' >approver
    chmod +x approver
    ruled 'ask = printf' "approver = $workdir/approver"
    answered y
    is "an approver may ask at the terminal, too" "$status $(grep -c 'x-ran' job.out)" "0 1"
    answered n
    is "and refuse" "$status $(grep -c 'x-ran' job.out)" "125 0"
}

for_each_user verdicts
for_each_user approver
for_each_user terminal
done_testing
