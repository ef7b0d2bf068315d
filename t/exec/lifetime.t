#!/bin/bash
# From a command's start to its end: the time limit, signals, what it leaves in the background, and the
# view that is mounted for it.
. "${0%/*}/../lib.sh"
. "${0%/*}/common.sh"

# A shell that is not interactive starts background jobs with SIGINT ignored; this one does not.
start_job() { # COMMAND...
    : >job.out
    set -m
    "$@" </dev/null >job.out 2>job.err &
    job=$!
    set +m
}

# Sandboxed commands carry a mark in their arguments, by which the host finds them.
marked_processes() { pgrep -f "sleep 98[0-9]$$"; }

wait_for_job() {
    # bash would report a killed job by itself.
    wait "$job" 2>/dev/null
    status=$?
}

gone() { # NAME
    is "$1: no process is left" "$(marked_processes)" ""
    is "$1: no mount and no folder is left" "$(leftovers)" ""
}

time_limit() {
    make_project
    cat >>"$config" <<END

[exec $scope]
timeout = 200ms
END
    exits "the scope's time limit ends a command with 124" 124 in_sandbox sleep "981$$"
    gone "after a time-out"
    exits "so it does when the command ends well at SIGTERM" 124 \
        sandbox_shell "trap 'exit 0' TERM; sleep 981$$ & wait"
    ok "SIGTERM reaches a command in a session of its own" test \
        "$(scopefs-exec -c "$config" -t 2s "$scope" sh -c \
            "trap : TERM; setsid sh -c 'trap \"echo asked; exit\" TERM; echo ready; sleep 981$$ & wait'")" \
        = "ready
asked"
    exits "SIGKILL follows for one that ignores SIGTERM" 124 \
        sandbox_shell "trap '' TERM; (setsid sleep 982$$ &); while :; do sleep 983$$; done"
    gone "after SIGKILL"
    exits "the command line's limit stands in its place" 4 \
        scopefs-exec -c "$config" -t 1h "$scope" sh -c 'sleep 0.4; exit 4'
    exits "and 0 is none" 4 scopefs-exec -c "$config" -t 0 "$scope" sh -c 'sleep 0.4; exit 4'
    sed -i 's/^timeout = .*/timeout = 1h/' "$config"
    exits "a limit that is not reached changes nothing" 6 in_sandbox sh -c 'exit 6'
}

background() {
    make_project
    ok "a command that leaves processes behind ends at once" \
        sandbox_shell "sleep 981$$ & setsid sleep 982$$ & (trap '' TERM HUP; sleep 983$$) & :"
    gone "after it"
    # As `exec scopefs-exec ... < <(producer)` in a shell gives it a child that is not its own.
    run bash -c 'exec scopefs-exec -c "$0" "$1" cat < <(sleep 0.1; echo produced)' "$config" "$scope"
    is "a child that the caller had made stays alive" "$output" produced
}

# A command with a child, which says "ready" when nothing but a signal moves it. A shell that is still
# starting something could lose one.
waiting_command() {
    printf '%s' "sleep 981$$ & exec perl -e '\$| = 1; print qq(ready\\n); sleep 982$$'"
}

signal_is_passed_on() { # SIGNAL NUMBER
    start_job scopefs-exec -c "$config" "$scope" sh -c "$(waiting_command)"
    wait_for 'grep -qs ready job.out'
    kill -"$1" "$job"
    wait_for_job
    is "SIG$1 ends the command, status 128+$2" "$status" $((128 + $2))
    gone "after SIG$1"
}

signals() {
    make_project
    signal_is_passed_on TERM 15
    signal_is_passed_on INT 2
    signal_is_passed_on HUP 1
    signal_is_passed_on QUIT 3

    start_job scopefs-exec -c "$config" "$scope" \
        sh -c "trap 'echo asked; exit 9' USR1; echo ready; while :; do sleep 0.01; done"
    wait_for 'grep -qs ready job.out'
    kill -USR1 "$job"
    wait_for_job
    is "a command may handle a signal" "$(<job.out) $status" "ready
asked 9"

    start_job scopefs-exec -c "$config" "$scope" sh -c "echo ready; exec sleep 981$$"
    wait_for 'grep -qs ready job.out'
    kill -KILL "$job"
    wait_for_job
    ok "when scopefs-exec is killed, so is the command" wait_for '[[ -z $(marked_processes) ]]'
    ok "and its view" wait_for '[[ -z $(leftovers) ]]'
}

