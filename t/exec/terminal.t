#!/bin/bash
# Sessions at a terminal: one of their own, and the caller's that a call is lent.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"
. "${0%/*}/session.sh"

# Attaches at a terminal of 33 lines of 77 characters; what is typed goes to descriptor 6.
attach() {
    : >screen
    rm -f keys
    mkfifo keys
    script -qec "stty rows 33 cols 77; exec scopefs-exec -c '$config' --session one --tty $scope" \
        /dev/null <keys >screen 2>&1 &
    job=$!
    exec 6>keys
}

type_keys() { printf '%b' "$1" >&6; }

sees() { # NAME REGEX
    ok "$1" wait_for "grep -qE '$2' screen"
}

leave() {
    wait_for_call
    exec 6>&-
}

# Runs shell text at a terminal of 33 lines of 77 characters; what is typed goes to descriptor 6. "call"
# is a call of the session.
at_terminal() { # TEXT
    : >screen
    rm -f keys
    mkfifo keys
    {
        printf 'call() { scopefs-exec -c %q --session one -s "$1" %q; }\n' "$config" "$scope"
        echo 'stty rows 33 cols 77'
        echo "$1"
    } >text
    # Otherwise bash would have it ignore SIGINT.
    set -m
    script -qec "bash $workdir/text" /dev/null <keys >screen 2>&1 &
    job=$!
    set +m
    exec 6>keys
}

lent_terminals() {
    make_project
    at_terminal "call 'test -t 0 && test -t 1 && test -t 2 && echo at a terminal; stty size; (exit 3)'; echo \"is \$?\"
        stty -a >after"
    leave
    is "a call at a terminal is at one" "$(tr -d '\r' <screen)" $'at a terminal\n33 77\nis 3'
    like "which is afterwards as it was" "$(<after)" 'isig icanon iexten echo '
    # A job keeps what it can: its keys, and the screen.
    at_terminal 'call "exec 7<&0 8>&1; { read -r keys <&7; echo \"[\$keys]\" >output/stolen; echo forged >&8; echo over >output/over; } &"
        echo waiting; read -r line; echo "got $line"'
    sees "a job stays in the background" waiting
    wait_for '[[ -e source/output/over ]]'
    type_keys 'password\n'
    sees "what is typed behind the call" 'got password'
    leave
    is "is not for it" "$(<source/output/stolen)" "[]"
    unlike "nor is the screen" "$(<screen)" forged
    at_terminal 'call "echo ask; read -r line; echo \"line \$line\"; cat; echo ended"; echo "is $?"'
    sees "what asks" ask
    type_keys 'one\n'
    sees "lines are passed on" 'line one'
    type_keys 'two\n\004'
    sees "and the end" ended
    leave
    is "each was shown once" "$(tr -d '\r' <screen | grep -vF '^D')" \
        $'ask\none\nline one\ntwo\ntwo\nended\nis 0'
    at_terminal 'call "stty -echo; echo ready; read -r line; stty echo; echo \"line \$line\"; read -r line"
        echo "status $?"; stty -a >after'
    sees "what is asked without an echo" ready
    type_keys 'unseen\n'
    sees "is passed on" 'line unseen'
    is "and not shown" "$(grep -c unseen screen)" 1
    type_keys '\003'
    leave
    like "Ctrl-C ends a call" "$(<screen)" 'status 130'
    like "and the terminal is as it was" "$(<after)" 'isig icanon iexten echo '
    at_terminal 'call "stty raw; echo ready; head -c 1 | od -An -c; stty -raw"; stty -a >after'
    sees "single keys" ready
    type_keys '\003'
    sees "are passed on, all of them" '003'
    leave
    like "and the terminal is as it was, too" "$(<after)" 'isig icanon iexten echo '
    at_terminal 'echo piped | call "cat; test -t 1 && ! test -t 0 && seq 20000"'
    leave
    is "all that is printed is shown" "$(tr -d '\r' <screen)" "piped
$(seq 20000)"
    close_sessions
}

terminals() {
    make_project
    attach
    sees "a session may have a terminal" '\$ $'
    type_keys 'x=kept; echo "size $(stty size)"; tty\n'
    sees "of the size of the caller's" 'size 33 77'
    sees "and of its own" '^/dev/pts/0'
    type_keys 'sleep 989\n'
    wait_for 'pgrep -f "^sleep 989" >/dev/null'
    type_keys '\003'
    wait_for '! pgrep -f "^sleep 989" >/dev/null && [[ $(tail -n 1 screen) == *"$ " ]]'
    type_keys 'echo "interrupted $?"\n'
    sees "Ctrl-C ends a command" 'interrupted 130'
    type_keys 'sleep 989\n'
    wait_for 'pgrep -f "^sleep 989" >/dev/null'
    type_keys '\032'
    sees "Ctrl-Z stops one" 'Stopped'
    type_keys 'kill %1; f() { echo "f of $x"; }; cd output\n'
    exits "while it is in use nobody else gets it" 125 \
        scopefs-exec -c "$config" --session one --tty "$scope"
    like "which is said" "$errors" "its terminal is in use"
    exits "nor is it one for calls" 125 in_session 'true'
    like "which is said, too" "$errors" "reached by --tty alone"
    type_keys 'sleep 0.3; echo "past $x"\n'
    type_keys '\034'
    leave
    is "Ctrl-\\ leaves it" "$status" 0
    like "which is told" "$(<screen)" "session one goes on"
    is "it is listed" "$(list_sessions | grep -o '"busy":[a-z]*')" '"busy":false'
    wait_for '[[ ! $(pgrep -f "^sleep 0.3") ]]'
    attach
    sees "what was printed in the meantime is shown" 'past kept'
    type_keys 'f; pwd\n'
    sees "functions and variables stay" 'f of kept'
    sees "and the directory" '^/workspace/output'
    kill -KILL "$(pgrep -f "^scopefs-exec -c $config --session one --tty")"
    leave
    attach
    type_keys 'echo "still $x"; exit 5\n'
    leave
    is "it goes on when its caller is killed, and ends with its shell" "$status" 5
    like "where it was" "$(<screen)" "still kept"
    ok "nothing is left" wait_for '[[ -z $(session_processes)$(leftovers) ]]'
    is "it takes commands without a terminal, too" \
        "$(printf 'echo "sum $((1 + 2))"\n' | scopefs-exec -c "$config" --session one --tty "$scope" | grep -o 'sum 3')" \
        "sum 3"
    attach
    sees "what reads nothing" '\$ $'
    type_keys 'stty raw -echo; sleep 991; stty sane\n'
    wait_for 'pgrep -f "^sleep 991" >/dev/null'
    head -c 50000 /dev/zero | tr '\0' x >&6
    type_keys '\034'
    ok "does not keep its owner from leaving" wait_for 'grep -q "session one goes on" screen'
    leave
    close_sessions
    attach
    sees "one that is closed" '\$ $'
    ok "ends at once" close_sessions
    leave
    like "which is said to who is attached" "$(<screen)" "session one has ended: it was closed"
    in_session true
    exits "a session for calls has no terminal" 125 \
        scopefs-exec -c "$config" --session one --tty "$scope"
    close_sessions
    exits "--tty needs a session" 125 scopefs-exec -c "$config" --tty "$scope"
    exits "and no command" 125 scopefs-exec -c "$config" --session one --tty "$scope" -- true
}

for body in lent_terminals terminals; do
    for_each_user "$body"
done
done_testing
