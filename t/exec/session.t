#!/bin/bash
# Sessions: one shell for many calls.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"
. "${0%/*}/session.sh"

state_stays() {
    make_project
    run in_session 'cd output; x="a b"; f() { echo "f of $1"; }; export Y=why; alias hi="echo hello"'
    is "a session's first call runs" "$status$output$errors" 0
    is "the directory stays" "$(in_session pwd)" /workspace/output
    is "so do variables" "$(in_session 'echo "$x"')" "a b"
    is "functions" "$(in_session 'f here')" "f of here"
    is "what is exported" "$(in_session_run printenv Y)" why
    is "and aliases" "$(in_session hi)" hello
    is "a command of words may be a function" "$(in_session_run f 'two  words')" "f of two  words"
    in_session_run cd /workspace
    is "or change the directory" "$(in_session pwd)" /workspace
    in_session 'set -- one two'
    is "the words of the shell stay" "$(in_session 'echo $#')" 2
    in_session 'mkfifo /tmp/wake; { read -r line </tmp/wake; echo "$line" >/tmp/woken; } &'
    like "a job in the background goes on" "$(in_session jobs)" Running
    is "and can be waited for" "$(in_session 'echo up >/tmp/wake; wait; cat /tmp/woken')" up
    is "another session knows nothing of it" \
        "$(scopefs-exec -c "$config" --session two -s 'echo "[$x]"; pwd' "$scope")" "[]
/workspace"
    is "a command without a session neither" "$(sandbox_shell 'echo "[$x]"')" "[]"
    printf 'echo "sourced $1"; V=active; deactivate() { unset V; }\n' >source/output/activate
    in_session '. output/activate now' >/dev/null
    is "an activated environment stays" "$(in_session 'echo $V; deactivate; echo [$V]')" "active
[]"
    is "-e sets a variable that stays" "$(scopefs-exec -c "$config" --session one \
        -e "Z=it's" "$scope" -- printenv Z) $(in_session 'echo "$Z"')" "it's it's"
    is "-w enters a directory, which stays" "$(scopefs-exec -c "$config" --session one \
        -w output "$scope" -- pwd)$(in_session pwd)" /workspace/output/workspace/output
    exits "one that is not there runs nothing" 125 \
        scopefs-exec -c "$config" --session one -w nowhere "$scope" -- echo ran
    is "and says so" "$output$errors" "bash: cd: /workspace/nowhere: No such file or directory"
    close_sessions
}

streams() {
    make_project
    run in_session 'echo out; echo err >&2; exit_status() { return 7; }; exit_status'
    is "streams and status are the command's own" "$status:$output:$errors" "7:out:err"
    run in_session 'true'
    is "nothing else is in them" "$status:$output:$errors" "0::"
    run in_session 'set -x; : traced'
    is "not even when the shell traces" "$errors" "++ : traced"
    run in_session ': again; set +x'
    is "nor in the call behind" "$errors" "++ : again
++ set +x"
    in_session 'PS1="prompt> " PS2="more> " PROMPT_COMMAND="echo prompted"'
    run in_session 'echo quiet'
    is "nor when it has a prompt" "$output$errors" quiet
    in_session 'unset PROMPT_COMMAND'
    run in_session 'sleep 0 & wait'
    is "nor of jobs" "$output$errors" ""
    run in_session 'no-such-command'
    is "a command that is not there has 127" "$status" 127
    like "and the shell's message" "$errors" "no-such-command: command not found"
    run in_session 'if then'
    is "an error of syntax has 2" "$status" 2
    like "and a message with the line" "$errors" "line 1: syntax error"
    run in_session 'set -u; echo $not_there; echo not reached'
    is "an unset variable ends the line" "$status:$output" 1:
    like "with a message" "$errors" "not_there: unbound variable"
    is "but not the session" "$(in_session 'set +u; echo alive')" alive
    run in_session $'echo one\ncat <<E\ntwo\nE\necho "three'"'"$'"\n'
    is "a text may have several lines" "$output" "one
two
three'"
    is "return ends the text" "$(in_session 'return 4; echo no'; echo $?)" 4
    is "break and exec of streams do not last" "$(in_session 'break 2>/dev/null; exec >/dev/null'
        in_session 'echo seen')" seen
    is "standard input is the caller's" "$(echo given | in_session 'read -r line; echo "got $line"')" \
        "got given"
    is "what a command leaves of it is the caller's again" \
        "$(printf 'first\nsecond\n' | { in_session 'read -r line'; cat; })" second
    is "--stdin takes it from a file" "$(scopefs-exec -c "$config" --session one \
        --stdin source/readable "$scope" -- cat)" readable
    echo before >file
    { in_session 'echo one'; in_session 'echo two >&2'; } >>file 2>&1
    is "calls append to one file" "$(<file)" "before