terminal() {
    make_project
    mkfifo keys
    set -m
    waiting_command >text
    script -qec "scopefs-exec -c '$config' $scope sh -c \"\$(cat text)\"" \
        typescript <keys >job.out 2>&1 &
    job=$!
    set +m
    exec 6>keys
    wait_for 'grep -qs ready job.out'
    printf '\003' >&6
    wait_for_job
    exec 6>&-
    is "Ctrl-C at a terminal ends the command" "$status" 130
    gone "after Ctrl-C"
}

early_signals() {
    local delay
    make_project
    # Delays that end within the phases of the start; which one each hits is up to the machine.
    for delay in 0 0.002 0.005 0.01 0.015 0.02 0.03; do
        start_job scopefs-exec -c "$config" "$scope" sleep "981$$"
        sleep "$delay"
        kill -TERM "$job"
        wait_for_job
        is "SIGTERM after ${delay} s ends it" "$status" 143
        gone "after ${delay} s"
    done
}

mounts() {
    local device
    make_project
    mkdir -p "$workdir/views/$scope"
    if ((EUID == 0)); then
        run scopefs mount -c "$config" --for-user 65530:65530 "$scope"
    else
        run scopefs mount -c "$config" "$scope"
    fi
    is "the scope is mounted at its place" "$status" 0
    device=$(awk -v point="$workdir/views/$scope" '$5 == point { print $3 }' /proc/self/mountinfo)
    run in_sandbox awk '$5 == "/workspace" { print $3 }' /proc/self/mountinfo
    is "a mounted view is used" "$output" "$device"
    like "and stays mounted" "$(</proc/self/mountinfo)" "$workdir/views/$scope "

    mkdir -p elsewhere/output
    echo other >elsewhere/readable
    cp "$config" other.ini
    sed -i 's/^source = .*/source = elsewhere/' other.ini
    run scopefs-exec -c other.ini "$scope" cat readable
    is "another file's scope of that name is not mistaken for it" "$output" other
    cp "$config" stricter.ini
    sed -i "s/^view = .*/none = readable/" stricter.ini
    exits "nor are another file's rules for the same source" 1 \
        scopefs-exec -c stricter.ini "$scope" cat readable

    start_job scopefs-exec -c other.ini "$scope" sh -c 'echo ready; exec sleep 9'
    wait_for 'grep -qs ready job.out'
    ok "umount SCOPE unmounts the scope's view" scopefs umount "$scope"
    like "and leaves a running command its own" "$(leftovers)" "exec-$scope"
    kill "$job"
    wait_for_job

    run in_sandbox awk '$5 == "/workspace" { print $3 }' /proc/self/mountinfo
    ok "an unmounted view is mounted for the command" test -n "$output"
    fails "and not at its own place" grep -F "$workdir/views/$scope " /proc/self/mountinfo
    is "and is gone afterwards" "$(leftovers)" ""

    start_job in_sandbox sh -c 'echo ready; sleep 0.3; cat readable'
    wait_for 'grep -qs ready job.out'
    ok "a second command comes and goes" in_sandbox true
    wait_for_job
    is "while the first keeps its view" "$(<job.out)" "ready
readable"
    local number jobs=()
    for number in 1 2 3 4 5 6; do
        in_sandbox sh -c "cat readable; exit $number" >"out.$number" 2>&1 &
        jobs+=($!)
    done
    for number in 1 2 3 4 5 6; do
        wait "${jobs[number - 1]}"
        is "of six at once, number $number works" "$? $(<"out.$number")" "$number readable"
    done
    is "and nothing is left" "$(leftovers)" ""

    rm -r source
    exits "a source that is gone gives 125" 125 in_sandbox true
    is "and leaves nothing" "$(leftovers)" ""
}

for_each_user time_limit
for_each_user background
for_each_user signals
for_each_user terminal
for_each_user early_signals
for_each_user mounts
done_testing