one
two"
    run in_session 'head -c 3000000 /dev/zero'
    is "much output comes through" "$(wc -c <.stdout)" 3000000
    close_sessions
}

descriptors() {
    make_project
    in_session true
    # In the command, and in the shell itself: what it has beyond the standard three are the pipe that
    # it reads, its text and /dev/null.
    is "a command has the standard three, and what it opened" \
        "$(in_session_run ls -C /proc/self/fd)" "0  1  2  3"
    run in_session 'ls -l /proc/$$/fd | sed -n "s/.* [0-9]* -> //p" | sort -u | grep -v pipe:'
    unlike "the shell has nothing of the host's" "$output" "/(run|home|root)/"
    # Its reader sees the end when the call returns, although the shell lives on.
    ok "a pipe is at its end when the call has returned" \
        bash -c 'timeout 10 cat < <(scopefs-exec -c "$0" --session one -s "echo x" "$1")' \
        "$config" "$scope"
    mkfifo ends
    in_session '(while sleep 0.01; do :; done) </dev/null >/dev/null 2>&1 &' >ends &
    ok "also when a shell in the background has let go of it" timeout 10 cat ends
    wait $!
    in_session 'mkfifo /tmp/go; { read -r line </tmp/go; echo late; } &' >ends 2>/dev/null &
    exec 7<ends
    wait $!
    in_session 'echo >/tmp/go'
    read -r -t 10 line <&7
    is "a job in the background may keep it" "$line" late
    exec 7<&-
    # A writer is told when nobody reads any more.
    is "nor is standard input kept" "$( (trap '' PIPE
        in_session true < <(while echo y 2>/dev/null; do :; done; echo ended >writer))
        wait_for '[[ -s writer ]]' && cat writer)" ended
    # Sockets cannot be opened by name.
    is "standard output may be a socket" "$(perl -MSocket -e '
        socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC;
        if (!fork) { open STDOUT, ">&", $theirs; close $ours; exec @ARGV }
        close $theirs; wait; print <$ours>' \
        scopefs-exec -c "$config" --session one "$scope" -- echo through)" through
    is "so it may be one that only its owner can open" "$(umask 077; in_session 'echo x' >mine; cat mine)" x
    close_sessions
}

ends_of_a_shell() {
    make_project
    run in_session 'x=1; exit 5'
    is "exit gives its status" "$status:$output:$errors" "5::"
    is "and ends the session" "$(in_session 'echo "[$x]"')" "[]"
    exits "so does exec" 3 in_session 'exec sh -c "exit 3"'
    is "which begins anew" "$(in_session 'echo fresh')" fresh
    run in_session 'set -e; false; echo not reached'
    is "a failure under set -e ends it" "$status:$output" 1:
    in_session 'set -e; keep=1'
    is "set -e lasts for one call" "$(in_session 'false; echo "on $keep"')" "on 1"
    in_session 'trap "echo bye >/workspace/output/trap" EXIT'
    close_sessions
    is "a trap at the exit runs when the session is closed" "$(<source/output/trap)" bye
    exits "a shell that kills itself gives 128+n" 137 in_session 'kill -KILL $$'
    ok "and nothing is left of it" wait_for '[[ -z $(session_processes)$(leftovers) ]]'
    exits "nothing to close has status 1" 1 close_sessions
}

time_limit() {
    make_project
    printf '\n[exec %s]\ntimeout = 5m\nkill-after = 300ms\n' "$scope" >>"$config"
    in_session 'x=kept; sleep 986 &'
    exits "a call's time ends it with 124" 124 \
        scopefs-exec -c "$config" --session one -t 200ms -s 'sleep 987; echo next' "$scope"
    is "and not the session" "$(in_session 'echo $x')" kept
    is "the rest of the line is not run" "$(grep -c next .stdout)" 0
    like "older jobs live on" "$(in_session jobs)" "sleep 986"
    unlike "and the command does not" "$(in_session 'ps -ef || cat /proc/[0-9]*/cmdline')" "987"
    exits "a loop of the shell's own is ended, too" 124 \
        scopefs-exec -c "$config" --session one -t 200ms -s 'while :; do :; done' "$scope"
    exits "one that goes from command to command" 124 \
        scopefs-exec -c "$config" --session one -t 200ms -s 'while sleep 0.01; do f=1; done' "$scope"
    exits "one in a function in a loop" 124 scopefs-exec -c "$config" --session one -t 200ms -s \
        'g() { sleep 1; }; f() { for i in 1 2 3 4 5; do g; done; }; while :; do f; done' "$scope"
    exits "a builtin that waits for input" 124 bash -c \
        'mkfifo quiet; scopefs-exec -c "$0" --session one -t 200ms -s "read -r line" "$1" <>quiet' "$config" "$scope"
    exits "a job that is waited for" 124 \
        scopefs-exec -c "$config" --session one -t 200ms -s 'sleep 9 & wait' "$scope"
    exits "what ignores SIGTERM is killed" 124 scopefs-exec -c "$config" --session one -t 200ms -s \
        '(trap "" TERM INT; while :; do sleep 0.1; done)' "$scope"
    exits "a process in a session of its own, too" 124 scopefs-exec -c "$config" --session one \
        -t 200ms -s 'setsid -w sleep 988' "$scope"
    is "after all that the session is the same" "$(in_session 'echo $x')" kept
    is "a command may clean up at SIGTERM" "$(scopefs-exec -c "$config" --session one -t 200ms \
        "$scope" -- perl -e '$SIG{TERM} = sub { print "cleaned\n"; exit }; sleep 9')" cleaned
    exits "a shell that heeds nothing is ended itself" 124 scopefs-exec -c "$config" --session one \
        -t 200ms -s 'trap "" INT PWR; while :; do :; done' "$scope"
    like "which is said" "$errors" "session one was ended with the command: its shell did not come back"
    is "the next call has a new one" "$(in_session 'echo "[$x]"')" "[]"
    exits "a limit that is not reached changes nothing" 6 \
        scopefs-exec -c "$config" --session one -t 1h -s '(exit 6)' "$scope"
    close_sessions
}

callers_end() {
    make_project
    printf '\n[exec %s]\nkill-after = 300ms\n' "$scope" >>"$config"
    # A background job of this shell ignores SIGINT, its sessions do not.
    (in_session 'x=kept') &
    wait $!
    local signal
    for signal in INT:130 TERM:143 HUP:129; do
        start_call -s 'echo ready; sleep 981; echo next' "$scope"
        wait_for 'grep -q ready call.out'
        kill "-${signal%:*}" "$job"
        wait_for_call
        is "SIG${signal%:*} to the caller ends the command" "$status:$(<call.out)" "${signal#*:}:ready"
        is "and not the session" "$(in_session 'echo $x')" kept
    done
    start_call -s 'perl -e '\''$| = 1; $SIG{USR1} = sub { print "heard\n"; exit 3 }; print "ready\n"; sleep 9'\' "$scope"
    wait_for 'grep -q ready call.out'
    kill -USR1 "$job"
    wait_for_call
    is "a command may handle a signal" "$status:$(tr '\n' ' ' <call.out)" "3:ready heard "
    start_call -s 'echo ready; sleep 982; touch output/went-on' "$scope"
    wait_for 'grep -q ready call.out'
    kill -KILL "$job"
    wait_for_call
    is "a caller that is killed ends its command" "$(in_session 'echo $x; grep -l 98[2] /proc/[0-9]*/cmdline')" kept
    fails "which does not go on" test -e source/output/went-on
    close_sessions
}

turns() {
    local number jobs=()
    make_project
    in_session 'log=; mkfifo /tmp/gate'
    # One that holds the session, then five in a known order.
    start_call -s 'read -r line </tmp/gate' "$scope"
    wait_for '[[ $(list_sessions) == *\"busy\":true* ]]'
    for number in 1 2 3 4 5; do
        in_session "log=\${log}$number" &
        jobs+=($!)
        wait_for "[[ \$(list_sessions) == *\\\"waiting\\\":$number,* ]]"
    done
    is "callers wait for their turn" "$(list_sessions | grep -o '"waiting":[0-9]*')" '"waiting":5'
    exits "a limit of time holds for waiting, too" 124 \
        scopefs-exec -c "$config" --session one -t 100ms -s 'log=${log}x' "$scope"
    like "which is said" "$errors" "before the session had a turn"
    (exec scopefs-exec -c "$config" --session one -s 'log=${log}y' "$scope") &
    local impatient=$!
    wait_for '[[ $(list_sessions) == *\"waiting\":6* ]]'
    kill -TERM "$impatient"
    wait "$impatient"
    is "one who waits can be ended" "$?" 143
    scopefs-exec -c "$config" --session other -s true "$scope"
    is "another session waits for nobody" "$?" 0
    # The command that holds the session is ended by its caller; the others then have their turns.
    kill -TERM "$job"
    wait_for_call
    wait "${jobs[@]}"
    is "and have it in the order in which they came" "$(in_session 'echo $log')" 12345
    jobs=()
    for number in {1..20}; do
        in_session "echo $number; echo e$number >&2; (exit $number)" >"out.$number" 2>"err.$number" &
        jobs+=($!)
    done
    local wrong=
    for number in {1..20}; do
        wait "${jobs[number - 1]}"
        [[ $?:$(<"out.$number"):$(<"err.$number") == "$number:$number:e$number" ]] || wrong+=" $number"
    done
    is "of twenty at once each has its own output and status" "$wrong" ""
    close_sessions
    jobs=()
    for number in 1 2 3 4 5 6; do
        in_session 'count=$((count + 1))' &
        jobs+=($!)
    done
    wait "${jobs[@]}"
    is "callers that come together start one session" "$(in_session 'echo $count')" 6
    close_sessions
    ok "and nothing is left" wait_for '[[ -z $(session_processes)$(leftovers) ]]'
}

results() {
    make_project
    printf '\n[exec %s]\nmax-output = 10\ndeny = rm *\ndeny = sh -c *forbidden*\n' "$scope" >>"$config"
    local json=(scopefs-exec -c "$config" --json --session one)
    run "${json[@]}" -s 'echo out; echo err >&2; exit() { return 1; }; (builtin exit 3)' "$scope"
    is "--json tells the same" "$status $(field exit_status) $(field stdout) $(field stderr)" \
        "3 3 out err"
    is "and the session, which is new" "$(field session.name) $(field session.new)" "one true"
    run "${json[@]}" -s 'printf 01234567890' "$scope"
    is "or not" "$(field session.new)" false
    is "what is too long is cut" "$(field stdout) $(field stdout_truncated) $(field stdout_size)" \
        "0123456789 true 11"
    run "${json[@]}" -s 'sleep 0.05; perl -e "1 while times < 0.05"' "$scope"
    ok "its time is measured" perl -e 'die "@ARGV" unless $ARGV[0] > 0.09 && $ARGV[0] < 30 && $ARGV[1] > 0' \
        "$(field duration)" "$(field cpu_time)"
    run "${json[@]}" -t 100ms -s 'sleep 9' "$scope"
    is "a time-out is told" "$status $(field timed_out) $(field session.ended)" "124 true false"
    run "${json[@]}" -s 'sleep 983 & echo started' "$scope"
    is "a job that keeps the output does not keep the call" "$(field stdout)" started
    run "${json[@]}" -s 'builtin exit 2' "$scope"
    is "and the session's end" "$status $(field session.ended)" "2 true"
    run "${json[@]}" "$scope" -- rm -r output
    is "what is denied is denied in a session" "$status $(field refused)" "125 true"
    like "with the rule" "$(field error)" "deny = rm"
    exits "a line, too" 125 in_session 'echo forbidden'
    run bash -c '"${@:2}" 3>"$1"' - report scopefs-exec -c "$config" --report 3 --session one \
        -s 'echo out; (exit 9)' "$scope"
    output=$output$(<report)
    like "--report tells it as well" "$output" '^out\{"scope".*"exit_status":9,.*"session":'
    close_sessions
}

list_and_close() {
    make_project
    printf '\n[exec %s]\nsessions = 2\nsession-idle = 300ms\n' "$scope" >>"$config"
    in_session true
    ok "a session that nobody uses ends" wait_for '[[ -z $(session_processes) ]]'
    is "and is listed no more" "$(list_sessions)" ""
    sed -i 's/^session-idle.*/session-idle = 1h/' "$config"
    in_session true
    run list_sessions
    is "a session is listed" "$(field name) $(field scope) $(field calls) $(field busy)" \
        "one $scope 1 false"
    like "with its process" "$(session_processes)" "(^|[[:space:]])$(field pid)($|[[:space:]])"
    is "and its file" "$(field config)" "$(realpath "$config")"
    is "what runs in the view is told to others" \
        "$(grep -x 'session = .*' "$(runtime_folder)/.sandboxes/$(field pid)")" "session = one"
    scopefs-exec -c "$config" --session two -s true "$scope"
    exits "there are no more than the scope allows" 125 \
        scopefs-exec -c "$config" --session three -s true "$scope"
    like "which is said" "$errors" "has 2 sessions already"
    # shellcheck disable=SC1090 # a copy that the user can read
    like "completion offers their names" "$(. "$TEST_COMPLETION"
        COMP_WORDS=(scopefs-exec session close "$scope" '') COMP_CWORD=4 COMPREPLY=()
        _scopefs; echo "${COMPREPLY[*]}")" "one two"
    like "people get a table" "$(scopefs-exec session list "$scope")" "SCOPE.*$scope +one .*$scope +two "
    ok "one can be closed" scopefs-exec session close "$scope" two
    is "which leaves the other" "$(list_sessions | wc -l)" 1
    start_call -s 'echo ready; sleep 985' "$scope"
    wait_for 'grep -q ready call.out'
    ok "also while it runs a command" close_sessions
    wait_for_call
    like "whose caller is told" "$status $(<call.err)" "session one was ended with the command: it was closed"
    fails "that command has ended" pgrep -f "^sleep 985"
    exits "a name must be one" 125 scopefs-exec -c "$config" --session ../x "$scope" -- true
    exits "there are no other words" 125 scopefs-exec session destroy
    ok "list explains itself" scopefs-exec session list --help
    is "nothing is left" "$(leftovers)$(compgen -G "$(runtime_folder)/.sessions/$scope@*")" ""
}

limits() {
    make_project
    printf '\n[exec %s]\nmemory = 100M\nopen-files = 60\n' "$scope" >>"$config"
    run in_session 'x=kept; ulimit -n'
    is "limits hold for a session, also one below its own descriptors" "$output" 60
    local group=$errors
    run in_session 'ulimit -n'
    is "what cannot be held is said once" "$errors" ""
    run in_session 'perl -e '\''$x = "x" x 300_000_000; print length $x'\'
    is "what takes too much memory does not get it" "$output" ""
    if [[ -z $group ]]; then
        is "and is killed" "$status" 137
        like "which is said" "$errors" "out of memory: the kernel killed 1 process"
    else
        like "where there is no control group, that is said" "$group" "no control group to hold memory"
        ok "and the program is told" test "$status" -ne 0
    fi
    is "the session goes on" "$(in_session 'echo $x')" kept
    close_sessions
}

networks() {
    make_project
    printf '\n[exec %s]\nnetwork = allow\nnetwork-allow = example.org\npids = 50\n' "$scope" >>"$config"
    is "a session may have a network that its scope names" \
        "$(in_session 'echo $http_proxy; exec 5<>/dev/tcp/127.0.0.1/3128; printf "CONNECT localhost:1 HTTP/1.1\r\n\r\n" >&5; head -n 1 <&5 | cut -d" " -f2' 2>/dev/null)" \
        "http://127.0.0.1:3128
403"
    in_session 'exec 5<>/dev/tcp/127.0.0.1/3128; printf "CONNECT earlier:1 HTTP/1.1\r\n\r\n" >&5; cat <&5 >/dev/null'
    run scopefs-exec -c "$config" --json --session one -s 'for i in 1 2; do
        exec 5<>/dev/tcp/127.0.0.1/3128; printf "CONNECT here:1 HTTP/1.1\r\n\r\n" >&5; cat <&5 >/dev/null; done' "$scope"
    like "--json tells what was refused during the call, and nothing else" "$output" \
        '"refused_connections":\[\{"host":"here","port":1,"reason":"no network-allow covers it","times":2\}\]'
    run scopefs-exec -c "$config" --json --session one "$scope" -- true
    like "or that nothing was" "$output" '"refused_connections":\[\]'
    is "whose proxy holds nothing of it" "$(in_session 'place=$(grep -l scopefs-forward /proc/[0-9]*/comm)
        ls -l "${place%/comm}/fd" | grep -cv "socket:\|/dev/null\|total"')" 0
    sed -i 's/example.org/example.net/' "$config"
    run in_session 'true'
    like "other names end it" "$errors" "begins anew: the scope has changed"
    close_sessions
}

other_shells() {
    make_project
    mkdir -p image/etc image/var image/bin image/usr/bin
    # An image without bash: dash with what it needs.
    cp /bin/dash image/bin/sh
    cp /bin/cat /bin/sleep /usr/bin/env image/bin/
    local library
    for library in $(ldd image/bin/* "$(command -v scopefs-stage2)" | grep -oE '/[^ ]+\.so[^ ]*' | sort -u); do
        mkdir -p "image${library%/*}"
        cp -L "$library" "image$library"
    done
    chmod -R a+rX image
    printf '\n[exec %s]\nrootfs = image\nkill-after = 300ms\n' "$scope" >>"$config"
    in_session 'cd output; x=1; f() { echo "f $1"; }'
    is "sh does, too" "$(in_session 'pwd; echo $x; f y')" "/workspace/output
1
f y"
    run in_session 'echo out; echo err >&2; (exit 3)'
    is "with streams and status of its own" "$status:$output:$errors" "3:out:err"
    is "and standard input" "$(echo in | in_session cat)" in
    run in_session 'if then'
    is "an error of syntax ends the line" "$status" 2
    run in_session 'echo ${nothing:?is missing}'
    is "so does an unset variable" "$status" 2
    is "but not the session" "$(in_session 'echo $x')" 1
    exits "its commands end in time" 124 \
        scopefs-exec -c "$config" --session one -t 200ms -s 'sleep 9; echo next' "$scope"
    is "and nothing follows them" "$output" ""
    exits "so do its loops" 124 \
        scopefs-exec -c "$config" --session one -t 200ms -s 'while :; do :; done' "$scope"
    is "and it stays" "$(in_session 'echo $x')" 1
    exits "until it exits" 4 in_session 'exit 4'
}

TEST_COMPLETION=$(shared_copy "$SCOPEFS_SRCDIR/system/completion/scopefs")
export TEST_COMPLETION
for body in state_stays streams descriptors ends_of_a_shell time_limit callers_end turns results list_and_close \
    limits networks other_shells; do
    for_each_user "$body"
done
done_testing
